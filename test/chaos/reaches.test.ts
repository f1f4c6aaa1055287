/**
 * Probers of a site as processes, whichever way they reach the service: killed, frozen, and cut off while targets change. The
 * status of every member must be that of its target in the end, without a transition that no target had.
 */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { TestContext } from 'node:test'
import { HELD_FILE } from '../../src/site/held/held-log.ts'
import { readHeld } from '../../src/site/held/held-record.ts'
import { query } from '../../src/store/connection/database.ts'
import { eventually, insertMembers, insertPool, statuses } from '../support/configuration.ts'
import { folderOfTest } from '../support/folders.ts'
import type { ProberProcess } from '../support/prober-process.ts'
import {
  probedFromSite,
  type ReachedSite,
  siteBalanced,
  siteShardsByPid,
  testOnReaches,
  testOverNats,
} from '../support/reaches.ts'
import { startTargets, type Target } from '../support/targets.ts'

const POOLS = 20
const MEMBERS_PER_POOL = 5
const LEASE_MS = 3000
const DELAY_MS = 1000
/** Milliseconds that the way is cut: several leases. `CHAOS_AWAY_MS=600000` for a longer look. */
const AWAY_MS = Number(process.env['CHAOS_AWAY_MS'] ?? 12_000)
const CAUGHT_UP_MS = 30_000

interface Probed {
  readonly target: Target
  readonly shard: number
}

async function probed(
  t: TestContext,
  { db, process: start }: ReachedSite,
  environment: NodeJS.ProcessEnv = {},
) {
  const targets = await startTargets(t, POOLS * MEMBERS_PER_POOL)
  const byMember = new Map<string, Probed>()
  const pools: string[] = []
  for (let i = 0; i < POOLS; i++) {
    const { poolId, shard } = await insertPool(db, {
      delaySeconds: DELAY_MS / 1000,
      timeoutSeconds: 1,
      fall: 2,
    })
    pools.push(poolId)
    const mine = targets.slice(i * MEMBERS_PER_POOL, (i + 1) * MEMBERS_PER_POOL)
    const ids = await insertMembers(db, poolId, mine)
    for (const [j, id] of ids.entries()) byMember.set(id, { target: mine[j]!, shard })
  }
  await probedFromSite(db, pools)
  const probers = [start(environment), start(environment)] as const
  await siteBalanced(db, probers)
  await eventually('every member is ONLINE', () => all(db, [...byMember.keys()], 'ONLINE'), 30_000)
  // Shards may have just changed hands: what is probed from now on is probed by those who own it now.
  const balancedAt = performance.now()
  await eventually('every member is probed by its present owner', () =>
    targets.every(({ probedAt }) => (probedAt.at(-1) ?? 0) > balancedAt + 500),
  )
  return { byMember, probers }
}

async function all(db: ReachedSite['db'], members: readonly string[], state: string): Promise<boolean> {
  const seen = await statuses(db)
  return members.every((id) => seen.get(id)?.state === state)
}

/** Transitions but the first ones, in order. */
async function told(db: ReachedSite['db']) {
  return await query<{ member_id: string; from_state: string; to_state: string; dropped: number }>(
    db,
    `select member_id, from_state, to_state, dropped from member_transition where from_state <> 'UNKNOWN'
     order by epoch, sequence`,
  )
}

/** Each transition of a member begins where the one before ended. */
function assertChains(rows: Awaited<ReturnType<typeof told>>): void {
  const last = new Map<string, string>()
  for (const { member_id, from_state, to_state } of rows) {
    assert.equal(from_state, last.get(member_id) ?? 'ONLINE')
    last.set(member_id, to_state)
  }
}

