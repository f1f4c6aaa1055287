import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  PURGE_BATCH_ROWS,
  PURGE_EVERY_MS,
  PURGE_MEMBERS_PER_STATEMENT,
  PURGE_WALK_EVERY_MS,
} from '../../../../src/domain/limits.ts'
import { Retention, type RetentionStore } from '../../../../src/schedule/upkeep/retention.ts'
import { keepingLog } from '../../../support/prober.ts'

/** Transitions in memory: one entry per transition, in the order of ids from 1; time moves by what statements take. */
function withFakes(written: readonly string[], keep: number) {
  let transitions = written.map((member, i) => ({ id: i + 1, member }))
  let nowMs = 0
  let tookMs = (_members: number): number => 1
  const stored = { position: 0, walkAfter: undefined as string | undefined, passedAt: -1e9, walkedAt: -1e9 }
  const seen = { trims: [] as number[], rests: [] as number[], walks: 0, purges: 0, isBusy: false }
  const fails = { purge: false, trim: false }
  const outcomes: string[] = []
  const excess = (members: readonly string[]) =>
    members.flatMap((member) => {
      const own = transitions.filter((each) => each.member === member)
      return own.slice(0, Math.max(0, own.length - keep))
    })
  const store: RetentionStore = {
    alone: async (work) => {
      if (!seen.isBusy) await work()
    },
    readProgress: () =>
      Promise.resolve({
        position: stored.position,
        ...(stored.walkAfter === undefined ? {} : { walkAfter: stored.walkAfter }),
        passedMsAgo: nowMs - stored.passedAt,
        walkedMsAgo: nowMs - stored.walkedAt,
      }),
    saveProgress: ({ position, walkAfter, walkBegins }) => {
      Object.assign(stored, { position, walkAfter, passedAt: nowMs })
      if (walkBegins) stored.walkedAt = nowMs
      return Promise.resolve()
    },
    purges: [
      () => {
        seen.purges++
        return fails.purge ? Promise.reject(new Error('too slow')) : Promise.resolve(0)
      },
    ],
    writersAfter: (position, rows) => {
      const next = transitions.filter(({ id }) => id > position).slice(0, rows)
      const last = next.at(-1)
      if (last === undefined) return Promise.resolve(undefined)
      return Promise.resolve({ members: [...new Set(next.map(({ member }) => member))], position: last.id })
    },
    membersAfter: (after, count) => {
      seen.walks++
      const members = [...new Set(transitions.map(({ member }) => member))].sort()
      return Promise.resolve(members.filter((member) => member > after).slice(0, count))
    },
    trim: (members, batch) => {
      seen.trims.push(members.length)
      nowMs += tookMs(members.length)
      if (fails.trim) return Promise.reject(new Error('too slow'))
      const gone = new Set(excess(members).slice(0, batch))
      transitions = transitions.filter((each) => !gone.has(each))
      return Promise.resolve(gone.size)
    },
  }
  const log = keepingLog()
  const retention = new Retention({
    store,
    log,
    now: () => nowMs,
    rest: (ms) => {
      seen.rests.push(ms)
      return Promise.resolve()
    },
    metrics: {
      purged: (rows) => void outcomes.push(`purged ${rows}`),
      retentionSucceeded: () => void outcomes.push('succeeded'),
      retentionFailed: () => void outcomes.push('failed'),
    },
  })
  return {
    retention,
    stored,
    seen,
    fails,
    log,
    outcomes,
    advance: (ms: number) => void (nowMs += ms),
    takes: (ms: (members: number) => number) => void (tookMs = ms),
    write: (...members: string[]) => {
      const last = transitions.at(-1)?.id ?? 0
      transitions.push(...members.map((member, i) => ({ id: last + 1 + i, member })))
    },
    counts: () => {
      const counts: Record<string, number> = {}
      for (const { member } of transitions) counts[member] = (counts[member] ?? 0) + 1
      return counts
    },
  }
}

const times = (count: number, member: string): string[] => Array.from({ length: count }, () => member)

test('a pass trims who has too many, however many batches that takes, and leaves the others', async () => {
  const farm = withFakes([...times(2 * PURGE_BATCH_ROWS, 'a'), ...times(3, 'b')], 5)
  await farm.retention.pass()
  assert.deepEqual(farm.counts(), { a: 5, b: 3 })
  assert.deepEqual(farm.outcomes, [`purged ${2 * PURGE_BATCH_ROWS - 5}`, 'succeeded'])
})

