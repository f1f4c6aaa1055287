#!/usr/bin/env python3
"""Recording reverse proxy: writes each request and answer as one JSON line. Python 3 standard library only; 127.0.0.1 only.
# Origin: the project's study of Octavia's clients.
usage: record.py FILE PORT=ORIGIN [PORT=ORIGIN ...]                e.g. record.py log.jsonl 19870=http://127.0.0.1:5000 19871=http://127.0.0.1:9876
       record.py --normalise FILE                                  prints FILE with ids, times and tokens replaced by names in the order of appearance
       record.py --compare GOLDEN FILE                             differences in what was asked and answered, whatever the order; exit 1 when there are any:
           writes (body and status; 409 and 5xx are left out: they are retried), reads (path, query keys and status), keys missing from an answer
In answers each ORIGIN becomes the address of its recorder, so that a client follows the catalogue of the identity service into the recorders.
The current step (any word) is read from FILE.step at each request. Ends on SIGTERM.
"""
import json, re, sys, threading, time, os, signal, http.client, urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

def normalise(path):
    names, n = {}, {}
    uuid = r'[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}'
    KIND = {'loadbalancer': 'LB', 'listener': 'LISTENER', 'pool': 'POOL', 'healthmonitor': 'HM', 'member': 'MEMBER', 'quota': 'QUOTA', 'port': 'PORT'}
    def new(kind, i):
        if i and i not in names: n[kind] = n.get(kind, 0) + 1; names[i] = '%s%d' % (kind, n[kind])
    rows = [json.loads(l) for l in open(path)]
    for r in rows:                                  # name each object after its kind, in the order in which the answers show them
        a = r.get('response')
        if isinstance(a, dict):
            for k, o in a.items():
                if k in KIND and isinstance(o, dict) and o.get('id'): new(KIND[k], o['id'])
                if k.rstrip('s') in KIND and isinstance(o, list):
                    for x in o: isinstance(x, dict) and new(KIND[k.rstrip('s')], x.get('id'))
            for o in a.values():
                if isinstance(o, dict): new('PROJECT', o.get('project_id')); new('PORT', o.get('vip_port_id'))
            t = a.get('token')
            if isinstance(t, dict):
                new('PROJECT', (t.get('project') or {}).get('id')); new('USER', (t.get('user') or {}).get('id'))
    keep = re.compile('^5f2dbd76-')                 # constants of variables.tf
    def sub(s):
        for i, name in names.items():
            if not keep.match(i): s = s.replace(i, '<%s>' % name)
        s = re.sub(uuid, lambda m: m.group(0) if keep.match(m.group(0)) else '<ID>', s)
        s = re.sub(r'(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])', '<ID>', s); s = re.sub(r'"audit_ids": \[[^]]*\]', '"audit_ids": []', s)
        s = re.sub(r'gAAAA[A-Za-z0-9_=-]{20,}', '<TOKEN>', s)
        return re.sub(r'20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z?', '<TIME>', s)
    for i, r in enumerate(rows, 1):
        r.pop('t', None); r = {'n': i, **r}
        print(sub(json.dumps(r, ensure_ascii=False)))

def compare(golden, mine):
    from collections import Counter
    def ids(x): return re.sub(r'<[A-Z]+[0-9]*>|(?!5f2dbd76)[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22,}|(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])', '{id}', x)
    def canon(o):                                  # lists are sets here: tags, members of a batch
        if isinstance(o, dict): return {k: canon(v) for k, v in o.items()}
        return sorted((canon(x) for x in o), key=lambda x: json.dumps(x, sort_keys=True)) if isinstance(o, list) else o
    def load(p):
        w, g, keys = Counter(), set(), {}
        for r in map(json.loads, open(p)):
            if r['svc'] == 'identity' or r['status'] == 409 or r['status'] >= 500: continue
            q = '&'.join(sorted({k for k, _ in urllib.parse.parse_qsl(r['query'])})); t = ids(r['path']) + ('?' + q if q else '')
            if r['method'] == 'GET': g.add((r['step'], 'GET', t, r['status']))
            else: w[(r['step'], r['method'], t, ids(json.dumps(canon(r['body']), sort_keys=True)), r['status'])] += 1
            a = r['response']
            if isinstance(a, dict) and r['svc'] == 'lb':
                for k, o in a.items():
                    for x in (o if isinstance(o, list) else [o]):
                        if isinstance(x, dict):
                            kk = (r['method'], t.split('?')[0], k); keys[kk] = (keys[kk] & set(x)) if kk in keys else set(x)
        return w, g, keys
    (w1, g1, k1), (w2, g2, k2) = load(golden), load(mine); n = 0
    for sign, d in (('only in golden', w1 - w2), ('only in mine', w2 - w1)):
        for k, c in sorted(d.items()): n += 1; print('write', sign, '%dx' % c, *k)
    for sign, d in (('only in golden', g1 - g2), ('only in mine', g2 - g1)):
        for k in sorted(d): n += 1; print('read', sign, *k)
    for k in sorted(set(k1) & set(k2)):
        if k1[k] - k2[k]: n += 1; print('keys missing', *k, sorted(k1[k] - k2[k]))
    print('%d differences, %d writes and %d kinds of read in the golden' % (n, sum(w1.values()), len(g1))); sys.exit(1 if n else 0)