testOnReaches(
  'kill -9 of one of two probers: the other takes its shards within the lease, and no member falls',
  async (t, site) => {
    const { byMember, probers } = await probed(t, site)
    const [victim, survivor] = probers
    const orphaned = new Set((await siteShardsByPid(site.db)).get(victim.pid))
    await victim.end('SIGKILL')
    const killedAt = performance.now()
    const checks = [...byMember.values()].filter(({ shard }) => orphaned.has(shard))
    assert.ok(checks.length > 0)
    const probedAfter = ({ target }: Probed) => target.probedAt.find((at) => at > killedAt + 50)
    await eventually(
      'every orphaned check is probed again',
      () => checks.every((check) => probedAfter(check) !== undefined),
      20_000,
    )
    const gaps = checks.map((check) => (probedAfter(check) ?? 0) - killedAt).toSorted((a, b) => a - b)
    t.diagnostic(
      `${checks.length} checks probed again after ${gaps[gaps.length >> 1]?.toFixed(0)} ms (median), ${gaps.at(-1)?.toFixed(0)} ms (worst)`,
    )
    assert.ok((gaps.at(-1) ?? 0) <= LEASE_MS + DELAY_MS + 2000)
    assert.deepEqual(await told(site.db), [])
    await eventually(
      'the survivor has all',
      async () => (await siteShardsByPid(site.db)).get(survivor.pid)?.length === 256,
    )
  },
)

testOnReaches(
  'a prober frozen beyond its lease: no false transition, and real ones are published once',
  async (t, site) => {
    const { db } = site
    const { byMember, probers } = await probed(t, site)
    const [sleeper, other] = probers
    const asleep = new Set((await siteShardsByPid(db)).get(sleeper.pid))
    sleeper.child.kill('SIGSTOP')
    t.after(() => void sleeper.child.kill('SIGCONT'))
    await eventually(
      'the other takes everything over',
      async () => (await siteShardsByPid(db)).get(other.pid)?.length === 256,
      20_000,
    )
    const fallen = [...byMember].filter(([, { shard }]) => asleep.has(shard)).slice(0, 10)
    const ids = fallen.map(([id]) => id)
    await Promise.all(fallen.map(([, { target }]) => target.stop()))
    await eventually('they are OFFLINE', () => all(db, ids, 'OFFLINE'), 20_000)
    await Promise.all(fallen.map(([, { target }]) => target.restart()))
    await eventually('they are ONLINE', () => all(db, ids, 'ONLINE'), 20_000)
    sleeper.child.kill('SIGCONT')
    await siteBalanced(db, probers)
    const settledAt = performance.now()
    await eventually(
      'every check is probed again',
      () => [...byMember.values()].every(({ target }) => (target.probedAt.at(-1) ?? 0) > settledAt),
      20_000,
    )
    const rows = await told(db)
    t.diagnostic(`${rows.length} transitions of ${fallen.length} members that fell and came back`)
    assert.equal(rows.length, 2 * fallen.length)
    assertChains(rows)
  },
)

/** Members change while `away`; what is true of their targets is known in the end. */
async function changesWhile(
  t: TestContext,
  site: ReachedSite,
  { byMember }: Awaited<ReturnType<typeof probed>>,
  { away, back }: { readonly away: () => unknown; readonly back: () => unknown },
): Promise<void> {
  const { db } = site
  const members = [...byMember]
  const [down, flapped] = [members.slice(0, 10), members.slice(10, 20)]
  await away()
  const awayAt = performance.now()
  await Promise.all([...down, ...flapped].map(([, { target }]) => target.stop()))
  const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
  // Long enough for both failures of each; the rest of the time they are up again.
  await pause(AWAY_MS / 2)
  await Promise.all(flapped.map(([, { target }]) => target.restart()))
  await pause(AWAY_MS / 2)
  const backAt = performance.now()
  assert.ok(
    members.slice(20).every(([, { target }]) => (target.probedAt.at(-1) ?? 0) > backAt - 3 * DELAY_MS),
    'probing went on',
  )
  await back()
  await eventually(
    'what fell is OFFLINE',
    () =>
      all(
        db,
        down.map(([id]) => id),
        'OFFLINE',
      ),
    CAUGHT_UP_MS,
  )
  await eventually('every other vote is ONLINE', async () => {
    const votes = await query<{ status: string }>(
      db,
      'select status from member_site_state where member_id <> all($1::uuid[])',
      [down.map(([id]) => id)],
    )
    return votes.length === members.length - down.length && votes.every(({ status }) => status === 'ONLINE')
  })
  t.diagnostic(
    `away ${((backAt - awayAt) / 1000).toFixed(0)} s, caught up ${(performance.now() - backAt).toFixed(0)} ms after it was back`,
  )
  const rows = await told(db)
  assertChains(rows)
  const of = (id: string): number => rows.filter(({ member_id }) => member_id === id).length
  assert.ok(
    down.every(([id]) => of(id) === 1),
    'nothing is lost',
  )
  // The last vote decides: what came back before anybody heard of it did not fall.
  assert.ok(
    flapped.every(([id]) => of(id) % 2 === 0),
    'they are what they were',
  )
  assert.ok(
    members.slice(20).every(([id]) => of(id) === 0),
    'nothing false is reported',
  )
  assert.ok(
    await all(
      db,
      [...flapped, ...members.slice(20)].map(([id]) => id),
      'ONLINE',
    ),
  )
}

