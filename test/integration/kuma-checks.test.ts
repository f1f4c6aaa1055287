/**
 * From objects of Kuma to checks and back to statuses in its words: the files of Kuma's documentation, applied by the requests
 * that kumactl makes, against real servers.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type Http2Server, type ServerHttp2Stream } from 'node:http2'
import type { AddressInfo, Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import { query } from '../../src/store/connection/database.ts'
import { type Api, type Json, startApi } from '../support/api.ts'
import { Kuma, proxy } from '../support/kuma.ts'
import { testDatabase } from '../support/database.ts'
import { listenApart } from '../support/ports.ts'
import { listen } from '../support/probing.ts'
import { testProber } from '../support/prober.ts'
import { until } from '../support/service.ts'
import { startTargets } from '../support/targets.ts'

/** Kuma's documentation, "Health Check", HTTP; with a shorter interval. */
const HTTP_POLICY = {
  type: 'HealthCheck',
  name: 'web-to-backend',
  mesh: 'default',
  sources: [{ match: { 'kuma.io/service': 'web' } }],
  destinations: [{ match: { 'kuma.io/service': 'backend' } }],
  conf: {
    interval: '200ms',
    timeout: '2s',
    unhealthyThreshold: 3,
    healthyThreshold: 1,
    http: {
      path: '/health',
      requestHeadersToAdd: [
        { append: false, header: { key: 'Content-Type', value: 'application/json' } },
        { header: { key: 'Accept', value: 'application/json' } },
      ],
      expectedStatuses: [200, 201],
    },
  },
}

/** The same, TCP: `foo` is sent, and `bar` and `baz` are expected in this order. */
const TCP_POLICY = {
  type: 'HealthCheck',
  name: 'all-to-db',
  mesh: 'default',
  sources: [{ match: { 'kuma.io/service': '*' } }],
  destinations: [{ match: { 'kuma.io/service': 'db' } }],
  conf: {
    interval: '200ms',
    timeout: '2s',
    unhealthyThreshold: 3,
    healthyThreshold: 1,
    tcp: { send: 'Zm9v', receive: ['YmFy', 'YmF6'] },
  },
}

async function start(t: TestContext): Promise<{ api: Api; kuma: Kuma }> {
  const database = await testDatabase(t)
  const api = await startApi(t, { db: database.db })
  testProber(database)
  return { api, kuma: new Kuma(api) }
}

interface Backend {
  readonly port: number
  readonly asked: IncomingHttpHeaders[]
  stop(): Promise<void>
}

/** A server that speaks HTTP/2 only. */
async function http2Backend(t: TestContext): Promise<Backend> {
  const asked: IncomingHttpHeaders[] = []
  const sockets = new Set<Socket>()
  const server: Http2Server = createServer()
  server.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    asked.push(headers)
    stream.respond({ ':status': 200 })
    stream.end()
  })
  server.on('connection', (socket: Socket) => sockets.add(socket))
  const port = await listenApart((free) => once(server.listen(free, '127.0.0.1'), 'listening'))
  const stop = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve())
      for (const socket of sockets) socket.destroy()
      if (!server.listening) resolve()
    })
  t.after(stop)
  return { port, asked, stop }
}

test("the HTTP policy of Kuma's documentation is probed in HTTP/2, and a server that dies is reported in Kuma's words", async (t) => {
  const { kuma } = await start(t)
  const [one, two] = [await http2Backend(t), await http2Backend(t)]
  await kuma.apply(
    HTTP_POLICY,
    proxy('backend-01', 'backend', one.port),
    proxy('backend-02', 'backend', two.port),
  )
  await until(async () => (await kuma.ready('backend-01')) === true, 'the first to be ready')
  await until(async () => (await kuma.ready('backend-02')) === true, 'the second to be ready')
  const { ':path': path, ':authority': authority, accept, 'content-type': type } = one.asked[0] ?? {}
  assert.deepEqual(
    [path, authority, accept, type],
    ['/health', 'backend', 'application/json', 'application/json'],
  )
  const up = await kuma.service('backend')
  assert.deepEqual([up.status, up.dataplanes], ['online', { total: 2, online: 2 }])

  await two.stop()
  await until(async () => (await kuma.ready('backend-02')) === false, 'the second to be not ready')
  const down = await kuma.service('backend')
  assert.deepEqual(
    [down.status, down.dataplanes],
    ['partially_degraded', { total: 2, online: 1, offline: 1 }],
  )
  const overview = await kuma.get('meshes/default/dataplanes+insights/backend-02')
  assert.deepEqual(overview.dataplane.networking.inbound[0].health, {})
  assert.equal(overview.dataplaneInsight.subscriptions.length, 1)
  const insight = await kuma.get('mesh-insights/default')
  assert.deepEqual(insight.dataplanes, { total: 2, online: 1, offline: 1 })
})