test('the next pass reads on: only members that wrote since are looked at, until a walk over all is due', async () => {
  const farm = withFakes([...times(9, 'a'), ...times(9, 'b')], 5)
  await farm.retention.pass()
  assert.ok(farm.seen.walks > 0, 'a first walk')
  farm.write(...times(4, 'b'))
  farm.seen.trims.length = farm.seen.walks = 0
  farm.advance(PURGE_EVERY_MS)
  await farm.retention.pass()
  assert.deepEqual([farm.seen.trims, farm.seen.walks], [[1], 0])
  assert.deepEqual(farm.counts(), { a: 5, b: 5 })
  farm.advance(PURGE_WALK_EVERY_MS)
  await farm.retention.pass()
  assert.ok(farm.seen.walks > 0, 'another walk')
})

test('of many processes one passes in a minute: who comes between does nothing', async () => {
  const farm = withFakes(times(9, 'a'), 5)
  await farm.retention.pass()
  farm.write(...times(9, 'a'))
  farm.advance(PURGE_EVERY_MS / 3)
  await farm.retention.pass()
  farm.seen.isBusy = true
  farm.advance(PURGE_EVERY_MS)
  await farm.retention.pass()
  assert.deepEqual([farm.counts(), farm.seen.purges], [{ a: 14 }, 1])
  assert.deepEqual(farm.outcomes, ['purged 4', 'succeeded', 'purged 0', 'purged 0'])
})

test('a failure is a warning once and a metric each time; the other purges go on, and the end is logged', async () => {
  const farm = withFakes(times(9, 'a'), 5)
  farm.fails.purge = true
  await farm.retention.pass()
  assert.deepEqual(farm.counts(), { a: 5 }, 'transitions are trimmed although states cannot be purged')
  farm.advance(PURGE_EVERY_MS)
  await farm.retention.pass()
  farm.fails.purge = false
  farm.advance(PURGE_EVERY_MS)
  await farm.retention.pass()
  assert.deepEqual(
    farm.outcomes.filter((outcome) => !outcome.startsWith('purged')),
    ['failed', 'failed', 'succeeded'],
  )
  assert.deepEqual(
    farm.log.lines.filter(({ message }) => message !== 'old rows purged').map(({ level }) => level),
    ['warn', 'info'],
  )
})

test('statements that take long get fewer members, and each is followed by a rest', async () => {
  const members = Array.from({ length: 4 * PURGE_MEMBERS_PER_STATEMENT.max }, (_, i) =>
    String(i).padStart(6, '0'),
  )
  const farm = withFakes(members, 5)
  farm.takes((count) => count * 5)
  await farm.retention.pass()
  assert.equal(farm.seen.trims[0], PURGE_MEMBERS_PER_STATEMENT.max)
  assert.ok((farm.seen.trims.at(-2) ?? 0) <= 40, `${farm.seen.trims.at(-2)} members take 5 ms each`)
  assert.equal(Math.max(...farm.seen.rests), 1000)
  assert.ok(farm.seen.rests.length >= farm.seen.trims.length)
})

test('statements that are quick again get more members, and never more than the most', async () => {
  const { max } = PURGE_MEMBERS_PER_STATEMENT
  const members = Array.from({ length: 8 * max }, (_, i) => String(i).padStart(6, '0'))
  const farm = withFakes(members, 5)
  farm.takes((count) => (farm.seen.trims.length <= 3 ? count * 5 : 1))
  await farm.retention.pass()
  const least = Math.min(...farm.seen.trims.slice(0, 5))
  assert.ok(least <= max / 4, `${least} members after three that took long`)
  assert.equal(Math.max(...farm.seen.trims.slice(3)), max)
})

test('a statement that fails for its size is smaller in the next pass, and what was done before it stays done', async () => {
  const farm = withFakes([...times(9, 'a'), ...times(9, 'b'), ...times(9, 'c')], 5)
  farm.fails.trim = true
  const sizes: number[] = []
  for (let pass = 0; pass < 10; pass++) {
    await farm.retention.pass()
    sizes.push(farm.seen.trims.at(-1) ?? 0)
    farm.advance(PURGE_EVERY_MS)
  }
  assert.deepEqual([sizes[0], sizes.at(-1)], [3, 1])
  assert.equal(farm.stored.position, 0, 'who wrote is looked at again')
  farm.fails.trim = false
  await farm.retention.pass()
  assert.deepEqual(farm.counts(), { a: 5, b: 5, c: 5 })
})

test('closing ends a pass after the statement that is under way, and the next process goes on from there', async () => {
  const farm = withFakes([...times(9, 'a'), ...times(9, 'b')], 5)
  farm.takes(() => {
    farm.retention.destroy()
    return 1
  })
  await farm.retention.pass()
  assert.equal(farm.seen.trims.length, 1)
  assert.equal(farm.stored.position, 0)
  assert.ok(!farm.outcomes.includes('succeeded'))
})
