/** Meshes that are large where nobody counted: refused before they cost memory or time of others. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { query } from '../../src/store/connection/database.ts'
import { DEFAULT_PROJECT, type Json, startApi } from '../support/api.ts'
import { Kuma, proxy, refused, storeObjects } from '../support/kuma.ts'

test('the labels of objects count in the bytes of their mesh and of a page', async (t) => {
  const api = await startApi(t)
  const kuma = new Kuma(api)
  const count = 600
  await storeObjects(
    api.db,
    DEFAULT_PROJECT,
    Array.from({ length: count }, (_, i) => proxy(`p-${i}`, 'backend', 8080)),
  )
  const labels = Object.fromEntries(
    Array.from({ length: 64 }, (_, i) => [`${i}-${'k'.repeat(240)}`, 'v'.repeat(255)]),
  )
  await query(api.db, 'update kuma_resource set labels = $1', [JSON.stringify(labels)])
  const more = await kuma.send('PUT', 'meshes/default/dataplanes/more', proxy('more', 'backend', 8081))
  const { status, text } = await refused(more)
  assert.equal(status, 403)
  assert.match(text, /A mesh has at most 5000 objects of 16777216 bytes in all/)
  const page = await kuma.get('meshes/default/dataplanes?size=0')
  assert.ok(page.items.length < count && page.total === count)
  assert.match(page.next, new RegExp(`offset=${page.items.length}`))
})

/** Policies for all proxies, each with two entries: for everything, and for a service of its own. */
function policiesWithServices(count: number): readonly Json[] {
  return Array.from({ length: count }, (_, i) => ({
    type: 'MeshHealthCheck',
    name: `policy-${i}`,
    mesh: 'default',
    spec: {
      to: [
        { targetRef: { kind: 'Mesh' }, default: { interval: '5s', tcp: {} } },
        { targetRef: { kind: 'MeshService', name: `s-${i}` }, default: { timeout: '2s' } },
      ],
    },
  }))
}

test('the rules of a proxy that would be too many bytes are refused, and those that fit are shown', async (t) => {
  const api = await startApi(t)
  const few = new Kuma(api)
  await storeObjects(api.db, DEFAULT_PROJECT, [proxy('p', 'web', 8080), ...policiesWithServices(20)])
  const { rules } = await few.get('meshes/default/dataplanes/p/_rules')
  assert.equal(rules[0].toRules.length, 21)
  assert.equal(rules[0].toRules[0].origin.length, 20)
  const many = new Kuma(api, { 'x-project-id': 'many' })
  await storeObjects(api.db, 'many', [proxy('p', 'web', 8080), ...policiesWithServices(700)])
  const { status, text } = await refused(await many.send('GET', 'meshes/default/dataplanes/p/_rules'))
  assert.equal(status, 400, text)
  assert.match(text, /too many/)
})

test('consumers of many kinds with many policies are refused, those with the same policies are merged once', async (t) => {
  const api = await startApi(t)
  const consumer = (i: number): Json => {
    const made: Json = proxy(`c-${i}`, `consumer-${i}`, 8080)
    made.networking.outbound = [{ port: 10_000, tags: { 'kuma.io/service': 'backend' } }]
    return made
  }
  const policy = (i: number, targetRef: object): Json => ({
    type: 'MeshHealthCheck',
    name: `policy-${i}`,
    mesh: 'default',
    spec: {
      targetRef,
      to: [{ targetRef: { kind: 'MeshService', name: 'backend' }, default: { interval: '5s', tcp: {} } }],
    },
  })
  const store = async (projectId: string, refOf: (i: number) => object): Promise<void> => {
    await storeObjects(api.db, projectId, [
      proxy('b-1', 'backend', 8080),
      ...Array.from({ length: 1000 }, (_, i) => consumer(i)),
      ...Array.from({ length: 1300 }, (_, i) => policy(i, refOf(i))),
    ])
  }
  // Each consumer has a set of policies of its own: all of the mesh, and one more.
  await store('distinct', (i) =>
    i < 600 ? { kind: 'Mesh' } : { kind: 'MeshSubset', tags: { 'kuma.io/service': `consumer-${i - 600}` } },
  )
  await store('same', () => ({ kind: 'Mesh' }))
  const [distinct, same] = ['distinct', 'same'].map((project) => new Kuma(api, { 'x-project-id': project }))
  assert.ok(distinct !== undefined && same !== undefined)
  const write = proxy('b-2', 'backend', 8081)
  await same.apply(write)
  const { status, text } = await refused(await distinct.send('PUT', 'meshes/default/dataplanes/b-2', write))
  assert.equal(status, 400)
  assert.match(text, /too many for its proxies/)
})
