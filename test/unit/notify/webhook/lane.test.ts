import assert from 'node:assert/strict'
import { setImmediate as turn } from 'node:timers/promises'
import { type TestContext, test } from 'node:test'
import { WEBHOOK_RETRY_MS } from '../../../../src/domain/limits.ts'
import type { ServiceEvent } from '../../../../src/domain/event/event.ts'
import type { Outcome } from '../../../../src/domain/webhook/outcome.ts'
import type { Held } from '../../../../src/store/event/webhook-queue.ts'
import { type LaneParts, type LaneStore, WebhookLane } from '../../../../src/notify/webhook/lane.ts'

const WEBHOOK = { id: 'w', projectId: 'p', url: 'http://127.0.0.1/', secrets: [] } as const

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
    webhook: () => ({ ...WEBHOOK, format: 'cloudevents' }),
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

/** A lane of format alertmanager, with these alerts to send again once. `answer` gets the subjects of a request. */
async function resends(subjects: readonly string[], answer: (subjects: readonly string[]) => Outcome) {
  const noted = { resent: [] as string[], held: [] as Held[], pausesMs: [] as number[], failed: 0 }
  const event = (memberId: string): ServiceEvent => ({
    position: 1,
    type: 'member.status',
    at: new Date(0),
    projectId: 'p',
    member: { id: memberId },
    from: 'ONLINE',
    to: 'OFFLINE',
    data: {},
  })
  const store = {
    due: () => Promise.resolve({ deliveries: [], nextInMs: undefined }),
    dueAlerts: () =>
      Promise.resolve(subjects.map((subject) => ({ subject, event: event(subject), endsWith: undefined }))),
    resent: (alerts) => Promise.resolve(void noted.resent.push(...alerts.map(({ subject }) => subject))),
    failures: () => Promise.resolve(0),
    subjectFailures: () => Promise.resolve(new Map()),
    refused: (_, held) => {
      noted.held.push(...held)
      return Promise.resolve(0)
    },
    unreachable: (_error, _failures, retryMs) => {
      noted.pausesMs.push(retryMs)
      return Promise.resolve(0)
    },
  } as Partial<LaneStore> as LaneStore
  const lane = new WebhookLane({
    webhook: () => ({ ...WEBHOOK, format: 'alertmanager' }),
    store,
    send: (_, { body }) => {
      const alerts = JSON.parse(body) as { labels: { member_id: string } }[]
      return Promise.resolve(answer(alerts.map(({ labels }) => labels.member_id)))
    },
    origin: { source: 'urn:test' },
    countDeliveries: (result, events) => {
      if (result === 'failed') noted.failed += events
    },
    onTrouble: (error) => assert.fail(String(error)),
  } satisfies LaneParts)
  lane.notifyOfAlerts()
  await lane.run(new AbortController().signal)
  return noted
}

test('one alert that the receiver refuses waits by itself: all others are sent again', async () => {
  const ids = Array.from({ length: 20 }, (_, i) => `m${i}`)
  const noted = await resends(ids, (sent) =>
    sent.includes('m7')
      ? { kind: 'refused', status: 400, error: 'the receiver answered 400' }
      : { kind: 'delivered', status: 200 },
  )
  assert.deepEqual(
    noted.resent,
    ids.filter((id) => id !== 'm7'),
  )
  assert.deepEqual(
    noted.held.map(({ subject, failures }) => [subject, failures]),
    [['m7', 1]],
  )
  assert.ok(noted.failed > 0)
})

test('alerts are not sent again before the time that the receiver asks for', async () => {
  const noted = await resends(['m1'], () => ({
    kind: 'unreachable',
    status: 503,
    error: 'the receiver answered 503',
    retryAfterMs: 120_000,
  }))
  assert.deepEqual([noted.pausesMs, noted.resent], [[120_000], []])
})