test("the TCP policy of Kuma's documentation sends its bytes and wants the blocks in their order", async (t) => {
  const { kuma } = await start(t)
  const said = { right: '-bar--baz-', wrong: '-baz--bar-' }
  const [right, wrong] = await Promise.all(
    [said.right, said.wrong].map((answer) =>
      listen(t, (socket) => {
        socket.on('data', (bytes: Buffer) => void (bytes.toString() === 'foo' && socket.end(answer)))
      }),
    ),
  )
  assert.ok(right !== undefined && wrong !== undefined)
  const portOf = (server: typeof right) => (server.address() as AddressInfo).port
  await kuma.apply(TCP_POLICY, proxy('db-1', 'db', portOf(right)), proxy('db-2', 'db', portOf(wrong)))
  await until(async () => (await kuma.ready('db-1')) === true, 'the right answer to be ready')
  await until(async () => (await kuma.ready('db-2')) === false, 'the wrong order to be not ready')
})

test('what a client says of the health of a checked inbound does not count, also when it sends the file again', async (t) => {
  const { kuma } = await start(t)
  const [target] = await startTargets(t, 1, '127.0.0.1')
  assert.ok(target !== undefined)
  const policy = { ...TCP_POLICY, conf: { ...TCP_POLICY.conf, tcp: {} } }
  const file = proxy('db-1', 'db', target.port)
  await kuma.apply(policy, file)
  await until(async () => (await kuma.ready('db-1')) === true, 'it to be ready')
  const liar = structuredClone(file)
  liar.networking.inbound[0].health = { ready: false }
  await kuma.apply(liar)
  assert.equal(await kuma.ready('db-1'), true)
  await target.stop()
  await until(async () => (await kuma.ready('db-1')) === false, 'it to be not ready')
  await kuma.apply(file)
  assert.equal(await kuma.ready('db-1'), false)
  // Nothing checks it any more: its author decides again.
  assert.equal((await kuma.send('DELETE', 'meshes/default/health-checks/all-to-db')).status, 200)
  liar.networking.inbound[0].health = { ready: true }
  await kuma.apply(liar)
  assert.equal(await kuma.ready('db-1'), true)
})

const CHECKED = (service: string, interval = '200ms'): Json => ({
  type: 'MeshHealthCheck',
  name: `to-${service}`,
  mesh: 'default',
  spec: {
    to: [
      {
        targetRef: { kind: 'MeshService', name: service },
        default: { interval, timeout: '1s', unhealthyThreshold: 2, healthyThreshold: 1, tcp: {} },
      },
    ],
  },
})

test('a change of a tag moves an inbound to another service without a false transition', async (t) => {
  const { kuma, api } = await start(t)
  const [up, gone] = await startTargets(t, 2, '127.0.0.1')
  assert.ok(up !== undefined && gone !== undefined)
  await gone.stop()
  await kuma.apply(
    CHECKED('backend'),
    CHECKED('api'),
    proxy('p-up', 'backend', up.port),
    proxy('p-gone', 'backend', gone.port),
  )
  await until(async () => (await kuma.ready('p-up')) === true, 'the one to be ready')
  await until(async () => (await kuma.ready('p-gone')) === false, 'the other to be not ready')
  await kuma.apply(proxy('p-up', 'api', up.port), proxy('p-gone', 'api', gone.port))
  // Until the first verdict in the new service, each shows what was known.
  assert.deepEqual([await kuma.ready('p-up'), await kuma.ready('p-gone')], [true, false])
  // Of the members that are there now: those of the old service are deleted.
  const told = () =>
    query<{ name: string; to: string }>(
      api.db,
      `select m.name, t.to_state as to from member_transition t join member m on m.id = t.member_id order by m.name`,
    )
  await until(async () => (await told()).length >= 2, 'the verdicts in the new service')
  assert.deepEqual([await kuma.ready('p-up'), await kuma.ready('p-gone')], [true, false])
  assert.deepEqual(await told(), [
    { name: `p-gone:${gone.port}`, to: 'OFFLINE' },
    { name: `p-up:${up.port}`, to: 'ONLINE' },
  ])
})

