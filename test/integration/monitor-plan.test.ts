/** Plans of health monitors, traffic reports, and every valid option stored and shown as it was sent. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { maskedOptions } from '../../src/domain/options/option-secrets.ts'
import { MONITOR_TYPES, type MonitorType } from '../../src/domain/types.ts'
import { loadPools } from '../../src/store/probing/checks.ts'
import { query } from '../../src/store/connection/database.ts'
import { type Answer, type Api, type Json, startApi } from '../support/api.ts'
import * as elb from '../support/api-objects.ts'
import { fittingOptions, SURROUNDINGS } from '../support/fitting-options.ts'
import * as octavia from '../support/octavia.ts'
import { eventually } from '../support/configuration.ts'
import { testProber } from '../support/prober.ts'
import { testDatabase } from '../support/database.ts'
import { listen } from '../support/probing.ts'

const DIALECTS = { elb: '/elb/v2.0/lbaas', octavia: octavia.OCTAVIA } as const
const RUNS = Number(process.env['OPTIONS_RUNS'] ?? 12)

async function aPoolWith(api: Api, monitor: object, members = 2): Promise<{ pool: Json; monitor: Json }> {
  const pool = await octavia.aPool(api, (await elb.aLoadBalancer(api)).id)
  for (let port = 1; port <= members; port++) {
    await octavia.made(api, `pools/${pool.id}/members`, { address: '127.0.0.1', protocol_port: port })
  }
  return { pool, monitor: await octavia.aMonitor(api, pool.id, monitor) }
}

const planOf = async (api: Api, base: string, id: string, search = ''): Promise<Json> => {
  const answer = await api.request('GET', `${base}/healthmonitors/${id}/plan${search}`)
  assert.equal(answer.status, 200, JSON.stringify(answer.body))
  return answer.body.plan
}

for (const [dialect, base] of Object.entries(DIALECTS)) {
  suite(`plans and traffic, dialect ${dialect}`, () => {
    test('a plan says what holds and where it comes from, in plain numbers', async (t) => {
      const api = await startApi(t)
      const options = {
        preset: 'envoy',
        interval_ms: 500,
        fall: 4,
        intervals: { offline_ms: 2000 },
        no_traffic: { reported: true },
        http: { headers: [{ name: 'Authorization', value: 'hidden' }] },
      }
      const { monitor } = await aPoolWith(api, { max_retries: 2, url_path: '/up', options })
      const plan = await planOf(api, base, monitor.id)
      const told = (name: string) => [plan.options[name]?.value, plan.options[name]?.from]
      assert.deepEqual(told('interval_ms'), [500, 'options'])
      assert.deepEqual(told('timeout_ms'), [3000, 'field'])
      assert.deepEqual(told('rise'), [2, 'field'])
      assert.deepEqual(told('fall'), [4, 'options'])
      assert.deepEqual(told('initial.status'), ['UNKNOWN', 'preset'])
      assert.deepEqual(told('intervals.offline_ms'), [2000, 'options'])
      assert.deepEqual(told('intervals.online_pending_ms'), [2000, 'preset'])
      assert.deepEqual(told('intervals.no_traffic_ms'), [60_000, 'preset'])
      assert.deepEqual(told('intervals.offline_pending_ms'), [500, 'default'])
      assert.deepEqual(told('hard_failures'), [['status', 'payload', 'immediate'], 'preset'])
      assert.deepEqual(told('connection.reuse'), [true, 'preset'])
      assert.deepEqual(told('connection.fresh_every'), [10, 'default'])
      assert.deepEqual(told('http.path'), ['/up', 'field'])
      assert.deepEqual(told('http.version'), ['1.1', 'preset'])
      assert.deepEqual(told('http.expected_statuses'), [[{ start: 200, end: 201 }], 'preset'])
      assert.deepEqual(told('http.headers'), [[{ name: 'Authorization', value: '***' }], 'options'])
      assert.deepEqual(told('udp.payload'), [undefined, undefined])
      // Nobody has reported traffic: every probe is a minute apart.
      assert.equal(plan.traffic_seen, false)
      assert.equal(plan.detection_window.down.max_seconds, 60 + 9 * 63 + 3 + 3 * 63)
      assert.deepEqual([plan.members, plan.probes_per_second], [2, 0.033])
    })

    test('a plain monitor’s plan is that of its fields and its profile', async (t) => {
      const api = await startApi(t)
      const { monitor } = await aPoolWith(api, { type: 'TCP', delay: 4, timeout: 2, max_retries: 3 }, 3)
      const plan = await planOf(api, base, monitor.id)
      assert.deepEqual(plan.options['interval_ms'], { value: 4000, from: 'field' })
      assert.deepEqual(plan.options['initial.status'], { value: 'ONLINE', from: 'profile' })
      assert.ok(!('http.path' in plan.options) && !('preset' in plan.options))
      assert.deepEqual(plan.detection_window.down, { min_seconds: 8, max_seconds: 18 })
      assert.deepEqual([plan.members, plan.probes_per_second], [3, 0.75])
      assert.equal(plan.next_probes.length, 5)
      const gaps = plan.next_probes
        .map(Date.parse)
        .map((at: number, i: number, all: number[]) => at - (all[i - 1] ?? at - 4000))
      assert.deepEqual(gaps, [4000, 4000, 4000, 4000, 4000])
    })

    test('what is switched off is not probed, and says so', async (t) => {
      const api = await startApi(t)
      const { monitor } = await aPoolWith(api, { admin_state_up: false })
      const plan = await planOf(api, base, monitor.id)
      assert.deepEqual(
        [plan.members, plan.probes_per_second, plan.member_id, plan.next_probes],
        [0, 0, null, []],
      )
    })

    test('unknown monitors, members and pools are 404', async (t) => {
      const api = await startApi(t)
      const { monitor, pool } = await aPoolWith(api, {})
      const other = await aPoolWith(api, {})
      const members = await api.request('GET', `${base}/pools/${other.pool.id}/members`)
      const unknown = '00000000-0000-4000-8000-00000000dead'
      const paths: readonly (readonly [string, string])[] = [
        ['GET', `healthmonitors/${unknown}/plan`],
        ['GET', `healthmonitors/x/plan`],
        ['GET', `healthmonitors/${monitor.id}/plan?member_id=${unknown}`],
        ['GET', `healthmonitors/${monitor.id}/plan?member_id=x`],
        ['GET', `healthmonitors/${monitor.id}/plan?member_id=${members.body.members[0].id}`],
        ['POST', `pools/${unknown}/traffic`],
        ['POST', 'pools/x/traffic'],
      ]
      for (const [method, path] of paths) {
        const answer: Answer = await api.request(method, `${base}/${path}`, undefined)
        assert.equal(answer.status, 404, path)
      }
      const own = await api.request('GET', `${base}/pools/${pool.id}/members`)
      const asked = own.body.members[1].id
      assert.equal((await planOf(api, base, monitor.id, `?member_id=${asked}`)).member_id, asked)
    })

    test('traffic is reported once and for all, and ends the no-traffic intervals of the checks', async (t) => {
      const api = await startApi(t)
      const { monitor, pool } = await aPoolWith(api, {
        options: { preset: 'envoy', interval_ms: 300, no_traffic: { reported: true } },
      })
      const checked = async () => (await loadPools(api.db, [pool.id]))[0]?.checks[0]?.config.policy.intervals
      const version = async () =>
        (await query<{ config_version: number }>(api.db, 'select config_version from pool'))[0]
          ?.config_version
      assert.equal((await checked())?.noTraffic, 60_000)
      const before = await version()
      for (let i = 0; i < 3; i++) {
        const answer = await api.request('POST', `${base}/pools/${pool.id}/traffic`)
        assert.deepEqual([answer.status, answer.body], [204, undefined])
      }
      assert.equal(await version(), (before ?? 0) + 1)
      assert.deepEqual(await checked(), { online: 300, offline: 300, onlinePending: 300 })
      const plan = await planOf(api, base, monitor.id)
      assert.deepEqual([plan.traffic_seen, plan.probes_per_second], [true, 6.667])
    })
  })
}

test('the next probes follow what the prober has checkpointed', async (t) => {
  const database = await testDatabase(t)
  const api = await startApi(t, { db: database.db })
  const server = await listen(t, () => undefined)
  const pool = await octavia.aPool(api, (await elb.aLoadBalancer(api)).id)
  const { port } = server.address() as { port: number }
  await octavia.made(api, `pools/${pool.id}/members`, { address: '127.0.0.1', protocol_port: port })
  const monitor = await octavia.aMonitor(api, pool.id, { type: 'TCP', options: { interval_ms: 3000 } })
  testProber(database)
  await eventually('it is checkpointed', async () => {
    const rows = await query(api.db, 'select from shard_checkpoint where cardinality(member_ids) = 1')
    return rows.length === 1
  })
  const { next_probes } = await planOf(api, octavia.OCTAVIA, monitor.id)
  const [seen] = await query<{ next_at: Date }>(
    api.db,
    'select next_at[1] as next_at from shard_checkpoint where cardinality(member_ids) = 1',
  )
  const distance = Date.parse(next_probes[0]) - (seen?.next_at.getTime() ?? 0)
  // On the grid of the checkpoint: interval and the last probe's time apart.
  assert.ok(distance >= 0 && distance % 3000 < 500, String(distance))
})

test(`every valid option is stored and shown as it was sent, for each type (${RUNS} of each)`, async (t) => {
  const { sourceAddresses, hasTlsFile } = SURROUNDINGS
  const api = await startApi(t, { sourceAddresses, ...(hasTlsFile && { hasTlsFile }) })
  const loadBalancer = await elb.aLoadBalancer(api)
  for (const type of MONITOR_TYPES) {
    const protocol = type === 'UDP-CONNECT' || type === 'SCTP' ? 'UDP' : 'HTTP'
    const pool = await octavia.aPool(api, loadBalancer.id, { protocol })
    const { id } = await octavia.aMonitor(api, pool.id, { type })
    // Octavia's words hold UDP-CONNECT to HM_UDP_MIN_DELAY, whatever options say; elb's do not know it.
    const written = type === 'UDP-CONNECT' ? '/elb/v2.0/lbaas' : octavia.OCTAVIA
    const put = async (options: unknown) =>
      await putMonitor(api, `${written}/healthmonitors/${id}`, { options })
    await fc.assert(
      fc.asyncProperty(fittingOptions(type as MonitorType), async (options) => {
        await put(null)
        const stored = await put(options)
        const shown = Object.keys(options).length === 0 ? undefined : maskedOptions(options)
        assert.deepEqual(stored.options, shown)
        const read = await api.request('GET', `/elb/v2.0/lbaas/healthmonitors/${id}`)
        assert.deepEqual(read.body.healthmonitor.options, shown)
        // What was shown, sent back, changes nothing.
        assert.deepEqual((await put(shown ?? null)).options, shown)
        const kept = await query<{ options: unknown }>(
          api.db,
          'select options from health_monitor where id = $1',
          [id],
        )
        assert.deepEqual(kept[0]?.options ?? {}, options)
        await planOf(api, octavia.OCTAVIA, id)
      }),
      { numRuns: RUNS, seed: 20_261_121 },
    )
  }
  assert.deepEqual(api.errors, [])
})

async function putMonitor(api: Api, path: string, healthmonitor: object): Promise<Json> {
  const answer = await api.request('PUT', path, { healthmonitor })
  assert.equal(answer.status, 200, JSON.stringify(answer.body))
  return answer.body.healthmonitor
}
