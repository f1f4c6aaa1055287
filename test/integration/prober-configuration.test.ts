import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CONFIG_POLL_MS } from '../../src/domain/limits.ts'
import { type Database, query, transaction } from '../../src/store/connection/database.ts'
import { changed, eventually, insertMembers, insertPool, statuses } from '../support/configuration.ts'
import { type Ending, testDatabase } from '../support/database.ts'
import { testProber } from '../support/prober.ts'
import { startTargets, type Target } from '../support/targets.ts'

/** One running prober, and a pool of `count` members that are all ONLINE. */
async function running(t: Ending, count: number) {
  const database = await testDatabase(t)
  const { db } = database
  const targets = await startTargets(t, count)
  const pool = await insertPool(db)
  const members = await insertMembers(db, pool.poolId, targets)
  const prober = testProber(database)
  await eventually('all are ONLINE', async () => {
    const seen = await statuses(db)
    return members.every((id) => seen.get(id)?.state === 'ONLINE')
  })
  return { ...database, ...pool, targets, members, prober }
}

/** Makes a change as the API would, in one transaction with the version and the notification. */
async function change(
  db: Database,
  poolId: string,
  sql: string,
  bindings: readonly unknown[],
): Promise<void> {
  await transaction(db, async (tx) => {
    await query(tx, sql, bindings)
    await changed(tx, poolId)
  })
}

