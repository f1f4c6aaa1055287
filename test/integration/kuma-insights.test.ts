/**
 * Insights and MeshServices are counted by PostgreSQL: they say what follows from the proxies as the same API shows them, page by
 * page, whatever was written and however the checks went.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { query } from '../../src/store/connection/database.ts'
import { migrateToLatest } from '../../src/store/connection/migrate.ts'
import { isBehind } from '../../src/domain/kuma/destinations.ts'
import type { Inbound } from '../../src/domain/kuma/objects.ts'
import { dataplaneOf, meshServiceOf } from '../../src/domain/kuma/stored-objects.ts'
import { DEFAULT_PROJECT, type Json, startApi } from '../support/api.ts'
import { HEALTH_CHECK, Kuma, MESH_HEALTH_CHECK, proxy, storeVerdicts } from '../support/kuma.ts'
import { testDatabase, undoMigrationsFrom } from '../support/database.ts'
import { seededRandom } from '../support/random.ts'

const SERVICE = 'kuma.io/service'

/** An inbound with this health is not ready. */
function isDown({ health, state }: Pick<Inbound, 'health' | 'state'>): boolean {
  return (health !== undefined && health.ready !== true) || state === 'NotReady'
}

/** The services of some proxies, as they are shown: `[name, type, status, counts]`. */
function servicesOf(proxies: readonly Json[]): readonly unknown[] {
  const inbounds = proxies.flatMap(({ networking: { inbound = [], gateway } }) => [
    ...inbound
      .filter(({ state }: Inbound) => state !== 'Ignored')
      .map((each: Inbound) => ({ service: each.tags[SERVICE], type: 'internal', isUp: !isDown(each) })),
    ...(gateway === undefined
      ? []
      : [
          {
            service: gateway.tags[SERVICE],
            type: gateway.type === 'BUILTIN' ? 'gateway_builtin' : 'gateway_delegated',
            isUp: true,
          },
        ]),
  ])
  const names = [...new Set(inbounds.map(({ service }): string => service))].toSorted()
  return names.map((name) => {
    const own = inbounds.filter(({ service }) => service === name)
    const online = own.filter(({ isUp }) => isUp).length
    const offline = own.length - online
    return [
      name,
      // As its inbounds; without any as its gateways.
      own.map(({ type }): string => type).toSorted((a, b) => (a < b ? 1 : -1))[0],
      online === 0 ? 'offline' : offline === 0 ? 'online' : 'partially_degraded',
      { total: own.length, ...(online === 0 ? {} : { online }), ...(offline === 0 ? {} : { offline }) },
    ]
  })
}

