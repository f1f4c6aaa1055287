import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import {
  type MemberFacts,
  memberState,
  NOOP_PROVIDER,
  operatingStatus,
} from '../../src/domain/member-status.ts'
import { query } from '../../src/store/database.ts'
import { testDatabase } from '../support/database.ts'

type Verdict = 'none' | 'ONLINE' | 'OFFLINE' | 'of another generation'

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
}

const BOTH = [true, false]
const VERDICTS: readonly Verdict[] = ['none', 'ONLINE', 'OFFLINE', 'of another generation']

function everyCase(): Case[] {
  const cases: Case[] = []
  for (const hasMonitor of BOTH)
    for (const monitorUp of BOTH)
      for (const loadBalancerUp of BOTH)
        for (const poolUp of BOTH)
          for (const memberUp of BOTH)
            for (const provider of ['vlb', NOOP_PROVIDER])
              for (const verdict of VERDICTS) {
                const id = randomUUID()
                cases.push({ id, hasMonitor, monitorUp, loadBalancerUp, poolUp, memberUp, provider, verdict })
              }
  return cases
}

/** Load balancer, pool, monitor and member of a case share one id. */
const CONFIGURE = `
with c as (select * from jsonb_to_recordset(?::jsonb) as c (id uuid, "hasMonitor" boolean, "monitorUp" boolean,
  "loadBalancerUp" boolean, "poolUp" boolean, "memberUp" boolean, provider text)),
lb as (insert into load_balancer (id, project_id, provider, admin_state_up)
  select id, 'p', provider, "loadBalancerUp" from c),
p as (insert into pool (id, project_id, load_balancer_id, protocol, lb_algorithm, shard, admin_state_up)
  select id, 'p', id, 'TCP', 'ROUND_ROBIN', 0, "poolUp" from c),
hm as (insert into health_monitor (id, project_id, pool_id, type, profile, delay_seconds, timeout_seconds, rise, fall,
    admin_state_up)
  select id, 'p', id, 'TCP', 'elb', 5, 3, 2, 3, "monitorUp" from c where "hasMonitor")
insert into member (id, project_id, pool_id, address, protocol_port, admin_state_up)
  select id, 'p', id, '127.0.0.1', 80, "memberUp" from c`

const JUDGE = `
insert into member_state (member_id, generation, status, since, reason, ok_run, bad_run, shard, epoch, sequence)
select m.id, greatest(lb.generation, p.generation, m.generation, hm.generation) - v.older, v.status,
  '2026-11-01T00:00:00Z', v.reason, 0, 0, 0, 1, 1
from jsonb_to_recordset(?::jsonb) as v (id uuid, status text, reason text, older integer)
join member m on m.id = v.id join pool p on p.id = m.pool_id join load_balancer lb on lb.id = p.load_balancer_id
left join health_monitor hm on hm.pool_id = p.id`

const reasonOf = (status: 'ONLINE' | 'OFFLINE') => (status === 'ONLINE' ? 'PASSED' : 'CONNECT_REFUSED')

function factsOf({ verdict, ...configured }: Case): MemberFacts {
  if (verdict !== 'ONLINE' && verdict !== 'OFFLINE') return configured
  return { ...configured, verdict: { status: verdict, reason: reasonOf(verdict) } }
}

test('the view member_status and the rules of the domain agree on every combination of facts', async (t) => {
  const { db } = await testDatabase(t)
  const cases = everyCase()
  await query(db, CONFIGURE, [JSON.stringify(cases)])
  const verdicts = cases
    .filter((one) => one.verdict !== 'none')
    .map(({ id, verdict }) => {
      const status = verdict === 'OFFLINE' ? 'OFFLINE' : 'ONLINE'
      return { id, status, reason: reasonOf(status), older: verdict === 'of another generation' ? 1 : 0 }
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
  }>(db, 'select * from member_status')
  const seen = new Map(rows.map((row) => [row.member_id, row]))
  assert.equal(seen.size, cases.length)
  assert.equal(cases.length, 256)
  for (const one of cases) {
    const { state, reason } = memberState(factsOf(one))
    const row = seen.get(one.id)
    assert.deepEqual(
      [row?.state, row?.reason, row?.operating_status, row?.pool_id, row?.project_id, row?.since !== null],
      [state, reason, operatingStatus(state), one.id, 'p', state === 'ONLINE' || state === 'OFFLINE'],
      JSON.stringify(one),
    )
  }
})
