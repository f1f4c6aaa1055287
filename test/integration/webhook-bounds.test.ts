/** What waits for a webhook, and what is kept of what was given up, is bounded. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import { DEAD_LETTERS_MAX, WEBHOOK_COUNTED_MAX } from '../../src/domain/limits.ts'
import { query, transaction } from '../../src/store/connection/database.ts'
import { purgeOldEvents } from '../../src/store/event/events.ts'
import { readDue } from '../../src/store/event/webhook-due.ts'
import {
  boundQueue,
  countWaiting,
  noteDelivered,
  noteRefused,
  noteUnreachable,
  queueDeliveries,
  waitingWebhooks,
} from '../../src/store/event/webhook-queue.ts'
import { findWebhook } from '../../src/store/event/webhooks.ts'
import { eventually } from '../support/configuration.ts'
import { type TestDatabase, testDatabase } from '../support/database.ts'
import { sequenceAllEvents } from '../support/sequence.ts'
import { aSecret, startReceiver } from '../support/webhook-receiver.ts'
import { aNotifier, aWebhook, memberIds, tellOf } from '../support/webhooks.ts'

/** A webhook with so many events in its queue. */
async function queued(t: TestContext, count: number) {
  const database = await testDatabase(t)
  const id = await aWebhook(database, { url: 'http://127.0.0.1:9/', secret: aSecret() })
  await query(database.db, `insert into delivery values ('webhooks', 0)`)
  await tellOf(database.db, memberIds(count))
  await sequenceAllEvents(database.db)
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

/** Rows of webhook_delivery, and entries of its indexes, that a look at the queue of a webhook reads. */
async function readByALook({ db }: TestDatabase, id: string): Promise<number> {
  return await transaction(db, async (tx) => {
    const read = async () => {
      const [row] = await query<{ n: number }>(
        tx,
        `select sum(pg_stat_get_xact_tuples_fetched(r.id) + pg_stat_get_xact_tuples_returned(r.id))::int as n from (
           select 'webhook_delivery'::regclass::oid
           union all select indexrelid from pg_index where indrelid = 'webhook_delivery'::regclass) r (id)`,
      )
      return row?.n ?? 0
    }
    const before = await read()
    await readDue(tx, id, 500)
    return (await read()) - before
  })
}

/** Holds every subject that waits for a webhook for `minutes`. */
async function holdAll({ db }: TestDatabase, id: string, minutes: number): Promise<void> {
  await query(
    db,
    `insert into webhook_hold (webhook_id, subject, failures, retry_at)
     select distinct webhook_id, subject, 3, now() + $2 * interval '1 minute'
     from webhook_delivery where webhook_id = $1`,
    [id, minutes],
  )
}

test('a look at a queue of 20 000 events that are held back reads none of them again', async (t) => {
  const { database, id } = await queued(t, 20_000)
  await holdAll(database, id, 10)
  const first = await readByALook(database, id)
  assert.ok(first >= 500, `it counts: ${first}`)
  let looks = 1
  for (let due = await readDue(database.db, id, 500); due.nextInMs === 0; looks++) {
    assert.deepEqual(due.deliveries, [])
    due = await readDue(database.db, id, 500)
  }
  assert.ok(looks <= 41, `${looks} looks`)
  assert.equal(await countWaiting(database.db, id, 30_000), 20_000)
  // Entries of the index that point to the rows as they were; vacuum removes them.
  await query(database.db, 'vacuum webhook_delivery')
  const again = await readByALook(database, id)
  assert.ok(again < 10, `${again} rows`)
  const { deliveries, nextInMs = 0 } = await readDue(database.db, id, 500)
  assert.deepEqual(deliveries, [])
  assert.ok(nextInMs > 500_000 && nextInMs <= 600_000, `${nextInMs}`)
})

test('a subject that may be tried again is due from its oldest event on, and one that was accepted is not held any more', async (t) => {
  const { database, id } = await queued(t, 3)
  const { db } = database
  await query(db, `update webhook_delivery set subject = 'a' where position <= 2`)
  await holdAll(database, id, 10)
  assert.deepEqual((await readDue(db, id, 10)).deliveries, [])
  const at = { name: 'webhooks', position: 9 }
  await queueDeliveries(db, [{ webhookId: id, position: 4, subject: 'a' }], at)
  await tellOf(db, memberIds(1))
  await sequenceAllEvents(db)
  const positions = async (limit = 10) =>
    (await readDue(db, id, limit)).deliveries.map(({ event }) => event.position)
  assert.deepEqual(await positions(), [], 'a later event of a subject that is held back waits too')
  await query(db, `update webhook_hold set retry_at = now() where subject = 'a'`)
  assert.deepEqual(await positions(), [1, 2, 4])
  assert.deepEqual(await positions(2), [1, 2])
  await noteDelivered(db, { webhookId: id, positions: [1, 2], subjects: ['a'] })
  assert.deepEqual(await positions(), [4])
  await noteDelivered(db, { webhookId: id, positions: [4], subjects: ['a'] })
  assert.deepEqual(await positions(), [])
  assert.equal((await query(db, `select from webhook_hold where subject = 'a'`)).length, 0)
})

test('a hold that anybody removes leaves nothing of its subject behind', async (t) => {
  const { database, id } = await queued(t, 2)
  const { db } = database
  await holdAll(database, id, 10)
  assert.deepEqual((await readDue(db, id, 10)).deliveries, [])
  await query(db, 'delete from webhook_hold')
  assert.equal((await readDue(db, id, 10)).deliveries.length, 2)
})

test('20 webhooks of a project with 5 000 events each that are refused delay no event of another project', async (t) => {
  const database = await testDatabase(t)
  const { db } = database
  const [receiver, refusing] = [await startReceiver(t), await startReceiver(t)]
  refusing.answer = () => 400
  await aWebhook(database, { url: receiver.url, secret: receiver.secret })
  const { url, secret } = refusing
  const hostile: string[] = []
  for (let i = 0; i < 20; i++) hostile.push(await aWebhook(database, { url, secret, projectId: 'hostile' }))
  const members = memberIds(5)
  await query(db, `insert into delivery values ('webhooks', 0)`)
  await tellOf(db, members, { rounds: 1000, projectId: 'hostile' })
  await sequenceAllEvents(db)
  await query(
    db,
    `insert into webhook_delivery (webhook_id, position, subject)
     select w, position, 'member/' || member_id from event cross join unnest($1::uuid[]) w`,
    [hostile],
  )
  for (const id of hostile) await holdAll(database, id, 10)
  await query(db, 'update delivery set position = (select max(position) from event)')
  await aNotifier(database)
  await eventually('every queue was looked through once', async () => {
    return (await query(db, 'select from webhook_delivery where not held limit 1')).length === 0
  })
  for (let n = 0; n < 20; n++) {
    await tellOf(db, members, { projectId: 'hostile' })
    await tellOf(db, memberIds(1), { from: n })
    const toldMs = performance.now()
    await receiver.until(n + 1)
    const lateMs = performance.now() - toldMs
    assert.ok(lateMs < 2000, `event ${n} came after ${lateMs} ms`)
  }
  assert.equal(refusing.count, 0, 'nothing that is held back was tried')
})
