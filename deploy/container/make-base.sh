#!/bin/sh
# make-base.sh NAME [MIRROR]: makes a base image (Debian 13 with its Node and npm) with debootstrap, for places that
# reach no image registry. Needs root, debootstrap and podman.
set -eu
name=$1 mirror=${2:-http://deb.debian.org/debian}
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
debootstrap --variant=minbase --include=ca-certificates trixie "$root" "$mirror"
cp /etc/resolv.conf "$root/etc/resolv.conf"
chroot "$root" sh -c 'apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends nodejs npm'
rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/archives/*.deb
tar -C "$root" --numeric-owner --exclude='./proc/*' --exclude='./sys/*' -c . | podman import - "$name"
