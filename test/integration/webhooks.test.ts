/** Webhooks from the event to the receiver: signed, in order, at least once, whoever is away meanwhile. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { query } from '../../src/store/connection/database.ts'
import { eventually, PROJECT } from '../support/configuration.ts'
import { type TestDatabase, testDatabase } from '../support/database.ts'
import { isInOrder, startReceiver } from '../support/webhook-receiver.ts'
import { aNotifier, aWebhook, memberIds, tellOf } from '../support/webhooks.ts'

async function one(t: TestContext) {
  const database = await testDatabase(t)
  const receiver = await startReceiver(t)
  const notifier = await aNotifier(database)
  const id = await aWebhook(database, receiver)
  return { database, receiver, notifier, id }
}

interface StateRow {
  last_error: string | null
  failures: number
}

async function stateOf({ db }: TestDatabase, id: string): Promise<StateRow | undefined> {
  const [row] = await query<StateRow>(db, 'select * from webhook_state where webhook_id = $1', [id])
  return row
}

async function countOf({ db }: TestDatabase, table: string, id: string): Promise<number> {
  const [row] = await query<{ n: number }>(db, `select count(*) as n from ${table} where webhook_id = $1`, [
    id,
  ])
  return row?.n ?? 0
}

/** Lets what waits because of failures be tried again at once. */
async function noPauses({ db }: TestDatabase): Promise<void> {
  await query(db, 'update webhook_hold set retry_at = now()')
  await query(db, 'update webhook_state set retry_at = now()')
  await query(db, `select pg_notify('healthmonitor_webhooks', '')`)
}

test('an event arrives as a CloudEvent with a signature, and several that wait arrive in one request', async (t) => {
  const { database, receiver, id } = await one(t)
  const [member = ''] = memberIds(1)
  await tellOf(database.db, [member])
  await receiver.until(1)
  const [first] = receiver.requests
  assert.equal(first?.headers['content-type'], 'application/cloudevents+json; charset=utf-8')
  const event = JSON.parse(first?.body ?? '')
  assert.equal(first?.headers['webhook-id'], `evt_${event.id}`)
  assert.deepEqual(
    [event.specversion, event.type, event.source, event.subject, event.data.to, event.data.project_id],
    ['1.0', 'healthmonitor.member.status', 'urn:test', `members/${member}`, 'OFFLINE', PROJECT],
  )
  await tellOf(database.db, memberIds(700))
  await receiver.until(701)
  const batches = receiver.requests.slice(1)
  assert.ok(
    batches.some(({ headers }) => headers['content-type']?.startsWith('application/cloudevents-batch+json')),
  )
  assert.ok(batches.length < 20, `${batches.length} requests for 700 events`)
  assert.deepEqual([receiver.heard.length, receiver.unsigned], [701, 0])
  await eventually('nothing waits', async () => (await countOf(database, 'webhook_delivery', id)) === 0)
  assert.equal((await stateOf(database, id))?.last_error, null)
})

test('a webhook gets what matches its filter in its project, from its creation on; administrators get those of all projects', async (t) => {
  const database = await testDatabase(t)
  const [own, all] = [await startReceiver(t), await startReceiver(t)]
  await aNotifier(database)
  await tellOf(database.db, memberIds(1))
  await eventually('its position', async () => (await query(database.db, 'select from event')).length === 1)
  await aWebhook(database, { ...own, url: own.url, filter: { types: ['member.status'], to: ['ONLINE'] } })
  await aWebhook(database, { ...all, url: all.url, projectId: null })
  await tellOf(database.db, memberIds(1), { from: 1 })
  await tellOf(database.db, memberIds(1), { from: 2, projectId: 'another', to: 'ONLINE' })
  await tellOf(database.db, memberIds(1), { from: 3, to: 'ONLINE' })
  await all.until(3)
  await own.until(1)
  assert.deepEqual([own.heard.map(({ n }) => n), all.heard.map(({ n }) => n)], [[3], [1, 2, 3]])
})

test('a receiver that was away gets everything, each member in order, and no memory is needed meanwhile', async (t) => {
  const { database, receiver, id } = await one(t)
  await receiver.away()
  const members = memberIds(200)
  for (let round = 0; round < 5; round++) await tellOf(database.db, members, { from: round })
  await eventually('a failure', async () => ((await stateOf(database, id))?.failures ?? 0) > 0)
  await eventually('all of them wait', async () => (await countOf(database, 'webhook_delivery', id)) === 1000)
  assert.match(
    (await stateOf(database, id))?.last_error ?? '',
    /^no connection to the receiver \(ECONNREFUSED\)$/,
  )
  await receiver.listen()
  await receiver.until(1000)
  assert.ok(isInOrder(receiver.heard))
  assert.equal(receiver.heard.length, 1000, 'no copy: nothing had arrived before')
  await eventually('the state says so', async () => (await stateOf(database, id))?.failures === 0)
})

