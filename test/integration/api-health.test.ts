import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { suite, test } from 'node:test'
import { query } from '../../src/store/connection/database.ts'
import { makePool, type PoolApi, startPoolApi, writeVerdict } from '../support/pool-api.ts'

const SUBNET = '03e1458a-fe0d-4e2f-bc4a-44f25a045287'

async function addMember(api: PoolApi, poolId: string, extra: object = {}): Promise<string> {
  const body = { member: { address: '127.0.0.1', protocol_port: 8080, subnet_id: SUBNET, ...extra } }
  const answer = await api.call('POST', `/pools/${poolId}/members`, { body })
  assert.equal(answer.status, 201, JSON.stringify(answer.body))
  return answer.body.member.id as string
}

async function addMonitor(api: PoolApi, poolId: string, extra: object = {}): Promise<string> {
  const healthmonitor = { pool_id: poolId, type: 'TCP', delay: 4, timeout: 2, max_retries: 2, ...extra }
  const answer = await api.call('POST', '/healthmonitors', { body: { healthmonitor } })
  assert.equal(answer.status, 201, JSON.stringify(answer.body))
  return answer.body.healthmonitor.id as string
}

/** Gives the shard of a pool to a prober whose lease ends in `seconds`. */
async function own(api: PoolApi, poolId: string, seconds = 60): Promise<void> {
  const id = randomUUID()
  await query(
    api.db,
    `insert into prober (id, host, pid, lease_until) values ($1, 'here', 1, now() + $2 * interval '1 second')`,
    [id, seconds],
  )
  await query(
    api.db,
    'update shard set owner = $1, epoch = 1 where id = (select shard from pool where id = $2)',
    [id, poolId],
  )
}

interface Probed {
  readonly outcome?: string
  readonly reason?: string
  readonly okRun?: number
  readonly badRun?: number
  readonly stale?: boolean
  /** Generations that the check has had since. */
  readonly older?: number
}

/** Writes the checkpoint of a pool's shard as a prober does: probed at 12:00:00, as of 12:00:02. */
async function checkpoint(
  api: PoolApi,
  poolId: string,
  probes: Readonly<Record<string, Probed>>,
): Promise<void> {
  const elements = Object.entries(probes).map(([id, probed]) => ({
    id,
    outcome: 'passed',
    reason: 'PASSED',
    okRun: 2,
    badRun: 0,
    stale: false,
    older: 0,
    ...probed,
  }))
  await query(
    api.db,
    `insert into shard_checkpoint
     select p.shard, 1, '2026-11-01T12:00:02Z', array_agg(m.id),
       array_agg(greatest(lb.generation, p.generation, m.generation, hm.generation) - e.older),
       array_agg(timestamptz '2026-11-01T12:00:00Z'), array_agg(timestamptz '2026-11-01T12:00:04Z'),
       array_agg(e.outcome), array_agg(e.reason), array_agg(1500), array_agg(null::integer), array_agg(1250),
       array_agg(null::integer), array_agg(null::integer), array_agg(e."okRun"), array_agg(e."badRun"),
       array_agg(e.stale)
     from jsonb_to_recordset($1::jsonb) e (id uuid, outcome text, reason text, "okRun" smallint, "badRun" smallint,
       stale boolean, older integer)
     join member m on m.id = e.id join pool p on p.id = m.pool_id join load_balancer lb on lb.id = p.load_balancer_id
     left join health_monitor hm on hm.pool_id = p.id
     where p.id = $2
     group by p.shard`,
    [JSON.stringify(elements), poolId],
  )
}

async function healthOf(api: PoolApi, poolId: string, id: string) {
  const answer = await api.call('GET', `/pools/${poolId}/members/${id}/health`)
  assert.equal(answer.status, 200, JSON.stringify(answer.body))
  return withNext(answer.body.health as Record<string, unknown>)
}

/** The time of the next probe changes while the test runs: the test only compares it with the past. */
function withNext(health: Record<string, unknown>): Record<string, unknown> {
  const next = health['next_probe_at']
  if (typeof next !== 'string') return health
  const inMs = Date.parse(next) - Date.now()
  assert.ok(inMs > -CLOCKS_APART_MS && inMs < DELAY_MS + CLOCKS_APART_MS, `the next probe is in ${inMs} ms`)
  return { ...health, next_probe_at: 'ahead' }
}

const DELAY_MS = 4000
/** The answer took its time to come. */
const CLOCKS_APART_MS = 3000

