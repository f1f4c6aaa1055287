#!/bin/bash
# Generates the Python client from openapi.yaml in FOLDER, and runs life.py with it against BASE_URL.
#   run.sh FOLDER BASE_URL
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=${1:?usage: run.sh FOLDER BASE_URL} base=${2:?usage: run.sh FOLDER BASE_URL}
openapi-generator generate -g python -i "$here/../../../openapi.yaml" -o "$folder/sdk" --package-name healthmonitor_client \
  --global-property=apis,models,supportingFiles,apiTests=false,modelTests=false,apiDocs=false,modelDocs=false
/usr/bin/python3 -m pip install -q --no-deps --root-user-action=ignore --disable-pip-version-check \
  --target "$folder/packages" -r "$here/requirements.txt"
export PYTHONPATH=$folder/sdk:$folder/packages
/usr/bin/python3 -m compileall -q "$folder/sdk"
/usr/bin/python3 "$here/life.py" "$base"
