import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ShardCheckpoint } from '../../../../src/domain/prober/check.ts'
import {
  CHECKPOINT_CHECKS_PER_STATEMENT,
  CHECKPOINT_SHARDS_PER_STATEMENT,
  CHECKPOINT_SOON_AGAIN_MS,
  SHARD_COUNT,
} from '../../../../src/domain/limits.ts'
import { Checkpoint } from '../../../../src/schedule/record/checkpoint.ts'
import { keepingLog } from '../../../support/prober.ts'

const EVERY_MS = 30_000
const LOOK_MS = 250

const ENTRY = {
  memberId: 'm',
  generation: 1,
  probedAt: 0,
  nextAt: 0,
  outcome: 'passed',
  reason: 'PASSED',
  phases: { totalMs: 1 },
  okRun: 1,
  badRun: 0,
  stale: false,
  flags: 0,
} as const

/** All shards are held; what is written by each statement, while `write` works. */
function checkpointOfAll(write: (shards: readonly number[]) => Promise<void> = async () => {}, checks = 1) {
  const statements: number[][] = []
  const log = keepingLog()
  const checkpoint = new Checkpoint({
    everyMs: EVERY_MS,
    held: () => new Map(Array.from({ length: SHARD_COUNT }, (_, id) => [id, 1])),
    contentOf: () => ({ entries: Array.from({ length: checks }, () => ENTRY), recent: new Uint8Array() }),
    write: async (checkpoints: readonly ShardCheckpoint[]) => {
      const ids = checkpoints.map(({ id }) => id)
      await write(ids)
      statements.push(ids)
    },
    log,
  })
  return { checkpoint, statements, log }
}

/** Looks from one moment to another; how many shards each look wrote. */
async function look(
  { checkpoint, statements }: ReturnType<typeof checkpointOfAll>,
  fromMs: number,
  untilMs: number,
): Promise<readonly number[]> {
  const counts: number[] = []
  for (let nowMs = fromMs; nowMs < untilMs; nowMs += LOOK_MS) {
    const before = statements.flat().length
    await checkpoint.writeDue(nowMs)
    counts.push(statements.flat().length - before)
  }
  return counts
}

test('shards whose first results come together are written together once, and spread over the period ever after', async () => {
  const all = checkpointOfAll()
  await look(all, 0, 1000)
  for (let shard = 0; shard < SHARD_COUNT; shard++) all.checkpoint.markSoon(shard)
  const soon = await look(all, 1000, 2500)
  assert.ok(
    soon.reduce((sum, n) => sum + n, 0) >= SHARD_COUNT - 16,
    'news are reported within a second or two',
  )
  for (const from of [2500, 2500 + EVERY_MS]) {
    const counts = await look(all, from, from + EVERY_MS)
    assert.equal(
      counts.reduce((sum, n) => sum + n, 0),
      SHARD_COUNT,
      'each once in a period',
    )
    assert.ok(Math.max(...counts) <= 4, `at most ${Math.max(...counts)} at once`)
  }
})

test('a statement takes a few shards, and the next ones are put together when it has been written', async () => {
  let inHand = 0
  const all = checkpointOfAll(async () => {
    inHand++
    await new Promise((resolve) => setImmediate(resolve))
    assert.equal(inHand, 1)
    inHand--
  })
  await all.checkpoint.writeNow(Array.from({ length: SHARD_COUNT }, (_, id) => id))
  assert.equal(all.statements.flat().length, SHARD_COUNT)
  assert.ok(all.statements.every((ids) => ids.length <= CHECKPOINT_SHARDS_PER_STATEMENT))
})

test('a statement takes no other shard when it has many checks', async () => {
  const checks = Math.ceil(CHECKPOINT_CHECKS_PER_STATEMENT / 3)
  const all = checkpointOfAll(undefined, checks)
  await all.checkpoint.writeNow(Array.from({ length: 8 }, (_, id) => id))
  assert.deepEqual(all.statements, [
    [0, 1, 2],
    [3, 4, 5],
    [6, 7],
  ])
})

