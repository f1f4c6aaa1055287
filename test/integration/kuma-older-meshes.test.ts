/**
 * Meshes that were stored before a rule was there: what makes them smaller is taken, nothing of them is a failure inside, and
 * they are worked out as all others once they fit.
 */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { MEMBERS_OF_MESH_MAX, MESH_MAX_BYTES } from '../../src/domain/kuma/limits.ts'
import { type Database, query } from '../../src/store/connection/database.ts'
import { type Api, DEFAULT_PROJECT, type Json, startApi } from '../support/api.ts'
import { HEALTH_CHECK, Kuma, MESH_HEALTH_CHECK, proxy, refused, storeObjects } from '../support/kuma.ts'

async function started(t: TestContext): Promise<{ api: Api; kuma: Kuma }> {
  const api = await startApi(t)
  return { api, kuma: new Kuma(api) }
}

/** The members of a mesh, by where they are. */
async function members(db: Database): Promise<readonly string[]> {
  const rows = await query<{ at: string }>(
    db,
    `select concat(address, ':', protocol_port) as at from member order by 1`,
  )
  return rows.map(({ at }) => at)
}

/** Labels of so many bytes. */
function labelsOf(bytes: number): Json {
  return { padding: 'x'.repeat(bytes) }
}

async function pad(db: Database, name: string, bytes: number): Promise<void> {
  await query(db, 'update kuma_resource set labels = $1 where name = $2', [
    JSON.stringify(labelsOf(bytes)),
    name,
  ])
}

const DATAPLANES = 'meshes/default/dataplanes'

/** A mesh with three probed proxies, two of which are so large that the mesh would not fit without one of them either. */
async function tooLarge(t: TestContext) {
  const { api, kuma } = await started(t)
  await kuma.apply(HEALTH_CHECK, ...[1, 2, 3].map((i) => proxy(`b-${i}`, 'backend', 8080 + i)))
  for (const name of ['b-2', 'b-3']) await pad(api.db, name, MESH_MAX_BYTES + 1)
  return { api, kuma }
}

test('a mesh of too many bytes loses one object after the other, and each stops being probed', async (t) => {
  const { api, kuma } = await tooLarge(t)
  assert.deepEqual(await members(api.db), ['127.0.0.1:8081', '127.0.0.1:8082', '127.0.0.1:8083'])
  const first = await kuma.send('DELETE', `${DATAPLANES}/b-2`)
  assert.equal(first.status, 200)
  assert.match(await first.text(), /beyond its limits/)
  assert.deepEqual(await members(api.db), ['127.0.0.1:8081', '127.0.0.1:8083'])
  const labelled = await kuma.send('PUT', 'meshes/default', {
    type: 'Mesh',
    name: 'default',
    labels: { a: 'b' },
  })
  assert.equal(labelled.status, 200)
  assert.match(await labelled.text(), /beyond its limits/)
  // The last one that is too large makes it fit: from here on all is as always.
  const last = await kuma.send('DELETE', `${DATAPLANES}/b-3`)
  assert.deepEqual([last.status, await last.json()], [200, {}])
  assert.deepEqual(await members(api.db), ['127.0.0.1:8081'])
  await kuma.apply(proxy('b-4', 'backend', 8084))
  assert.deepEqual(await members(api.db), ['127.0.0.1:8081', '127.0.0.1:8084'])
  assert.deepEqual(api.errors, [])
})

test('a mesh of too many bytes takes an object that becomes smaller, with a warning, and none that becomes larger', async (t) => {
  const { api, kuma } = await tooLarge(t)
  const smaller = await kuma.send('PUT', `${DATAPLANES}/b-2`, { ...proxy('b-2', 'backend', 9000) })
  assert.equal(smaller.status, 200)
  assert.match(JSON.stringify(await smaller.json()), /beyond its limits/)
  // What it was is not probed any more; what it is will be, once the mesh fits.
  assert.deepEqual(await members(api.db), ['127.0.0.1:8081', '127.0.0.1:8083'])
  assert.equal(await kuma.ready('b-2'), undefined)
  for (const [name, port] of [
    ['b-5', 8085],
    ['b-1', 8081],
  ] as const) {
    const larger = { ...proxy(name, 'backend', port), labels: { team: 'a team that has a longer name' } }
    const { status, text } = await refused(await kuma.send('PUT', `${DATAPLANES}/${name}`, larger))
    assert.equal(status, 403)
    assert.match(text, /A mesh has at most 5000 objects of 16777216 bytes in all/)
  }
  const applied = await kuma.send('PUT', '_apply', { objects: [{ ...proxy('b-3', 'backend', 9001) }] })
  assert.equal(applied.status, 200)
  // Now it fits.
  assert.equal(((await applied.json()) as Json).warnings, undefined)
  assert.deepEqual(await members(api.db), ['127.0.0.1:8081', '127.0.0.1:9000', '127.0.0.1:9001'])
  assert.deepEqual(api.errors, [])
})

