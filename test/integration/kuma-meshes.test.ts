/** Meshes: their labels, where their policies probe, and several writes of them at once. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { type Database, query, transaction } from '../../src/store/connection/database.ts'
import { lockScope } from '../../src/store/door/scopes.ts'
import { lockMesh } from '../../src/store/kuma/meshes.ts'
import { DEFAULT_PROJECT, type Json, startApi } from '../support/api.ts'
import { Kuma, proxy } from '../support/kuma.ts'
import { until } from '../support/service.ts'

const SIDE = 'healthmonitor/probe'
const POLICY = {
  type: 'MeshHealthCheck',
  name: 'all',
  mesh: 'default',
  spec: { to: [{ targetRef: { kind: 'Mesh' }, default: { tcp: {} } }] },
}

async function start(t: TestContext): Promise<{ db: Database; kuma: Kuma }> {
  const api = await startApi(t)
  return { db: api.db, kuma: new Kuma(api) }
}

async function put(kuma: Kuma, path: string, body: Json): Promise<number> {
  const answer = await kuma.send('PUT', path, body)
  await answer.arrayBuffer()
  return answer.status
}

test('a mesh comes back with the labels that it was sent with, and without those that it was not sent with again', async (t) => {
  const { kuma } = await start(t)
  const labels = { team: 'payments', [SIDE]: 'proxy' }
  assert.equal(await put(kuma, 'meshes/one', { type: 'Mesh', name: 'one', labels }), 201)
  assert.deepEqual((await kuma.get('meshes/one')).labels, labels)
  const { items } = await kuma.get('meshes')
  assert.deepEqual(
    items.map(({ name, labels: shown }: Json) => [name, shown]),
    [
      ['default', {}],
      ['one', labels],
    ],
  )
  assert.equal(await put(kuma, 'meshes/one', { type: 'Mesh', name: 'one' }), 200)
  assert.deepEqual((await kuma.get('meshes/one')).labels, {})
})

test('the mesh default is there before it is written, so a first write of it updates it', async (t) => {
  const { kuma } = await start(t)
  assert.equal(await put(kuma, 'meshes/default', { type: 'Mesh', name: 'default', labels: { a: 'b' } }), 200)
  assert.deepEqual((await kuma.get('meshes/default')).labels, { a: 'b' })
})

test('labels of a mesh that are none, too many, or no place to probe are refused, and nothing is stored', async (t) => {
  const { db, kuma } = await start(t)
  const many = Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`key-${i}`, '']))
  for (const labels of [
    7,
    ['a'],
    { a: 1 },
    { a: 'x'.repeat(256) },
    many,
    { [SIDE]: 'both' },
    { [SIDE]: '' },
  ]) {
    const status = await put(kuma, 'meshes/one', { type: 'Mesh', name: 'one', labels })
    assert.ok(status === 400 || status === 413, JSON.stringify(labels).slice(0, 100))
  }
  const refusal = await kuma.send('PUT', 'meshes/one', {
    type: 'Mesh',
    name: 'one',
    labels: { [SIDE]: 'both' },
  })
  const { invalid_parameters: found } = (await refusal.json()) as Json
  assert.deepEqual(found, [{ field: `labels["${SIDE}"]`, reason: 'should be one of [proxy application]' }])
  assert.equal((await query(db, 'select from kuma_mesh')).length, 0)
})

test('in a mesh that says so, policies probe applications: at serviceAddress and servicePort, else where the proxy is', async (t) => {
  const { db, kuma } = await start(t)
  const near = proxy('b-near', 'backend', 8080)
  near.networking = { address: '10.0.0.1', inbound: [{ ...near.networking.inbound[0], servicePort: 9090 }] }
  const other = proxy('b-other', 'backend', 8080)
  other.networking = {
    address: '10.0.0.2',
    inbound: [{ ...other.networking.inbound[0], serviceAddress: '10.0.0.9' }],
  }
  const hidden = proxy('b-hidden', 'backend', 8080)
  hidden.networking = {
    address: '10.0.0.3',
    inbound: [{ ...hidden.networking.inbound[0], serviceAddress: '127.0.0.1', servicePort: 9091 }],
  }
  await kuma.apply(POLICY, near, other, hidden)
  const probed = async () =>
    (
      await query<{ at: string }>(
        db,
        `select m.address || ':' || m.protocol_port as at from member m order by 1`,
      )
    ).map(({ at }) => at)
  assert.deepEqual(await probed(), ['10.0.0.1:8080', '10.0.0.2:8080', '10.0.0.3:8080'])
  const labels = { [SIDE]: 'application' }
  assert.equal(await put(kuma, 'meshes/default', { type: 'Mesh', name: 'default', labels }), 200)
  assert.deepEqual(await probed(), ['10.0.0.1:9090', '10.0.0.9:8080'])
  const checks = async (name: string) =>
    (await kuma.get(`meshes/default/dataplanes/${name}/_checks`)).items.map((check: Json) => [
      check.probes,
      check.why,
    ])
  assert.deepEqual(await checks('b-near'), [['10.0.0.1:9090', undefined]])
  assert.deepEqual(await checks('b-hidden'), [[null, 'the application listens on 127.0.0.1 of its own host']])
  // A write of something else keeps it, and the mesh without the label ends it.
  await kuma.apply(near)
  assert.deepEqual(await probed(), ['10.0.0.1:9090', '10.0.0.9:8080'])
  assert.equal(await put(kuma, 'meshes/default', { type: 'Mesh', name: 'default' }), 200)
  assert.deepEqual(await probed(), ['10.0.0.1:8080', '10.0.0.2:8080', '10.0.0.3:8080'])
})

test('a file with a mesh and its objects says where they are probed, in whatever order they come', async (t) => {
  const { kuma } = await start(t)
  const backend = proxy('b-1', 'backend', 8080)
  backend.networking = {
    address: '10.0.0.1',
    inbound: [{ ...backend.networking.inbound[0], servicePort: 9090 }],
  }
  const inOne = (object: Json) => ({ ...object, mesh: 'one' })
  const mesh = { type: 'Mesh', name: 'one', labels: { [SIDE]: 'application' } }
  const objects = [inOne(backend), inOne(POLICY), mesh]
  for (const dryRun of [true, false]) {
    const answer = await kuma.send('PUT', `_apply?dry_run=${dryRun}`, { objects })
    const { probes, objects: results } = (await answer.json()) as Json
    assert.equal(answer.status, 200)
    assert.deepEqual(
      results.map(({ type, name, result }: Json) => [type, name, result]),
      [
        ['Dataplane', 'b-1', 'created'],
        ['MeshHealthCheck', 'all', 'created'],
        ['Mesh', 'one', 'created'],
      ],
    )
    assert.deepEqual(
      probes.map(({ pool, members }: Json) => [pool, members]),
      [['service backend', ['10.0.0.1:9090']]],
    )
    assert.equal((await kuma.send('GET', 'meshes/one')).status, dryRun ? 404 : 200)
  }
})

test('whether it is a dry run is true or false; everything else is refused, and nothing is written', async (t) => {
  const { db, kuma } = await start(t)
  for (const word of ['yes', '1', 'TRUE', ''])
    assert.equal(await put(kuma, `_apply?dry_run=${word}`, { objects: [POLICY] }), 400, word)
  assert.equal((await query(db, 'select from kuma_resource')).length, 0)
})

test('an object that a body has twice keeps the whole body out, and is named', async (t) => {
  const { db, kuma } = await start(t)
  const mesh = { type: 'Mesh', name: 'one' }
  for (const [objects, twice] of [
    [
      [POLICY, { ...POLICY, mesh: 'one' }, mesh, { ...POLICY, mesh: 'default' }],
      /HealthCheck default\/\S+ is there twice/,
    ],
    [[mesh, POLICY, mesh], /Mesh one is there twice/],
  ] as const) {
    const answer = await kuma.send('PUT', '_apply', { objects })
    assert.equal(answer.status, 400)
    assert.match(await answer.text(), twice)
  }
  assert.equal((await query(db, 'select from kuma_resource')).length, 0)
  assert.equal((await kuma.send('GET', 'meshes/one')).status, 404)
})

test('an apply is audited, and a dry run is not: nothing of it is kept', async (t) => {
  const audits: Json[] = []
  const info = (fields: object, message: string) => void (message === 'audit' && audits.push(fields))
  const kuma = new Kuma(await startApi(t, { log: { debug: () => undefined, info, error: () => undefined } }))
  assert.equal(await put(kuma, '_apply?dry_run=true', { objects: [POLICY] }), 200)
  assert.deepEqual(audits, [])
  assert.equal(await put(kuma, '_apply', { objects: [POLICY] }), 200)
  assert.deepEqual(
    audits.map(({ operation, object }) => [operation, object]),
    [['update', '_apply']],
  )
})

/** Waits until somebody waits for a lock. */
async function untilSomebodyWaits(db: Database): Promise<void> {
  const waiting = `select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`
  await until(async () => (await query(db, waiting)).length > 0, 'a write to wait for the mesh')
}

