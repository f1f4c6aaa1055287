/**
 * Copies our tables into a file and back, by COPY: with any server, any version of PostgreSQL on either side, and no
 * other program. Data of running probers is left out.
 */
import { once } from 'node:events'
import type { Writable } from 'node:stream'
import { finished } from 'node:stream/promises'
import pg from 'pg'
import { from as copyFrom, to as copyTo } from 'pg-copy-streams'
import { ACQUIRE_TIMEOUT_MS } from '../../domain/limits.ts'
import { connectionUrl } from '../connection/connection-url.ts'
import {
  AFTER_RESTORE,
  closingLines,
  copyLine,
  type DumpHeader,
  type DumpPart,
  headerLine,
  LAST_LINE,
  openingLines,
  parseHeader,
  parseStep,
  partsOf,
  sequenceLine,
} from './dump-format.ts'
import { DERIVED_TABLES_OF_DOORS, TABLES_OF_DOORS } from '../../../migrations/index.ts'
import type { Database } from '../connection/database.ts'
import { appliedMigrations, isKnownMigration, migrateTo } from '../connection/migrate.ts'

/** Parents first, because their rows must exist. A test compares this list and the next with the schema. */
export const DUMPED_TABLES: readonly string[] = [
  'shard',
  'site_shard',
  'quota',
  'load_balancer',
  'load_balancer_address',
  'pool',
  'listener',
  'health_monitor',
  'member',
  'member_state',
  'member_site_state',
  'member_transition',
  'set_aside',
  'member_certificate',
  // Before the checkpoints, so that no second event STALE is written for these members.
  'stale_told',
  'pool_transition',
  'uptime_day',
  'uptime_part',
  'uptime_progress',
  'uptime_gone',
  'shard_checkpoint',
  'site_checkpoint',
  'unowned_pool_told',
  'webhook',
  'public_page',
  'public_page_pool',
  ...TABLES_OF_DOORS,
]
/**
 * Tables that are not dumped. Kept statuses are counted again when the rows are restored. Events are not restored: a
 * reader that has missed some gets a gap, and events that waited for a receiver are not sent, because they may have
 * arrived long ago.
 */
export const TABLES_LEFT_OUT: readonly string[] = [
  'prober',
  'pool_roll_up',
  'load_balancer_roll_up',
  'event',
  'event_outbox',
  'event_retention',
  'maintenance_told',
  'unowned_shard',
  'site_loss',
  'delivery',
  'webhook_version',
  'webhook_state',
  'webhook_delivery',
  'webhook_hold',
  'webhook_dead_letter',
  'webhook_alert',
  'retention_progress',
  'probe_request',
  'knex_migrations',
  'knex_migrations_lock',
  ...DERIVED_TABLES_OF_DOORS,
]
/**
 * A shard is restored without its owner; its epoch must not become smaller, or the next verdicts of probers would be
 * refused.
 */
const COLUMNS_LEFT_OUT: readonly string[] = ['shard.owner', 'site_shard.owner']

/** A dump or a database that a restore cannot use; the message is for people. */
export class RestoreRefusal extends Error {}

/** A database, and its URL for one more connection, which COPY needs. */
export interface Source {
  readonly url: string
  readonly db: Database
}

/** Rows by table. */
export type Counts = Readonly<Record<string, number>>

/** Called while tables are copied: the table, its number in order from 1, how many there are, and the bytes of all so far. */
export type OnCopied = (table: string, position: number, count: number, bytes: number) => void

export interface DumpOptions {
  /** Of this program. */
  readonly version: string
  readonly onCopied?: OnCopied
}

