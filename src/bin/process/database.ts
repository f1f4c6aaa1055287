/** Opens the database at a start: waits a little for a server that is not up yet, and reports what is wrong with it. */
import { setTimeout as wait } from 'node:timers/promises'
import { DATABASE_RETRY_MS, DATABASE_WAIT_MS } from '../../domain/limits.ts'
import type { Config } from '../../runtime/config/config.ts'
import type { Log } from '../../runtime/output/log.ts'
import { Progress } from '../../runtime/output/progress.ts'
import { StartRefusal } from '../../runtime/start-refusal.ts'
import type { DatabaseUrl } from '../../store/connection/connection-url.ts'
import { type Database, isStoreAway, openDatabase, query, whyAway } from '../../store/connection/database.ts'
import { isSchemaCurrent, migrateToLatest } from '../../store/connection/migrate.ts'
import { databasePlace } from './database-place.ts'
import type { HostProcess } from './host-process.ts'

/** The URL for a command that does not start its own PostgreSQL. Throws a sentence that says what to set. */
export function neededDatabaseUrl(config: Config, command: string): string {
  if (config.databaseUrl !== undefined) return config.databaseUrl
  throw new StartRefusal(
    `${command} needs a PostgreSQL: set DATABASE_URL=postgresql://user:password@host:port/database (only serve starts an embedded one)`,
  )
}

/** The database of a process that stays. */
export interface ProcessDatabase {
  readonly db: Database
  /** Asked for at each new connection: user, password and parameters follow the file that holds the URL. */
  readonly url: () => string
}

/**
 * Opens it when it answers; the end of the process closes it. `startUrl` is used where no file holds the URL. Throws
 * StartRefusal.
 */
export async function openProcessDatabase(
  { name, log, ending, secrets }: HostProcess,
  startUrl: string,
  maxConnections: number,
): Promise<ProcessDatabase> {
  const url = () => secrets.databaseUrl() ?? startUrl
  const db = await openReadyDatabase({ url, applicationName: `healthmonitor ${name}`, maxConnections, log })
  ending.add('database', () => db.destroy())
  return { db, url }
}

/** A pool on a server that answers. Throws StartRefusal after DATABASE_WAIT_MS, or at once when it refuses us. */
export async function openReadyDatabase({
  log,
  ...options
}: {
  readonly url: DatabaseUrl
  readonly applicationName: string
  readonly maxConnections: number
  readonly log: Log
}): Promise<Database> {
  const { url } = options
  const db = openDatabase(options)
  const deadline = performance.now() + DATABASE_WAIT_MS
  for (;;) {
    try {
      await query(db, 'select 1')
      return db
    } catch (error) {
      if (isStoreAway(error) && performance.now() < deadline) {
        log.warn({ err: error }, 'PostgreSQL does not answer yet')
        await wait(DATABASE_RETRY_MS)
        continue
      }
      await db.destroy()
      const where = databasePlace(typeof url === 'function' ? url() : url)
      throw new StartRefusal(`PostgreSQL at ${where} cannot be used: ${whyAway(error)}; see DATABASE_URL`, {
        cause: error,
      })
    }
  }
}

/** Brings the schema up to date and logs what was done; a terminal shows how far it is. */
export async function migrate(db: Database, url: string, log: Log): Promise<readonly string[]> {
  const progress = new Progress()
  // Another process may be migrating.
  progress.show('migrations: waiting for the lock')
  const applied = await migrateToLatest(db, url, (name, position, count) =>
    progress.show(`migration ${position} of ${count}: ${name}`),
  ).finally(() => progress.end())
  log.info({ applied }, applied.length === 0 ? 'schema is up to date' : 'schema migrated')
  return applied
}

/** Refuses to work on a schema of another version: a newer one, or one that still has to be migrated. */
export async function assertSchemaCurrent(db: Database): Promise<void> {
  if (await isSchemaCurrent(db)) return
  throw new StartRefusal('the database does not have the schema of this version: run healthmonitor migrate')
}
