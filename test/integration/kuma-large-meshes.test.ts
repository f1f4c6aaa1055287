/** Large meshes: a write holds up nobody, and what is too much is refused before it costs time. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { query } from '../../src/store/connection/database.ts'
import { DEFAULT_PROJECT, type Json, startApi } from '../support/api.ts'
import {
  fillMesh,
  HEALTH_CHECK,
  Kuma,
  MESH_HEALTH_CHECK,
  proxy,
  proxyBody,
  refused,
  storeObjects,
} from '../support/kuma.ts'

test('two proxies with one address and port are one member of their service', async (t) => {
  const api = await startApi(t)
  const kuma = new Kuma(api)
  await kuma.apply(HEALTH_CHECK, proxy('b-1', 'backend', 8080), proxy('b-2', 'backend', 8080))
  assert.equal((await query(api.db, 'select from member')).length, 1)
})

/** Answers of `ask`, one after the other, while `work` runs: the longest time from one to the next, in ms. */
async function longestGapDuring(work: Promise<unknown>, ask: () => Promise<unknown>): Promise<number> {
  let isRunning = true
  const ended = work.finally(() => {
    isRunning = false
  })
  let longest = 0
  let last = performance.now()
  while (isRunning) {
    await ask()
    const now = performance.now()
    longest = Math.max(longest, now - last)
    last = now
  }
  await ended
  return longest
}

/** Proxies that all consume one service, each of a kind of its own, and policies for all of them: much to compare. */
function muchToCompare(): readonly Json[] {
  const consumers = Array.from({ length: 1500 }, (_, i): Json => {
    const made = proxy(`c-${i}`, `consumer-${i}`, 8080)
    made.networking.outbound = [{ port: 10_000, tags: { 'kuma.io/service': 'backend' } }]
    return made
  })
  const to = [{ targetRef: { kind: 'MeshService', name: 'backend' }, default: { interval: '5s', tcp: {} } }]
  const policies = Array.from({ length: 1000 }, (_, i) => ({
    ...MESH_HEALTH_CHECK,
    name: `policy-${i}`,
    spec: { targetRef: { kind: 'Mesh' }, to },
  }))
  return [proxy('b-1', 'backend', 8080), ...consumers, ...policies]
}

test('a write into a large mesh holds up another project for a small part of its time', async (t) => {
  const api = await startApi(t)
  const [large, small] = ['large', 'small'].map((project) => new Kuma(api, { 'x-project-id': project }))
  assert.ok(large !== undefined && small !== undefined)
  await storeObjects(api.db, 'large', muchToCompare())
  const ask = () => small.get('meshes/default/dataplanes')
  await ask()
  await large.apply(proxy('b-2', 'backend', 8081))
  const start = performance.now()
  const writing = large.apply(proxy('b-3', 'backend', 8082))
  const longestMs = await longestGapDuring(writing, ask)
  const writeMs = performance.now() - start
  // In one go the gap would be most of the write. Both are as slow as the host is.
  t.diagnostic(`the write took ${Math.round(writeMs)} ms, the longest gap was ${Math.round(longestMs)} ms`)
  assert.ok(longestMs < writeMs / 2, `${longestMs} ms of ${writeMs} ms`)
})

/** Policies with many entries, as large as a body may be, and an object that is refused when all others were read. */
function muchToRead(): readonly Json[] {
  const conf = { interval: '5s', timeout: '2s', http: { path: '/health', expectedStatuses: [200, 201] } }
  const to = Array.from({ length: 14 }, (_, i) => ({
    targetRef: { kind: 'MeshService', name: `s-${i}` },
    default: conf,
  }))
  const policies = Array.from({ length: 999 }, (_, i) => ({
    ...MESH_HEALTH_CHECK,
    name: `policy-${i}`,
    spec: { targetRef: { kind: 'Mesh' }, to },
  }))
  return [...policies, { type: 'Nothing', name: 'last' }]
}

test('to read many objects of one request holds up another project for a small part of its time', async (t) => {
  const api = await startApi(t)
  const [large, small] = ['large', 'small'].map((project) => new Kuma(api, { 'x-project-id': project }))
  assert.ok(large !== undefined && small !== undefined)
  const objects = muchToRead()
  const ask = () => small.get('who-am-i')
  await ask()
  const start = performance.now()
  const reading = large.send('PUT', '_apply', { objects })
  const longestMs = await longestGapDuring(reading, ask)
  const readMs = performance.now() - start
  const { text } = await refused(await reading)
  assert.match(text, /Nothing should be one of/)
  // In one go the gap would be most of the request. Both are as slow as the host is.
  t.diagnostic(`the request took ${Math.round(readMs)} ms, the longest gap was ${Math.round(longestMs)} ms`)
  assert.ok(longestMs < readMs / 2, `${longestMs} ms of ${readMs} ms`)
})

