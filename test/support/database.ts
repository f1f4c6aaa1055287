/**
 * Databases for tests: each a copy of one migrated template, dropped when its test ends. `npm test` starts the server
 * and makes the template once; a single test file run by hand does both for itself.
 */
import { randomBytes } from 'node:crypto'
import { after } from 'node:test'
import { MIGRATIONS } from '../../migrations/index.ts'
import { type Database, openDatabase, Tx } from '../../src/store/connection/database.ts'
import { withRunner } from '../../src/store/connection/migrate.ts'
import {
  createDatabase,
  createTemplate,
  dropDatabase,
  type TestServer,
  testServer,
  withDatabase,
} from './postgres.ts'

export interface TestDatabase {
  readonly url: string
  readonly name: string
  /** A pool of 8 connections, closed when the test ends. */
  readonly db: Database
  /** Runs something when the test ends, before the database goes; what was added last runs first. */
  beforeDrop(end: () => Promise<void>): void
}

/** What tests and suites give: something that runs a function when they end. */
export interface Ending {
  after(fn: () => Promise<void> | void): void
}

interface Template {
  readonly server: TestServer
  readonly name: string
  readonly own: boolean
}

let template: Promise<Template> | undefined

after(async () => {
  if (template === undefined) return
  const { server, name, own } = await template
  if (own) await dropDatabase(server.url, name)
  await server.stop()
})

/** A fresh database with the current schema. `empty`: without any, for tests of the migrations. */
export async function testDatabase(
  t: Ending,
  content: 'migrated' | 'empty' = 'migrated',
): Promise<TestDatabase> {
  template ??= prepareTemplate()
  const { server, name: from } = await template
  const name = `hm_test_${process.pid}_${randomBytes(6).toString('hex')}`
  await createDatabase(server.url, name, content === 'empty' ? 'template0' : from)
  const url = withDatabase(server.url, name)
  const db = openDatabase({ url, applicationName: 'healthmonitor test', maxConnections: 8 })
  const ends: (() => Promise<void>)[] = []
  t.after(async () => {
    for (const end of ends.toReversed()) await end()
    await db.destroy()
    await dropDatabase(server.url, name)
  })
  return {
    url,
    name,
    db,
    beforeDrop: (end) => {
      ends.push(end)
    },
  }
}

/** A transaction that stays open until it is ended: for what others do meanwhile. */
export interface OpenTransaction {
  readonly tx: Tx
  commit(): Promise<void>
  rollback(): Promise<void>
}

export async function openTransaction(db: Database): Promise<OpenTransaction> {
  const connection = await db.acquire()
  const tx = new Tx(connection, () => undefined)
  const released = (end: Promise<void>) => end.finally(() => db.release(connection))
  return { tx, commit: () => released(tx.commit()), rollback: () => released(tx.rollback()) }
}

async function prepareTemplate(): Promise<Template> {
  const server = await testServer()
  const given = process.env['TEST_DATABASE_TEMPLATE']
  if (given !== undefined) return { server, name: given, own: false }
  const name = `hm_template_${process.pid}_${randomBytes(6).toString('hex')}`
  await createTemplate(server.url, name)
  return { server, name, own: true }
}

/** Undoes the migrations from this one on, the last one first. What knex noted of them stays. */
export async function undoMigrationsFrom(url: string, name: string): Promise<void> {
  const first = MIGRATIONS.findIndex((migration) => migration.name === name)
  if (first < 0) throw new Error(`there is no migration ${name}`)
  for (const { down } of MIGRATIONS.slice(first).toReversed()) {
    await withRunner(url, async (runner) => await down?.(runner))
  }
}
