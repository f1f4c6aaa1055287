/** The server that tests use: the one of TEST_DATABASE_URL or DATABASE_URL, else an embedded one without fsync. */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startEmbeddedPostgres } from '../../src/runtime/embedded/embedded-postgres.ts'
import { openDatabase, query } from '../../src/store/connection/database.ts'
import { migrateToLatest } from '../../src/store/connection/migrate.ts'

export interface TestServer {
  /** Of a role that may create databases. */
  readonly url: string
  stop(): Promise<void>
}

/** A folder below the system's temporary folder that an unprivileged PostgreSQL can reach; removed by the caller. */
export function temporaryFolder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'healthmonitor-test-'))
  if (process.getuid?.() === 0) chmodSync(dir, 0o711)
  return dir
}

/** Answers the server of the environment, or starts one. */
export async function testServer(): Promise<TestServer> {
  const given = process.env['TEST_DATABASE_URL'] ?? process.env['DATABASE_URL']
  if (given !== undefined) return { url: given, stop: () => Promise.resolve() }
  const dir = temporaryFolder()
  const embedded = await startEmbeddedPostgres({ dataDir: dir, durable: false, log: () => undefined })
  return {
    url: embedded.url,
    stop: async () => {
      await embedded.stop()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

/** The same server's URL with another database. */
export function withDatabase(url: string, name: string): string {
  const changed = new URL(url)
  changed.pathname = `/${name}`
  return changed.href
}

/** Makes an empty database, or a copy of a template. */
export async function createDatabase(serverUrl: string, name: string, template = 'template0'): Promise<void> {
  await admin(serverUrl, `create database ${name} template ${template}`)
}

/** Drops a database, cutting whatever sessions it still has. */
export async function dropDatabase(serverUrl: string, name: string): Promise<void> {
  await admin(serverUrl, `drop database if exists ${name} with (force)`)
}

/** Makes a migrated database under this name, to be copied by tests. */
export async function createTemplate(serverUrl: string, name: string): Promise<void> {
  await createDatabase(serverUrl, name)
  const url = withDatabase(serverUrl, name)
  const db = openDatabase({ url, applicationName: 'healthmonitor test template', maxConnections: 1 })
  try {
    await migrateToLatest(db, url)
  } finally {
    await db.destroy()
  }
}

async function admin(serverUrl: string, sql: string): Promise<void> {
  const db = openDatabase({ url: serverUrl, applicationName: 'healthmonitor test', maxConnections: 1 })
  try {
    // To copy or drop a database waits for a checkpoint, which takes as long as the disk does.
    await query(db, 'set statement_timeout = 0')
    await query(db, sql, [], 0)
  } finally {
    await db.destroy()
  }
}
