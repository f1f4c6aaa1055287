#!/bin/bash
# Generates the TypeScript client from openapi.yaml in FOLDER, compiles it strictly, and runs life.ts against BASE_URL.
#   run.sh FOLDER BASE_URL
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=${1:?usage: run.sh FOLDER BASE_URL} base=${2:?usage: run.sh FOLDER BASE_URL}
cp "$here"/{package.json,package-lock.json,tsconfig.json,life.ts} "$folder/"
cd "$folder"
npm ci --no-audit --no-fund --ignore-scripts --loglevel=error
npx --no-install openapi-typescript "$here/../../../openapi.yaml" -o api.d.ts --default-non-nullable=false
npx --no-install tsc -p .
node life.js "$base"
