/** What a command shows of more webhooks than it reads. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Service } from '../../../src/client/service.ts'
import { webhookTable } from '../../../src/client/terminal/webhook-view.ts'
import { findWebhook, listWebhooks } from '../../../src/client/webhooks.ts'
import type { Webhook } from '../../../src/client/wire.ts'
import { CLIENT_WEBHOOK_PAGES_MAX } from '../../../src/domain/limits.ts'

const webhook = (id: string): Webhook => ({
  id,
  name: id,
  project_id: 'p',
  url: 'http://127.0.0.1/',
  format: 'cloudevents',
  filter: {},
  secrets: [],
  enabled: true,
  last_success_at: null,
  last_error: null,
  last_error_at: null,
  failures: 0,
  retry_at: null,
  lag: { events: 1000, at_least: true, seconds: 5 },
  dead_letters: { kept: 3, at_least: false, dropped: 0 },
})

/** A service with so many pages of one webhook each. */
function aService(pages: number): Service {
  let read = 0
  const get = () => {
    read += 1
    const id = `w${read}`
    return Promise.resolve({ webhooks: [webhook(id)], ...(read < pages ? { marker: id } : {}) })
  }
  return { projectId: undefined, get } as unknown as Service
}

const SCREEN = { width: Infinity, height: Infinity, hasColours: false, isTerminal: false }

test('of more webhooks than are read, those that were read are shown, and that there are more', async () => {
  const list = await listWebhooks(aService(CLIENT_WEBHOOK_PAGES_MAX + 1), { isOfAll: true })
  assert.equal(list.webhooks.length, CLIENT_WEBHOOK_PAGES_MAX)
  assert.equal(list.marker, `w${CLIENT_WEBHOOK_PAGES_MAX}`)
  const lines = webhookTable(list.webhooks, SCREEN, { isOfAll: true, hasMore: true })
  assert.match(lines.at(-1) ?? '', /^… and more: these are the 20 oldest$/)
})

test('webhooks that are all read are said to be all', async () => {
  const list = await listWebhooks(aService(CLIENT_WEBHOOK_PAGES_MAX), { isOfAll: true })
  assert.deepEqual([list.webhooks.length, list.marker], [CLIENT_WEBHOOK_PAGES_MAX, undefined])
})

test('a name that may not be the only one is no name: an id is asked for', async () => {
  await assert.rejects(
    findWebhook(aService(CLIENT_WEBHOOK_PAGES_MAX + 1), 'w1'),
    /more than 20 webhooks: use an id/,
  )
})

test('a number that the service did not count to its end is shown as such', () => {
  const [, row = ''] = webhookTable([webhook('w')], SCREEN, { isOfAll: false, hasMore: false })
  assert.match(row, /1000\+ .* 3 /)
})