test('an inbound that stays as it was is probed on, also when its proxy becomes smaller', async (t) => {
  const { api, kuma } = await tooLarge(t)
  const before = await query<{ id: string }>(api.db, 'select id from member order by id')
  const same = await kuma.send('PUT', `${DATAPLANES}/b-2`, { ...proxy('b-2', 'backend', 8082) })
  assert.equal(same.status, 200)
  await same.arrayBuffer()
  assert.deepEqual(await query(api.db, 'select id from member order by id'), before)
})

test('a member that stands for several inbounds stays for those that are left', async (t) => {
  const { api, kuma } = await started(t)
  await kuma.apply(HEALTH_CHECK, ...['b-1', 'b-2', 'b-3'].map((name) => proxy(name, 'backend', 8080)))
  await pad(api.db, 'b-3', MESH_MAX_BYTES + 1)
  assert.equal((await kuma.send('DELETE', `${DATAPLANES}/b-1`)).status, 200)
  const [member, ...others] = await query<{ name: string; inbounds: readonly string[] }>(
    api.db,
    `select name, echo->'inbounds' as inbounds from member`,
  )
  assert.deepEqual([member, others], [{ name: 'b-2:8080', inbounds: ['b-2:8080', 'b-3:8080'] }, []])
})

test('what is shown of a mesh that is too large is shown in pages, and what would need all of it is refused', async (t) => {
  const { api, kuma } = await tooLarge(t)
  const { items, total, next } = await kuma.get(`${DATAPLANES}?size=0`)
  assert.deepEqual([items.length, total], [1, 3])
  assert.match(next, /offset=1/)
  assert.deepEqual((await kuma.service('backend')).dataplanes, { total: 3, online: 3 })
  assert.deepEqual((await kuma.get('mesh-insights/default')).dataplanes, { total: 3, online: 3 })
  for (const path of ['policies', '_rules', '_checks']) {
    const { status, text } = await refused(await kuma.send('GET', `${DATAPLANES}/b-1/${path}`))
    assert.equal(status, 400)
    assert.match(text, /beyond its limits/)
  }
  assert.deepEqual(api.errors, [])
})

test('a mesh of too many objects loses them, and gets no more', async (t) => {
  const { api, kuma } = await started(t)
  await storeObjects(
    api.db,
    DEFAULT_PROJECT,
    Array.from({ length: 5003 }, (_, i) => ({ ...MESH_HEALTH_CHECK, name: `policy-${i}` })),
  )
  const path = 'meshes/default/meshhealthchecks'
  assert.equal((await kuma.send('DELETE', `${path}/policy-0`)).status, 200)
  assert.equal((await refused(await kuma.send('PUT', `${DATAPLANES}/p`, proxy('p', 'web', 1)))).status, 403)
  // As many as before.
  const same = await kuma.send('PUT', `${path}/policy-1`, { ...MESH_HEALTH_CHECK, name: 'policy-1' })
  assert.equal(same.status, 200)
  await same.arrayBuffer()
  assert.deepEqual(api.errors, [])
})

/** Policies and proxies that are too many to be worked out together. */
function tooMuch(policies: number): readonly Json[] {
  const to = Array.from({ length: 64 }, () => MESH_HEALTH_CHECK.spec.to[0])
  return [
    ...Array.from({ length: 300 }, (_, i) => proxy(`p-${i}`, `service-${i}`, 8080)),
    ...Array.from({ length: policies }, (_, i) => ({
      ...MESH_HEALTH_CHECK,
      name: `policy-${i}`,
      spec: { to },
    })),
  ]
}

test('a mesh of policies that are too many for its services loses them, also while they are still too many', async (t) => {
  const { api, kuma } = await started(t)
  await storeObjects(api.db, DEFAULT_PROJECT, tooMuch(300))
  assert.equal((await kuma.send('DELETE', 'meshes/default/meshhealthchecks/policy-0')).status, 200)
  assert.equal((await kuma.send('DELETE', `${DATAPLANES}/p-0`)).status, 200)
  const { status } = await refused(
    await kuma.send('PUT', `${DATAPLANES}/more`, proxy('more', 'service-0', 1)),
  )
  assert.equal(status, 400)
  assert.equal((await kuma.get(`${DATAPLANES}?size=1`)).total, 299)
  assert.deepEqual(api.errors, [])
})

