/** Clusters of Grey Matter's control API: keys, checksums, filters, instances, zones. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PROJECT_ZONES_MAX } from '../../src/domain/greymatter/limits.ts'
import { query } from '../../src/store/connection/database.ts'
import { type Api, type Json, startApi } from '../support/api.ts'
import { ask, clusterBody, DOCUMENTED_CHECK, refused, result } from '../support/greymatter.ts'

const create = (api: Api, given: Readonly<Record<string, unknown>> = {}, project?: string) =>
  result(api, 'POST', '/cluster', { body: clusterBody(given), ...(project === undefined ? {} : { project }) })

test('a cluster comes back as its author wrote it, with the key that the author chose', async (t) => {
  const api = await startApi(t)
  const sent = clusterBody({
    lb_policy: 'round_robin',
    circuit_breakers: { max_connections: 512, high: { max_retries: 2 } },
    outlier_detection: { interval_msec: 10_000, consecutive5xx: 5 },
    common_lb_conf: { healthy_panic_threshold: { value: 50 } },
    http2_protocol_options: {},
    dns_type: '',
  })
  const made = await create(api, sent)
  assert.deepEqual({ ...made, checksum: undefined }, { ...sent, checksum: undefined })
  assert.deepEqual(await result(api, 'GET', '/cluster/catalog-service'), made)
  assert.deepEqual(await result(api, 'GET', '/cluster'), [made])
})

test('a cluster without a key gets one, and default-zone is there when it is named', async (t) => {
  const api = await startApi(t)
  assert.deepEqual(await result(api, 'GET', '/zone'), [])
  const made = await create(api, { cluster_key: '' })
  assert.match(made.cluster_key, /^[0-9a-f]{8}-/)
  assert.deepEqual(
    (await result(api, 'GET', '/zone')).map(({ zone_key, name }: Record<string, string>) => [zone_key, name]),
    [['default-zone', 'default-zone']],
  )
  const { code } = await refused(400, api, 'POST', '/cluster', {
    body: clusterBody({ zone_key: 'elsewhere' }),
  })
  assert.equal(code, 'DataConstraintErrorCode')
})

test('the default zone takes another name where a zone has its name, and the room of no other zone', async (t) => {
  const api = await startApi(t)
  for (const [zone_key, name] of [
    ['z1', 'default-zone'],
    ['z2', 'default-zone-2'],
  ])
    await result(api, 'POST', '/zone', { body: { zone_key, name } })
  await query(
    api.db,
    `insert into greymatter_zone (project_id, zone_key, name, checksum, object)
     select project_id, 'more-' || n, 'more-' || n, checksum, object
     from greymatter_zone, generate_series(1, ${PROJECT_ZONES_MAX - 2}) n where zone_key = 'z1'`,
  )
  const { message } = await refused(403, api, 'POST', '/zone', { body: { zone_key: 'z3', name: 'z3' } })
  assert.match(message, /at most 500 zones/)
  await create(api)
  assert.equal((await result(api, 'GET', '/zone/default-zone')).name, 'default-zone-3')
})

test('thresholds that are absent are three, and whoever reads the cluster sees them', async (t) => {
  const api = await startApi(t)
  const { unhealthy_threshold: _, healthy_threshold: __, ...check } = DOCUMENTED_CHECK
  const made = await create(api, { health_checks: [check] })
  assert.deepEqual(made.health_checks, [{ ...check, unhealthy_threshold: 3, healthy_threshold: 3 }])
})

test('a key that is used, and a name that is used in the zone, are conflicts', async (t) => {
  const api = await startApi(t)
  await create(api)
  const again = await refused(409, api, 'POST', '/cluster', { body: clusterBody({ name: 'other' }) })
  assert.deepEqual([again.code, again.message], ['DuplicateClusterKeyCode', 'cluster_key already used'])
  const named = await refused(409, api, 'POST', '/cluster', { body: clusterBody({ cluster_key: 'other' }) })
  assert.deepEqual([named.code, named.message], ['DuplicateClusterKeyCode', 'name already used in zone'])
  await result(api, 'POST', '/zone', { body: { zone_key: 'z2', name: 'second' } })
  await create(api, { cluster_key: 'other', zone_key: 'z2' })
})

test('a write needs the checksum of what it has seen: each write makes another, a status none', async (t) => {
  const api = await startApi(t)
  const made = await create(api)
  const body = { ...made, lb_policy: 'random' }
  const edited = await result(api, 'PUT', '/cluster/catalog-service', { body })
  assert.notEqual(edited.checksum, made.checksum)
  for (const checksum of [made.checksum, '', undefined, 7]) {
    const stale = await refused(409, api, 'PUT', '/cluster/catalog-service', { body: { ...body, checksum } })
    assert.equal(stale.code, 'UnknownModificationConflict')
  }
  await query(
    api.db,
    `insert into member_state (member_id, pool_id, shard, status, since, reason, generation, epoch, sequence, ok_run, bad_run)
     select m.id, p.id, p.shard, 'OFFLINE', now(), 'CONNECT_REFUSED',
       greatest(lb.generation, p.generation, m.generation, hm.generation), 1, 1, 0, 0
     from member m join pool p on p.id = m.pool_id join load_balancer lb on lb.id = p.load_balancer_id
     join health_monitor hm on hm.pool_id = p.id`,
  )
  const health = await result(api, 'GET', '/cluster/catalog-service/health')
  assert.equal(health.unhealthy, 1)
  assert.deepEqual(await result(api, 'GET', '/cluster/catalog-service'), edited)
  for (const path of ['/cluster/catalog-service', '/cluster/catalog-service?checksum=old']) {
    assert.equal((await refused(409, api, 'DELETE', path)).code, 'UnknownModificationConflict')
  }
  const gone = await ask(api, 'DELETE', `/cluster/catalog-service?checksum=${edited.checksum}`)
  assert.deepEqual([gone.status, gone.body], [200, {}])
  assert.equal((await query(api.db, 'select from pool')).length, 0)
})

test('keys cannot be changed', async (t) => {
  const api = await startApi(t)
  const made = await create(api)
  for (const changed of [{ cluster_key: 'other' }, { zone_key: 'other' }]) {
    const body = { ...made, ...changed }
    assert.equal((await refused(400, api, 'PUT', '/cluster/catalog-service', { body })).code, 'KeyImmutable')
  }
  const { cluster_key: _, ...others } = made
  await result(api, 'PUT', '/cluster/catalog-service', { body: others })
})

test('filters: one of the entries is enough, all of an entry must match, an empty text is any', async (t) => {
  const api = await startApi(t)
  await result(api, 'POST', '/zone', { body: { zone_key: 'z2', name: 'second' } })
  await create(api, { cluster_key: 'a', name: 'one' })
  await create(api, { cluster_key: 'b', name: 'two' })
  await create(api, { cluster_key: 'c', name: 'one', zone_key: 'z2' })
  const found = async (filters: unknown) =>
    (await result(api, 'GET', `/cluster?filters=${encodeURIComponent(JSON.stringify(filters))}`)).map(
      ({ cluster_key }: { cluster_key: string }) => cluster_key,
    )
  const any = { cluster_key: '', name: '', zone_key: '', org_key: '' }
  assert.deepEqual(await found([]), ['a', 'b', 'c'])
  assert.deepEqual(await found([any]), ['a', 'b', 'c'])
  assert.deepEqual(await found([{ ...any, name: 'one' }]), ['a', 'c'])
  assert.deepEqual(await found([{ ...any, name: 'one', zone_key: 'z2' }]), ['c'])
  assert.deepEqual(await found([{ cluster_key: 'a' }, { name: 'two' }]), ['a', 'b'])
  assert.deepEqual(await found([{ org_key: 'another-organisation' }]), [])
  assert.deepEqual(await found([{ org_key: 'another-organisation' }, { cluster_key: 'b' }]), ['b'])
  for (const wrong of [
    '{',
    '{}',
    '[1]',
    '[{"name":7}]',
    JSON.stringify(Array.from({ length: 51 }, () => any)),
  ]) {
    const answer = await refused(400, api, 'GET', `/cluster?filters=${encodeURIComponent(wrong)}`)
    assert.equal(answer.code, 'BadParameterErrorCode', wrong)
  }
})

test('instances are added, replaced and removed, by both spellings of the path', async (t) => {
  const api = await startApi(t)
  let { checksum } = await create(api, { instances: null })
  const at = (word: string, rest = '') => `/cluster/catalog-service/${word}${rest}?checksum=${checksum}`
  const change = async (...request: [string, string, unknown?]) => {
    const [method, path, body] = request
    const cluster = await result(api, method, path, { body })
    checksum = cluster.checksum
    return cluster.instances.map(({ host, port }: { host: string; port: number }) => `${host}:${port}`)
  }
  assert.deepEqual(await change('POST', at('instance'), { host: '10.0.0.1', port: 80 }), ['10.0.0.1:80'])
  assert.deepEqual(await change('POST', at('instances'), { host: 'fd00::1', port: 80, metadata: null }), [
    '10.0.0.1:80',
    'fd00::1:80',
  ])
  // The same address in another spelling is the same instance.
  const replaced = { host: 'fd00:0::1', port: 80, metadata: [{ key: 'stage', value: 'prod' }] }
  assert.deepEqual(await change('POST', at('instance'), replaced), ['10.0.0.1:80', 'fd00:0::1:80'])
  assert.deepEqual(await query(api.db, 'select address, tags from member order by address'), [
    { address: '10.0.0.1', tags: [] },
    { address: 'fd00::1', tags: [{ key: 'stage', value: 'prod' }] },
  ])
  assert.deepEqual(await change('DELETE', at('instances', '/fd00::1:80')), ['10.0.0.1:80'])
  const unknown = await refused(404, api, 'DELETE', at('instance', '/10.0.0.1:81'))
  assert.deepEqual([unknown.code, unknown.message], ['NotFound', 'no such instance'])
  const stale = await refused(
    409,
    api,
    'DELETE',
    '/cluster/catalog-service/instance/10.0.0.1:80?checksum=old',
  )
  assert.equal(stale.code, 'UnknownModificationConflict')
  assert.deepEqual(await change('DELETE', at('instance', '/10.0.0.1:80')), [])
})

test('an instance that is a name is shown and not probed, and health says why', async (t) => {
  const api = await startApi(t)
  await create(api, {
    instances: [
      { host: 'catalog.internal', port: 80 },
      { host: '10.0.0.1', port: 80 },
    ],
  })
  const { instances, unknown } = await result(api, 'GET', '/cluster/catalog-service/health')
  assert.equal(unknown, 2)
  assert.deepEqual(
    instances.map(({ host, status, reason, pending, member_id }: Record<string, unknown>) => [
      host,
      status,
      reason,
      pending,
      member_id === null,
    ]),
    [
      ['catalog.internal', 'UNKNOWN', 'HOST_IS_A_NAME', false, true],
      ['10.0.0.1', 'UNKNOWN', 'NOT_YET_PROBED', true, false],
    ],
  )
})

test('the plan says what a health check does and from where each value comes', async (t) => {
  const api = await startApi(t)
  const check = { ...DOCUMENTED_CHECK, no_traffic_interval_msec: 5000, unhealthy_edge_interval_msec: 700 }
  await create(api, { health_checks: [check] })
  const { healthmonitor_id: id } = await result(api, 'GET', '/cluster/catalog-service/health')
  const { body } = await api.request('GET', `/v1/healthmonitors/${id}/plan`)
  const { options } = body.plan
  const value = (name: string) => [options[name]?.value, options[name]?.from]
  assert.deepEqual(value('interval_ms'), [60_000, 'options'])
  assert.deepEqual(value('timeout_ms'), [1000, 'options'])
  assert.deepEqual(value('intervals.online_pending_ms'), [700, 'options'])
  assert.deepEqual(value('http.path'), ['/health', 'options'])
  assert.deepEqual(value('http.host'), ['catalog', 'options'])
  assert.deepEqual(value('hard_failures')[1], 'profile')
  assert.deepEqual(value('connection.reuse'), [true, 'profile'])
  // Traffic is assumed: the interval without traffic holds for nobody.
  assert.equal(body.plan.probes_per_second, 0.017)
})

test('another project has its own keys, and does not see these', async (t) => {
  const api = await startApi(t)
  const made = await create(api)
  const other = { project: 'another' }
  assert.deepEqual(await result(api, 'GET', '/cluster', other), [])
  for (const [method, path, body] of [
    ['GET', '/cluster/catalog-service'],
    ['GET', '/cluster/catalog-service/health'],
    ['PUT', '/cluster/catalog-service', made],
    ['DELETE', `/cluster/catalog-service?checksum=${made.checksum}`],
    ['POST', `/cluster/catalog-service/instance?checksum=${made.checksum}`, { host: '10.0.0.9', port: 1 }],
    ['DELETE', `/cluster/catalog-service/instance/127.0.0.1:8080?checksum=${made.checksum}`],
    ['GET', '/zone/default-zone'],
  ] as const) {
    const { code } = await refused(404, api, method, path, { ...other, body })
    assert.equal(code, 'NotFound', `${method} ${path}`)
  }
  const theirs = await create(api, {}, 'another')
  assert.notEqual(theirs.checksum, made.checksum)
  assert.deepEqual(await result(api, 'GET', '/cluster/catalog-service'), made)
})

test('zones: names are unique, a zone with clusters stays, an empty one goes', async (t) => {
  const api = await startApi(t)
  const zone = await result(api, 'POST', '/zone', { body: { zone_key: '', name: 'z1' } })
  assert.equal(
    (await refused(409, api, 'POST', '/zone', { body: { name: 'z1' } })).code,
    'DuplicateClusterKeyCode',
  )
  const renamed = await result(api, 'PUT', `/zone/${zone.zone_key}`, { body: { ...zone, name: 'z2' } })
  assert.notEqual(renamed.checksum, zone.checksum)
  const cluster = await create(api, { zone_key: zone.zone_key })
  const path = `/zone/${zone.zone_key}?checksum=${renamed.checksum}`
  assert.equal((await refused(409, api, 'DELETE', path)).code, 'DataConstraintErrorCode')
  await ask(api, 'DELETE', `/cluster/catalog-service?checksum=${cluster.checksum}`)
  assert.deepEqual((await ask(api, 'DELETE', path)).body, {})
  assert.equal((await query(api.db, 'select from load_balancer')).length, 0)
})

test('a write that two send at once is done once', async (t) => {
  const api = await startApi(t)
  const made = await create(api)
  const statuses = await Promise.all(
    [1, 2, 3, 4].map(async (n) => {
      const body = { ...made, lb_policy: `policy ${n}` }
      return (await ask(api, 'PUT', '/cluster/catalog-service', { body })).status
    }),
  )
  assert.deepEqual(
    statuses.toSorted((a, b) => a - b),
    [200, 409, 409, 409],
  )
  const created = await Promise.all(
    [1, 2, 3].map(
      async () =>
        (await ask(api, 'POST', '/cluster', { body: clusterBody({ cluster_key: 'x', name: 'x' }) })).status,
    ),
  )
  assert.deepEqual(
    created.toSorted((a, b) => a - b),
    [200, 409, 409],
  )
})

test('an instance leaves a cluster whose health check is older than a rule that it breaks, and nothing else changes', async (t) => {
  const api = await startApi(t)
  const instances = [8080, 8081, 8082].map((port) => ({ host: '127.0.0.1', port }))
  await result(api, 'POST', '/cluster', { body: clusterBody({ instances }) })
  // Files of the host that checks are refused today.
  await query(
    api.db,
    `update greymatter_cluster set object = jsonb_set(object::jsonb, '{ssl_config}', '{"trust_file": "/ca.pem"}')::text`,
  )
  const { checksum } = await result(api, 'GET', '/cluster/catalog-service')
  const left = await result(
    api,
    'DELETE',
    `/cluster/catalog-service/instance/127.0.0.1:8081?checksum=${checksum}`,
  )
  assert.deepEqual(
    left.instances.map(({ port }: Json) => port),
    [8080, 8082],
  )
  const members = await query<{ port: number }>(
    api.db,
    'select protocol_port as port from member order by protocol_port',
  )
  assert.deepEqual(
    members.map(({ port }) => port),
    [8080, 8082],
  )
  // Whoever writes another health check is held to the rules of today.
  const body = { ...left, health_checks: [{ ...DOCUMENTED_CHECK, interval_msec: 30_000 }] }
  const { problems } = await refused(400, api, 'PUT', '/cluster/catalog-service', { body })
  assert.match(problems.join(), /trust_file/)
})
