/** `PUT /v1.0/_apply` of Grey Matter's control API: a file of zones and clusters in one transaction, or a dry run of it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { query } from '../../src/store/connection/database.ts'
import { type Api, type Json, startApi, UNLIMITED } from '../support/api.ts'
import { ask, clusterBody, DOCUMENTED_CHECK, refused, result } from '../support/greymatter.ts'

const apply = (api: Api, objects: unknown, dryRun?: boolean): Promise<Json> =>
  result(api, 'PUT', `/_apply${dryRun === undefined ? '' : `?dry_run=${dryRun}`}`, { body: { objects } })

const applyRefused = (status: number, api: Api, objects: unknown, query = '') =>
  refused(status, api, 'PUT', `/_apply${query}`, { body: { objects } })

const ZONE = { zone_key: 'z2', name: 'second' }
const IN_ZONE = clusterBody({ cluster_key: 'b', name: 'b', zone_key: 'z2' })

/** Everything that a write could have changed. */
async function stored(api: Api): Promise<unknown> {
  const tables = [
    'greymatter_zone',
    'greymatter_cluster',
    'load_balancer',
    'pool',
    'member',
    'health_monitor',
  ]
  const rows = tables.map((table) => query(api.db, `select * from ${table} order by 1, 2`))
  return [await Promise.all(rows), await query(api.db, 'select type from event_outbox order by id')]
}

test('zones and clusters of one file are stored together, whatever their order in it', async (t) => {
  const api = await startApi(t)
  const done = await apply(api, [IN_ZONE, ZONE, clusterBody()])
  assert.deepEqual(done.objects, [
    { kind: 'cluster', key: 'b', result: 'created' },
    { kind: 'zone', key: 'z2', result: 'created' },
    { kind: 'cluster', key: 'catalog-service', result: 'created' },
  ])
  assert.deepEqual(
    done.probes.map(({ zone_key, cluster_key, change, type, members }: Json) => [
      zone_key,
      cluster_key,
      change,
      type,
      members,
    ]),
    [
      ['default-zone', 'catalog-service', 'added', 'HTTP', ['127.0.0.1:8080']],
      ['z2', 'b', 'added', 'HTTP', ['127.0.0.1:8080']],
    ],
  )
  assert.equal(done.probes[0].options.interval_ms, DOCUMENTED_CHECK.interval_msec)
  const listed = await result(api, 'GET', '/cluster')
  assert.deepEqual(
    listed.map((cluster: Json) => ({ ...cluster, checksum: '' })),
    [IN_ZONE, clusterBody()].map((sent) => ({
      circuit_breakers: null,
      outlier_detection: null,
      ...sent,
      checksum: '',
    })),
  )
})

test('a file that is applied again replaces its objects and gives them new checksums; nothing is probed otherwise', async (t) => {
  const api = await startApi(t)
  await apply(api, [ZONE, IN_ZONE])
  const [before] = await result(api, 'GET', '/cluster')
  const again = await apply(api, [ZONE, { ...IN_ZONE, checksum: 'from long ago' }])
  assert.deepEqual(
    again.objects.map((object: Json) => object.result),
    ['updated', 'updated'],
  )
  assert.deepEqual(again.probes, [])
  const [after] = await result(api, 'GET', '/cluster')
  assert.notEqual(after.checksum, before.checksum)
  assert.deepEqual({ ...after, checksum: '' }, { ...before, checksum: '' })
})

