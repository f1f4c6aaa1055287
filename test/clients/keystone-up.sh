#!/bin/bash
# Brings up a real OpenStack Keystone (Debian 12 "Zed", keystone 22) on 127.0.0.1:5000 with SQLite, in one go on a fresh machine.
#   keystone-up.sh [up]    install if missing, bootstrap, start under uwsgi, add catalog/users; prints `export OS_...` lines on stdout (log on stderr)
#   keystone-up.sh env     print the env lines only
#   keystone-up.sh down    stop it (by its pid)
# Environment: KS_DIR (default /tmp/keystone-peer), KS_PORT (5000), LB_URL (http://127.0.0.1:9876/load-balancer), NET_URL (http://127.0.0.1:9876: answers /v2.0/subnets),
#   KS_PROCS (1: the token cache is per process), KS_TOKEN_TTL (3600 s)
#   then:  eval "$(test/clients/keystone-up.sh up)"; /usr/bin/openstack token issue
set -e
# Without starting any daemon: Debian's init would.
install_packages(){
  export DEBIAN_FRONTEND=noninteractive
  if [ ! -e /usr/sbin/policy-rc.d ]; then printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d; chmod +x /usr/sbin/policy-rc.d; fi
  debconf-set-selections <<'D'
keystone keystone/configure_db boolean false
keystone keystone/create-admin-tenant boolean false
keystone keystone/register-endpoint boolean false
D
  apt-get -o DPkg::Lock::Timeout=500 update -q
  apt-get -o DPkg::Lock::Timeout=500 install -y --no-install-recommends keystone python3-openstackclient uwsgi-plugin-python3
}
KS_DIR=${KS_DIR:-/tmp/keystone-peer}; KS_PORT=${KS_PORT:-5000}; LB_URL=${LB_URL:-http://127.0.0.1:9876/load-balancer}; NET_URL=${NET_URL:-http://127.0.0.1:9876}; KS_PROCS=${KS_PROCS:-1}; KS_TOKEN_TTL=${KS_TOKEN_TTL:-3600}
URL=http://127.0.0.1:$KS_PORT/v3; PIDF=$KS_DIR/uwsgi.pid
log(){ echo "[keystone-up] $*" >&2; }
envs(){ cat <<E
export OS_IDENTITY_API_VERSION=3 OS_AUTH_TYPE=password OS_AUTH_URL=$URL OS_REGION_NAME=RegionOne OS_INTERFACE=public
export OS_USERNAME=admin OS_PASSWORD=adminpw OS_PROJECT_NAME=admin OS_USER_DOMAIN_NAME=Default OS_PROJECT_DOMAIN_NAME=Default
# other accounts: demo/demopw in project demo (member, load-balancer_member), alt/altpw in project alt (member),
#                 viewer/viewerpw in project demo (reader, load-balancer_observer), octavia/octaviapw in project service (admin: token validation)
unset OS_ENDPOINT OS_TOKEN
E
}
alive(){ [ -s "$PIDF" ] && kill -0 "$(cat "$PIDF")" 2>/dev/null; }
case "${1:-up}" in
env) envs; exit 0;;
down) if alive; then P=$(cat "$PIDF"); kill "$P"; for i in $(seq 50); do kill -0 "$P" 2>/dev/null || break; sleep 0.1; done; log "stopped $P"; fi; exit 0;;
esac
if alive; then log "already up, pid $(cat "$PIDF")"; envs; exit 0; fi
T0=$(date +%s.%N); el(){ /usr/bin/python3 -c "import time;print('%.1fs'%(time.time()-$T0))"; }
if ! dpkg -s keystone python3-openstackclient uwsgi-plugin-python3 >/dev/null 2>&1; then
  install_packages >&2; log "packages installed $(el)"
fi
rm -rf "$KS_DIR"; mkdir -p "$KS_DIR/fernet" "$KS_DIR/cred"; chown -R keystone:keystone "$KS_DIR"; chmod 755 "$KS_DIR"
cat > "$KS_DIR/keystone.conf" <<C
[DEFAULT]
log_file = $KS_DIR/keystone.log
public_endpoint = http://127.0.0.1:$KS_PORT
[database]
connection = sqlite:///$KS_DIR/keystone.db
[token]
provider = fernet
expiration = $KS_TOKEN_TTL
[fernet_tokens]
key_repository = $KS_DIR/fernet
[credential]
key_repository = $KS_DIR/cred
[cache]
enabled = true
backend = dogpile.cache.memory
C
chown keystone:keystone "$KS_DIR/keystone.conf"
KM() { runuser -u keystone -- /usr/bin/keystone-manage --config-file "$KS_DIR/keystone.conf" "$@" 2> >(grep -v "Exception ignored in\|Traceback\|^  File\|AttributeError" >&2); }
cd "$KS_DIR"
KM db_sync >&2; log "db_sync done $(el)"
# WAL (kept in the file): without it a reader's open transaction makes writers fail after 5 s with 'database is locked' (seen here)
runuser -u keystone -- /usr/bin/python3 -c "import sqlite3; print('journal', sqlite3.connect('$KS_DIR/keystone.db').execute('PRAGMA journal_mode=WAL').fetchone()[0])" >&2
KM fernet_setup --keystone-user keystone --keystone-group keystone >&2
KM credential_setup --keystone-user keystone --keystone-group keystone >&2
KM bootstrap --bootstrap-username admin --bootstrap-password adminpw --bootstrap-project-name admin --bootstrap-role-name admin --bootstrap-service-name keystone \
   --bootstrap-region-id RegionOne --bootstrap-admin-url "$URL" --bootstrap-public-url "$URL" --bootstrap-internal-url "$URL" >&2