test('a change that makes a mesh smaller and its policies too many is refused', async (t) => {
  const { api, kuma } = await started(t)
  await storeObjects(api.db, DEFAULT_PROJECT, tooMuch(23))
  const wide = {
    ...MESH_HEALTH_CHECK,
    name: 'wide',
    spec: { to: Array.from({ length: 64 }, () => MESH_HEALTH_CHECK.spec.to[0]) },
  }
  const narrow = {
    ...wide,
    labels: labelsOf(250),
    spec: { to: [{ targetRef: { kind: 'MeshService', name: 'x'.repeat(200) }, default: { tcp: {} } }] },
  }
  const path = 'meshes/default/meshhealthchecks/wide'
  const first = await kuma.send('PUT', path, narrow)
  assert.equal(first.status, 201, await first.text())
  // As large as the wide one at least.
  await pad(api.db, 'wide', 20_000)
  const { status } = await refused(await kuma.send('PUT', path, wide))
  assert.equal(status, 400)
  assert.deepEqual(api.errors, [])
})

test('ports of a MeshService that were stored with one name are each probed, and nothing of them fails', async (t) => {
  const { api, kuma } = await started(t)
  const inbound = [8080, 8081, 8082, 8083].map((port, i) => ({
    port,
    tags: { 'kuma.io/service': `s-${i}`, 'kuma.io/protocol': 'http', app: 'x' },
  }))
  const ports = [
    { port: 80, name: 'a', targetPort: 8080 },
    { port: 81, name: 'a', targetPort: 8081 },
    { port: 82, name: '83', targetPort: 8082 },
    { port: 83, targetPort: 8083 },
  ].map((port) => ({ ...port, appProtocol: 'tcp' }))
  await storeObjects(api.db, DEFAULT_PROJECT, [
    { type: 'Dataplane', name: 'p', networking: { address: '127.0.0.1', inbound } },
    { type: 'MeshService', name: 'x', spec: { selector: { dataplaneTags: { app: 'x' } }, ports } },
  ])
  // The services by their tags speak HTTP, and the ports do not: each is checked in its own way.
  const to = [{ targetRef: { kind: 'Mesh' }, default: { http: { path: '/' }, tcp: {} } }]
  await kuma.apply({ ...MESH_HEALTH_CHECK, spec: { to } })
  const keys = await query<{ key: string }>(
    api.db,
    `select door_key as key from pool where door_key like 'meshservice %' order by door_key collate "C"`,
  )
  assert.deepEqual(
    keys.map(({ key }) => key),
    ['meshservice x:83', 'meshservice x:83#3', 'meshservice x:a', 'meshservice x:a#1'],
  )
  for (const path of ['meshservices/x', 'meshservices', 'dataplanes/p/_checks', 'dataplanes/p/_rules'])
    await kuma.get(`meshes/default/${path}`)
  assert.deepEqual(api.errors, [])
})

test('a target port that was stored as 0 is as good as none', async (t) => {
  const { api, kuma } = await started(t)
  await storeObjects(api.db, DEFAULT_PROJECT, [
    proxy('p', 'web', 8080),
    {
      type: 'MeshService',
      name: 'web',
      spec: {
        selector: { dataplaneTags: { 'kuma.io/service': 'web' } },
        ports: [{ port: 8080, targetPort: 0, appProtocol: 'tcp' }],
      },
    },
  ])
  const { status } = await kuma.get('meshes/default/meshservices/web')
  assert.deepEqual(status.dataplaneProxies, { total: 1, connected: 1, healthy: 1 })
})

test('inbounds that are too many to be probed are stored, and refused where a policy would have them probed', async (t) => {
  const { api, kuma } = await started(t)
  const perProxy = 60
  const count = Math.floor(MEMBERS_OF_MESH_MAX / perProxy) + 1
  await storeObjects(
    api.db,
    DEFAULT_PROJECT,
    Array.from({ length: count }, (_, i) => {
      const address = `10.0.${Math.floor(i / 250)}.${(i % 250) + 1}`
      const inbound = Array.from({ length: perProxy }, (_none, n) => ({
        port: 8080 + n,
        tags: { 'kuma.io/service': `s-${n}` },
      }))
      return { type: 'Dataplane', name: `p-${i}`, networking: { address, inbound } }
    }),
  )
  const { status, text } = await refused(
    await kuma.send('PUT', 'meshes/default/meshhealthchecks/p', MESH_HEALTH_CHECK),
  )
  assert.equal(status, 400)
  assert.match(
    text,
    new RegExp(`would have ${count * perProxy} inbounds probed.*at most ${MEMBERS_OF_MESH_MAX}`),
  )
  assert.deepEqual(await members(api.db), [])
  // Of one service there are few enough.
  const to = [{ targetRef: { kind: 'MeshService', name: 's-0' }, default: { tcp: {} } }]
  await kuma.apply({ ...MESH_HEALTH_CHECK, spec: { to } })
  assert.equal((await members(api.db)).length, count)
  assert.deepEqual(api.errors, [])
})