test('the answer says what is probed otherwise, and not what is only shown otherwise', async (t) => {
  const api = await startApi(t)
  await apply(api, [clusterBody()])
  const change = async (given: object) =>
    (await apply(api, [clusterBody(given as Record<string, unknown>)])).probes.map(
      ({ change: what, type, members }: Json) => [what, type, members],
    )
  const metadata = [{ key: 'version', value: '2' }]
  assert.deepEqual(await change({ instances: [{ host: '127.0.0.1', port: 8080, metadata }] }), [])
  assert.deepEqual(await change({ lb_policy: 'random' }), [])
  const instances = [{ host: 'fd00::1', port: 81 }]
  assert.deepEqual(await change({ instances }), [['changed', 'HTTP', ['[fd00::1]:81']]])
  const tcp = [{ ...DOCUMENTED_CHECK, health_checker: { tcp_health_check: {} } }]
  assert.deepEqual(await change({ instances, health_checks: tcp }), [['changed', 'TCP', ['[fd00::1]:81']]])
  assert.deepEqual(await change({ instances, health_checks: [] }), [['gone', 'TCP', ['[fd00::1]:81']]])
  assert.deepEqual(await change({ instances, health_checks: [] }), [])
  assert.deepEqual(await change({ instances, health_checks: tcp }), [['added', 'TCP', ['[fd00::1]:81']]])
})

test('what nobody probes is said with its reason', async (t) => {
  const api = await startApi(t)
  const named = { host: 'catalog.internal', port: 80 }
  const { unprobed, probes } = await apply(api, [
    clusterBody({ instances: [named, { host: '10.0.0.1', port: 80 }] }),
    clusterBody({ cluster_key: 'b', name: 'b', health_checks: [] }),
  ])
  assert.deepEqual(unprobed, [
    {
      cluster_key: 'catalog-service',
      instance: 'catalog.internal:80',
      why: 'its host is a name, and only addresses are probed: probes use no resolver',
    },
    { cluster_key: 'b', instance: null, why: 'the cluster has no health check' },
  ])
  assert.deepEqual(
    probes.map(({ members }: Json) => members),
    [['10.0.0.1:80']],
  )
})

test('a dry run answers what the write would answer, and keeps nothing: no row, no event, no checksum', async (t) => {
  const api = await startApi(t)
  await apply(api, [clusterBody()])
  const before = await stored(api)
  const file = [ZONE, IN_ZONE, clusterBody({ health_checks: [] })]
  const dry = await apply(api, file, true)
  assert.deepEqual(await stored(api), before)
  const done = await apply(api, file, false)
  assert.deepEqual(dry, { ...done, dry_run: true })
  assert.deepEqual(
    done.probes.map(({ cluster_key, change }: Json) => [cluster_key, change]),
    [
      ['catalog-service', 'gone'],
      ['b', 'added'],
    ],
  )
})

test('one object that is wrong keeps the whole file out, also in a dry run, and the refusal names it', async (t) => {
  const quotas = { ...UNLIMITED, member: 2 }
  const policy = (address: string) => (address.startsWith('169.254.') ? 'it is never probed' : undefined)
  const api = await startApi(t, { quotas, targetPolicy: policy })
  await apply(api, [clusterBody()])
  const before = await stored(api)
  const check = (given: object) => [{ ...DOCUMENTED_CHECK, ...given }]
  const other = (given: object) => clusterBody({ cluster_key: 'c', name: 'c', ...given })
  const cases: readonly (readonly [unknown, number, RegExp])[] = [
    [
      other({ health_checks: check({ interval_msec: 7 }) }),
      400,
      /^cluster c: .*health_checks\[0\]\.interval_msec: must be at/,
    ],
    [other({ name: 'catalog' }), 409, /^cluster c: name already used in zone/],
    [other({ zone_key: 'elsewhere' }), 400, /^cluster c: zone elsewhere does not exist/],
    [clusterBody({ zone_key: 'z2' }), 400, /^cluster catalog-service: zone_key cannot be changed/],
    [other({ instances: [{ host: '169.254.1.1', port: 1 }] }), 400, /169\.254\.1\.1 may not be probed/],
    [other({ instances: [1, 2].map((port) => ({ host: '10.0.0.1', port })) }), 403, /[Qq]uota/],
    [{ zone_key: 'z3', name: 'a[b]' }, 400, /^zone z3: .*zone\.name: may not contain/],
    [other({ ssl_config: { trust_file: '/ca' } }), 400, /^cluster c: .*cluster\.ssl_config\.trust_file/],
    [{ ...ZONE }, 400, /objects\[2\]: zone z2 is there twice/],
    [{ zone_key: 'z4', name: 'z4', instances: [] }, 400, /objects\[2\]\.cluster_key: may not be empty/],
    [{ ...other({}), cluster_key: '' }, 400, /objects\[2\]\.cluster_key: may not be empty/],
    [{ name: 'neither' }, 400, /objects\[2\]\.zone_key: may not be empty/],
    ['text', 400, /objects\[2\]: must be an object/],
  ]
  for (const [wrong, status, message] of cases) {
    for (const dryRun of ['', '?dry_run=true']) {
      const answer = await applyRefused(
        status,
        api,
        [ZONE, IN_ZONE, wrong].slice(status === 403 ? 2 : 0),
        dryRun,
      )
      assert.match([answer.message, ...answer.problems].join(': '), message)
      assert.deepEqual(await stored(api), before, `${message}`)
    }
  }
})

