import assert from 'node:assert/strict'
import { setImmediate as turn } from 'node:timers/promises'
import { type TestContext, test } from 'node:test'
import { WEBHOOK_RETRY_MS } from '../../../src/domain/limits.ts'
import { type LaneParts, type LaneStore, WebhookLane } from '../../../src/notify/webhook/lane.ts'

/** A lane whose PostgreSQL refuses `failures` times, and has nothing that waits afterwards. */
function aLane(t: TestContext, failures: number) {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const counts = { looks: 0, troubles: 0 }
  const store = {
    due: () => {
      counts.looks += 1
      return counts.looks <= failures
        ? Promise.reject(new Error('the database is away'))
        : Promise.resolve({ deliveries: [], nextInMs: undefined })
    },
  } as unknown as LaneStore
  const lane = new WebhookLane({
    webhook: () => ({
      id: 'w',
      projectId: 'p',
      url: 'http://127.0.0.1/',
      format: 'cloudevents',
      secrets: [],
    }),
    store,
    send: () => Promise.resolve(undefined),
    origin: { source: 'urn:test' },
    countDeliveries: () => undefined,
    onTrouble: () => void (counts.troubles += 1),
  } satisfies LaneParts)
  const ending = new AbortController()
  return { lane, counts, ending, ended: lane.run(ending.signal) }
}

async function turns(): Promise<void> {
  for (let i = 0; i < 5; i += 1) await turn()
}

test('a lane that PostgreSQL refused pauses for its whole back-off, however many notifications come', async (t) => {
  const { lane, counts, ended } = aLane(t, 1)
  await turns()
  assert.deepEqual(counts, { looks: 1, troubles: 1 })
  for (let i = 0; i < 20; i += 1) {
    lane.notify()
    await turn()
  }
  t.mock.timers.tick(WEBHOOK_RETRY_MS.min - 1)
  await turns()
  assert.equal(counts.looks, 1)
  t.mock.timers.tick(1)
  await ended
  assert.equal(counts.looks, 2)
})

test('the end of the term ends the back-off of a lane at once', async (t) => {
  const { counts, ending, ended } = aLane(t, 1)
  await turns()
  ending.abort()
  await ended
  assert.equal(counts.looks, 1)
})