def main():
    log, lock = open(sys.argv[1], 'a', buffering=1), threading.Lock()
    def step():
        try: return open(sys.argv[1] + '.step').read().strip()
        except OSError: return ''
    def trim(o, depth=0):                           # the catalogue is long: keep type and url only
        if isinstance(o, dict) and isinstance(o.get('catalog'), list):
            o = {**o, 'catalog': [{'type': c.get('type'), 'name': c.get('name'), 'endpoints': [{'interface': e.get('interface'), 'region': e.get('region'), 'url': e.get('url')} for e in c.get('endpoints', []) if e.get('interface') == 'public']} for c in o['catalog']]}
        return {k: trim(v) for k, v in o.items()} if isinstance(o, dict) else o
    def hide(o):
        if isinstance(o, dict): return {k: ('<password>' if k == 'password' and isinstance(v, str) else hide(v)) for k, v in o.items()}
        return [hide(x) for x in o] if isinstance(o, list) else o
    def js(b):
        if not b: return None
        try: return json.loads(b)
        except ValueError: return b.decode('utf-8', 'replace')[:2000]
    def svc(p): return 'identity' if re.search(r'/v3(/|$)', p) and '/elb/' not in p else 'lb' if '/lbaas' in p or '/elb/' in p or re.search(r'/(loadbalancers|listeners)/[^/]+/tags|/v2.0/quotas/', p) else 'network'
    specs = [x.split('=', 1) for x in sys.argv[2:]]
    swap = [(o.rstrip('/').encode(), b'http://127.0.0.1:' + p.encode()) for p, o in specs]
    for port, target in specs:
        u = urllib.parse.urlsplit(target)
        class H(BaseHTTPRequestHandler):
            protocol_version, to = 'HTTP/1.1', u
            def log_message(self, *a): pass
            def go(self):
                n = int(self.headers.get('Content-Length') or 0); body = self.rfile.read(n) if n else b''
                hop = ('host', 'connection', 'accept-encoding', 'content-length', 'transfer-encoding')
                c = http.client.HTTPConnection(self.to.hostname, self.to.port or 80, timeout=120)
                try:
                    c.request(self.command, self.to.path.rstrip('/') + self.path, body or None, {'Host': self.to.netloc, **{k: v for k, v in self.headers.items() if k.lower() not in hop}})
                    r = c.getresponse(); out, status = r.read(), r.status; rh = [(k, v) for k, v in r.getheaders() if k.lower() not in hop + ('server', 'date')]
                except OSError as e: out, status, rh = json.dumps({'proxy': str(e)}).encode(), 502, []
                finally: c.close()
                p, seen = urllib.parse.urlsplit(self.path), out
                for a, b in swap: out = re.sub(re.escape(a) + rb'(?![0-9])', b, out)
                with lock: log.write(json.dumps({'t': round(time.time(), 3), 'step': step(), 'svc': svc(p.path), 'method': self.command, 'path': p.path, 'query': p.query, 'body': hide(js(body)), 'status': status, 'response': trim(js(seen))}) + '\n')
                self.send_response(status)
                for k, v in rh: self.send_header(k, v)
                if status not in (204, 304): self.send_header('Content-Length', str(len(out)))
                self.end_headers(); self.wfile.write(out)
            do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = go
        s = ThreadingHTTPServer(('127.0.0.1', int(port)), H); s.daemon_threads = True
        threading.Thread(target=s.serve_forever, daemon=True).start()
    signal.signal(signal.SIGTERM, lambda *a: os._exit(0)); signal.pause()

if sys.argv[1:2] == ['--normalise']: normalise(sys.argv[2])
elif sys.argv[1:2] == ['--compare']: compare(*sys.argv[2:4])
else: main()
