/** What a command shows of more webhooks than it reads. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Service } from '../../../src/client/service.ts'
import { olderLettersLine, webhookTable } from '../../../src/client/terminal/webhook-view.ts'
import { findWebhook, listWebhooks, resendAllLetters } from '../../../src/client/webhooks.ts'
import type { Webhook } from '../../../src/client/wire.ts'
import {
  CLIENT_WEBHOOK_PAGES_MAX,
  DEAD_LETTER_PAGE,
  DEAD_LETTERS_MAX,
  WEBHOOK_COUNTED_MAX,
} from '../../../src/domain/limits.ts'

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

/** A service with so many dead letters, counted as the API does; each that is sent again is given up anew at once. */
function aServiceWithLetters(count: number) {
  const letters = Array.from({ length: count }, (_, i) => i + 1)
  const resent: number[] = []
  const get = (_: string, { query }: { query: { before?: string; limit: string } }) => {
    const behind = letters.filter((id) => id < Number(query.before ?? Infinity)).reverse()
    const page = behind.slice(0, Math.min(DEAD_LETTER_PAGE.max, Number(query.limit)))
    return Promise.resolve({
      dead_letters: page.map((id) => ({ id: String(id) })),
      ...(page.length < behind.length ? { before: String(page.at(-1)) } : {}),
    })
  }
  const post = (path: string) => {
    const id = Number(/dead-letters\/(\d+)\/resend$/.exec(path)?.[1])
    letters.splice(letters.indexOf(id), 1)
    letters.push((letters.at(-1) ?? 0) + 1)
    resent.push(id)
    return Promise.resolve({})
  }
  return { service: { get, post } as unknown as Service, resent }
}

test('all dead letters are sent again, beyond what the service counts, the oldest first and each once', async () => {
  const count = WEBHOOK_COUNTED_MAX + DEAD_LETTER_PAGE.max + 1
  const { service, resent } = aServiceWithLetters(count)
  assert.equal(await resendAllLetters(service, webhook('w')), count)
  assert.deepEqual(
    resent,
    Array.from({ length: count }, (_, i) => i + 1),
  )
})

test('dead letters that are not shown are counted, and "more than" where the service did not count them all', () => {
  const line = (kept: number, isMore: boolean, shown: number, limit: number) =>
    olderLettersLine({ kept, at_least: isMore, dropped: 0 }, { shown, limit })[0]
  assert.equal(line(3, false, 2, 2), '… and 1 older one: --limit shows them')
  assert.equal(line(1000, true, 20, 20), '… and more than 980 older ones: --limit shows them')
  assert.equal(line(1000, true, 2000, 2000), '… and perhaps older ones: --limit shows them')
  assert.equal(line(1000, true, 1500, 2000), undefined)
  assert.equal(line(1000, true, DEAD_LETTERS_MAX, DEAD_LETTERS_MAX), undefined, 'no more are kept')
  assert.equal(line(20, false, 20, 20), undefined)
})