/** Writes everything, as of one moment, to `out`, which is not ended. Returns how many rows of each table it wrote. */
export async function dumpTo(
  { url, db }: Source,
  out: Writable,
  { version, onCopied = () => undefined }: DumpOptions,
): Promise<Counts> {
  const migrations = await appliedMigrations(db)
  return await withSession(url, async (session) => {
    await session.query('begin isolation level repeatable read read only')
    await write(out, headerLine({ version, at: new Date().toISOString(), migrations }))
    await write(out, openingLines(DUMPED_TABLES))
    const counts: Record<string, number> = {}
    let bytes = 0
    for (const [i, table] of DUMPED_TABLES.entries()) {
      counts[table] = await dumpTable(session, table, out, (length) => {
        bytes += length
        onCopied(table, i + 1, DUMPED_TABLES.length, bytes)
      })
    }
    const sequences = await session.query<{ name: string; value: string }>(
      `select sequencename as name, last_value::text as value from pg_sequences
       where schemaname = current_schema() and last_value is not null and sequencename not like 'knex_%'`,
    )
    for (const { name, value } of sequences.rows) await write(out, sequenceLine(name, value))
    await write(out, closingLines(DUMPED_TABLES, await afterRestore(session)))
    await write(out, `${LAST_LINE}\n`)
    return counts
  })
}

/** `onBytes` is called for each part, and once for a table without rows. */
async function dumpTable(
  session: pg.Client,
  table: string,
  out: Writable,
  onBytes: (length: number) => void,
): Promise<number> {
  onBytes(0)
  const { rows } = await session.query<{ name: string }>(
    `select column_name as name from information_schema.columns
     where table_schema = current_schema() and table_name = $1 and is_generated = 'NEVER' order by ordinal_position`,
    [table],
  )
  const columns = rows
    .map(({ name }) => name)
    .filter((name) => !COLUMNS_LEFT_OUT.includes(`${table}.${name}`))
  await write(out, copyLine(table, columns))
  const data = session.query(copyTo(`copy ${table} (${columns.join(', ')}) to stdout`))
  for await (const chunk of data) {
    await write(out, chunk as Buffer)
    onBytes((chunk as Buffer).length)
  }
  await write(out, '\\.\n\n')
  return data.rowCount
}

/**
 * Fills a database that has no objects, in one transaction: all of it or nothing. The schema becomes that of the dump; the
 * caller migrates further. `onTable` is called with the table of each part that was restored. Throws RestoreRefusal.
 */
export async function restoreFrom(
  { url, db }: Source,
  input: AsyncIterable<Uint8Array>,
  onTable: (table: string) => void = () => undefined,
): Promise<Counts> {
  const parts = partsOf(input)[Symbol.asyncIterator]()
  const first = await parts.next()
  if (first.done === true || first.value.kind !== 'line') throw new RestoreRefusal('the dump is empty')
  const header = refused(() => parseHeader(first.value.kind === 'line' ? first.value.text : ''))
  await assertMigratable(db, header)
  await migrateTo(url, new Set(header.migrations))
  return await withSession(url, async (session) => {
    await session.query('begin')
    const tables = await tablesThere(session)
    await assertUnused(session, tables)
    await session.query(`truncate ${tables.join(', ')}`)
    // The counts of our triggers are in the dump already.
    for (const table of tables) await session.query(`alter table ${table} disable trigger user`)
    const counts = await restoreParts(session, { [Symbol.asyncIterator]: () => parts }, onTable)
    for (const table of tables) await session.query(`alter table ${table} enable trigger user`)
    for (const { statement } of await afterRestore(session)) await session.query(statement)
    await session.query('commit')
    return counts
  })
}

async function assertMigratable(db: Database, { migrations, version }: DumpHeader): Promise<void> {
  if (!migrations.every(isKnownMigration))
    throw new RestoreRefusal(`the dump was made by healthmonitor ${version}, which is newer than this one`)
  if (!(await appliedMigrations(db)).every((name) => migrations.includes(name)))
    throw new RestoreRefusal(
      `the database has a newer schema than the dump of healthmonitor ${version}: restore into a database that is empty`,
    )
}

