#!/bin/bash
# Lints openapi.yaml and those of openapi/ with Redocly: no error, no warning. Installs it into FOLDER, not into the tree.
#   run.sh FOLDER
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=${1:?usage: run.sh FOLDER}
mkdir -p "$folder"
cp "$here"/{package.json,package-lock.json,redocly.yaml,.redocly.lint-ignore.yaml} "$folder/"
cp -r "$here"/../../openapi{,.yaml} "$folder/"
cd "$folder"
npm ci --no-audit --no-fund --ignore-scripts --loglevel=error
REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true npx --no-install redocly lint openapi.yaml openapi/*.yaml