test('a parameter that is mistyped writes nothing, and neither does a body without objects', async (t) => {
  const api = await startApi(t)
  for (const value of ['1', 'yes', 'TRUE', '']) {
    const { code } = await applyRefused(400, api, [clusterBody()], `?dry_run=${value}`)
    assert.equal(code, 'BadParameterErrorCode', value)
  }
  const many = Array.from({ length: 1001 }, (_, i) => ({ zone_key: `z${i}`, name: `z${i}` }))
  for (const objects of [undefined, null, [], {}, 'x', many])
    assert.equal((await applyRefused(400, api, objects)).code, 'InvalidObjectCode')
  assert.deepEqual([await result(api, 'GET', '/cluster'), await result(api, 'GET', '/zone')], [[], []])
})

test('two files that name the same zones in another order are both applied', async (t) => {
  const api = await startApi(t)
  const of = (zone: string) => clusterBody({ cluster_key: `of-${zone}`, name: `of ${zone}`, zone_key: zone })
  await apply(api, [ZONE, { zone_key: 'z1', name: 'first' }, of('z1'), of('z2')])
  const files = [
    [of('z1'), of('z2')],
    [of('z2'), of('z1')],
  ]
  for (let round = 0; round < 5; round++)
    await Promise.all([...files, ...files].map(async (objects) => await apply(api, objects)))
  assert.equal((await result(api, 'GET', '/cluster')).length, 2)
})

test('a large file is applied as a whole: 12 000 instances in 12 clusters of two zones', async (t) => {
  const api = await startApi(t)
  const clusters = Array.from({ length: 12 }, (_, c) =>
    clusterBody({
      cluster_key: `c${c}`,
      name: `c${c}`,
      zone_key: c % 2 === 0 ? 'default-zone' : 'z2',
      instances: Array.from({ length: 1000 }, (__, i) => ({ host: `10.0.${c}.${i & 255}`, port: 1000 + i })),
    }),
  )
  const { probes } = await apply(api, [ZONE, ...clusters])
  assert.deepEqual(
    probes.map(({ cluster_key }: Json) => cluster_key).toSorted(),
    clusters.map(({ cluster_key }) => String(cluster_key)).toSorted(),
  )
  const [row] = await query<{ pools: number; members: number }>(
    api.db,
    'select (select count(*) from pool)::int as pools, (select count(*) from member)::int as members',
  )
  assert.deepEqual(row, { pools: 12, members: 12_000 })
})

test('a file that makes the clusters of a project more than one answer lists is kept out', async (t) => {
  const api = await startApi(t)
  const padded = (key: string) =>
    clusterBody({
      cluster_key: key,
      name: key,
      note: 'x'.repeat(1_900_000),
      instances: [],
      health_checks: [],
    })
  await apply(api, [padded('a'), padded('b')])
  await apply(api, [padded('a'), padded('c')])
  const { code, message } = await applyRefused(403, api, [ZONE, padded('d'), padded('e')])
  assert.deepEqual([code, /at most 8388608 bytes/.test(message)], ['DataConstraintErrorCode', true])
  assert.deepEqual(
    (await result(api, 'GET', '/cluster')).map(({ cluster_key }: Json) => cluster_key),
    ['a', 'b', 'c'],
  )
  assert.deepEqual((await ask(api, 'GET', '/zone/z2')).status, 404)
})
