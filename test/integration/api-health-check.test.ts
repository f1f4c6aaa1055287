/** `/healthcheck` says whether requests can be served: the database answers and takes writes. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openDatabase, query } from '../../src/store/connection/database.ts'
import { type Answer, startApi } from '../support/api.ts'
import { type Ending, testDatabase } from '../support/database.ts'

/** What is answered on connections that begin with a setting of the server. */
async function healthWith(t: Ending, setting?: string): Promise<Answer> {
  const { url, name, db } = await testDatabase(t)
  if (setting !== undefined) await query(db, `alter database ${name} set ${setting}`)
  const fresh = openDatabase({ url, applicationName: 'healthmonitor test', maxConnections: 4 })
  t.after(() => fresh.destroy())
  const api = await startApi(t, { db: fresh })
  return await api.request('GET', '/healthcheck')
}

test('while writes are taken it is 200', async (t) => {
  const { status, body } = await healthWith(t)
  assert.deepEqual([status, body], [200, { status: 'ok', database: 'ok' }])
})

test('while the database is read-only it is 503 with Retry-After, and says so', async (t) => {
  const { status, body, headers } = await healthWith(t, 'default_transaction_read_only = on')
  assert.deepEqual([status, body], [503, { status: 'unavailable', database: 'read-only' }])
  assert.match(headers['retry-after'] ?? '', /^\d+$/)
})

test('while nothing more fits into the data folder it is 503 with Retry-After', async (t) => {
  // PostgreSQL's own limit on its files acts like a full disk.
  const { status, body, headers } = await healthWith(t, 'temp_file_limit = 0')
  assert.deepEqual([status, body], [503, { status: 'unavailable', database: 'unavailable' }])
  assert.match(headers['retry-after'] ?? '', /^\d+$/)
})

test('however many ask, one look at the database is under way', async (t) => {
  const { db } = await testDatabase(t)
  const api = await startApi(t, { db })
  const answers = await Promise.all(Array.from({ length: 40 }, () => api.request('GET', '/healthcheck')))
  assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]))
  // The pool opens a connection when none is free.
  assert.equal(await connections(db), 1)
})

async function connections(db: Parameters<typeof query>[0]): Promise<number> {
  const rows = await query<{ count: number }>(
    db,
    'select count(*) as count from pg_stat_activity where datname = current_database()',
  )
  return rows[0]?.count ?? 0
}
