import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DomainError } from '../../src/domain/errors.ts'
import { openDatabase, query, transaction } from '../../src/store/connection/database.ts'
import { eventually } from '../support/configuration.ts'
import { openTransaction, testDatabase } from '../support/database.ts'
import { throughForwarder } from '../support/forwarder.ts'

const isUnavailable = (error: unknown) => error instanceof DomainError && error.code === 'STORE_UNAVAILABLE'
const LOCK = 4711

test('a transaction that takes too long rejects and is rolled back', async (t) => {
  const { db } = await testDatabase(t)
  const holder = await openTransaction(db)
  await query(holder.tx, 'select pg_advisory_xact_lock($1)', [LOCK])
  let ended: Promise<unknown> = Promise.resolve()
  const slow = transaction(
    db,
    async (tx) => {
      await query(tx, `insert into quota values ('p', 'pool', 1)`)
      ended = query(tx, 'select pg_advisory_xact_lock($1)', [LOCK])
      await ended
    },
    { timeoutMs: 200 },
  )
  await assert.rejects(slow, isUnavailable)
  await holder.commit()
  await ended
  // The lock of the abandoned transaction is free once it has ended.
  await transaction(db, (tx) => query(tx, 'select pg_advisory_xact_lock($1)', [LOCK]))
  assert.deepEqual(await query(db, 'select * from quota'), [])
})

test('a server that answers nothing, not even BEGIN, is unavailable within the bound', async (t) => {
  const database = await testDatabase(t)
  const { url, forwarder } = await throughForwarder(t, database.url)
  const db = openDatabase({ url, applicationName: 'test', maxConnections: 1 })
  database.beforeDrop(() => db.destroy())
  await query(db, 'select 1')
  forwarder.set('frozen')
  await assert.rejects(
    transaction(db, () => Promise.resolve('never'), { timeoutMs: 200 }),
    isUnavailable,
  )
  forwarder.set('cut')
})

test('a read that meets a migration in a ring of locks is made again, and is no error', async (t) => {
  const { db, url } = await testDatabase(t)
  // PostgreSQL ends who looks for a ring first, after its deadlock_timeout: here the reader.
  const reader = openDatabase({ url, applicationName: 'healthmonitor test', maxConnections: 1 })
  t.after(() => reader.destroy())
  await query(reader, `set deadlock_timeout = '3s'`)
  const migration = await openTransaction(db)
  await query(migration.tx, `set local deadlock_timeout = '60s'`)
  await query(migration.tx, 'lock table pool in access exclusive mode')
  // Locks its tables in their order: the reader has member and waits for pool.
  const read = query<{ n: number }>(
    reader,
    'select (select count(*) from member) + (select count(*) from pool) as n',
  )
  await eventually('the read waits for the migration', async () => {
    const waiting = `select from pg_locks where relation = 'pool'::regclass and not granted`
    return (await query(db, waiting)).length === 1
  })
  await query(migration.tx, 'lock table member in access exclusive mode')
  await migration.commit()
  assert.deepEqual(await read, [{ n: 0 }])
  const [ended] = await query<{ deadlocks: number }>(
    db,
    'select deadlocks from pg_stat_database where datname = current_database()',
  )
  assert.equal(ended?.deadlocks, 1)
})
