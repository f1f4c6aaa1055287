/**
 * The PostgreSQL behind a benchmark: an embedded one of its own in a folder that is removed at the end, or the server
 * of DATABASE_URL. Durable by default, as in production.
 */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startEmbeddedPostgres } from '../src/runtime/embedded/embedded-postgres.ts'
import { type Database, openDatabase, query } from '../src/store/connection/database.ts'
import { migrateToLatest } from '../src/store/connection/migrate.ts'

export interface BenchPostgres {
  readonly url: string
  readonly version: string
  stop(): Promise<void>
}

export interface BenchPostgresOptions {
  /** Absent = true. */
  readonly isDurable?: boolean
  /** With pg_stat_statements, which must be loaded when a server starts: it starts twice. Absent = false. */
  readonly isCounting?: boolean
}

/** Starts an embedded PostgreSQL. */
export async function startPostgres(options: BenchPostgresOptions = {}): Promise<BenchPostgres> {
  const folder = mkdtempSync(join(tmpdir(), 'healthmonitor-bench-'))
  chmodSync(folder, 0o711)
  const embedded = { dataDir: folder, durable: options.isDurable ?? true, log: () => undefined }
  let postgres = await startEmbeddedPostgres(embedded)
  if (options.isCounting === true) {
    const db = openDatabase({ url: postgres.url, applicationName: 'bench', maxConnections: 1 })
    await query(db, `alter system set shared_preload_libraries = 'pg_stat_statements'`)
    await db.destroy()
    await postgres.stop()
    postgres = await startEmbeddedPostgres(embedded)
  }
  return {
    url: postgres.url,
    version: postgres.version,
    stop: async () => {
      await postgres.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** The server of DATABASE_URL, else an embedded one; either counts its statements. Throws where it does not. */
export async function openCountingPostgres(): Promise<BenchPostgres> {
  const url = process.env['DATABASE_URL']
  if (url === undefined) return await startPostgres({ isCounting: true })
  const db = openDatabase({ url, applicationName: 'bench', maxConnections: 1 })
  try {
    const [row] = await query<{ libraries: string; version: string }>(
      db,
      `select current_setting('shared_preload_libraries') as libraries, current_setting('server_version') as version`,
    )
    if (row?.libraries.includes('pg_stat_statements') !== true)
      throw new Error('the server of DATABASE_URL needs shared_preload_libraries = pg_stat_statements')
    return { url, version: row.version, stop: () => Promise.resolve() }
  } finally {
    await db.destroy()
  }
}

/** A database of its own for one run, with our schema, that counts statements. */
export interface RunDatabase {
  readonly url: string
  readonly db: Database
  /** Drops it, with whatever sessions it still has. */
  drop(): Promise<void>
}

let made = 0

/** Makes one. */
export async function makeDatabase(server: BenchPostgres): Promise<RunDatabase> {
  const name = `healthmonitor_bench_${process.pid}_${made++}`
  await administer(server, `create database ${name}`)
  const url = new URL(server.url)
  url.pathname = `/${name}`
  const db = openDatabase({ url: url.href, applicationName: 'bench', maxConnections: 1 })
  await migrateToLatest(db, url.href)
  // Of the one connection: 50 000 members are one statement.
  await query(db, 'set statement_timeout = 0')
  await query(db, 'create extension pg_stat_statements')
  return {
    url: url.href,
    db,
    drop: async () => {
      await db.destroy()
      await administer(server, `drop database ${name} with (force)`)
    },
  }
}

async function administer({ url }: BenchPostgres, statement: string): Promise<void> {
  const db = openDatabase({ url, applicationName: 'bench', maxConnections: 1 })
  try {
    await query(db, statement, [], 60_000)
  } finally {
    await db.destroy()
  }
}