async function probedAgain(target: Target, withinMs: number): Promise<boolean> {
  const before = target.probedAt.length
  const end = performance.now() + withinMs
  while (target.probedAt.length === before && performance.now() < end) {
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  return target.probedAt.length > before
}

/** Milliseconds after which a target is not probed any more, by looking for two delays of silence. */
async function silentAfter(target: Target, sinceMs: number): Promise<number> {
  while (await probedAgain(target, 2500));
  return Math.max(0, (target.probedAt.at(-1) ?? 0) - sinceMs)
}

test('a change takes effect within a second: disabled, deleted and moved members, a disabled load balancer', async (t) => {
  const { db, poolId, loadBalancerId, members, targets } = await running(t, 4)
  const [disabled, deleted, moved] = members
  const [ofDisabled, ofDeleted, ofMoved, stays] = targets as readonly [Target, Target, Target, Target]
  const [elsewhere] = await startTargets(t, 1)
  const sinceMs = performance.now()
  await change(
    db,
    poolId,
    `with off as (update member set admin_state_up = false where id = $1),
       gone as (delete from member where id = $2)
     update member set protocol_port = $3, generation = nextval('check_generation') where id = $4`,
    [disabled, deleted, elsewhere?.port, moved],
  )
  const silent = await Promise.all(
    [ofDisabled, ofDeleted, ofMoved].map((target) => silentAfter(target, sinceMs)),
  )
  t.diagnostic(`last probes ${silent.map((ms) => ms.toFixed(0)).join(', ')} ms after the change`)
  assert.ok(silent.every((ms) => ms < 1000))
  assert.ok(await probedAgain(elsewhere as Target, 1500))
  assert.ok(await probedAgain(stays, 1500))
  const seen = await statuses(db)
  assert.equal(seen.get(disabled ?? '')?.reason, 'MEMBER_DISABLED')
  assert.equal(seen.get(moved ?? '')?.state, 'ONLINE')

  const offAtMs = performance.now()
  await change(db, poolId, 'update load_balancer set admin_state_up = false where id = $1', [loadBalancerId])
  assert.ok((await silentAfter(stays, offAtMs)) < 1000)
})

test('a notification is quicker than the poll: changes that follow one another do not wait for its next turn', async (t) => {
  const { db, poolId, members, prober } = await running(t, 4)
  const probed = async (): Promise<number> => {
    const gauge = await prober.metrics.registry.getSingleMetric('hm_members')?.get()
    return (gauge?.values ?? []).reduce((sum, { value }) => sum + value, 0)
  }
  assert.equal(await probed(), members.length)
  const tookMs: number[] = []
  for (const [index, id] of members.entries()) {
    const sinceMs = performance.now()
    await change(db, poolId, 'delete from member where id = $1', [id])
    await eventually('it is probed no more', async () => (await probed()) === members.length - 1 - index)
    tookMs.push(performance.now() - sinceMs)
  }
  t.diagnostic(`gone after ${tookMs.map((ms) => ms.toFixed(0)).join(', ')} ms`)
  // A poll finds the first at any time, and each of the others, made right after a poll, a whole turn later.
  assert.ok(Math.min(...tookMs.slice(1)) < 0.7 * CONFIG_POLL_MS)
})

test('without notifications (PgBouncer) the poll finds every change within 2.5 s', async (t) => {
  const { db, poolId, monitorId, targets } = await running(t, 1)
  const sinceMs = performance.now()
  // As the API's transaction, without its NOTIFY.
  await query(
    db,
    `with off as (update health_monitor set admin_state_up = false where id = $1)
     update pool set config_version = config_version + 1 where id = $2`,
    [monitorId, poolId],
  )
  assert.ok((await silentAfter(targets[0] as Target, sinceMs)) < 2500)
})

test('load balancers of the provider noop_driver are never probed', async (t) => {
  const { db, poolId, loadBalancerId, targets } = await running(t, 1)
  await change(db, poolId, "update load_balancer set provider = 'noop_driver' where id = $1", [
    loadBalancerId,
  ])
  assert.ok((await silentAfter(targets[0] as Target, performance.now())) < 1000)
})

test('the connection that listens comes back when it breaks, and changes meanwhile are not missed', async (t) => {
  const { db, prober } = await running(t, 1)
  await query(
    db,
    `select pg_terminate_backend(pid) from pg_stat_activity
     where application_name = 'healthmonitor listen' and datname = current_database()`,
  )
  await eventually('it is reported', () =>
    prober.log.lines.some((line) => line.message.startsWith('no notifications of changes')),
  )
  // One connection for changes of the configuration, one for requests for probes.
  await eventually('it listens again', async () => {
    const rows = await query(
      db,
      `select 1 from pg_stat_activity where application_name = 'healthmonitor listen' and datname = current_database()`,
    )
    return rows.length === 2
  })
  await eventually('that is reported too', () =>
    prober.log.lines.some(
      (line) => line.message === 'notifications of changes of the configuration arrive again',
    ),
  )
})

test('a restart keeps what was known: no transition, and the reason and time of the old one stay', async (t) => {
  const database = await running(t, 2)
  const { db, prober, targets } = database
  await targets[1]?.stop()
  await eventually('one is OFFLINE', async () => {
    return [...(await statuses(db)).values()].some((row) => row.state === 'OFFLINE')
  })
  const contents = () =>
    query(db, 'select member_id, status, since, reason, evidence from member_state order by 1')
  await prober.close()
  const before = await contents()
  const probes = targets[0]?.probedAt.length ?? 0
  testProber(database)
  await eventually('it is probed by the next prober', () => (targets[0]?.probedAt.length ?? 0) > probes + 1)
  assert.deepEqual(await contents(), before)
  assert.equal((await query(db, 'select 1 from member_transition')).length, 3)
})

test('a graceful stop writes what it has just decided before it releases its shards', async (t) => {
  const { db, prober, targets, members } = await running(t, 20)
  await Promise.all(targets.map((target) => target.stop()))
  const isDecided = () =>
    prober.log.lines.filter((line) => line.message === 'transition' && line.facts['to'] === 'OFFLINE')
      .length > 0
  await eventually('the first is decided', isDecided)
  const decided = prober.log.lines
    .filter((line) => line.message === 'transition' && line.facts['to'] === 'OFFLINE')
    .map((line) => line.facts['member_id'])
  await prober.close()
  const seen = await statuses(db)
  assert.ok(decided.length > 0 && decided.length <= members.length)
  assert.ok(decided.every((id) => seen.get(String(id))?.state === 'OFFLINE'))
  assert.equal((await query(db, 'select 1 from shard where owner is not null')).length, 0)
})
