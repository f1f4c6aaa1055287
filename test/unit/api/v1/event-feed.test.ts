import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EventFeed } from '../../../../src/api/v1/event-feed.ts'
import type { ServiceEvent } from '../../../../src/domain/event/event.ts'

const event = (position: number): ServiceEvent => ({
  position,
  type: 'member.status',
  at: new Date(0),
  projectId: 'project-1',
  from: 'ONLINE',
  to: 'OFFLINE',
  data: {},
})

/** Resolves when what was resolved before has been heard of. */
const settled = () => new Promise<void>((resolve) => setImmediate(resolve))

/** A feed whose database answers the question for the newest position when the test says so. */
function withFakes(t: { after(fn: () => Promise<void>): void }) {
  const questions: { answer: (position: number) => void; refuse: (error: Error) => void }[] = []
  const stored: ServiceEvent[] = []
  const feed = new EventFeed({
    newest: () =>
      new Promise((answer, refuse) => {
        questions.push({ answer, refuse })
      }),
    read: (after, limit) =>
      Promise.resolve(stored.filter(({ position }) => position > after).slice(0, limit)),
    onTrouble: (error) => assert.fail(String(error)),
    onRecovery: () => undefined,
  })
  t.after(() => feed.close())
  return { feed, questions, stored }
}

test('a late answer to one of two first callers sends no event twice', async (t) => {
  const { feed, questions, stored } = withFakes(t)
  const heard: number[] = []
  feed.subscribe({}, (events) => heard.push(...events.map(({ position }) => position)))
  const first = feed.position()
  const second = feed.position()
  questions[0]?.answer(4)
  assert.equal(await first, 4)
  stored.push(event(5), event(6))
  feed.notify()
  await settled()
  assert.deepEqual(heard, [5, 6])
  for (const { answer } of questions) answer(4)
  assert.equal(await second, 4)
  feed.notify()
  await settled()
  assert.deepEqual(heard, [5, 6])
  assert.equal(await feed.position(), 6)
  assert.equal(questions.length, 1)
})

test('the position is asked for again after a question that failed', async (t) => {
  const { feed, questions } = withFakes(t)
  const first = feed.position()
  const second = feed.position()
  questions[0]?.refuse(new Error('away'))
  await assert.rejects(first, /away/)
  await assert.rejects(second, /away/)
  const third = feed.position()
  questions[1]?.answer(7)
  assert.equal(await third, 7)
})
