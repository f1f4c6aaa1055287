/** Webhooks of format alertmanager: an alert is sent again until it is resolved, or its object is gone. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { ServiceEvent } from '../../src/domain/event/event.ts'
import { ALERT_RESEND_MS } from '../../src/domain/limits.ts'
import { type Database, type Db, query, transaction } from '../../src/store/connection/database.ts'
import { dueAlerts, noteResent, webhooksWithDueAlerts } from '../../src/store/event/webhook-alerts.ts'
import { resendDeadLetter } from '../../src/store/event/webhook-dead-letters.ts'
import { readDue } from '../../src/store/event/webhook-due.ts'
import { noteRefused, noteUnreachable, subjectFailures } from '../../src/store/event/webhook-queue.ts'
import { eventually, insertMembers, insertPool } from '../support/configuration.ts'
import { testDatabase } from '../support/database.ts'
import { aSecret, startReceiver } from '../support/webhook-receiver.ts'
import { aNotifier, aWebhook, tellOf } from '../support/webhooks.ts'

interface ReceivedAlert {
  readonly labels: Record<string, string>
  readonly annotations: Record<string, string>
  readonly startsAt: string
  readonly endsAt: string
}

async function alerting(t: TestContext) {
  const database = await testDatabase(t)
  const receiver = await startReceiver(t)
  await aNotifier(database)
  const { poolId } = await insertPool(database.db)
  const members = await insertMembers(database.db, poolId, [{ address: '127.0.0.1', port: 1001 }])
  const url = new URL(receiver.url).origin
  const id = await aWebhook(database, { url, secret: receiver.secret, format: 'alertmanager' })
  const alerts = (): readonly ReceivedAlert[] =>
    receiver.requests.flatMap(({ body }) => JSON.parse(body) as ReceivedAlert[])
  const nobodySends = () =>
    query(database.db, `update webhook_alert set sent_at = now() - $1 * interval '1 ms'`, [
      ALERT_RESEND_MS + 1,
    ])
  return { database, receiver, members, id, alerts, nobodySends }
}

const RESEND_WITHIN_MS = 30_000

test('an alert fires, is sent again, and ends under the same labels', async (t) => {
  const { database, receiver, members, alerts, nobodySends } = await alerting(t)
  await tellOf(database.db, members)
  await eventually('the alert', () => alerts().length === 1)
  assert.equal(receiver.requests[0]?.path, '/api/v2/alerts')
  const [firing] = alerts()
  assert.deepEqual(
    [firing?.labels['alertname'], firing?.labels['member_id'], firing?.annotations['status']],
    ['HealthMonitorMember', members[0], 'OFFLINE'],
  )
  assert.ok(
    Date.parse(firing?.endsAt ?? '') > Date.now() + ALERT_RESEND_MS,
    'it lasts until it is sent again',
  )
  await eventually(
    'it is noted',
    async () => (await query(database.db, 'select from webhook_alert')).length === 1,
  )
  await nobodySends()
  await eventually('the alert again', () => alerts().length === 2, RESEND_WITHIN_MS)
  assert.deepEqual(alerts()[1]?.labels, firing?.labels)
  assert.equal(alerts()[1]?.startsAt, firing?.startsAt)
  await tellOf(database.db, members, { to: 'ONLINE' })
  await eventually('its end', () => alerts().length === 3)
  assert.deepEqual(alerts()[2]?.labels, firing?.labels)
  assert.ok(Date.parse(alerts()[2]?.endsAt ?? '') <= Date.now())
  await eventually(
    'nothing is open',
    async () => (await query(database.db, 'select from webhook_alert')).length === 0,
  )
})

test('an alert of an object that was deleted ends', async (t) => {
  const { database, members, alerts, nobodySends } = await alerting(t)
  await tellOf(database.db, members)
  await eventually(
    'it is noted',
    async () => (await query(database.db, 'select from webhook_alert')).length === 1,
  )
  await query(database.db, 'delete from member')
  await nobodySends()
  await eventually('its end', () => alerts().length === 2, RESEND_WITHIN_MS)
  assert.deepEqual(alerts()[1]?.labels, alerts()[0]?.labels)
  assert.ok(Date.parse(alerts()[1]?.endsAt ?? '') <= Date.now())
  await eventually(
    'nothing is open',
    async () => (await query(database.db, 'select from webhook_alert')).length === 0,
  )
})

test('of several changes in one request only the last one is sent, and events without a status are not', async (t) => {
  const { database, receiver, members, id, alerts } = await alerting(t)
  receiver.answer = () => 503
  await tellOf(database.db, members)
  await eventually('a failure', () => receiver.count > 0)
  await tellOf(database.db, members, { to: 'ONLINE' })
  await query(
    database.db,
    `insert into event_outbox (type, project_id, data) values ('config.changed', 'project-1', '{}')`,
  )
  await eventually('both wait', async () => {
    const rows = await query(database.db, 'select from webhook_delivery where webhook_id = $1', [id])
    return rows.length === 2
  })
  receiver.answer = () => 200
  await eventually('the end', () => alerts().length > 0)
  assert.deepEqual(
    alerts().map(({ annotations }) => annotations['status']),
    ['ONLINE'],
  )
})

test('an alert is not due while its receiver or its subject waits after a failure, and success ends the wait', async (t) => {
  const { db } = await testDatabase(t)
  const id = await aWebhook({ db }, { url: 'http://127.0.0.1:9', secret: aSecret(), format: 'alertmanager' })
  const event = { position: 1, type: 'member.status', at: new Date(0).toISOString(), data: {} }
  await query(
    db,
    `insert into webhook_alert (webhook_id, subject, event, sent_at)
     select $1, subject, $2, now() - $3 * interval '1 ms' from unnest('{a,b}'::text[]) subject`,
    [id, JSON.stringify(event), ALERT_RESEND_MS + 1000],
  )
  const due = async () => (await dueAlerts(db, id, 10)).map(({ subject }) => subject).sort()
  assert.deepEqual([await due(), await webhooksWithDueAlerts(db)], [['a', 'b'], [id]])
  await noteRefused(db, id, 'no', [{ subject: 'a', failures: 1, retryMs: 60_000 }])
  assert.deepEqual(await due(), ['b'])
  await noteUnreachable(db, id, { error: 'away', failures: 1, retryMs: 60_000 })
  assert.deepEqual([await due(), await webhooksWithDueAlerts(db)], [[], []])
  const alerts = ['a', 'b'].map((subject) => ({ subject, event: {} as ServiceEvent, endsWith: undefined }))
  await noteResent(db, id, alerts)
  assert.deepEqual(await query(db, 'select failures, retry_at from webhook_state'), [
    { failures: 0, retry_at: null },
  ])
  assert.deepEqual(await readDue(db, id, 10), { deliveries: [], nextInMs: undefined })
  assert.equal((await query(db, 'select from webhook_hold')).length, 0)
})

test('an alert that is refused again and again is sent again after longer and longer pauses', async (t) => {
  const { db } = await testDatabase(t)
  const id = await aWebhook({ db }, { url: 'http://127.0.0.1:9', secret: aSecret(), format: 'alertmanager' })
  await query(db, `insert into webhook_alert values ($1, 'a', '{}', now()), ($1, 'b', '{}', now())`, [id])
  const held = ['a', 'ended'].map((subject) => ({ subject, failures: 4, retryMs: 0 }))
  await noteRefused(db, id, 'no', held)
  const look = () => readDue(db, id, 10)
  for (let i = 0; i < 2; i++) assert.deepEqual(await look(), { deliveries: [], nextInMs: undefined })
  assert.deepEqual(await subjectFailures(db, id, ['a', 'ended']), new Map([['a', 4]]))
  await query(
    db,
    `insert into webhook_delivery (webhook_id, position, subject, event)
     values ($1, 1, 'a', '{"position": 1, "type": "member.status", "at": "2026-01-01T00:00:00Z", "data": {}}')`,
    [id],
  )
  await query(db, `update webhook_hold set retry_at = now() + interval '1 minute'`)
  assert.ok(((await look()).nextInMs ?? 0) > 30_000, 'its next event waits for it')
  await query(db, 'update webhook_hold set retry_at = now()')
  assert.equal((await look()).deliveries.length, 1)
})

/** A change of the status of a member, as its prober writes it; it makes an event. */
async function change(db: Db, member: string, to: 'ONLINE' | 'OFFLINE', sequence: number): Promise<void> {
  await query(
    db,
    `insert into member_transition (member_id, pool_id, project_id, at, from_state, to_state, reason, generation, epoch, sequence)
     select id, pool_id, project_id, now(), $2, $3, 'x', generation, 1, $4 from member where id = $1`,
    [member, to === 'ONLINE' ? 'OFFLINE' : 'ONLINE', to, sequence],
  )
}

