import assert from 'node:assert/strict'
import { test } from 'node:test'
import { query } from '../../src/store/connection/database.ts'
import { eventually, insertMembers, insertPool, statuses } from '../support/configuration.ts'
import { type Ending, testDatabase } from '../support/database.ts'
import { balanced, shardsByPid, startProberProcess } from '../support/prober-process.ts'
import { startTargets, type Target } from '../support/targets.ts'

const POOLS = 40
const MEMBERS_PER_POOL = 5
const LEASE_MS = 3000
const DELAY_MS = 2000

/** One pool per shard number that comes, its members, and two probers that share them. */
async function probed(t: Ending) {
  const database = await testDatabase(t)
  const targets = await startTargets(t, POOLS * MEMBERS_PER_POOL)
  const byMember = new Map<string, { target: Target; shard: number }>()
  for (let i = 0; i < POOLS; i++) {
    const { poolId, shard } = await insertPool(database.db, {
      delaySeconds: DELAY_MS / 1000,
      timeoutSeconds: 1,
      fall: 2,
    })
    const mine = targets.slice(i * MEMBERS_PER_POOL, (i + 1) * MEMBERS_PER_POOL)
    const ids = await insertMembers(database.db, poolId, mine)
    for (const [j, id] of ids.entries()) byMember.set(id, { target: mine[j]!, shard })
  }
  const probers = [startProberProcess(database), startProberProcess(database)] as const
  await balanced(database.db, probers)
  await eventually('every member is ONLINE', async () => {
    return [...(await statuses(database.db)).values()].every((row) => row.state === 'ONLINE')
  })
  return { ...database, byMember, probers }
}

async function transitionsBesidesFirst(db: Parameters<typeof query>[0]) {
  return await query(
    db,
    `select member_id, to_state, reason from member_transition where from_state <> 'UNKNOWN'`,
  )
}

test('kill -9 of one of two probers: every check is probed again within lease + delay + 2 s, and no member falls', async (t) => {
  const { db, byMember, probers } = await probed(t)
  const [victim, survivor] = probers
  const orphaned = new Set((await shardsByPid(db)).get(victim.pid))
  await victim.end('SIGKILL')
  const killedAt = performance.now()
  const checks = [...byMember.values()].filter(({ shard }) => orphaned.has(shard))
  assert.ok(checks.length > 0)
  const probedAfter = ({ target }: { target: Target }) => target.probedAt.find((at) => at > killedAt + 50)
  await eventually('every orphaned check is probed again', () =>
    checks.every((check) => probedAfter(check) !== undefined),
  )
  const gaps = checks.map((check) => (probedAfter(check) ?? 0) - killedAt).toSorted((a, b) => a - b)
  const [median = 0, worst = 0] = [gaps[gaps.length >> 1], gaps.at(-1)]
  t.diagnostic(
    `${checks.length} checks probed again after ${median.toFixed(0)} ms (median), ${worst.toFixed(0)} ms (worst)`,
  )
  assert.ok(worst <= LEASE_MS + DELAY_MS + 2000, `the worst took ${worst} ms`)
  assert.deepEqual(await transitionsBesidesFirst(db), [])
  assert.equal((await shardsByPid(db)).get(survivor.pid)?.length, 256)
})

test('SIGSTOP beyond the lease, then SIGCONT: no false transition, and real ones are published exactly once', async (t) => {
  const { db, byMember, probers } = await probed(t)
  const [sleeper, other] = probers
  const asleep = new Set((await shardsByPid(db)).get(sleeper.pid))
  sleeper.child.kill('SIGSTOP')
  t.after(() => void sleeper.child.kill('SIGCONT'))
  await eventually('the other takes everything over', async () => {
    return (await shardsByPid(db)).get(other.pid)?.length === 256
  })
  // These fail while their former owner sleeps, and are back before it wakes.
  const fallen = [...byMember].filter(([, { shard }]) => asleep.has(shard)).slice(0, 10)
  await Promise.all(fallen.map(([, { target }]) => target.stop()))
  const states = async () => {
    const seen = await statuses(db)
    return fallen.map(([id]) => seen.get(id)?.state)
  }
  await eventually('they are OFFLINE', async () => (await states()).every((state) => state === 'OFFLINE'))
  await Promise.all(fallen.map(([, { target }]) => target.restart()))
  await eventually('they are ONLINE', async () => (await states()).every((state) => state === 'ONLINE'))

  sleeper.child.kill('SIGCONT')
  await balanced(db, probers)
  const settledAt = performance.now()
  await eventually('every check is probed again', () =>
    [...byMember.values()].every(({ target }) => (target.probedAt.at(-1) ?? 0) > settledAt),
  )
  const told = await transitionsBesidesFirst(db)
  t.diagnostic(`${told.length} transitions of ${fallen.length} members that fell and came back`)
  assert.equal(told.length, 2 * fallen.length)
  assert.ok([...(await statuses(db)).values()].every((row) => row.state === 'ONLINE'))
})