test('a write into a mesh of 2 000 proxies and 200 policies writes nothing of the services that it does not change', async (t) => {
  const { db, url } = await startApi(t)
  const kuma = new Kuma({ url })
  await fillMesh(db, { projectId: DEFAULT_PROJECT, proxies: 2000, policies: 200 })
  await kuma.apply(proxyBody('p-0', 0))
  const versions = async () =>
    new Map(
      (
        await query<{ name: string; version: string }>(
          db,
          `select p.name, concat_ws(' ', p.xmin, p.config_version, hm.xmin, hm.generation,
             (select string_agg(concat_ws(' ', m.id, m.xmin, m.generation), ',' order by m.id) from member m where m.pool_id = p.id)
           ) as version
           from pool p left join health_monitor hm on hm.pool_id = p.id`,
        )
      ).map(({ name, version }) => [name, version]),
    )
  const before = await versions()
  await kuma.apply(proxyBody('p-0', 1))
  const after = await versions()
  const changed = [...after].filter(([name, version]) => before.get(name) !== version).map(([name]) => name)
  assert.ok(before.size >= 100)
  assert.deepEqual([...after.keys()].toSorted(), [...before.keys()].toSorted())
  assert.deepEqual(changed.toSorted(), ['default/service-0', 'default/service-1'])
})

test('policies that are too many for the services of their mesh are refused', async (t) => {
  const api = await startApi(t)
  const kuma = new Kuma(api)
  const to = Array.from({ length: 64 }, () => MESH_HEALTH_CHECK.spec.to[0])
  await storeObjects(api.db, 'default-project', [
    ...Array.from({ length: 300 }, (_, i) => proxy(`p-${i}`, `service-${i}`, 8080)),
    ...Array.from({ length: 300 }, (_, i) => ({ ...MESH_HEALTH_CHECK, name: `policy-${i}`, spec: { to } })),
  ])
  const { status, text } = await refused(
    await kuma.send('PUT', 'meshes/default/dataplanes/more', proxy('more', 'service-0', 8081)),
  )
  assert.equal(status, 400)
  assert.match(text, /too many for its proxies: divide it into several meshes/)
  assert.equal((await kuma.get('meshes/default/dataplanes?size=1')).total, 300)
})

test('a mesh of too many bytes is refused before it is read', async (t) => {
  const api = await startApi(t)
  const kuma = new Kuma(api)
  const padding = 'x'.repeat(200 * 1024)
  await storeObjects(api.db, 'default-project', [
    ...Array.from({ length: 90 }, (_, i) => ({ ...proxy(`p-${i}`, 'backend', 8080), padding })),
    // Whoever reads it fails.
    { type: 'HealthCheck', name: 'unreadable' },
  ])
  const write = () => kuma.send('PUT', 'meshes/default/dataplanes/more', proxy('more', 'backend', 8081))
  const { status, text } = await refused(await write())
  assert.equal(status, 403)
  assert.match(text, /A mesh has at most 5000 objects of 16777216 bytes in all/)
  // A list of everything ends at its bound of bytes, and says where it goes on.
  const all = await kuma.get('meshes/default/dataplanes?size=0')
  assert.ok(all.items.length < 90 && all.total === 90)
  assert.match(all.next, new RegExp(`offset=${all.items.length}`))
  assert.deepEqual(api.errors, [])
  await query(api.db, `delete from kuma_resource where name like 'p-%'`)
  assert.equal((await write()).status, 500, 'the object cannot be read: the refusal came before that')
})

test('services that use each other and themselves are each probed once, by each policy that differs', async (t) => {
  const api = await startApi(t)
  const kuma = new Kuma(api)
  const services = Array.from({ length: 20 }, (_, i) => `service-${i}`)
  const ring = services.map((service, i) => ({
    ...proxy(`p-${i}`, service, 8080),
    networking: {
      ...proxy(`p-${i}`, service, 8080 + i).networking,
      outbound: services.map((other, port) => ({ port: 10_000 + port, tags: { 'kuma.io/service': other } })),
    },
  }))
  const everybody = { ...HEALTH_CHECK, destinations: [{ match: { 'kuma.io/service': '*' } }] }
  const answer = await kuma.send('PUT', '_apply', { objects: [everybody, MESH_HEALTH_CHECK, ...ring] })
  assert.equal(answer.status, 200, await answer.text())
  const [counted] = await query<{ pools: number; members: number }>(
    api.db,
    `select (select count(*)::integer from pool) as pools, (select count(*)::integer from member) as members`,
  )
  assert.deepEqual(counted, { pools: 20, members: 20 })
})
