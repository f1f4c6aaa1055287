#!/bin/bash
# Origin: the project's study of Octavia's clients, run there against a real Octavia (its requests: test/vectors/terraform-golden).
# Builds the OpenStack Terraform provider v1.54.1 (gophercloud v1.8.0), a Go module dependency of provider/, into a folder.
#   build.sh FOLDER        -> FOLDER/terraform-provider-openstack (35 MB; about 1 minute the first time, at once when it is there)
# Needs: go >= 1.20 with access to its module proxy, and terraform >= 1.2 (or TF_BIN=tofu) for run.sh.
set -euo pipefail
HERE=$(cd "$(dirname "$0")" && pwd); OUT=${1:?usage: build.sh FOLDER}; TF_BIN=${TF_BIN:-terraform}
die() { echo "build.sh: $*" >&2; exit 1; }
command -v go >/dev/null || die "go is not on PATH (1.20 or later)"
command -v "$TF_BIN" >/dev/null || die "$TF_BIN is not on PATH (run.sh needs terraform or, with TF_BIN=tofu, OpenTofu)"
mkdir -p "$OUT"; OUT=$(cd "$OUT" && pwd); cd "$HERE/provider"
GOFLAGS="-mod=readonly -buildvcs=false" GOWORK=off go build -trimpath -o "$OUT/terraform-provider-openstack" . || die "go build failed"
echo "build.sh: built in ${SECONDS}s: $OUT"