test('after PostgreSQL was away for some periods the turns are where they were', async () => {
  let isAway = false
  const all = checkpointOfAll(() => (isAway ? Promise.reject(new Error('away')) : Promise.resolve()))
  await look(all, 0, 2 * EVERY_MS)
  isAway = true
  await look(all, 2 * EVERY_MS, 4 * EVERY_MS)
  assert.equal(all.log.lines.length, 1, 'logged once')
  isAway = false
  await look(all, 4 * EVERY_MS, 5 * EVERY_MS)
  const counts = await look(all, 5 * EVERY_MS, 6 * EVERY_MS)
  assert.ok(Math.max(...counts) <= 4)
})

test('news that never end make a shard be written ten times in a row, then every ten seconds; after a quiet time it is written soon', async () => {
  const all = checkpointOfAll()
  const SHARD = 7
  /** When this shard was written, while it has news at every look or at none. */
  const written = async (fromMs: number, untilMs: number, hasNews: boolean) => {
    const times: number[] = []
    for (let nowMs = fromMs; nowMs < untilMs; nowMs += LOOK_MS) {
      if (hasNews) all.checkpoint.markSoon(SHARD)
      const before = all.statements.length
      await all.checkpoint.writeDue(nowMs)
      if (all.statements.slice(before).flat().includes(SHARD)) times.push(nowMs)
    }
    return times
  }
  await look(all, 0, EVERY_MS)
  const first = await written(EVERY_MS, EVERY_MS + 5000, true)
  assert.ok(first.length >= 4, `few news are reported within a second: ${first.join()}`)
  await written(EVERY_MS + 5000, 2 * EVERY_MS, true)
  for (const period of [2, 3, 4]) {
    const times = await written(period * EVERY_MS, (period + 1) * EVERY_MS, true)
    assert.ok(times.length <= 1 + EVERY_MS / CHECKPOINT_SOON_AGAIN_MS, `written at ${times.join()}`)
  }
  await written(5 * EVERY_MS, 7 * EVERY_MS, false)
  const quietMs = 7 * EVERY_MS + 5000
  await written(7 * EVERY_MS, quietMs, false)
  assert.deepEqual((await written(quietMs, quietMs + 2 * LOOK_MS, true)).slice(0, 1), [quietMs])
})

test('news of one shard do not make those of another wait', async () => {
  const all = checkpointOfAll()
  await look(all, 0, EVERY_MS)
  for (let nowMs = EVERY_MS; nowMs < 2 * EVERY_MS; nowMs += LOOK_MS) {
    all.checkpoint.markSoon(7)
    await all.checkpoint.writeDue(nowMs)
  }
  all.checkpoint.markSoon(200)
  const before = all.statements.length
  await look(all, 2 * EVERY_MS, 2 * EVERY_MS + 1000)
  assert.ok(all.statements.slice(before).flat().includes(200))
})

test('after a pause of some periods every shard is written at once, and from then on at its own turn', async () => {
  const all = checkpointOfAll()
  await look(all, 0, 2 * EVERY_MS)
  const resumedMs = 4.5 * EVERY_MS
  const written = all.statements.flat().length
  await all.checkpoint.writeDue(resumedMs)
  assert.equal(all.statements.flat().length - written, SHARD_COUNT, 'all are overdue')
  for (const from of [resumedMs, resumedMs + EVERY_MS]) {
    const counts = await look(all, from + LOOK_MS, from + LOOK_MS + EVERY_MS)
    assert.equal(
      counts.reduce((sum, n) => sum + n, 0),
      SHARD_COUNT,
      'each once in a period',
    )
    assert.ok(Math.max(...counts) <= 4, `at most ${Math.max(...counts)} at once`)
  }
})

test('a shard that was written before its first turn, and stays, has its turns like every other', async () => {
  const all = checkpointOfAll()
  await all.checkpoint.writeNow([3])
  assert.deepEqual(all.statements.splice(0), [[3]])
  // Whole milliseconds: fractions add up to a little less than a period, and the last look would come too early.
  const nowMs = Math.ceil(performance.now())
  await look(all, nowMs, nowMs + EVERY_MS + LOOK_MS)
  const written = all.statements.flat().toSorted((a, b) => a - b)
  assert.deepEqual(
    [...new Set(written)],
    Array.from({ length: SHARD_COUNT }, (_, id) => id),
  )
})
