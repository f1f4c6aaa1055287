/** The database decides what a pool makes of its members (migration 0039) as the domain does. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import type { PoolOptions } from '../../src/domain/pool-health/pool-options.ts'
import { trafficRule, type TrafficRule } from '../../src/domain/pool-health/traffic-rule.ts'
import { type PoolCounts, trafficOf } from '../../src/domain/pool-health/traffic.ts'
import { poolStatus } from '../../src/domain/status/roll-up.ts'
import { query } from '../../src/store/connection/database.ts'
import { testDatabase } from '../support/database.ts'
import { seededRandom } from '../support/random.ts'

const SOME_OPTIONS: readonly (PoolOptions | null)[] = [
  null,
  { preset: 'aws' },
  { preset: 'envoy' },
  { preset: 'envoy', when_too_few: 'fail_closed' },
  { preset: 'envoy', when_too_few: 'report', healthy_when: { percent: 67 } },
  { healthy_when: 'any' },
  { healthy_when: { at_least: 2 }, when_too_few: 'report' },
  { healthy_when: { at_least: 2, percent: 60 }, when_too_few: 'fail_open' },
  { healthy_when: { percent: 100 }, when_too_few: 'fail_closed' },
  { healthy_when: { percent: 34 } },
  { when_too_few: 'fail_open' },
  { when_too_few: 'fail_closed' },
  { healthy_when: { percent: 50 }, overprovisioning_percent: 100 },
]

test('the rule of a pool in SQL is the one of the domain, for every kind of options and each preset', async (t) => {
  const { db } = await testDatabase(t)
  for (const options of SOME_OPTIONS) {
    const [rule] = await query<TrafficRule>(
      db,
      `select at_least as "atLeast", percent, when_too_few as "whenTooFew",
         overprovisioning_percent as "overprovisioningPercent" from pool_rule($1::jsonb)`,
      [options === null ? null : JSON.stringify(options)],
    )
    assert.deepEqual(rule, trafficRule(options), JSON.stringify(options))
  }
})

interface DecidedCase {
  readonly id: string
  readonly rule: TrafficRule
  readonly counts: PoolCounts
  readonly inService: boolean
  readonly monitored: boolean
  readonly offline: number
}

/** Every pool of at most three first members and two backups, and some large ones. */
function everyCase(pick: (below: number) => number): readonly DecidedCase[] {
  const cases: DecidedCase[] = []
  const add = (
    rule: TrafficRule,
    [first, ok, backups, okBackups]: readonly [number, number, number, number],
  ) => {
    const counts = {
      able: first + backups,
      passing: ok + okBackups,
      ableBackup: backups,
      passingBackup: okBackups,
    }
    for (const [switchedOn, inService, monitored] of [
      [true, true, true],
      [true, false, true],
      [true, true, false],
      [false, false, true],
    ] as const)
      for (const offline of new Set([0, counts.able - counts.passing]))
        cases.push({
          id: randomUUID(),
          rule,
          counts: { ...counts, switchedOn },
          inService,
          monitored,
          offline,
        })
  }
  for (const rule of SOME_OPTIONS.map(trafficRule)) {
    for (let first = 0; first <= 3; first++)
      for (let ok = 0; ok <= first; ok++)
        for (let backups = 0; backups <= 2; backups++)
          for (let okBackups = 0; okBackups <= backups; okBackups++)
            add(rule, [first, ok, backups, okBackups])
    // Levels of which one is in panic, or has no traffic.
    add(rule, [100, 5, 100, 65])
    add(rule, [100, 60, 10, 1])
    add(rule, [100, 0, 100, 65])
    for (let n = 0; n < 40; n++) {
      const first = pick(400)
      const backups = pick(200)
      add(rule, [first, pick(first + 1), backups, pick(backups + 1)])
    }
  }
  return cases
}

interface DecidedRow {
  readonly id: string
  readonly traffic: string
  readonly first: string
  readonly backups: string
  readonly status: string
}

test('the database and the domain decide the same of every pool, whatever its counts and its rule', async (t) => {
  const { db } = await testDatabase(t)
  const cases = everyCase(seededRandom(t, 'effective-members'))
  const rows = await query<DecidedRow>(
    db,
    `insert into pool_roll_up (pool_id, load_balancer_id, project_id, status_version, in_service, monitored, members, able,
       passing, online, offline, unknown, disabled, no_monitor, pending, switched_on, able_backup, passing_backup, at_least,
       percent, when_too_few, overprovisioning_percent)
     select id, id, 'p', 1, "inService", monitored, (c.counts->>'able')::int, (c.counts->>'able')::int,
       (c.counts->>'passing')::int, 0, offline, 0, 0, 0, 0, (c.counts->>'switchedOn')::boolean,
       (c.counts->>'ableBackup')::int, (c.counts->>'passingBackup')::int, (c.rule->>'atLeast')::int,
       (c.rule->>'percent')::int, c.rule->>'whenTooFew', (c.rule->>'overprovisioningPercent')::int
     from jsonb_to_recordset($1::jsonb) as c
       (id uuid, counts jsonb, rule jsonb, "inService" boolean, monitored boolean, offline int)
     returning pool_id as id, traffic, traffic_first as first, traffic_backups as backups, operating_status as status`,
    [JSON.stringify(cases)],
  )
  const decided = new Map(rows.map((row) => [row.id, row]))
  const seen = new Set<string>()
  for (const { id, rule, counts, inService, monitored, offline } of cases) {
    const { kind, isTooFew, first, backups } = trafficOf(counts, rule)
    const asksFor = rule.atLeast !== null || rule.percent !== null
    const status = poolStatus({
      provider: 'octavia',
      loadBalancerUp: counts.switchedOn,
      poolUp: counts.switchedOn,
      listened: inService,
      monitored,
      hasMembers: counts.able > 0,
      hasWeight: counts.able > 0,
      hasPassing: counts.passing > 0,
      hasFailing: offline > 0,
      ...(asksFor ? { isEnough: !isTooFew } : {}),
    })
    const shown = JSON.stringify({ rule, counts, inService, monitored, offline })
    assert.deepEqual(decided.get(id), { id, traffic: kind, first, backups, status }, shown)
    seen.add(kind).add(status).add(`${first} ${backups}`)
  }
  for (const each of ['healthy', 'backup', 'too_few', 'fail_open', 'fail_closed', 'empty', 'switched_off'])
    assert.ok(seen.has(each), each)
  for (const each of ['ONLINE', 'DEGRADED', 'ERROR', 'OFFLINE', 'all passing', 'passing all', 'none passing'])
    assert.ok(seen.has(each), each)
})