test('what else a file says of an inbound counts as soon as it is sent, also before the first verdict', async (t) => {
  const { api, kuma } = await start(t)
  await kuma.apply(CHECKED('backend', '60s'), CHECKED('api', '60s'), proxy('p-1', 'backend', 1001))
  const moved = proxy('p-1', 'api', 1001, { version: '2' })
  moved.networking.inbound[0] = {
    ...moved.networking.inbound[0],
    name: 'main',
    servicePort: 1002,
    serviceProbe: { tcp: {} },
  }
  await kuma.apply(moved)
  const { networking } = await kuma.get('meshes/default/dataplanes/p-1')
  const [{ tags, name, servicePort, serviceProbe }] = networking.inbound
  assert.deepEqual(
    [tags['kuma.io/service'], tags.version, name, servicePort, serviceProbe],
    ['api', '2', 'main', 1002, { tcp: {} }],
  )
  const pools = await query<{ name: string }>(api.db, 'select name from pool order by name')
  assert.deepEqual(
    pools.map((pool) => pool.name),
    ['default/api', 'default/api (application)'],
  )
})

test('a write leaves the checks alone that do not change: rows, versions and generations', async (t) => {
  const { api, kuma } = await start(t)
  await kuma.apply(
    CHECKED('backend', '60s'),
    CHECKED('api', '60s'),
    proxy('b-1', 'backend', 1001),
    proxy('b-2', 'backend', 1002),
    proxy('a-1', 'api', 1003),
  )
  const rows = async () =>
    await query(
      api.db,
      `select p.name, m.name as member, p.xmin::text, p.config_version, m.xmin::text as member_xmin, m.generation
       from pool p join member m on m.pool_id = p.id where p.name = 'default/backend' order by 2`,
    )
  const before = await rows()
  assert.equal(before.length, 2)
  await kuma.apply(
    proxy('a-2', 'api', 1004),
    CHECKED('api', '30s'),
    CHECKED('other'),
    proxy('b-1', 'backend', 1001),
  )
  assert.deepEqual(await rows(), before)
})

test('writes that come faster than the interval of a check hold up neither its turn nor its counter', async (t) => {
  const { api, kuma } = await start(t)
  const [dying] = await startTargets(t, 1, '127.0.0.1')
  assert.ok(dying !== undefined)
  const intervalMs = 2000
  const slow = CHECKED('backend', '2s')
  slow.spec.to[0].default.unhealthyThreshold = 3
  await kuma.apply(slow, CHECKED('api', '60s'), proxy('b-1', 'backend', dying.port))
  await until(async () => (await kuma.ready('b-1')) === true, 'it to be ready')
  const version = async () =>
    await query(api.db, `select config_version from pool where name = 'default/backend'`)
  const before = await version()
  const stoppedAt = performance.now()
  await dying.stop()
  let writes = 0
  await until(async () => {
    await kuma.apply(proxy('a-1', 'api', 1001 + (writes++ % 2)))
    return (await kuma.ready('b-1')) === false
  }, 'it to be not ready, while the mesh is written')
  // A check that begins anew is decided by its first result; one that goes on needs three failures, two intervals apart.
  const took = performance.now() - stoppedAt
  assert.ok(took >= 1.8 * intervalMs, `not ready after ${Math.round(took)} ms`)
  assert.ok(writes * intervalMs > took, `only ${writes} writes in ${Math.round(took)} ms`)
  assert.deepEqual(await version(), before)
})