/** The statuses of proxies, as an insight of their mesh counts them. */
function countsOf(proxies: readonly Json[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (const { networking } of proxies) {
    const { inbound = [], gateway } = networking
    const down = inbound.filter(isDown).length
    const isOnline = gateway !== undefined || down === 0
    const status = isOnline ? 'online' : down === inbound.length ? 'offline' : 'partiallyDegraded'
    for (const key of ['total', status]) counts[key] = (counts[key] ?? 0) + 1
  }
  return counts
}

/** `dataplaneProxies` and identities of a MeshService. */
function behindOf(service: Json, proxies: readonly Json[]): readonly unknown[] {
  const wanted = meshServiceOf({ ...service, body: service })
  const behind = proxies.flatMap((shown) => {
    const dataplane = dataplaneOf({ ...shown, body: shown })
    const inbounds = dataplane.inbounds.filter((inbound) =>
      wanted.ports.some((port) => isBehind(wanted, port, { dataplane, inbound })),
    )
    return inbounds.length === 0 ? [] : [{ dataplane, isHealthy: !inbounds.some(isDown) }]
  })
  const total = behind.length
  const healthy = behind.filter(({ isHealthy }) => isHealthy).length
  const tags = behind.flatMap(({ dataplane }) =>
    dataplane.inbounds.map((inbound) => inbound.tags[SERVICE] ?? ''),
  )
  return [
    { ...(total === 0 ? {} : { total, connected: total }), ...(healthy === 0 ? {} : { healthy }) },
    [...new Set(tags)].toSorted(),
    healthy > 0 ? 'Available' : 'Unavailable',
  ]
}

type Choose = (below: number) => number

function randomProxy(name: string, choose: Choose): Json {
  const healths = [
    {},
    {},
    { health: {} },
    { health: { ready: true } },
    { state: 'NotReady' },
    { state: 'Ignored' },
  ]
  const place = { type: 'Dataplane', mesh: 'default', name, labels: { team: `t-${choose(3)}` } }
  if (choose(8) === 0) {
    const type = choose(2) === 0 ? { type: 'BUILTIN' } : {}
    return {
      ...place,
      networking: { address: '127.0.0.1', gateway: { ...type, tags: { [SERVICE]: `s-${choose(8)}` } } },
    }
  }
  const inbound = Array.from({ length: 1 + choose(3) }, (_, i) => ({
    port: 8080 + i,
    ...(choose(2) === 0 ? {} : { name: `port-${choose(2)}` }),
    tags: { [SERVICE]: `s-${choose(6)}`, ...(choose(2) === 0 ? {} : { version: `v${choose(2)}` }) },
    ...healths[choose(healths.length)],
  }))
  return { ...place, networking: { address: `127.0.${choose(200)}.${1 + choose(200)}`, inbound } }
}

function randomService(name: string, choose: Choose): Json {
  const selectors = [
    {},
    { dataplaneTags: {} },
    { dataplaneTags: { [SERVICE]: `s-${choose(6)}` } },
    { dataplaneTags: { [SERVICE]: `s-${choose(6)}`, version: '*' } },
    { dataplaneTags: { version: 'v1' } },
    { dataplaneLabels: { matchLabels: { team: 't-1' } } },
    { dataplaneRef: { name: 'p-3' }, dataplaneTags: { version: 'v1' } },
  ]
  const targets = [{}, { targetPort: 8080 }, { targetPort: 8081 }, { targetPort: 'port-1' }]
  const ports = Array.from({ length: choose(3) }, (_, i) => ({
    port: 8080 + i,
    ...targets[choose(targets.length)],
  }))
  return {
    type: 'MeshService',
    mesh: 'default',
    name,
    spec: { selector: selectors[choose(selectors.length)], ports },
  }
}

/** All answers that count proxies, against the proxies that are shown. */
async function assertCounted(kuma: Kuma): Promise<void> {
  const { items: proxies } = await kuma.get('meshes/default/dataplanes?size=0')
  const shownOf = ({ name, serviceType, status, dataplanes }: Json) => [name, serviceType, status, dataplanes]
  const expected = servicesOf(proxies)
  const { items, total } = await kuma.get('meshes/default/service-insights?size=0')
  assert.deepEqual(items.map(shownOf), expected)
  assert.equal(total, expected.length)
  const pages = await Promise.all(
    [0, 3, 6].map((offset) => kuma.get(`service-insights?size=3&offset=${offset}`)),
  )
  assert.deepEqual(
    pages.flatMap((page) => page.items.map(shownOf)),
    expected.slice(0, 9),
  )
  for (const service of items) assert.deepEqual(await kuma.service(service.name), service)
  const insight = await kuma.get('mesh-insights/default')
  const gateways = proxies.filter(({ networking }: Json) => networking.gateway !== undefined)
  const builtin = gateways.filter(({ networking }: Json) => networking.gateway.type === 'BUILTIN')
  assert.deepEqual(insight.dataplanes, countsOf(proxies))
  assert.deepEqual(insight.dataplanesByType, {
    standard: countsOf(proxies.filter((each: Json) => !gateways.includes(each))),
    gateway: countsOf(gateways),
    gatewayBuiltin: countsOf(builtin),
    gatewayDelegated: countsOf(gateways.filter((each: Json) => !builtin.includes(each))),
  })
  assert.equal(insight.services.total ?? 0, expected.length)
  const services = await kuma.get('meshes/default/meshservices?size=0')
  for (const service of services.items) {
    const { dataplaneProxies } = service.status
    const identities = (service.spec.identities ?? []).map(({ value }: Json) => value)
    assert.deepEqual(
      [dataplaneProxies, identities, service.spec.state],
      behindOf(service, proxies),
      service.name,
    )
    assert.deepEqual(await kuma.get(`meshes/default/meshservices/${service.name}`), service)
  }
}

test('insights and MeshServices count what the proxies show, after each write and with the verdicts of checks', async (t) => {
  const api = await startApi(t)
  const kuma = new Kuma(api)
  const choose = seededRandom(t, 'insights')
  const proxies = Array.from({ length: 40 }, (_, i) => randomProxy(`p-${i}`, choose))
  const services = Array.from({ length: 20 }, (_, i) => randomService(`m-${i}`, choose))
  const apply = async (objects: readonly Json[]): Promise<void> => {
    const answer = await kuma.send('PUT', '_apply', { objects })
    assert.equal(answer.status, 200, await answer.text())
  }
  await apply([...proxies, ...services])
  await assertCounted(kuma)
  await apply([MESH_HEALTH_CHECK, HEALTH_CHECK])
  await assertCounted(kuma)
  await storeVerdicts(api.db, () => choose(3) === 0)
  await assertCounted(kuma)
  for (let i = 0; i < 10; i++) {
    const name = `p-${choose(40)}`
    if (choose(3) === 0) await (await kuma.send('DELETE', `meshes/default/dataplanes/${name}`)).arrayBuffer()
    else await kuma.apply(randomProxy(name, choose))
  }
  await assertCounted(kuma)
  assert.deepEqual(api.errors, [])
})

test('a page of services over several meshes goes on where the one before ended', async (t) => {
  const api = await startApi(t)
  const kuma = new Kuma(api)
  const expected: string[] = []
  for (const [mesh, count] of [
    ['a', 3],
    ['b', 0],
    ['c', 1],
    ['d', 4],
  ] as const) {
    assert.equal((await kuma.send('PUT', `meshes/${mesh}`, { type: 'Mesh', name: mesh })).status, 201)
    for (let i = 0; i < count; i++) {
      const body = { ...proxy(`p-${i}`, `s-${i}`, 8080), mesh }
      assert.equal((await kuma.send('PUT', `meshes/${mesh}/dataplanes/p-${i}`, body)).status, 201)
      expected.push(`${mesh} s-${i}`)
    }
  }
  for (const size of [1, 2, 3, 100]) {
    const seen: string[] = []
    for (let offset = 0; offset < expected.length; offset += size) {
      const { items, total, next } = await kuma.get(`service-insights?size=${size}&offset=${offset}`)
      seen.push(...items.map(({ mesh, name }: Json) => `${mesh} ${name}`))
      assert.equal(total, expected.length)
      assert.equal(next === null, offset + size >= expected.length)
    }
    assert.deepEqual(seen, expected, `pages of ${size}`)
  }
})

test('which checks decide about an inbound follows from the pools, also where a member stands for several inbounds', async (t) => {
  const api = await startApi(t)
  const kuma = new Kuma(api)
  const links = async () =>
    (
      await query<{ link: string }>(
        api.db,
        `select distinct concat(c.dataplane, ':', c.port) as link from kuma_inbound_check c
         where c.project_id = $1 and c.mesh = 'default' order by 1`,
        [DEFAULT_PROJECT],
      )
    ).map(({ link }) => link)
  await kuma.apply(HEALTH_CHECK, proxy('b-1', 'backend', 8080), proxy('b-2', 'backend', 8080))
  assert.deepEqual(await links(), ['b-1:8080', 'b-2:8080'])
  await storeVerdicts(api.db, () => true)
  assert.deepEqual((await kuma.service('backend')).dataplanes, { total: 2, offline: 2 })
  // The member stays, and stands for one of them.
  assert.equal((await kuma.send('DELETE', 'meshes/default/dataplanes/b-1')).status, 200)
  assert.deepEqual(await links(), ['b-2:8080'])
  assert.deepEqual((await kuma.service('backend')).dataplanes, { total: 1, offline: 1 })
  await kuma.apply(proxy('b-3', 'backend', 8080))
  assert.deepEqual(await links(), ['b-2:8080', 'b-3:8080'])
  assert.deepEqual((await kuma.service('backend')).dataplanes, { total: 2, offline: 2 })
  assert.equal((await kuma.send('DELETE', 'meshes/default/health-checks/p')).status, 200)
  assert.deepEqual(await links(), [])
  assert.deepEqual((await kuma.service('backend')).dataplanes, { total: 2, online: 2 })
})

test('objects and checks that were there before inbounds had rows are counted after the migration', async (t) => {
  const { db, url } = await testDatabase(t)
  const api = await startApi(t, { db })
  const kuma = new Kuma(api)
  const choose = seededRandom(t, 'migration')
  const proxies = Array.from({ length: 20 }, (_, i) => randomProxy(`p-${i}`, choose))
  await kuma.apply(...proxies, randomService('m-1', choose), MESH_HEALTH_CHECK)
  await storeVerdicts(db, () => choose(2) === 0)
  const rows = async () => [
    await query(db, 'select * from kuma_inbound order by project_id, mesh, dataplane, place'),
    await query(db, 'select * from kuma_inbound_check order by member_id, dataplane, port'),
  ]
  const before = await rows()
  await undoMigrationsFrom(url, '0045-kuma-inbounds')
  await query(db, `delete from knex_migrations where name >= '0045-kuma-inbounds'`)
  assert.ok((await migrateToLatest(db, url)).includes('0045-kuma-inbounds'))
  assert.ok(before.every((each) => each.length > 0))
  assert.deepEqual(await rows(), before)
  await assertCounted(kuma)
})