const NO_FLAGS = { degraded: false, warning: false, draining: false }
const NOT_PROBED = {
  since: null,
  pending: false,
  detail: null,
  stale: false,
  ...NO_FLAGS,
  counters: null,
  last_probe: null,
  as_of: null,
  next_probe_at: null,
  detection_window: null,
}
const WINDOW = { down: { min_seconds: 8, max_seconds: 18 }, up: { min_seconds: 4, max_seconds: 12 } }
const BEFORE = new Date('2026-11-01T12:00:01Z')
const AFTER = new Date('2026-11-01T12:00:03Z')

suite('health of a member', () => {
  test('of what is not probed only status and reason are known', async (t) => {
    const api = await startPoolApi(t)
    const { poolId } = await makePool(api.db)
    const id = await addMember(api, poolId)
    const expect = async (status: string, reason: string) =>
      assert.deepEqual(await healthOf(api, poolId, id), { ...NOT_PROBED, status, reason })
    await expect('NO_MONITOR', 'NO_MONITOR')
    const monitor = await addMonitor(api, poolId, { admin_state_up: false })
    await expect('NO_MONITOR', 'MONITOR_DISABLED')
    await api.call('PUT', `/healthmonitors/${monitor}`, { body: { healthmonitor: { admin_state_up: true } } })
    await writeVerdict(api.db, id, { status: 'ONLINE' })
    await api.call('PUT', `/pools/${poolId}/members/${id}`, { body: { member: { admin_state_up: false } } })
    await expect('OFFLINE', 'MEMBER_DISABLED')
  })

  test('a check that waits for its first probe says so, with its window, and is stale while no prober owns it', async (t) => {
    const api = await startPoolApi(t)
    const { poolId } = await makePool(api.db)
    const id = await addMember(api, poolId)
    await addMonitor(api, poolId)
    const waiting = {
      ...NOT_PROBED,
      status: 'NO_MONITOR',
      reason: 'NOT_YET_PROBED',
      pending: true,
      counters: { rise: '0/2', fall: '0/3' },
      detection_window: WINDOW,
    }
    assert.deepEqual(await healthOf(api, poolId, id), { ...waiting, stale: true })
    await own(api, poolId, -1)
    assert.deepEqual(await healthOf(api, poolId, id), { ...waiting, stale: true }, 'the lease has ended')
    await own(api, poolId)
    assert.deepEqual(await healthOf(api, poolId, id), { ...waiting, next_probe_at: 'ahead' })
    const later = await addMember(api, poolId, { protocol_port: 8081 })
    assert.equal((await healthOf(api, poolId, later))['status'], 'OFFLINE', 'a new member below a monitor')
  })

  test('the last probe, its phases and the next one come from the checkpoint', async (t) => {
    const api = await startPoolApi(t)
    const { poolId } = await makePool(api.db)
    const id = await addMember(api, poolId)
    await addMonitor(api, poolId)
    await own(api, poolId)
    await writeVerdict(api.db, id, { status: 'ONLINE', okRun: 1, writtenAt: BEFORE })
    await checkpoint(api, poolId, { [id]: {} })
    assert.deepEqual(await healthOf(api, poolId, id), {
      status: 'ONLINE',
      since: '2026-11-01T10:00:00.000Z',
      reason: 'PASSED',
      pending: false,
      detail: '',
      stale: false,
      ...NO_FLAGS,
      counters: { rise: '2/2', fall: '0/3' },
      last_probe: {
        at: '2026-11-01T12:00:00.000Z',
        result: 'passed',
        reason: 'PASSED',
        latency_ms: 1.5,
        phases: { echo_ms: null, connect_ms: 1.25, tls_ms: null, first_byte_ms: null, total_ms: 1.5 },
        address: '127.0.0.1:8080',
      },
      as_of: '2026-11-01T12:00:02.000Z',
      next_probe_at: 'ahead',
      detection_window: WINDOW,
    })
  })

  test('a verdict that is newer than the checkpoint has the counters; OFFLINE shows its threshold full', async (t) => {
    const api = await startPoolApi(t)
    const { poolId } = await makePool(api.db)
    const id = await addMember(api, poolId)
    await addMonitor(api, poolId)
    await own(api, poolId)
    await checkpoint(api, poolId, { [id]: { okRun: 2, badRun: 0 } })
    await writeVerdict(api.db, id, { status: 'ONLINE', okRun: 0, badRun: 2, writtenAt: AFTER })
    const failing = await healthOf(api, poolId, id)
    assert.deepEqual(
      [failing['counters'], failing['as_of']],
      [{ rise: '0/2', fall: '2/3' }, '2026-11-01T12:00:03.000Z'],
    )
    const down = { status: 'OFFLINE', detail: 'connect: refused', writtenAt: AFTER } as const
    await writeVerdict(api.db, id, down)
    const offline = await healthOf(api, poolId, id)
    assert.deepEqual(
      [offline['status'], offline['reason'], offline['detail'], offline['counters']],
      ['OFFLINE', 'CONNECT_REFUSED', 'connect: refused', { rise: '0/2', fall: '3/3' }],
    )
    await writeVerdict(api.db, id, { ...down, okRun: 1 })
    assert.deepEqual((await healthOf(api, poolId, id))['counters'], { rise: '1/2', fall: '0/3' })
  })

  test('without a checkpoint the probe that decided is the last one known', async (t) => {
    const api = await startPoolApi(t)
    const { poolId } = await makePool(api.db)
    const id = await addMember(api, poolId)
    await addMonitor(api, poolId)
    await own(api, poolId)
    const probe = async (evidence: object) => {
      await writeVerdict(api.db, id, { status: 'OFFLINE', evidence })
      return (await healthOf(api, poolId, id))['last_probe']
    }
    const last = {
      at: '2026-11-01T10:00:00.000Z',
      result: 'failed',
      reason: 'CONNECT_REFUSED',
      address: '127.0.0.1:8080',
    }
    const phases = { echo_ms: null, connect_ms: null, tls_ms: null, first_byte_ms: null, total_ms: 2 }
    assert.deepEqual(await probe({ phases: { total_ms: 2, connect_ms: 'x' } }), {
      ...last,
      latency_ms: 2,
      phases,
    })
    for (const evidence of [{}, { phases: 5 }, { phases: [] }]) {
      assert.deepEqual(await probe(evidence), {
        ...last,
        latency_ms: null,
        phases: { ...phases, total_ms: null },
      })
    }
  })

  test('after a change of target the status stays, and earlier probes are not shown', async (t) => {
    const api = await startPoolApi(t)
    const { poolId } = await makePool(api.db)
    const id = await addMember(api, poolId)
    const monitor = await addMonitor(api, poolId)
    await own(api, poolId)
    await writeVerdict(api.db, id, { status: 'ONLINE', okRun: 2, detail: 'got 200' })
    await checkpoint(api, poolId, { [id]: { stale: true } })
    await api.call('PUT', `/healthmonitors/${monitor}`, { body: { healthmonitor: { monitor_port: 81 } } })
    assert.deepEqual(await healthOf(api, poolId, id), {
      ...NOT_PROBED,
      status: 'ONLINE',
      since: '2026-11-01T10:00:00.000Z',
      reason: 'PASSED',
      pending: true,
      detail: 'got 200',
      counters: { rise: '0/2', fall: '0/3' },
      next_probe_at: 'ahead',
      detection_window: WINDOW,
    })
  })

  test('a check that gets only inconclusive results says why', async (t) => {
    const api = await startPoolApi(t)
    const { poolId } = await makePool(api.db)
    const id = await addMember(api, poolId)
    await addMonitor(api, poolId)
    await own(api, poolId)
    const probed = { outcome: 'inconclusive', reason: 'PROBER_FORBIDDEN', okRun: 0 }
    await checkpoint(api, poolId, { [id]: probed })
    const { reason, detail } = await healthOf(api, poolId, id)
    assert.deepEqual(
      [reason, detail],
      ['NOT_YET_PROBED', 'PROBER_FORBIDDEN: the host of the prober does not permit this packet'],
    )
  })

  test('the address is where the probes go: IPv6 in brackets, the port of the monitor before the member’s', async (t) => {
    const api = await startPoolApi(t)
    const { poolId } = await makePool(api.db)
    const id = await addMember(api, poolId, { address: '::1' })
    await addMonitor(api, poolId, { monitor_port: 81 })
    await checkpoint(api, poolId, { [id]: {} })
    const { address } = (await healthOf(api, poolId, id))['last_probe'] as { address: string }
    assert.equal(address, '[::1]:81')
  })

  test('a member elsewhere, a pool that is not there and another project are 404', async (t) => {
    const api = await startPoolApi(t)
    const { poolId } = await makePool(api.db)
    const other = await makePool(api.db)
    const id = await addMember(api, poolId)
    const message = async (path: string, project = 'project-a') => {
      const answer = await api.call('GET', path, { project })
      assert.deepEqual([answer.status, answer.body.error_code], [404, 'ELB.8904'])
      return answer.body.error_msg as string
    }
    assert.equal(
      await message(`/pools/${other.poolId}/members/${id}/health`),
      `member ${id} could not be found.`,
    )
    assert.equal(await message(`/pools/${id}/members/${id}/health`), `pool ${id} could not be found.`)
    assert.equal(
      await message(`/pools/${poolId}/members/${id}/health`, 'project-b'),
      `pool ${poolId} could not be found.`,
    )
    assert.equal(await message(`/pools/${poolId}/health`, 'project-b'), `pool ${poolId} could not be found.`)
    assert.equal(await message(`/pools/x/health`), 'pool x could not be found.')
  })
})

