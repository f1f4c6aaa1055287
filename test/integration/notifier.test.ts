/** The notifier: who delivers, from where, and what happens when that process goes. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { ServiceEvent } from '../../src/domain/event/event.ts'
import { Notifier } from '../../src/notify/notifier.ts'
import type { Receiver } from '../../src/notify/receiver.ts'
import { query } from '../../src/store/connection/database.ts'
import { advanceReceiver, readReceiverLags, receiverPosition } from '../../src/store/event/deliveries.ts'
import { readEventBounds, readEvents } from '../../src/store/event/events.ts'
import { openLease } from '../../src/store/connection/lease.ts'
import { LOCK_KEYS } from '../../src/store/connection/lock-keys.ts'
import { eventually } from '../support/configuration.ts'
import { type TestDatabase, testDatabase } from '../support/database.ts'
import { keepingLog } from '../support/prober.ts'
import { sequenceAllEvents } from '../support/sequence.ts'

/** A notifier with one receiver, `test`, that keeps what it gets; `fail`: how often it refuses first. */
function startOne(database: TestDatabase, fail = 0) {
  const got: number[] = []
  let failures = 0
  const terms: AbortSignal[] = []
  const receiver: Receiver = {
    name: 'test',
    begin: (signal) => terms.push(signal),
    deliver: (events) => {
      if (failures++ < fail) return Promise.reject(new Error('not now'))
      got.push(...events.map(numberOf))
      return Promise.resolve()
    },
    close: () => Promise.resolve(),
  }
  const { db, url } = database
  const log = keepingLog()
  const notifier = new Notifier({
    receivers: [receiver],
    openLease: (onEnd) =>
      openLease(
        { url, applicationName: 'test lease', key: LOCK_KEYS.notifier, sessionMs: 60_000, answerMs: 5000 },
        onEnd,
      ),
    source: {
      read: (after, limit) => readEvents(db, { after, upTo: Number.MAX_SAFE_INTEGER, limit, filter: {} }),
      purgedTo: async () => (await readEventBounds(db)).purgedTo,
      position: (name) => receiverPosition(db, name),
      advance: (name, position) => advanceReceiver(db, name, position),
    },
    log,
  })
  database.beforeDrop(() => notifier.close())
  notifier.start()
  return { notifier, got, terms, log }
}

const numberOf = (event: ServiceEvent) => Number(event.data['n'])

async function tell(database: TestDatabase, ...numbers: readonly number[]): Promise<void> {
  for (const n of numbers)
    await query(database.db, `insert into event_outbox (type, data) values ('test', $1)`, [
      JSON.stringify({ n }),
    ])
  await sequenceAllEvents(database.db)
}

async function active(t: TestContext) {
  const database = await testDatabase(t)
  const first = startOne(database)
  await eventually('a notifier that delivers', () => first.terms.length === 1)
  // What comes before a new receiver has its position is not for it.
  await eventually('its position', async () => (await readReceiverLags(database.db)).length === 1)
  return { database, first }
}

test('of two notifiers one delivers, and the other goes on behind it when its session ends', async (t) => {
  const { database, first } = await active(t)
  const second = startOne(database)
  await tell(database, 1, 2, 3)
  first.notifier.notify()
  await eventually('the events', () => first.got.length === 3)
  assert.deepEqual([second.terms.length, second.notifier.isActive], [0, false])
  await first.notifier.close()
  assert.equal(first.terms[0]?.aborted, true)
  await tell(database, 4, 5)
  await eventually('the other one', () => second.got.length === 2)
  assert.deepEqual(
    [first.got, second.got],
    [
      [1, 2, 3],
      [4, 5],
    ],
  )
})

test('a lease whose session PostgreSQL ends is lost at once, and the positions stay', async (t) => {
  const { database, first } = await active(t)
  await tell(database, 1)
  first.notifier.notify()
  await eventually('the event', () => first.got.length === 1)
  // Until its position is kept, the next term gives it again.
  await eventually('no lag', async () => (await readReceiverLags(database.db))[0]?.events === 0)
  await query(
    database.db,
    `select pg_terminate_backend(pid) from pg_stat_activity
     where application_name = 'test lease' and datname = current_database()`,
  )
  await eventually('the end of the term', () => first.terms[0]?.aborted === true)
  await tell(database, 2)
  await eventually('the second term', () => first.got.length === 2)
  assert.deepEqual(first.got, [1, 2])
  assert.equal(first.terms.length, 2)
})

test('a receiver that is new gets what comes now, and one that fails gets the same events again', async (t) => {
  const database = await testDatabase(t)
  await tell(database, 1, 2)
  const { got, terms, notifier } = startOne(database, 2)
  await eventually('a notifier that delivers', () => terms.length === 1)
  await eventually('its position', async () => (await readReceiverLags(database.db)).length === 1)
  await tell(database, 3, 4)
  notifier.notify()
  await eventually('the events', () => got.length === 2)
  assert.deepEqual(got, [3, 4])
  await eventually('no lag', async () => (await readReceiverLags(database.db))[0]?.events === 0)
})

test('a receiver that was away for longer than events are kept gets the rest, and the log says so', async (t) => {
  const database = await testDatabase(t)
  await receiverPosition(database.db, 'test')
  await tell(database, 1, 2)
  await query(database.db, 'delete from event where position = 1')
  await query(database.db, 'update event_retention set purged_to = 1')
  const { got, log } = startOne(database)
  await eventually('the events', () => got.length === 1)
  assert.deepEqual(got, [2])
  assert.ok(log.lines.some(({ message }) => message.startsWith('events were deleted before')))
})
