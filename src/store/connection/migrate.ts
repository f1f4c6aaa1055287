/**
 * Migrations, which knex runs, under an advisory lock, so that any number of processes may start at once. The lock of a
 * process that was killed ends with its session, unlike knex's own lock row, so the holder of our lock frees that row.
 */
import type { Knex } from 'knex'
import pg from 'pg'
import { MIGRATIONS, type NamedMigration } from '../../../migrations/index.ts'
import { ACQUIRE_TIMEOUT_MS } from '../../domain/limits.ts'
import { SESSION_SETTINGS } from './connection-pool.ts'
import { connectionUrl } from './connection-url.ts'
import { SchemaTooNewError } from './schema-too-new.ts'
import type { Database } from './database.ts'
import { query, retried } from './database.ts'
import { LOCK_KEYS } from './lock-keys.ts'

const NAMES = MIGRATIONS.map(({ name }) => name)

export function isKnownMigration(name: string): boolean {
  return NAMES.includes(name)
}

/** Called when a migration begins: its name, its number in order from 1, and how many there are. */
export type OnMigration = (name: string, position: number, count: number) => void

/** Brings the schema to this version; does nothing when it is. Returns the names that were applied. */
export async function migrateToLatest(
  db: Database,
  url: string,
  onMigration: OnMigration = () => undefined,
): Promise<readonly string[]> {
  return await withLock(url, async (runner) => {
    const before = await assertNotNewer(db)
    const missing = NAMES.filter((name) => !before.has(name))
    const begins = (name: string) => onMigration(name, missing.indexOf(name) + 1, missing.length)
    // Each is a transaction; it may deadlock with writers of an older version.
    await retried(async () => {
      await runner.migrate.forceFreeMigrationsLock(migrationConfig())
      await runner.migrate.latest(migrationConfig({ begins }))
    })
    return missing
  })
}

/** Brings the schema as far as these migrations: the ones that a dump was made with. */
export async function migrateTo(url: string, names: ReadonlySet<string>): Promise<void> {
  await withLock(url, (runner) => runner.migrate.latest(migrationConfig({ only: names })) as Promise<unknown>)
}

/** Undoes every migration: for tests. */
export async function rollbackAll(url: string): Promise<void> {
  await withLock(url, (runner) => runner.migrate.rollback(migrationConfig(), true) as Promise<unknown>)
}

/** Whether the schema is exactly this version's. Throws SchemaTooNewError when it is newer. */
export async function isSchemaCurrent(db: Database): Promise<boolean> {
  const applied = await assertNotNewer(db)
  return NAMES.every((name) => applied.has(name))
}

async function assertNotNewer(db: Database): Promise<ReadonlySet<string>> {
  const applied = await appliedMigrations(db)
  const known = new Set(NAMES)
  const unknown = applied.filter((name) => !known.has(name))
  if (unknown.length > 0) throw new SchemaTooNewError(unknown)
  return new Set(applied)
}

/** In their order; none when nothing was ever migrated. */
export async function appliedMigrations(db: Database): Promise<readonly string[]> {
  const tables = await query(
    db,
    `select from information_schema.tables where table_schema = current_schema() and table_name = 'knex_migrations'`,
  )
  if (tables.length === 0) return []
  const rows = await query<{ name: string }>(db, 'select name from knex_migrations order by id')
  return rows.map((row) => row.name)
}

/** `only`: of all migrations these; absent = all. `begins` is called before each one that runs. */
function migrationConfig({
  only,
  begins = () => undefined,
}: {
  readonly only?: ReadonlySet<string>
  readonly begins?: (name: string) => void
} = {}) {
  const wanted = MIGRATIONS.filter(({ name }) => only?.has(name) !== false)
  return {
    migrationSource: {
      getMigrations: () => Promise.resolve(wanted),
      getMigrationName: (migration: NamedMigration) => migration.name,
      getMigration: (migration: NamedMigration) => Promise.resolve(withoutTimeLimit(migration, begins)),
    },
  }
}

/**
 * An index over millions of rows, or a new value for every member, takes longer than the limit of the service's
 * statements; a migration that is cancelled half-way would be cancelled at every start. Its wait for a lock stays
 * limited.
 */
function withoutTimeLimit(
  { name, up, down }: NamedMigration,
  begins: (name: string) => void,
): NamedMigration & Required<Knex.Migration> {
  const unlimited = (work: Knex.Migration['up']) => async (transaction: Knex) => {
    begins(name)
    await transaction.raw('set local statement_timeout = 0')
    await work(transaction)
  }
  return { name, up: unlimited(up), down: unlimited(down ?? (() => Promise.resolve())) }
}

async function withLock<Result>(url: string, work: (runner: Knex) => Promise<Result>): Promise<Result> {
  const session = new pg.Client({ connectionString: connectionUrl(url), application_name: APPLICATION_NAME })
  await session.connect()
  try {
    await session.query('select pg_advisory_lock($1)', [LOCK_KEYS.migration])
    return await withRunner(url, work)
  } finally {
    await session.end()
  }
}

const APPLICATION_NAME = 'healthmonitor migrate'

/** Errors reach the caller, who logs them; knex would print them to the terminal as well. */
const SILENT = {
  warn: () => undefined,
  error: () => undefined,
  deprecate: () => undefined,
  debug: () => undefined,
}

/** Lends the connection of migrations; it connects when the first of them needs it. */
export async function withRunner<Result>(
  url: string,
  work: (runner: Knex) => Promise<Result>,
): Promise<Result> {
  // Loaded here, as most processes only ask whether the schema is current: 6 MB and 50 ms (2026-11-30).
  const { default: knex } = await import('knex')
  const runner = knex({
    client: 'pg',
    connection: {
      connectionString: connectionUrl(url),
      application_name: APPLICATION_NAME,
      connectionTimeoutMillis: ACQUIRE_TIMEOUT_MS,
    },
    pool: {
      min: 0,
      max: 1,
      afterCreate: (connection: pg.Client, done: (error: Error | null, connection: pg.Client) => void) => {
        connection.query(SESSION_SETTINGS, (error: Error | null) => done(error, connection))
      },
    },
    acquireConnectionTimeout: ACQUIRE_TIMEOUT_MS,
    log: SILENT,
  })
  try {
    return await work(runner)
  } finally {
    await runner.destroy()
  }
}
