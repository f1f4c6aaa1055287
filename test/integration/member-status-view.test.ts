import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import {
  type StatusFacts,
  memberStatus,
  NOOP_PROVIDER,
  operatingStatus,
  type StartStatus,
} from '../../src/domain/status/member-status.ts'
import { query } from '../../src/store/connection/database.ts'
import { testDatabase } from '../support/database.ts'

type Verdict = 'none' | 'ONLINE' | 'OFFLINE' | 'old' | 'ended'

/** One member with parents of its own, for every combination of what decides. */
interface Case {
  readonly id: string
  readonly hasMonitor: boolean
  readonly monitorUp: boolean
  readonly loadBalancerUp: boolean
  readonly poolUp: boolean
  readonly memberUp: boolean
  readonly provider: string
  readonly verdict: Verdict
  readonly startsAs: StartStatus | null
  readonly newest: (typeof NEWEST)[number]
}

const BOTH = [true, false]
/** `old`: ONLINE, before another type or options made the check start anew; `ended`: before something was made or switched on. */
const VERDICTS: readonly Verdict[] = ['none', 'ONLINE', 'OFFLINE', 'old', 'ended']
const STARTS = [null, 'ONLINE', 'OFFLINE'] as const
/** What was made or switched on last. */
const NEWEST = ['load balancer', 'pool', 'member', 'monitor'] as const

function everyCase(): Case[] {
  const cases: Case[] = []
  for (const hasMonitor of BOTH)
    for (const monitorUp of BOTH)
      for (const loadBalancerUp of BOTH)
        for (const poolUp of BOTH)
          for (const memberUp of BOTH)
            for (const provider of ['vlb', NOOP_PROVIDER])
              for (const verdict of VERDICTS)
                for (const startsAs of STARTS)
                  for (const newest of NEWEST) {
                    const own = { hasMonitor, monitorUp, loadBalancerUp, poolUp, memberUp, provider }
                    cases.push({ id: randomUUID(), ...own, verdict, startsAs, newest })
                  }
  return cases
}

/** Load balancer, pool, monitor and member of a case share one id. */
const CONFIGURE = `
with c as (select * from jsonb_to_recordset($1::jsonb) as c (id uuid, "hasMonitor" boolean, "monitorUp" boolean,
  "loadBalancerUp" boolean, "poolUp" boolean, "memberUp" boolean, provider text, "startsAs" text)),
lb as (insert into load_balancer (id, project_id, provider, admin_state_up)
  select id, 'p', provider, "loadBalancerUp" from c),
p as (insert into pool (id, project_id, load_balancer_id, protocol, lb_algorithm, shard, admin_state_up)
  select id, 'p', id, 'TCP', 'ROUND_ROBIN', 0, "poolUp" from c),
hm as (insert into health_monitor (id, project_id, pool_id, type, profile, delay_seconds, timeout_seconds, rise, fall,
    admin_state_up, starts_as)
  select id, 'p', id, 'TCP', 'elb', 5, 3, 2, 3, "monitorUp", "startsAs" from c where "hasMonitor")
insert into member (id, project_id, pool_id, address, protocol_port, admin_state_up)
  select id, 'p', id, '127.0.0.1', 80, "memberUp" from c`

/** Generations by hand: everything at 100, the newest made at 200, and started anew at 300. */
const TABLES = { 'load balancer': 'load_balancer', pool: 'pool', member: 'member', monitor: 'health_monitor' }
const GENERATIONS = Object.entries(TABLES).map(
  ([newest, table]) => `update ${table} t set
    published_from = case when c.newest = '${newest}' then 200 else 100 end,
    generation = case when c.newest = '${newest}' then 200 else 100 end
  from jsonb_to_recordset($1::jsonb) as c (id uuid, newest text) where c.id = t.id`,
)
const ASKED_OTHERWISE = 'update member set generation = 300 where id = any($1::uuid[])'

const JUDGE = `
insert into member_state (member_id, generation, status, since, reason, ok_run, bad_run, shard, epoch, sequence)
select v.id, v.generation, v.status, '2026-11-01T00:00:00Z', v.reason, 0, 0, 0, 1, 1
from jsonb_to_recordset($1::jsonb) as v (id uuid, status text, reason text, generation integer)`

const reasonOf = (status: 'ONLINE' | 'OFFLINE') => (status === 'ONLINE' ? 'PASSED' : 'CONNECT_REFUSED')

/** Without a monitor there is nothing newer than the others. */
const isStanding = ({ verdict, hasMonitor, newest }: Case): boolean =>
  verdict !== 'none' && (verdict !== 'ended' || (!hasMonitor && newest === 'monitor'))

function factsOf(one: Case): StatusFacts {
  const { verdict, newest, ...configured } = one
  const facts = { ...configured, monitorIsNewest: one.hasMonitor && newest === 'monitor' }
  if (!isStanding(one)) return facts
  const status = verdict === 'OFFLINE' ? 'OFFLINE' : 'ONLINE'
  return { ...facts, verdict: { status, reason: reasonOf(status), isOld: verdict === 'old' } }
}

test('the view member_status and the rules of the domain agree on every combination of facts', async (t) => {
  const { db } = await testDatabase(t)
  const cases = everyCase()
  await query(db, CONFIGURE, [JSON.stringify(cases)])
  for (const statement of GENERATIONS) await query(db, statement, [JSON.stringify(cases)])
  const asked = cases.filter(({ verdict }) => verdict === 'old')
  await query(db, ASKED_OTHERWISE, [asked.map(({ id }) => id)])
  const verdicts = cases
    .filter((one) => one.verdict !== 'none')
    .map(({ id, verdict, hasMonitor, newest }) => {
      const status = verdict === 'OFFLINE' ? 'OFFLINE' : 'ONLINE'
      const made = hasMonitor || newest !== 'monitor' ? 200 : 100
      return { id, status, reason: reasonOf(status), generation: verdict === 'ended' ? 199 : made }
    })
  await query(db, JUDGE, [JSON.stringify(verdicts)])
  const rows = await query<{
    member_id: string
    pool_id: string
    project_id: string
    operating_status: string
    state: string
    reason: string
    since: Date | null
    pending: boolean
  }>(db, 'select * from member_status')
  const seen = new Map(rows.map((row) => [row.member_id, row]))
  assert.equal(seen.size, cases.length)
  assert.equal(cases.length, 3840)
  for (const one of cases) {
    const facts = factsOf(one)
    const { state, reason, pending } = memberStatus(facts)
    const row = seen.get(one.id)
    assert.deepEqual(
      [row?.state, row?.reason, row?.pending, row?.operating_status, row?.pool_id, row?.project_id],
      [state, reason, pending, operatingStatus(state), one.id, 'p'],
      JSON.stringify(one),
    )
    const isJudged = facts.verdict !== undefined && reason === facts.verdict.reason
    assert.equal(row?.since !== null, isJudged, JSON.stringify(one))
  }
})