const isOpen = async (db: Db, count: number) =>
  (await query(db, 'select from webhook_alert')).length === count

/** What waits for the webhook is given up after one more attempt, which the receiver refuses. */
async function giveUpAll(db: Db, letters: number): Promise<void> {
  await eventually('it is held back', async () => (await query(db, 'select from webhook_hold')).length > 0)
  await query(db, `update webhook_delivery set queued_at = now() - interval '25 hours'`)
  await query(db, 'update webhook_hold set retry_at = now()')
  await query(db, `select pg_notify('healthmonitor_webhooks', '')`)
  await eventually(
    'dead letters',
    async () => (await query(db, 'select from webhook_dead_letter')).length === letters,
  )
  await query(db, 'update webhook_hold set retry_at = now()')
}

test('an alert ends when the delivery of its end was given up', async (t) => {
  const { database, receiver, members, alerts, nobodySends } = await alerting(t)
  const { db } = database
  const [member = ''] = members
  await change(db, member, 'OFFLINE', 1)
  await eventually('it is noted', () => isOpen(db, 1))
  receiver.answer = () => 422
  await change(db, member, 'ONLINE', 2)
  await giveUpAll(db, 1)
  receiver.answer = () => 200
  const before = alerts().length
  await nobodySends()
  await eventually('its end', () => alerts().length > before, RESEND_WITHIN_MS)
  const end = alerts().at(-1)
  assert.deepEqual([end?.annotations['status'], end?.labels], ['ONLINE', alerts()[0]?.labels])
  assert.ok(Date.parse(end?.endsAt ?? '') <= Date.now())
  await eventually('nothing is open', () => isOpen(db, 0))
})

