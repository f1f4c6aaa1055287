import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { ServiceEvent } from '../../../../src/domain/event/event.ts'
import { WEBHOOK_WAITING_MAX, WEBHOOK_WAITING_SLACK } from '../../../../src/domain/limits.ts'
import { eventFilterOf, type EnabledWebhook } from '../../../../src/domain/webhook/webhook.ts'
import { Webhooks, type WebhookStore } from '../../../../src/notify/webhook/webhooks.ts'
import { until } from '../../../support/probing.ts'

const WEBHOOK: EnabledWebhook = {
  id: 'w',
  projectId: 'project',
  url: 'http://127.0.0.1:1/',
  format: 'cloudevents',
  filter: eventFilterOf('project', {}),
  secrets: [],
  afterPosition: 0,
}

const anEvent = (position: number): ServiceEvent => ({
  position,
  type: 'config.changed',
  at: new Date(0),
  projectId: 'project',
  from: null,
  to: null,
  data: {},
})

/** A receiver whose queue is never emptied, over a store that answers when the test says. */
function harness(t: TestContext, answers: Partial<WebhookStore>) {
  const bounded: string[] = []
  const ending = new AbortController()
  const webhooks = new Webhooks({
    store: {
      version: () => Promise.resolve(1),
      enabled: () => Promise.resolve([WEBHOOK]),
      newest: () => Promise.resolve(0),
      queue: () => Promise.resolve(),
      withWaiting: () => Promise.resolve([]),
      countWaiting: () => Promise.resolve(0),
      bound: (id) => Promise.resolve(bounded.push(id)),
      withDueAlerts: () => Promise.resolve([]),
      lane: () => new Proxy({} as ReturnType<WebhookStore['lane']>, { get: () => () => nothingDue }),
      ...answers,
    },
    client: {
      send: () => assert.fail('nothing is due'),
      keepOnly: () => undefined,
      close: () => Promise.resolve(),
    },
    mayDeliver: () => true,
    origin: { source: 'urn:test' },
    countDeliveries: () => undefined,
    log: { info: () => undefined, warn: () => undefined },
  })
  t.after(async () => {
    ending.abort()
    await webhooks.close()
  })
  return { webhooks, bounded, begin: () => webhooks.begin(ending.signal) }
}

const nothingDue = Promise.resolve({ deliveries: [], nextInMs: 60_000 })

test('a queue is counted once, and again only when so many events came that it may be too long', async (t) => {
  const waiting = { now: WEBHOOK_WAITING_MAX - 1, counts: 0 }
  const { webhooks, bounded } = harness(t, {
    countWaiting: () => {
      waiting.counts += 1
      return Promise.resolve(waiting.now)
    },
  })
  const batch = Array.from({ length: 100 }, (_, i) => anEvent(i + 1))
  for (let i = 0; i <= WEBHOOK_WAITING_SLACK / batch.length; i++) await webhooks.deliver(batch)
  assert.deepEqual([waiting.counts, bounded], [1, []])
  // The receiver took what came meanwhile.
  await webhooks.deliver([anEvent(1), anEvent(2)])
  assert.deepEqual([waiting.counts, bounded], [2, []])
  waiting.now = WEBHOOK_WAITING_MAX + 1
  for (let i = 0; i < WEBHOOK_WAITING_SLACK / batch.length; i++) await webhooks.deliver(batch)
  assert.deepEqual([waiting.counts, bounded], [2, []])
  await webhooks.deliver([anEvent(1), anEvent(2)])
  assert.deepEqual([waiting.counts, bounded], [3, [WEBHOOK.id]])
})

test('a queue that is full when a term begins is bounded at its first event', async (t) => {
  const { webhooks, bounded, begin } = harness(t, {
    countWaiting: (_, most) => Promise.resolve(Math.min(most, 3 * WEBHOOK_WAITING_MAX)),
  })
  begin()
  await webhooks.deliver([anEvent(1)])
  assert.deepEqual(bounded, [WEBHOOK.id])
})

test('a notification that comes during a look is followed by another look', async (t) => {
  const answers: (() => void)[] = []
  const { webhooks, begin } = harness(t, {
    withWaiting: () => new Promise((resolve) => answers.push(() => resolve([]))),
  })
  begin()
  await until(() => answers.length === 1)
  webhooks.look()
  webhooks.look()
  answers[0]?.()
  await until(() => answers.length === 2)
  answers[1]?.()
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal(answers.length, 2, 'two notifications, one more look')
})