test('a request that waits for a mesh has locked nothing of it, nor of a mesh that comes after it', async (t) => {
  const { db, kuma } = await start(t)
  for (const name of ['a', 'b']) assert.equal(await put(kuma, `meshes/${name}`, { type: 'Mesh', name }), 201)
  const objects = [
    { type: 'Mesh', name: 'b' },
    { ...proxy('p-1', 'backend', 8080), mesh: 'b' },
    { ...proxy('p-1', 'backend', 8080), mesh: 'a' },
    { type: 'Mesh', name: 'a' },
  ]
  let applied: Promise<number> | undefined
  await transaction(db, async (tx) => {
    await query(tx, `set local lock_timeout = '500ms'`)
    const place = { projectId: DEFAULT_PROJECT, door: 'kuma' }
    await lockScope(tx, { ...place, key: 'a' })
    applied = put(kuma, '_apply', { objects })
    await untilSomebodyWaits(db)
    assert.ok(await lockMesh(tx, DEFAULT_PROJECT, 'a'))
    await lockScope(tx, { ...place, key: 'b' })
    assert.ok(await lockMesh(tx, DEFAULT_PROJECT, 'b'))
  })
  assert.equal(await applied, 200)
})

test('requests that name the same meshes in any order all succeed at once', async (t) => {
  const { db, kuma } = await start(t)
  const names = ['a', 'b', 'c']
  const objectsIn = (mesh: string, i: number) => [
    { type: 'Mesh', name: mesh, labels: { turn: String(i) } },
    { ...proxy(`p-${i}`, 'backend', 8000 + i), mesh },
    { ...POLICY, mesh },
  ]
  const statuses = await Promise.all(
    Array.from({ length: 12 }, async (_, i) => {
      const turned = [...names.slice(i % 3), ...names.slice(0, i % 3)]
      const order = i % 2 === 0 ? turned : turned.toReversed()
      return await put(kuma, '_apply', { objects: order.flatMap((mesh) => objectsIn(mesh, i)) })
    }),
  )
  assert.deepEqual(new Set(statuses), new Set([200]))
  const [counted] = await query<{ proxies: number; members: number }>(
    db,
    `select (select count(*)::integer from kuma_resource where type = 'Dataplane') as proxies,
       (select count(*)::integer from member) as members`,
  )
  assert.deepEqual(counted, { proxies: 36, members: 36 })
})

test('a project has at most 100 meshes, however many are made at once; those that are there can still be written', async (t) => {
  const { db, kuma } = await start(t)
  await query(
    db,
    `insert into kuma_mesh (project_id, name) select $1, 'm-' || i from generate_series(1, 98) i`,
    [DEFAULT_PROJECT],
  )
  const made = await Promise.all(
    ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => put(kuma, `meshes/${name}`, { type: 'Mesh', name })),
  )
  assert.equal(made.filter((status) => status === 201).length, 2)
  assert.equal(made.filter((status) => status === 403).length, 4)
  assert.equal(await put(kuma, '_apply', { objects: [{ type: 'Mesh', name: 'g' }] }), 403)
  assert.equal(await put(kuma, 'meshes/m-1', { type: 'Mesh', name: 'm-1' }), 200)
  const answer = await kuma.send('PUT', 'meshes/g', { type: 'Mesh', name: 'g' })
  assert.match(await answer.text(), /A project has at most 100 meshes/)
})
