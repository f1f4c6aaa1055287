#!/bin/bash
# Runs each sub-command of `openstack loadbalancer` that a life of a health monitor needs. Origin: the project's study of Octavia's clients, where the
# same commands passed against a real Octavia; here members are of loopback, because they are really probed.
# usage: cli-probe.sh [URL, default http://127.0.0.1:9876/load-balancer] [request-log-file]
# Exit 1 when any sub-command but the one that must fail (show of an unknown id) ends with rc != 0; the last line counts.
URL=${1:-http://127.0.0.1:9876/load-balancer}; LOG=${2:-}; RUNS=0; BAD=0
if [ -z "$OS_CLOUD" ] && [ -z "$OS_AUTH_URL" ]; then export OS_AUTH_TYPE=none OS_ENDPOINT=$URL; fi   # else: clouds.yaml entry, or keystone variables
OS=/usr/bin/openstack
req(){ [ -n "$LOG" ] && tail -n +$((N+1)) "$LOG" | /usr/bin/python3 -c '
import sys,json
for l in sys.stdin:
    r=json.loads(l); print("    >", r["method"], r["path"], ("" if not r["body"] else r["body"]))'; }
run(){ N=$([ -n "$LOG" ] && wc -l <"$LOG" || echo 0); echo "\$ openstack $*"; OUT=$(timeout 120 $OS "$@" 2>&1); RC=$?; RUNS=$((RUNS+1)); [ $RC -eq ${WANT:-0} ] || { BAD=$((BAD+1)); SHOW_NOW=1; }; req; echo "    rc=$RC"; [ -n "$SHOW$SHOW_NOW" ] && echo "$OUT" | sed 's/^/    | /'; SHOW_NOW=; return 0; }
id(){ echo "$OUT" | tail -1 | tr -d "\r"; }
S=$RANDOM; SUB=${SUBNET:-5f2dbd76-7e69-4b8f-8a7e-6b9a1f3c0001}
run loadbalancer create --name lb$S --vip-subnet-id $SUB -f value -c id; LB=$(id)
run loadbalancer list
run loadbalancer show lb$S
run loadbalancer status show lb$S
run loadbalancer stats show lb$S
run loadbalancer listener create --name ls$S --protocol HTTP --protocol-port $((1024+S%30000)) lb$S -f value -c id; LS=$(id)
run loadbalancer listener list
run loadbalancer pool create --name po$S --protocol HTTP --lb-algorithm ROUND_ROBIN --listener ls$S -f value -c id; PO=$(id)
run loadbalancer pool list
run loadbalancer pool list --loadbalancer $LB
run loadbalancer pool show po$S
run loadbalancer pool show $PO
run loadbalancer pool set --name po$S --description d1 --lb-algorithm LEAST_CONNECTIONS po$S
run loadbalancer member create --name me$S --address 127.0.2.10 --protocol-port 80 --weight 5 po$S -f value -c id; ME=$(id)
run loadbalancer member list po$S
run loadbalancer member show po$S me$S
run loadbalancer member show $PO $ME
run loadbalancer member set --weight 7 --name me$S po$S me$S
run loadbalancer member set --weight 0 --disable $PO $ME
run loadbalancer healthmonitor create --name hm$S --delay 5 --timeout 3 --max-retries 2 --max-retries-down 3 --type HTTP --url-path /healthz --expected-codes 200-204 --http-method GET po$S -f value -c id; HM=$(id)
run loadbalancer healthmonitor list
run loadbalancer healthmonitor show hm$S
run loadbalancer healthmonitor show $HM
run loadbalancer healthmonitor set --delay 7 --name hm$S --max-retries 3 hm$S
run loadbalancer healthmonitor set --wait --delay 8 $HM
run loadbalancer healthmonitor set --tag blue $HM
run loadbalancer healthmonitor set --disable $HM
run loadbalancer healthmonitor unset --url-path --expected-codes --name $HM
run loadbalancer healthmonitor list --tags blue
WANT=1 run loadbalancer healthmonitor show 00000000-0000-4000-8000-00000000dead
run loadbalancer healthmonitor delete $HM
run loadbalancer healthmonitor create --wait --name hw$S --delay 5 --timeout 3 --max-retries 2 --type TCP $PO -f value -c id; HM=$(id)
run loadbalancer healthmonitor delete --wait hw$S
run loadbalancer member delete po$S me$S
run loadbalancer pool delete po$S
run loadbalancer listener delete ls$S
run loadbalancer delete --cascade lb$S
run loadbalancer create --wait --name lw$S --vip-subnet-id $SUB -f value -c id; LB=$(id)
run loadbalancer set --wait --description d2 lw$S
run loadbalancer listener create --wait --name lv$S --protocol TCP --protocol-port 1023 lw$S -f value -c id
run loadbalancer listener set --wait --description d2 lv$S
run loadbalancer listener stats show lv$S
run loadbalancer pool create --wait --name pw$S --protocol TCP --lb-algorithm SOURCE_IP --listener lv$S -f value -c id
run loadbalancer pool set --wait --description d2 pw$S
run loadbalancer member create --wait --name mw$S --address 127.0.2.11 --protocol-port 80 --subnet-id $SUB pw$S -f value -c id
run loadbalancer member set --wait --weight 2 pw$S mw$S
run loadbalancer healthmonitor create --wait --name hv$S --delay 5 --timeout 3 --max-retries 2 --type PING pw$S -f value -c id
run loadbalancer member delete --wait pw$S mw$S
run loadbalancer pool delete --wait pw$S
run loadbalancer listener delete --wait lv$S
run loadbalancer failover --wait lw$S
run loadbalancer delete --wait lw$S
run loadbalancer quota defaults show
run loadbalancer quota list
if [ -n "$OS_AUTH_URL" ]; then # the client asks the identity service for the project
  run loadbalancer quota show "$OS_PROJECT_NAME"
  run loadbalancer quota set --healthmonitor 900 "$OS_PROJECT_NAME"
  run loadbalancer quota reset "$OS_PROJECT_NAME"
fi
run loadbalancer provider list
run loadbalancer flavor list
run loadbalancer availabilityzone list
echo "$((RUNS-BAD)) passed, $BAD failed"; [ $BAD -eq 0 ]
