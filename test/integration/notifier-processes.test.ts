/** Notifiers as processes: killed, frozen, ended, with another one beside them. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { query } from '../../src/store/connection/database.ts'
import { eventually } from '../support/configuration.ts'
import { testDatabase } from '../support/database.ts'
import { isDelivering, startNotifierProcess } from '../support/notifier-process.ts'
import { isInOrder, startReceiver } from '../support/webhook-receiver.ts'
import { aWebhook, memberIds, tellOf } from '../support/webhooks.ts'

/** Milliseconds that a take-over may take on a busy host. */
const TAKE_OVER_MS = 30_000

async function delivering(t: TestContext) {
  const database = await testDatabase(t)
  const receiver = await startReceiver(t)
  await aWebhook(database, { url: receiver.url, secret: receiver.secret })
  const first = startNotifierProcess(database)
  await eventually('the first delivers', () => isDelivering(first), TAKE_OVER_MS)
  await eventually(
    'its position',
    async () => (await query(database.db, 'select from delivery')).length === 1,
  )
  return { database, receiver, first }
}

test('kill -9 in the middle of a delivery: another process goes on, nothing is lost, each member keeps its order', async (t) => {
  const { database, receiver, first } = await delivering(t)
  const second = startNotifierProcess(database)
  await eventually('the second stands by', () => second.log().includes('"msg":"ready"'), TAKE_OVER_MS)
  let answered = 0
  // The request that is killed has arrived, but its sender never learns that.
  receiver.answer = () => (++answered === 2 ? undefined : 204)
  await tellOf(database.db, memberIds(100), { rounds: 20 })
  await eventually('a request in the middle', () => answered === 2, TAKE_OVER_MS)
  await first.end('SIGKILL')
  assert.equal(isDelivering(second), false, 'before that it stood by')
  await receiver.until(2000, TAKE_OVER_MS)
  assert.ok(isInOrder(receiver.heard))
  const copies = receiver.heard.length - 2000
  t.diagnostic(`${copies} of 2000 events arrived twice`)
  assert.ok(copies > 0 && copies <= 500, 'at most what one request carries')
  assert.equal(receiver.unsigned, 0)
})

test('a notifier that is frozen loses the lease, and sends nothing when it wakes up', async (t) => {
  const { database, receiver, first } = await delivering(t)
  const [server] = await query<{ v: number }>(
    database.db,
    `select current_setting('server_version_num')::integer as v`,
  )
  if ((server?.v ?? 0) < 140_000) return t.skip('PostgreSQL 13 does not end the session of a frozen process')
  const second = startNotifierProcess(database)
  first.child.kill('SIGSTOP')
  await eventually('the second delivers', () => isDelivering(second), TAKE_OVER_MS)
  const members = memberIds(10)
  await tellOf(database.db, members, { rounds: 3 })
  await receiver.until(30, TAKE_OVER_MS)
  first.child.kill('SIGCONT')
  await eventually('the first knows', () => first.log().includes('no longer delivers'), TAKE_OVER_MS)
  await tellOf(database.db, members, { rounds: 3, from: 3 })
  await receiver.until(60, TAKE_OVER_MS)
  assert.equal(receiver.heard.length, 60, 'no copies')
  assert.ok(isInOrder(receiver.heard))
})

test('a notifier that is asked to end gives the lease to another one at once', async (t) => {
  const { database, receiver, first } = await delivering(t)
  const second = startNotifierProcess(database)
  await eventually('the second stands by', () => second.log().includes('"msg":"ready"'), TAKE_OVER_MS)
  await first.end('SIGTERM')
  assert.equal(first.child.exitCode, 0, first.log())
  await tellOf(database.db, memberIds(5))
  await receiver.until(5, TAKE_OVER_MS)
  assert.doesNotMatch(first.log() + second.log(), /whsec_/)
})