suite('health of a pool', () => {
  test('counts cover every member, the list is paged and each item is the health of that member', async (t) => {
    const api = await startPoolApi(t)
    const { poolId } = await makePool(api.db)
    await addMonitor(api, poolId)
    const ids = []
    for (let port = 1; port <= 5; port++)
      ids.push(await addMember(api, poolId, { protocol_port: port, name: `m${port}` }))
    const [a = '', b = '', c = '', d = ''] = ids
    for (const id of [a, b, c]) await writeVerdict(api.db, id, { status: id === c ? 'OFFLINE' : 'ONLINE' })
    await api.call('PUT', `/pools/${poolId}/members/${d}`, { body: { member: { admin_state_up: false } } })
    await own(api, poolId)
    await checkpoint(api, poolId, {
      [a]: { stale: true },
      [b]: { stale: true, older: 1 },
      [d]: { stale: true },
    })
    const counts = { ONLINE: 2, OFFLINE: 3, NO_MONITOR: 0, stale: 1 }
    const all = (await api.call('GET', `/pools/${poolId}/health`)).body.health
    assert.deepEqual(all.counts, counts)
    assert.equal(all.members.length, 5)
    assert.equal(all.members_links, undefined)
    for (const { id, name, address, protocol_port: port, ...health } of all.members) {
      assert.deepEqual([name, address], [`m${port}`, '127.0.0.1'])
      assert.deepEqual(withNext(health), await healthOf(api, poolId, id as string))
    }
    const seen: string[] = []
    let url: string | undefined = `/pools/${poolId}/health?limit=2`
    while (url !== undefined) {
      assert.ok(seen.length < 10, 'the walk ends')
      const answer = await api.call('GET', url)
      const health = answer.body.health as { counts: unknown; members: unknown; members_links?: unknown }
      assert.deepEqual(health.counts, counts)
      seen.push(...(health.members as { id: string }[]).map((member) => member.id))
      const links = (health.members_links ?? []) as { rel: string; href: string }[]
      url = links.find((link) => link.rel === 'next')?.href
    }
    assert.deepEqual(seen, ids.toSorted())
    const filtered = (await api.call('GET', `/pools/${poolId}/health?operating_status=ONLINE`)).body.health
    assert.deepEqual([filtered.members.length, filtered.counts], [2, counts])
  })

  test('without a live owner every check is stale, and what is not probed never is', async (t) => {
    const api = await startPoolApi(t)
    const { poolId } = await makePool(api.db)
    const id = await addMember(api, poolId)
    const countsOf = async () => (await api.call('GET', `/pools/${poolId}/health`)).body.health.counts
    assert.deepEqual(await countsOf(), { ONLINE: 0, OFFLINE: 0, NO_MONITOR: 1, stale: 0 })
    await addMonitor(api, poolId)
    await writeVerdict(api.db, id, { status: 'ONLINE' })
    assert.deepEqual(await countsOf(), { ONLINE: 1, OFFLINE: 0, NO_MONITOR: 0, stale: 1 })
  })

  test('an empty pool has an empty health', async (t) => {
    const api = await startPoolApi(t)
    const { poolId } = await makePool(api.db)
    const counts = { ONLINE: 0, OFFLINE: 0, NO_MONITOR: 0, stale: 0 }
    assert.deepEqual((await api.call('GET', `/pools/${poolId}/health`)).body, {
      health: { counts, members: [] },
    })
  })

  test('a load balancer that is never probed has no stale members', async (t) => {
    const api = await startPoolApi(t)
    const { poolId } = await makePool(api.db, { provider: 'noop_driver' })
    const id = await addMember(api, poolId)
    await addMonitor(api, poolId)
    const { counts, members } = (await api.call('GET', `/pools/${poolId}/health`)).body.health
    assert.deepEqual(counts, { ONLINE: 0, OFFLINE: 1, NO_MONITOR: 0, stale: 0 })
    assert.deepEqual([members[0].id, members[0].reason, members[0].stale], [id, 'PROVIDER_NOT_PROBED', false])
  })
})