/** Those of today's tables that the schema of the dump has, in their order. */
async function tablesThere(session: pg.Client): Promise<readonly string[]> {
  const { rows } = await session.query<{ name: string }>(
    `select name from unnest($1::text[]) with ordinality as dumped (name, place)
     where to_regclass(name) is not null order by place`,
    [DUMPED_TABLES],
  )
  return rows.map(({ name }) => name)
}

/** What a schema needs after its rows were restored. */
async function afterRestore(session: pg.Client): Promise<(typeof AFTER_RESTORE)[number][]> {
  const { rows } = await session.query<{ name: string }>(
    'select name from unnest($1::text[]) name where to_regclass(name) is not null',
    [AFTER_RESTORE.map(({ table }) => table)],
  )
  return AFTER_RESTORE.filter(({ table }) => rows.some(({ name }) => name === table))
}

async function assertUnused(session: pg.Client, tables: readonly string[]): Promise<void> {
  await session.query(`lock table ${tables.join(', ')} in access exclusive mode`)
  const { rows } = await session.query<{ has_objects: boolean; has_probers: boolean }>(
    `select exists (select from load_balancer) or exists (select from quota) as has_objects,
       exists (select from prober where lease_until > now()) as has_probers`,
  )
  if (rows[0]?.has_probers === true)
    throw new RestoreRefusal('probers work on this database: stop the service first')
  if (rows[0]?.has_objects === true)
    throw new RestoreRefusal('the database has objects already: restore into an empty one')
}

async function restoreParts(
  session: pg.Client,
  parts: AsyncIterable<DumpPart>,
  onTable: (table: string) => void,
): Promise<Counts> {
  const counts: Record<string, number> = {}
  const sequences: [name: string, value: string][] = []
  let table: OpenTable | undefined
  let isComplete = false
  try {
    for await (const part of parts) {
      if (part.kind === 'rows') {
        await write(table?.rows, part.bytes)
        if (table !== undefined) onTable(table.name)
      } else if (part.kind === 'end of rows' && table !== undefined) {
        table.rows.end()
        await finished(table.rows)
        counts[table.name] = table.rows.rowCount
        table = undefined
      } else if (part.kind === 'line') {
        const step = refused(() => parseStep(part.text))
        if (step.kind === 'complete') isComplete = true
        if (step.kind === 'sequence') sequences.push([step.name, step.value])
        if (step.kind === 'copy') table = openTable(session, step.table, step.columns)
      }
    }
  } finally {
    table?.rows.destroy()
  }
  if (!isComplete || table !== undefined) throw new RestoreRefusal('the dump is not complete: it was cut off')
  // Last, since no transaction undoes them.
  for (const sequence of sequences) await session.query('select setval($1::regclass, $2)', sequence)
  return counts
}

/** A table that takes rows. */
interface OpenTable {
  readonly name: string
  readonly rows: ReturnType<typeof copyFrom>
}

function openTable(session: pg.Client, table: string, columns: readonly string[]): OpenTable {
  if (!DUMPED_TABLES.includes(table)) throw new RestoreRefusal(`the dump has an unknown table: ${table}`)
  const rows = session.query(copyFrom(`copy ${table} (${columns.join(', ')}) from stdin`))
  // It may come between two writes; the next write, or the end, rejects with it.
  rows.on('error', () => undefined)
  return { name: table, rows }
}

function refused<Value>(parse: () => Value): Value {
  try {
    return parse()
  } catch (error) {
    throw new RestoreRefusal(error instanceof Error ? error.message : String(error), { cause: error })
  }
}

async function write(out: Writable | undefined, data: string | Uint8Array): Promise<void> {
  if (out?.write(data) === false) await once(out, 'drain')
}

async function withSession<Result>(
  url: string,
  work: (session: pg.Client) => Promise<Result>,
): Promise<Result> {
  const session = new pg.Client({
    connectionString: connectionUrl(url),
    application_name: 'healthmonitor backup',
    connectionTimeoutMillis: ACQUIRE_TIMEOUT_MS,
  })
  await session.connect()
  try {
    return await work(session)
  } finally {
    await session.end()
  }
}