test('a dead letter of an alert that is over, sent again, is followed by its end', async (t) => {
  const { database, receiver, members, id, alerts } = await alerting(t)
  const { db } = database
  const [member = ''] = members
  receiver.answer = () => 422
  await change(db, member, 'OFFLINE', 1)
  await giveUpAll(db, 1)
  receiver.answer = () => 200
  await change(db, member, 'ONLINE', 2)
  await eventually('ONLINE', () => alerts().at(-1)?.annotations['status'] === 'ONLINE')
  const before = alerts().length
  await resendOnly(db, id)
  await eventually('the letter and its end', () => alerts().length >= before + 2, RESEND_WITHIN_MS)
  assert.deepEqual(
    alerts()
      .slice(before)
      .map(({ annotations }) => annotations['status']),
    ['OFFLINE', 'ONLINE'],
  )
  await eventually('nothing is open', () => isOpen(db, 0))
})

test('a dead letter of an end, sent again, does not end the alert that began after it', async (t) => {
  const { database, receiver, members, id, alerts } = await alerting(t)
  const { db } = database
  const [member = ''] = members
  receiver.answer = () => 422
  await change(db, member, 'ONLINE', 1)
  await giveUpAll(db, 1)
  receiver.answer = () => 200
  await change(db, member, 'OFFLINE', 2)
  await eventually('it is noted', () => isOpen(db, 1))
  const before = alerts().length
  await resendOnly(db, id)
  await eventually('the letter and the alert', () => alerts().length >= before + 2, RESEND_WITHIN_MS)
  const [letter, alert] = alerts().slice(before)
  assert.deepEqual([letter?.annotations['status'], alert?.annotations['status']], ['ONLINE', 'OFFLINE'])
  assert.ok(Date.parse(alert?.endsAt ?? '') > Date.now())
  assert.ok(await isOpen(db, 1))
})

async function resendOnly(db: Database, webhookId: string): Promise<void> {
  const [letter] = await query<{ id: number }>(db, 'select id from webhook_dead_letter')
  await transaction(db, async (tx) => {
    assert.ok(await resendDeadLetter(tx, webhookId, letter?.id ?? 0))
  })
}
