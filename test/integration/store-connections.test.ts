import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { suite, test } from 'node:test'
import { ACQUIRE_TIMEOUT_MS, CLOSE_TIMEOUT_MS } from '../../src/domain/limits.ts'
import {
  type Database,
  isStoreAway,
  NoConnectionError,
  openDatabase,
  query,
  transaction,
} from '../../src/store/connection/database.ts'
import { eventually } from '../support/configuration.ts'
import { type Ending, openTransaction, testDatabase } from '../support/database.ts'
import { throughForwarder } from '../support/forwarder.ts'

const NAME = 'connections of a test'

/** A pool of its own, and how many sessions PostgreSQL has of it. */
async function opened(t: Ending, maxConnections: number) {
  const database = await testDatabase(t)
  const db = openDatabase({ url: database.url, applicationName: NAME, maxConnections })
  database.beforeDrop(() => db.destroy())
  const sessions = async () => {
    const mine = `select from pg_stat_activity where application_name = $1 and datname = current_database()`
    return (await query(database.db, mine, [NAME])).length
  }
  return { database, db, sessions }
}

const pidOf = async (db: Database): Promise<number | undefined> =>
  (await query<{ pid: number }>(db, 'select pg_backend_pid() as pid'))[0]?.pid

const within = async (promise: Promise<unknown>, ms: number): Promise<void> => {
  const startedMs = performance.now()
  await promise
  assert.ok(performance.now() - startedMs < ms, `within ${ms} ms`)
}

suite('connections to PostgreSQL', { concurrency: true }, () => {
  test('no statement runs on a connection before its limits are set', async (t) => {
    const { db } = await opened(t, 4)
    const settings = `select current_setting('statement_timeout') as statement, current_setting('lock_timeout') as lock,
      current_setting('timezone') as zone, current_setting('jit') as jit`
    const expected = [{ statement: '8s', lock: '5s', zone: 'UTC', jit: 'off' }]
    for (const rows of await Promise.all([1, 2, 3, 4].map(() => query(db, settings)))) {
      assert.deepEqual(rows, expected)
    }
  })

  test('one is used again, and there are never more than the limit', async (t) => {
    const { db, sessions } = await opened(t, 2)
    const first = await pidOf(db)
    assert.equal(await pidOf(db), first)
    const pids = await Promise.all(Array.from({ length: 20 }, () => pidOf(db)))
    assert.equal(new Set(pids).size, 2)
    assert.equal(await sessions(), 2)
  })

  test('one that PostgreSQL ends, under a statement, in a transaction or while it is idle, is not used again', async (t) => {
    const { database, db } = await opened(t, 1)
    const end = 'select pg_terminate_backend(pg_backend_pid())'
    await assert.rejects(query(db, end), isStoreAway)
    await query(db, 'select 1')
    await assert.rejects(
      transaction(db, (tx) => query(tx, end)),
      isStoreAway,
    )
    const pid = await pidOf(db)
    await query(database.db, 'select pg_terminate_backend($1)', [pid])
    await eventually('PostgreSQL has ended it', async () => {
      const left = await query(database.db, 'select from pg_stat_activity where pid = $1', [pid])
      return left.length === 0
    })
    assert.notEqual(await pidOf(db), pid)
  })

  test('one whose server gave no answer in time is not used again', async (t) => {
    const { db } = await opened(t, 1)
    const pid = await pidOf(db)
    await assert.rejects(query(db, 'select pg_sleep($1)', [2], 100), isStoreAway)
    assert.notEqual(await pidOf(db), pid)
  })

  test('a statement that is refused leaves its connection in use', async (t) => {
    const { db } = await opened(t, 1)
    const pid = await pidOf(db)
    await assert.rejects(query(db, 'select $1::int / 0', [1]), { code: '22012', sql: 'select $1::int / 0' })
    await assert.rejects(
      transaction(db, (tx) => query(tx, 'select 1 / 0')),
      { code: '22012' },
    )
    assert.equal(await pidOf(db), pid)
  })

  test('waiting for one has an end, which is named', async (t) => {
    const { db } = await opened(t, 1)
    const holder = await openTransaction(db)
    const late = assert.rejects(query(db, 'select 1'), (error) => {
      return error instanceof NoConnectionError && isStoreAway(error)
    })
    await within(late, ACQUIRE_TIMEOUT_MS + 2000)
    await holder.rollback()
    await query(db, 'select 1')
  })

  test('a server that is silent, before or after the login, blocks no caller', async (t) => {
    const database = await testDatabase(t)
    const letIn = Buffer.from([...Buffer.from('R\0\0\0\x08\0\0\0\0'), ...Buffer.from('Z\0\0\0\x05I')])
    for (const greeting of [Buffer.of(), letIn]) {
      const sockets = new Set<Socket>()
      const server = createServer((socket) => {
        sockets.add(socket)
        socket.on('error', () => undefined)
        socket.once('data', () => socket.write(greeting))
      })
      await once(server.listen(0, '127.0.0.1'), 'listening')
      t.after(() => {
        for (const socket of sockets) socket.destroy()
        server.close()
      })
      const url = new URL(database.url)
      url.host = `127.0.0.1:${(server.address() as AddressInfo).port}`
      const db = openDatabase({ url: url.href, applicationName: NAME, maxConnections: 1 })
      await within(assert.rejects(query(db, 'select 1'), isStoreAway), ACQUIRE_TIMEOUT_MS + 2000)
      assert.ok(sockets.size > 0)
      await within(db.destroy(), CLOSE_TIMEOUT_MS + 2000)
    }
  })

  test('destroying the pool resolves when PostgreSQL has no session of it; statements in progress may end first', async (t) => {
    const { db, sessions } = await opened(t, 3)
    const holder = await openTransaction(db)
    await Promise.all([query(db, 'select 1'), query(db, 'select 1')])
    assert.equal(await sessions(), 3)
    const destroyed = db.destroy()
    assert.equal(db.destroy(), destroyed)
    await query(holder.tx, `insert into quota values ('p', 'pool', 1)`)
    await holder.commit()
    await destroyed
    assert.equal(await sessions(), 0)
    await assert.rejects(query(db, 'select 1'))
  })

  test('a pool whose server is frozen is destroyed within the bound', async (t) => {
    const database = await testDatabase(t)
    const { url, forwarder } = await throughForwarder(t, database.url)
    const db = openDatabase({ url, applicationName: NAME, maxConnections: 2 })
    await Promise.all([query(db, 'select 1'), query(db, 'select 1')])
    forwarder.set('frozen')
    await within(db.destroy(), CLOSE_TIMEOUT_MS + 2000)
    forwarder.set('cut')
  })
})