testOnReaches(
  'the way to the service is cut while targets change: the probers go on, and catch up',
  async (t, site) => {
    const farm = await probed(t, site)
    await changesWhile(t, site, farm, { away: () => site.way.set('cut'), back: () => site.way.set('open') })
    await siteBalanced(site.db, farm.probers)
  },
)

testOverNats('NATS is frozen while targets change: the probers go on, and catch up', async (t, site) => {
  const farm = await probed(t, site)
  await changesWhile(t, site, farm, { away: () => site.nats?.freeze(), back: () => site.nats?.thaw() })
})

testOverNats(
  'NATS is killed and started again while targets change: what was stored is there',
  async (t, site) => {
    const farm = await probed(t, site)
    await changesWhile(t, site, farm, {
      away: () => site.nats?.stop('SIGKILL'),
      back: () => site.nats?.start(),
    })
    await siteBalanced(site.db, farm.probers)
  },
)

testOverNats(
  'every prober is killed while NATS is away: what they had decided is still reported',
  async (t, site) => {
    const { db } = site
    const folder = folderOfTest()
    const { byMember, probers } = await probed(t, site, { HM_SITE_DIR: folder })
    const down = [...byMember].slice(0, 10)
    const ids = down.map(([id]) => id)
    site.nats?.freeze()
    await Promise.all(down.map(([, { target }]) => target.stop()))
    const says = (message: string) => (prober: ProberProcess) =>
      prober.log.some((line) => line.includes(message))
    await eventually('the results are held', () => probers.some(says('held on disk')), 20_000)
    await eventually('all of them are', async () => (await heldRows(folder)) === down.length, 20_000)
    await Promise.all(probers.map((prober) => prober.end('SIGKILL')))
    // They are up again before anybody looks: only the files know that they were down.
    await Promise.all(down.map(([, { target }]) => target.restart()))
    site.nats?.thaw()
    const next = site.process({ HM_SITE_DIR: folder })
    await eventually(
      'the fall of each is reported',
      async () => {
        const rows = await told(db)
        return ids.every((id) =>
          rows.some(({ member_id, to_state }) => member_id === id && to_state === 'OFFLINE'),
        )
      },
      CAUGHT_UP_MS,
    )
    await eventually('they are ONLINE', () => all(db, ids, 'ONLINE'), CAUGHT_UP_MS)
    const rows = await told(db)
    assertChains(rows)
    assert.equal(rows.length, 2 * down.length)
    assert.ok(says('that a prober had left are sent')(next))
    assert.equal(await heldRows(folder), 0)
  },
)

/** Members whose verdicts are held below this folder. */
async function heldRows(folder: string): Promise<number> {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(
    (name) => basename(name) === HELD_FILE,
  )
  const contents = await Promise.all(
    files.map(async (name) => await readHeld(readFileSync(join(folder, name)))),
  )
  return contents.flatMap(({ rows }) => rows).length
}
