/** What waits for a webhook, and what is kept of what was given up, is bounded. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import { DEAD_LETTERS_MAX, WEBHOOK_COUNTED_MAX } from '../../src/domain/limits.ts'
import { query } from '../../src/store/connection/database.ts'
import { purgeOldEvents, sequenceEvents } from '../../src/store/event/events.ts'
import {
  boundQueue,
  countWaiting,
  noteDelivered,
  noteRefused,
  noteUnreachable,
  queueDeliveries,
  readDue,
  waitingWebhooks,
} from '../../src/store/event/webhook-queue.ts'
import { findWebhook } from '../../src/store/event/webhooks.ts'
import { type TestDatabase, testDatabase } from '../support/database.ts'
import { aSecret } from '../support/webhook-receiver.ts'
import { aWebhook, memberIds, tellOf } from '../support/webhooks.ts'

/** A webhook with so many events in its queue. */
async function queued(t: TestContext, count: number) {
  const database = await testDatabase(t)
  const id = await aWebhook(database, { url: 'http://127.0.0.1:9/', secret: aSecret() })
  await query(database.db, `insert into delivery values ('webhooks', 0)`)
  await tellOf(database.db, memberIds(count))
  while ((await sequenceEvents(database.db, 5000)) !== undefined);
  await query(
    database.db,
    `insert into webhook_delivery (webhook_id, position, subject) select $1, position, 'member/' || member_id from event`,
    [id],
  )
  return { database, id }
}

const healthOf = async ({ db }: TestDatabase, id: string) => (await findWebhook(db, id, undefined))?.health

test('beyond the bound the oldest deliveries become dead letters, with the reason', async (t) => {
  const { database, id } = await queued(t, 20)
  assert.deepEqual(await waitingWebhooks(database.db), [id])
  assert.equal(await countWaiting(database.db, id, 16), 16, 'it counts no further')
  assert.equal(await boundQueue(database.db, id, 15), 5)
  assert.equal(await countWaiting(database.db, id, 16), 15)
  assert.equal(await boundQueue(database.db, id, 15), 0)
  const rows = await query<{ position: number; reason: string }>(
    database.db,
    'select position, reason from webhook_dead_letter order by position',
  )
  assert.deepEqual(
    rows.map(({ position }) => position),
    [1, 2, 3, 4, 5],
  )
  assert.equal(rows[0]?.reason, 'more than 15 events waited')
  const health = await healthOf(database, id)
  assert.deepEqual([health?.waiting, health?.deadLetters, health?.deadLettersDropped], [15, 5, 0])
})

test('the newest dead letters are kept, and the others are counted', async (t) => {
  const { database, id } = await queued(t, DEAD_LETTERS_MAX + 30)
  assert.equal(await boundQueue(database.db, id, 10), DEAD_LETTERS_MAX + 20)
  const kept = await query<{ n: number }>(database.db, 'select count(*) as n from webhook_dead_letter')
  assert.deepEqual(kept, [{ n: DEAD_LETTERS_MAX }])
  const health = await healthOf(database, id)
  assert.deepEqual(
    [health?.waiting, health?.deadLetters, health?.deadLettersDropped],
    [10, WEBHOOK_COUNTED_MAX + 1, 20],
    'counted no further than it is shown',
  )
})

test('what waits for a webhook is not deleted with old events, and then it is', async (t) => {
  const { database, id } = await queued(t, 4)
  await query(database.db, `update event set at = now() - interval '9 days'`)
  await query(database.db, 'delete from webhook_delivery where position > 2')
  assert.equal(await purgeOldEvents(database.db, 8, 100), 2)
  assert.equal((await readDue(database.db, id, 10)).deliveries.length, 2)
  await noteDelivered(database.db, { webhookId: id, positions: [1, 2], subjects: [] })
  assert.equal(await purgeOldEvents(database.db, 8, 100), 2)
})

test('nothing is given up before 24 hours, nor without a try that failed', async (t) => {
  const { database, id } = await queued(t, 3)
  const { db } = database
  await query(db, `update webhook_delivery set queued_at = now() - interval '23 hours'`)
  assert.equal(await noteUnreachable(db, id, { error: 'gone', failures: 9, retryMs: 0 }), 0)
  await query(db, `update webhook_delivery set queued_at = now() - interval '30 days'`)
  assert.equal((await readDue(db, id, 10)).deliveries.length, 3, 'they are tried first')
  const subject = (await readDue(db, id, 1)).deliveries[0]?.subject ?? ''
  assert.equal(
    await noteRefused(db, id, 'no', [{ subject, failures: 1, retryMs: 1000 }]),
    1,
    'of that subject',
  )
  assert.equal(await noteUnreachable(db, id, { error: 'gone', failures: 1, retryMs: 0 }), 2)
})

test('nothing is written of a webhook that is gone', async (t) => {
  const { database, id } = await queued(t, 2)
  const { db } = database
  await query(db, 'delete from webhook')
  await noteDelivered(db, { webhookId: id, positions: [1], subjects: [] })
  await noteUnreachable(db, id, { error: 'x', failures: 1, retryMs: 1000 })
  await noteRefused(db, id, 'x', [{ subject: 's', failures: 1, retryMs: 1000 }])
  const at = { name: 'webhooks', position: 9 }
  await queueDeliveries(db, [{ webhookId: id, position: 3, subject: 's' }], at)
  for (const table of ['state', 'hold', 'delivery', 'dead_letter'])
    assert.equal((await query(db, `select from webhook_${table}`)).length, 0, table)
  assert.deepEqual(await query(db, 'select position from delivery'), [{ position: 9 }])
})

test('deliveries are queued once, together with the position, and the position never goes back', async (t) => {
  const { database, id } = await queued(t, 1)
  const { db } = database
  const delivery = { webhookId: id, position: 2, subject: `member/${randomUUID()}` }
  await queueDeliveries(db, [delivery], { name: 'webhooks', position: 2 })
  await queueDeliveries(db, [delivery], { name: 'webhooks', position: 1 })
  assert.equal((await query(db, 'select from webhook_delivery')).length, 2)
  assert.deepEqual(await query(db, 'select position from delivery'), [{ position: 2 }])
})

test('when everything is delivered there is no time for another look; while all is held back, there is', async (t) => {
  const { database, id } = await queued(t, 2)
  const { db } = database
  const deliveries = (await readDue(db, id, 10)).deliveries
  const subjects = deliveries.map(({ subject }) => subject)
  await noteRefused(
    db,
    id,
    'no',
    subjects.map((subject) => ({ subject, failures: 1, retryMs: 60_000 })),
  )
  const held = await readDue(db, id, 10)
  assert.deepEqual(held.deliveries, [])
  assert.ok((held.nextInMs ?? 0) > 30_000, `${held.nextInMs}`)
  const positions = deliveries.map(({ event }) => event.position)
  await noteDelivered(db, { webhookId: id, positions, subjects })
  assert.deepEqual(await readDue(db, id, 10), { deliveries: [], nextInMs: undefined })
})
