/** Webhooks of format alertmanager: an alert is sent again until it is resolved, or its object is gone. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { ServiceEvent } from '../../src/domain/event/event.ts'
import { ALERT_RESEND_MS } from '../../src/domain/limits.ts'
import { query } from '../../src/store/connection/database.ts'
import { dueAlerts, noteResent, webhooksWithDueAlerts } from '../../src/store/event/webhook-alerts.ts'
import { noteRefused, noteUnreachable } from '../../src/store/event/webhook-queue.ts'
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
  const alerts = ['a', 'b'].map((subject) => ({ subject, event: {} as ServiceEvent, isGone: false }))
  await noteResent(db, id, alerts)
  assert.deepEqual(await query(db, 'select failures, retry_at from webhook_state'), [
    { failures: 0, retry_at: null },
  ])
  assert.equal((await query(db, 'select from webhook_hold')).length, 0)
})