test('a receiver that refuses the events of one member gets all others, and those of that member in order afterwards', async (t) => {
  const { database, receiver, id } = await one(t)
  const members = memberIds(40)
  const bad = `members/${members[17]}`
  receiver.answer = (events) => (events.some(({ subject }) => subject === bad) ? 500 : 204)
  await tellOf(database.db, members, { rounds: 3 })
  await receiver.until(39 * 3)
  await eventually(
    'only its events wait',
    async () => (await countOf(database, 'webhook_delivery', id)) === 3,
  )
  assert.equal(await countOf(database, 'webhook_hold', id), 1)
  await tellOf(database.db, members, { from: 3 })
  await receiver.until(39 * 4)
  assert.equal((await stateOf(database, id))?.last_error, 'the receiver answered 500')
  receiver.answer = () => 204
  await noPauses(database)
  await receiver.until(40 * 4)
  assert.deepEqual(
    receiver.heard.filter(({ subject }) => subject === bad).map(({ n }) => n),
    [0, 1, 2, 3],
  )
  assert.ok(isInOrder(receiver.heard))
})

test('a receiver that refuses everything is asked few times, however much waits', async (t) => {
  const { database, receiver, id } = await one(t)
  receiver.answer = () => 400
  await tellOf(database.db, memberIds(1000))
  await eventually(
    'all of them are held back',
    async () => (await countOf(database, 'webhook_hold', id)) === 1000,
  )
  assert.ok(receiver.count <= 60, `${receiver.count} requests`)
  await query(database.db, `update webhook_delivery set queued_at = now() - interval '25 hours'`)
  await noPauses(database)
  await eventually('dead letters', async () => (await countOf(database, 'webhook_dead_letter', id)) === 1000)
  assert.equal(await countOf(database, 'webhook_delivery', id), 0)
})

test('redirects are not followed', async (t) => {
  const { database, receiver, id } = await one(t)
  receiver.answer = () => 302
  await tellOf(database.db, memberIds(1))
  await eventually('a failure', async () => (await countOf(database, 'webhook_hold', id)) === 1)
  assert.equal(
    (await stateOf(database, id))?.last_error,
    'the receiver answered 302; redirects are not followed',
  )
  assert.equal(receiver.count, 1)
})

test('a project with a dead receiver and 10 000 events delays no other project', async (t) => {
  const { database, receiver, notifier } = await one(t)
  const dead = await startReceiver(t)
  const deadId = await aWebhook(database, { url: dead.url, secret: dead.secret, projectId: 'another' })
  dead.answer = () => undefined
  await tellOf(database.db, memberIds(10_000), { projectId: 'another' })
  await eventually(
    'the dead one waits',
    async () => (await countOf(database, 'webhook_delivery', deadId)) === 10_000,
  )
  await eventually('a request without an answer', () => dead.count > 0)
  for (let n = 0; n < 20; n++) {
    await tellOf(database.db, memberIds(1), { from: n })
    await receiver.until(n + 1)
  }
  assert.equal(dead.count, 1, 'within the time of one request to the dead one')
  // A delivery counts when PostgreSQL knows of it, which is after the receiver does.
  const counted = /^hm_webhook_deliveries_total\{result="delivered"\} 20$/m
  const metrics = () => notifier.metrics.registry.metrics()
  await eventually('all are counted', async () => counted.test(await metrics()))
  const text = await metrics()
  assert.match(text, /^hm_webhook_lag_seconds [1-9]|^hm_webhook_lag_seconds 0\.\d*[1-9]/m)
  assert.match(text, /^hm_notifier_active 1$/m)
})

test('a webhook that is deleted or disabled while its receiver is away leaves nothing behind', async (t) => {
  const { database, receiver, id } = await one(t)
  await receiver.away()
  await tellOf(database.db, memberIds(50))
  await eventually('they wait', async () => (await countOf(database, 'webhook_delivery', id)) === 50)
  await query(database.db, 'delete from webhook')
  for (const table of ['webhook_delivery', 'webhook_state', 'webhook_hold', 'webhook_dead_letter'])
    assert.equal(await countOf(database, table, id), 0, table)
})