test('what has a name instead of an address is stored and shown, and not probed; its checks say so', async (t) => {
  const { api, kuma } = await start(t)
  const named = proxy('b-1', 'backend', 8080)
  named.networking.address = 'backend.example'
  await kuma.apply(CHECKED('backend'), named)
  const { items } = await kuma.get('meshes/default/dataplanes/b-1/_checks')
  assert.deepEqual(items, [
    {
      inbound: 'b-1:8080',
      pool: 'service backend',
      probes: null,
      why: 'backend.example is a name: names are not looked up',
    },
  ])
  assert.equal((await query(api.db, 'select from member')).length, 0)
  assert.equal(await kuma.ready('b-1'), undefined)
})

test('the checks of a proxy tell the effective conf, and which policy each field comes from', async (t) => {
  const { kuma } = await start(t)
  const everywhere = {
    type: 'MeshHealthCheck',
    name: 'all',
    mesh: 'default',
    spec: { to: [{ targetRef: { kind: 'Mesh' }, default: { timeout: '3s', tcp: {} } }] },
  }
  await kuma.apply(CHECKED('backend', '7s'), everywhere, proxy('b-1', 'backend', 8080))
  const { items } = await kuma.get('meshes/default/dataplanes/b-1/_checks')
  const [check] = items
  assert.equal(items.length, 1)
  assert.deepEqual(
    [check.inbound, check.probes, check.policy],
    ['b-1:8080', '127.0.0.1:8080', 'MeshHealthCheck'],
  )
  assert.deepEqual(check.from, {
    interval: 'to-backend',
    timeout: 'all',
    unhealthyThreshold: 'to-backend',
    healthyThreshold: 'to-backend',
    tcp: 'all',
  })
  assert.equal(check.conf.timeout, '3s')
})

test('pools of a mesh are on no path of LBaaS, and in the overview of their project', async (t) => {
  const { api, kuma } = await start(t)
  await kuma.apply(CHECKED('backend'), proxy('b-1', 'backend', 8080))
  for (const path of ['/v2.0/lbaas/pools', '/v2.0/lbaas/members', '/v2.0/lbaas/healthmonitors']) {
    const { body } = await api.request('GET', path)
    assert.deepEqual(Object.values(body as object)[0], [], path)
  }
  const { body } = await api.request('GET', '/v1/overview/pools')
  assert.deepEqual(
    body.pools.map((pool: Json) => [pool.name, pool.door.name, pool.door.scope]),
    [['default/backend', 'kuma', 'default']],
  )
})

test('what Envoy would read as hexadecimal is sent as base64, and its author gets a warning', async (t) => {
  const { kuma } = await start(t)
  const put = async (tcp: object): Promise<Json> => {
    const policy = {
      ...CHECKED('backend'),
      spec: { to: [{ targetRef: { kind: 'Mesh' }, default: { tcp } }] },
    }
    const answer = await kuma.send('PUT', `meshes/default/meshhealthchecks/${policy.name}`, policy)
    assert.ok(answer.ok)
    return await answer.json()
  }
  assert.deepEqual(await put({ send: 'Zm9v', receive: ['YmFy'] }), {})
  const { warnings } = await put({ send: '666f6f66', receive: ['YmFy', 'abcd'] })
  assert.deepEqual(
    warnings.map((warning: string) => warning.split(' ')[0]),
    ['spec.to[0].default.tcp.send', 'spec.to[0].default.tcp.receive[1]'],
  )
  const hexadecimal = { tcp: { send: '666f6f66', receive: ['YmFy', 'abcd'] } }
  const spec = { to: [{ targetRef: { kind: 'Mesh' }, default: hexadecimal }] }
  const applied = await kuma.send('PUT', '_apply', { objects: [{ ...CHECKED('backend'), spec }] })
  assert.deepEqual(
    ((await applied.json()) as Json).warnings,
    warnings.map((warning: string) => `MeshHealthCheck default/${CHECKED('backend').name}: ${warning}`),
  )
  await kuma.apply(proxy('b-1', 'backend', 8080))
  const { items } = await kuma.get('meshes/default/dataplanes/b-1/_checks')
  assert.deepEqual(items[0].options.tcp, { send: '666f6f66', receive: ['YmFy', 'abcd'] })
})
