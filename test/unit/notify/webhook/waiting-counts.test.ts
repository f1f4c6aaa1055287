import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Counted, WaitingCounts } from '../../../../src/notify/webhook/waiting-counts.ts'
import { seededRandom } from '../../../support/random.ts'

const IDS = ['a', 'b']

/** Counts beside a queue in PostgreSQL: a count sees one moment of it, and its answer comes later. */
function aQueue() {
  const counts = new WaitingCounts()
  const real = new Map(IDS.map((id) => [id, 0]))
  const change = (id: string, by: number) => void real.set(id, Math.max(0, (real.get(id) ?? 0) + by))
  const snapshot = (): readonly Counted[] =>
    [...real].flatMap(([id, waiting]) => (waiting > 0 ? [{ id, waiting }] : []))
  return { counts, real, change, snapshot }
}

test('what is queued while a count is under way is in the number, whichever comes first', async () => {
  for (const isSeen of [true, false]) {
    const { counts, change, snapshot } = aQueue()
    await counts.recount(() => {
      const before = snapshot()
      change('a', 1)
      counts.queued('a')
      return Promise.resolve(isSeen ? snapshot() : before)
    })
    assert.ok(counts.of('a') >= 1, `seen by the count: ${isSeen}`)
  }
})

test('what is delivered leaves the number with the next count, and a count that fails changes nothing', async () => {
  const { counts, change, snapshot } = aQueue()
  for (let i = 0; i < 3; i++) counts.queued('a')
  change('a', 3)
  change('a', -2)
  assert.equal(counts.of('a'), 3)
  await assert.rejects(counts.recount(() => Promise.reject(new Error('away'))))
  assert.equal(counts.of('a'), 3)
  await counts.recount(() => Promise.resolve(snapshot()))
  assert.equal(counts.of('a'), 1)
  counts.queued('b')
  await counts.recount(() => Promise.resolve([]))
  assert.deepEqual([counts.of('a'), counts.of('b')], [0, 0])
})

test('in any order of queueing, delivering and counting, it is never fewer than there are', async (t) => {
  const { counts, real, change, snapshot } = aQueue()
  const pick = seededRandom(t, 'waiting-counts')
  let counting: { finish: () => void; ended: Promise<unknown> } | undefined
  for (let step = 0; step < 5000; step++) {
    const id = IDS[pick(IDS.length)] ?? ''
    const kind = pick(6)
    if (kind < 2) {
      change(id, 1)
      counts.queued(id)
    } else if (kind < 4) change(id, -1 - pick(3))
    else if (kind === 4 && counting === undefined) {
      const seen = snapshot()
      let finish = (): void => undefined
      const answered = new Promise<readonly Counted[]>((resolve) => {
        finish = () => resolve(seen)
      })
      counting = { finish, ended: counts.recount(() => answered) }
    } else if (counting !== undefined) {
      counting.finish()
      await counting.ended
      counting = undefined
    }
    for (const [each, waiting] of real) assert.ok(counts.of(each) >= waiting, `step ${step}`)
  }
  counting?.finish()
  await counting?.ended
  await counts.recount(() => Promise.resolve(snapshot()))
  for (const [each, waiting] of real) assert.equal(counts.of(each), waiting)
})
