/** Names in a mesh that were chosen to collide, or to be cut: each is refused, or one of its own. Nothing fails inside. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { query } from '../../src/store/connection/database.ts'
import { type Json, startApi } from '../support/api.ts'
import { Kuma, proxy, refused } from '../support/kuma.ts'

const CONF = { interval: '1s', timeout: '1s', unhealthyThreshold: 1, healthyThreshold: 1 }

/** For all proxies and all destinations. */
const EVERYWHERE = {
  type: 'MeshHealthCheck',
  name: 'everywhere',
  mesh: 'default',
  spec: { to: [{ targetRef: { kind: 'Mesh' }, default: { ...CONF, http: { path: '/' }, tcp: {} } }] },
}

async function started(t: TestContext) {
  const api = await startApi(t)
  return { api, kuma: new Kuma(api) }
}

/** A service with these ports, and a proxy with an HTTP inbound for each of them. */
function serviceWith(ports: readonly Json[]): readonly Json[] {
  const inbound = ports.map((_, i) => ({
    port: 8080 + i,
    tags: { 'kuma.io/service': `s-${i}`, 'kuma.io/protocol': 'http', app: 'x' },
  }))
  return [
    { type: 'Dataplane', mesh: 'default', name: 'p', networking: { address: '127.0.0.1', inbound } },
    EVERYWHERE,
    {
      type: 'MeshService',
      mesh: 'default',
      name: 'x',
      spec: {
        selector: { dataplaneTags: { app: 'x' } },
        ports: ports.map((port, i) => ({ targetPort: 8080 + i, ...port })),
      },
    },
  ]
}

test('ports of a MeshService that share a name, or have the number of another as name, are refused', async (t) => {
  const { api, kuma } = await started(t)
  for (const ports of [
    [
      { port: 80, name: 'a' },
      { port: 81, name: 'a' },
    ],
    [{ port: 80, name: '81' }, { port: 81 }],
    [{ port: 81 }, { port: 80, name: '81' }],
  ]) {
    const answer = await kuma.send('PUT', '_apply', { objects: serviceWith(ports) })
    const { status, text } = await refused(answer)
    assert.equal(status, 400, text)
    assert.match(text, /name/)
  }
  const good = serviceWith([
    { port: 80, name: '80' },
    { port: 81, name: 'b' },
  ])
  assert.equal((await kuma.send('PUT', '_apply', { objects: good })).status, 200)
  assert.deepEqual(api.errors, [])
})

test("a service that has the key of another's view as name has a pool of its own", async (t) => {
  const { api, kuma } = await started(t)
  const consumer: Json = proxy('consumer', 'web', 9000)
  consumer.networking.outbound = [{ port: 10_000, tags: { 'kuma.io/service': 'backend' } }]
  const forWeb = {
    ...EVERYWHERE,
    name: 'for-web',
    spec: {
      targetRef: { kind: 'MeshSubset', tags: { 'kuma.io/service': 'web' } },
      to: [{ targetRef: { kind: 'Mesh' }, default: { interval: '7s', tcp: {} } }],
    },
  }
  await kuma.apply(EVERYWHERE, forWeb, proxy('b-1', 'backend', 8080), consumer)
  const { items } = await kuma.get('meshes/default/dataplanes/b-1/_checks')
  const view = items.find(({ decides }: Json) => decides === false)
  assert.match(view.pool, /^service backend as [0-9a-f]{16}$/)
  const crafted = view.pool.slice('service '.length)
  await kuma.apply(proxy('c-1', crafted, 8081))
  const ours = await kuma.get('meshes/default/dataplanes/c-1/_checks')
  // With the conf and the policies of the view that decides, as each other service has them.
  assert.deepEqual(
    ours.items.map(({ decides, policy }: Json) => [decides, policy]),
    [[true, 'MeshHealthCheck']],
  )
  const keys = await query<{ door_key: string }>(api.db, 'select door_key from pool')
  assert.equal(keys.length, 4)
  assert.ok(keys.some(({ door_key }) => door_key === view.pool))
  assert.deepEqual(api.errors, [])
})

test('a name of a pool that is too long is cut between two characters', async (t) => {
  const { api, kuma } = await started(t)
  await kuma.apply(EVERYWHERE, proxy('b-1', `${'a'.repeat(246)}😀x`, 8080))
  const [pool] = await query<{ name: string }>(api.db, 'select name from pool')
  assert.equal(pool?.name, `default/${'a'.repeat(246)}😀`)
  assert.deepEqual(api.errors, [])
})

test('half a character in a tag is refused', async (t) => {
  const { api, kuma } = await started(t)
  const body = JSON.stringify(proxy('b-1', 'backend', 8080, { half: 'HALF' })).replace('HALF', '\\ud83d')
  const { status } = await refused(await kuma.send('PUT', 'meshes/default/dataplanes/b-1', body))
  assert.equal(status, 400)
  assert.deepEqual(api.errors, [])
})

test('a filter by a label of any name filters', async (t) => {
  const { kuma } = await started(t)
  await kuma.apply(proxy('b-1', 'backend', 8080))
  for (const label of ['__proto__', 'constructor', 'a'])
    assert.equal((await kuma.get(`meshes/default/dataplanes?filter[labels.${label}]=x`)).total, 0, label)
})
