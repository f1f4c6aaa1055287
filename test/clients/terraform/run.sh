#!/bin/bash
# Origin: the project's study of Octavia's clients, run there against a real Octavia (its requests: test/vectors/terraform-golden).
# Life of a Terraform configuration against a load balancing service: apply, empty plan, change, empty plan, import, empty plan, destroy.
#   run.sh FOLDER_OF_THE_PROVIDER        (made by build.sh)     one PASS/FAIL line per step, exit 1 when any failed
# Where: OS_AUTH_URL OS_USERNAME OS_PASSWORD OS_PROJECT_NAME OS_USER_DOMAIN_NAME OS_PROJECT_DOMAIN_NAME OS_REGION_NAME. The defaults are those of the
#   service's development identity. The service's URL comes from the catalogue (types load-balancer and network, both needed).
#   An ordinary user cannot write quotas: TF_VAR_with_quota=false. Any variable of variables.tf can be given as TF_VAR_<name>.
# TF_BIN (terraform | tofu)  PARALLELISM (10, Terraform's own default: several writes at once on one load balancer)  STEP_LIMIT (300 s per step)
# RECORD=FILE   writes all requests and answers to FILE (record.py --normalise FILE makes ids into names): the identity service and the origins in
#   RECORD_ORIGINS (default: that of OS_AUTH_URL and http://127.0.0.1:9876, http://127.0.0.1:9871) are reached through ports RECORD_PORT.. (19870..)
# KEEP=1 leaves the working folder (configuration, state, logs). TF_DIR, PROVIDER: another configuration, another provider's address.
set -uo pipefail
HERE=$(cd "$(dirname "$0")" && pwd); PROV=${1:?usage: run.sh FOLDER_OF_THE_PROVIDER}; PROV=$(cd "$PROV" && pwd) || exit 2
TF_DIR=${TF_DIR:-$HERE}; PROVIDER=${PROVIDER:-terraform-provider-openstack/openstack}; TF_BIN=${TF_BIN:-terraform}
PARALLELISM=${PARALLELISM:-10}; STEP_LIMIT=${STEP_LIMIT:-300}
die() { echo "run.sh: $*" >&2; exit 2; }
for t in "$TF_BIN" python3 timeout; do command -v "$t" >/dev/null || die "$t is not on PATH"; done
ls "$PROV"/terraform-provider-* >/dev/null 2>&1 || die "no provider in $PROV: run build.sh"
export OS_AUTH_URL=${OS_AUTH_URL:-http://127.0.0.1:9876/identity/v3} OS_USERNAME=${OS_USERNAME:-admin} OS_PASSWORD=${OS_PASSWORD:-admin} OS_REGION_NAME=${OS_REGION_NAME:-RegionOne}
export OS_PROJECT_NAME=${OS_PROJECT_NAME:-admin} OS_USER_DOMAIN_NAME=${OS_USER_DOMAIN_NAME:-Default} OS_PROJECT_DOMAIN_NAME=${OS_PROJECT_DOMAIN_NAME:-Default}
unset OS_AUTH_TYPE OS_ENDPOINT OS_CLOUD OS_TOKEN
W=$(mktemp -d) REC=; FAILED=0
finish() { [ -n "$REC" ] && kill "$REC" 2>/dev/null; rm -f "${RECORD:-/nonexistent}.step"; if [ -n "${KEEP:-}" ]; then echo "kept: $W"; else rm -rf "$W"; fi; }
trap finish EXIT
cp "$TF_DIR"/*.tf "$TF_DIR"/change.tfvars "$W"/; cd "$W" || exit 2
printf 'disable_checkpoint = true\nprovider_installation {\n  dev_overrides {\n    "%s" = "%s"\n  }\n}\n' "$PROVIDER" "$PROV" > cli.rc    # no `init`: nothing is downloaded
export TF_CLI_CONFIG_FILE=$W/cli.rc TF_IN_AUTOMATION=1 TF_INPUT=0 CHECKPOINT_DISABLE=1
if [ -n "${RECORD:-}" ]; then
  case $RECORD in /*) ;; *) RECORD=$OLDPWD/$RECORD;; esac
  : > "$RECORD"; ORIGIN=$(sed -E 's#^(https?://[^/]+).*#\1#' <<<"$OS_AUTH_URL"); P=${RECORD_PORT:-19870}; ARGS=()
  for o in $(printf '%s\n' "$ORIGIN" ${RECORD_ORIGINS:-http://127.0.0.1:9876 http://127.0.0.1:9871} | awk '!s[$0]++'); do ARGS+=("$P=$o"); P=$((P+1)); done
  python3 "$HERE/record.py" "$RECORD" "${ARGS[@]}" & REC=$!
  export OS_AUTH_URL=http://127.0.0.1:${RECORD_PORT:-19870}${OS_AUTH_URL#"$ORIGIN"}; sleep 0.5
  kill -0 "$REC" 2>/dev/null || die "the recorder did not start"
fi
step() { # NAME EXPECTED_RC COMMAND...
  local name=$1 want=$2 t=$SECONDS rc; shift 2; [ -n "${RECORD:-}" ] && echo "$name" > "$RECORD.step"
  timeout "$STEP_LIMIT" "$@" > "$W/out.$name" 2>&1; rc=$?
  if [ "$rc" = "$want" ]; then echo "PASS $name ($((SECONDS-t)) s) $(grep -E '^(Apply complete|Destroy complete|No changes)' "$W/out.$name" | head -1)"; return 0; fi
  echo "FAIL $name ($((SECONDS-t)) s): exit $rc, expected $want"; if grep -q '^Error' "$W/out.$name"; then grep -A8 '^Error' "$W/out.$name"; else grep -A8 -E '^  # |^Plan:|^== ' "$W/out.$name" || tail -n 5 "$W/out.$name"; fi | grep -v '^$' | head -60; FAILED=1; return 1
}
tf() { "$TF_BIN" "$@"; }
import_all() { # every line of output "imports": out of the state, in again by id
  tf output -json imports > imports.json || return 1
  local a i; while IFS=$'\t' read -r a i; do
    echo "== $a $i"; tf state rm "$a" </dev/null || return 1; tf import "${V[@]}" "$a" "$i" </dev/null || return 1
  done < <(python3 -c 'import json; [print(k, v, sep="\t") for k, v in json.load(open("imports.json")).items()]')
}
run() { local cmd=$1; shift; step "$@" "$TF_BIN" "$cmd" -no-color "${EXTRA[@]}"; }
V=() EXTRA=(-auto-approve "-parallelism=$PARALLELISM"); export -f tf import_all; export TF_BIN
if run apply apply 0; then
  EXTRA=(-detailed-exitcode "-parallelism=$PARALLELISM");                          run plan plan-empty 0
  V=(-var-file=change.tfvars)
  EXTRA=(-auto-approve "-parallelism=$PARALLELISM" "${V[@]}");                     run apply change 0
  EXTRA=(-detailed-exitcode "-parallelism=$PARALLELISM" "${V[@]}");                run plan plan-empty-2 0
  step import 0 bash -c 'V=(-var-file=change.tfvars); import_all';                 run plan plan-empty-3 0
fi
EXTRA=(-auto-approve "-parallelism=$PARALLELISM" "${V[@]}");                       run destroy destroy 0
step state-empty 0 bash -c 'test -z "$(tf state list)"'
[ "$FAILED" = 0 ] && echo "PASS all" || echo "FAIL"
exit $FAILED