log "bootstrap done $(el)"
# uwsgi: OS_KEYSTONE_CONFIG_FILES tells the wsgi script which file to read (config dir default: /etc/keystone)
runuser -u keystone -- env OS_KEYSTONE_CONFIG_DIR="$KS_DIR" OS_KEYSTONE_CONFIG_FILES=keystone.conf \
  /usr/bin/uwsgi_python3 --http-socket 127.0.0.1:$KS_PORT --wsgi-file /usr/bin/keystone-wsgi-public --master --processes "$KS_PROCS" --threads 8 --enable-threads --lazy-apps \
  --buffer-size 65535 --die-on-term --add-header "Connection: close" --pidfile "$PIDF" --daemonize "$KS_DIR/uwsgi.log" --need-app >&2
for i in $(seq 40); do curl -fs -o /dev/null --max-time 1 "$URL" && break; sleep 0.25; done
curl -fs -o /dev/null --max-time 5 "$URL" || { log "did not come up"; { tail -n 20 "$KS_DIR/uwsgi.log"; tail -n 20 "$KS_DIR/keystone.log"; kill "$(cat "$PIDF")"; } >&2; exit 1; }
log "answering $(el), pid $(cat "$PIDF")"
KS_URL=$URL LB_URL=$LB_URL NET_URL=$NET_URL /usr/bin/python3 - >&2 <<'PY'
import json, os, urllib.request
U, LB = os.environ['KS_URL'], os.environ['LB_URL']
def call(m, p, b=None, tok=None):
    r = urllib.request.Request(U + p, method=m, data=None if b is None else json.dumps(b).encode(), headers={'Content-Type': 'application/json', **({'X-Auth-Token': tok} if tok else {})})
    with urllib.request.urlopen(r, timeout=20) as x:
        d = x.read(); return x.headers, (json.loads(d) if d else None)
h, t = call('POST', '/auth/tokens', {'auth': {'identity': {'methods': ['password'], 'password': {'user': {'name': 'admin', 'domain': {'name': 'Default'}, 'password': 'adminpw'}}}, 'scope': {'project': {'name': 'admin', 'domain': {'name': 'Default'}}}}})
T = h['X-Subject-Token']; C = lambda m, p, b=None: call(m, p, b, T)[1]
s = C('POST', '/services', {'service': {'type': 'load-balancer', 'name': 'octavia', 'description': 'LBaaS', 'enabled': True}})['service']['id']
n = C('POST', '/services', {'service': {'type': 'network', 'name': 'neutron', 'description': 'stub', 'enabled': True}})['service']['id']   # the CLI asks it for --vip-subnet-id / --subnet-id
for i in ('public', 'internal', 'admin'):
    C('POST', '/endpoints', {'endpoint': {'service_id': s, 'interface': i, 'region_id': 'RegionOne', 'url': LB, 'enabled': True}})
    C('POST', '/endpoints', {'endpoint': {'service_id': n, 'interface': i, 'region_id': 'RegionOne', 'url': os.environ['NET_URL'], 'enabled': True}})
roles = {r['name']: r['id'] for r in C('GET', '/roles')['roles']}
for r in ('load-balancer_member', 'load-balancer_observer', 'load-balancer_global_observer', 'load-balancer_admin', 'load-balancer_quota_admin', 'service'):
    if r not in roles: roles[r] = C('POST', '/roles', {'role': {'name': r}})['role']['id']
pr = {'admin': [x for x in C('GET', '/projects')['projects'] if x['name'] == 'admin'][0]['id']}
for p in ('demo', 'alt', 'service'): pr[p] = C('POST', '/projects', {'project': {'name': p, 'domain_id': 'default', 'enabled': True}})['project']['id']
for u, p, rs in (('demo', 'demo', ('member', 'load-balancer_member')), ('alt', 'alt', ('member', 'load-balancer_member')), ('viewer', 'demo', ('reader', 'load-balancer_observer')), ('octavia', 'service', ('admin', 'service'))):
    uid = C('POST', '/users', {'user': {'name': u, 'password': u + 'pw', 'domain_id': 'default', 'default_project_id': pr[p], 'enabled': True}})['user']['id']
    for r in rs: C('PUT', '/projects/%s/users/%s/roles/%s' % (pr[p], uid, roles[r]))
print('[keystone-up] projects', json.dumps(pr))
PY
log "ready $(el)"
envs
