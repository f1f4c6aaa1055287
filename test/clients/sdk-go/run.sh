#!/bin/bash
# Generates the Go client from openapi.yaml in FOLDER, compiles and vets it with life.go, and runs that against BASE_URL.
#   run.sh FOLDER BASE_URL
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=${1:?usage: run.sh FOLDER BASE_URL} base=${2:?usage: run.sh FOLDER BASE_URL}
# Two enums have a word in common: constants carry the name of theirs.
openapi-generator generate -g go -i "$here/../../../openapi.yaml" -o "$folder/sdk" --package-name sdk \
  --additional-properties=enumClassPrefix=true,withGoMod=false,disallowAdditionalPropertiesIfNotPresent=false \
  --global-property=apis,models,supportingFiles,apiTests=false,modelTests=false,apiDocs=false,modelDocs=false
cp "$here"/{go.mod,go.sum,life.go} "$folder/"
cd "$folder"
export GOWORK=off GOFLAGS='-mod=readonly -buildvcs=false'
go vet ./...
go build -o life .
./life "$base"
