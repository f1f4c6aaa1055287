import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { ServiceEvent } from '../../../../src/domain/event/event.ts'
import { WEBHOOK_WAITING_MAX } from '../../../../src/domain/limits.ts'
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
function harness(t: TestContext, waiting: WebhookStore['waiting']) {
  const bounded: string[] = []
  const ending = new AbortController()
  const webhooks = new Webhooks({
    store: {
      version: () => Promise.resolve(1),
      enabled: () => Promise.resolve([WEBHOOK]),
      queue: () => Promise.resolve(),
      waiting,
      bound: (id) => Promise.resolve(bounded.push(id)),
      withDueAlerts: () => Promise.resolve([]),
      lane: () => new Proxy({} as ReturnType<WebhookStore['lane']>, { get: () => () => nothingDue }),
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

test('an event that is queued while the queues are being counted is not forgotten: the queue stays bounded', async (t) => {
  const answers: ((waiting: number) => void)[] = []
  const { webhooks, bounded, begin } = harness(
    t,
    () => new Promise((resolve) => answers.push((waiting) => resolve([{ id: WEBHOOK.id, waiting }]))),
  )
  begin()
  await until(() => answers.length === 1)
  await webhooks.deliver([anEvent(1)])
  assert.deepEqual(bounded, [])
  // As many as were there before the event came.
  answers[0]?.(WEBHOOK_WAITING_MAX - 1)
  await new Promise((resolve) => setImmediate(resolve))
  await webhooks.deliver([anEvent(2)])
  assert.deepEqual(bounded, [WEBHOOK.id])
})

test('a notification that comes during a look is followed by another look', async (t) => {
  const answers: (() => void)[] = []
  const { webhooks, begin } = harness(t, () => new Promise((resolve) => answers.push(() => resolve([]))))
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
