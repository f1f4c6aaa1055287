/** Checkpoints: one row per shard, fenced like every write of a prober. */
import { LOCAL_SITE } from '../../domain/limits.ts'
import type { CheckpointEntry, ShardCheckpoint } from '../../domain/prober/check.ts'
import type { Outcome, Reason } from '../../domain/result/reasons.ts'
import {
  BIGINT,
  BOOLEAN,
  binaryArray,
  CODE,
  type ElementType,
  INTEGER,
  SMALLINT,
  TIMESTAMPTZ,
  UUID,
} from '../connection/binary-array.ts'
import { collectBindings } from '../connection/bindings.ts'
import { type Db, query } from '../connection/database.ts'
import { type SiteTables, tablesOf } from './site-tables.ts'

/** Columns with their types, in the order of the table. */
const TYPES = {
  shard: 'smallint',
  epoch: 'bigint',
  as_of: 'timestamptz',
  member_ids: 'uuid[]',
  generations: 'bigint[]',
  probed_at: 'timestamptz[]',
  next_at: 'timestamptz[]',
  outcomes: 'text[]',
  reasons: 'text[]',
  total_us: 'integer[]',
  echo_us: 'integer[]',
  connect_us: 'integer[]',
  tls_us: 'integer[]',
  first_byte_us: 'integer[]',
  ok_runs: 'smallint[]',
  bad_runs: 'smallint[]',
  stale: 'boolean[]',
  recent: 'bytea',
  flags: 'smallint[]',
} as const
type Column = keyof typeof TYPES
const COLUMN_NAMES = Object.keys(TYPES) as readonly Column[]
const COLUMNS = COLUMN_NAMES.join(', ')

/** Rewrites the checkpoints of shards that `owner` still holds at their epochs; others stay as they are. */
export async function writeCheckpoints(
  db: Db,
  owner: string,
  checkpoints: readonly ShardCheckpoint[],
  site: string = LOCAL_SITE,
): Promise<void> {
  if (checkpoints.length === 0) return
  const { shard, ofSite, checkpoint, checkpointKey, isSiteInKey } = tablesOf(site)
  const columns = isSiteInKey ? `${COLUMNS}, site` : COLUMNS
  const { values, bind } = collectBindings()
  const rows = checkpoints
    .toSorted((a, b) => a.id - b.id)
    .map(checkpointValues)
    .map((row) => `(${COLUMN_NAMES.map((column) => `${bind(row[column])}::${TYPES[column]}`).join(', ')})`)
  await query(
    db,
    `insert into ${checkpoint} as old (${columns})
     select c.*${isSiteInKey ? ', s.site' : ''} from (values ${rows.join(', ')}) as c (${COLUMNS})
     join ${shard} s on s.id = c.shard and s.epoch = c.epoch and s.owner = ${bind(owner)} and ${ofSite('s')}
     order by s.id
     for share of s
     on conflict (${checkpointKey}) do update set (${columns}) = row (excluded.*)
     where excluded.epoch >= old.epoch`,
    values,
  )
}

/** A join, not `= any(…)`, so that every plan looks up thousands of members in a hash. */
const readEntriesOf = ({ checkpoint, ofSite }: SiteTables): string => `
select u.*
from ${checkpoint} c
cross join lateral unnest(c.member_ids, c.generations, c.probed_at, c.next_at, c.outcomes, c.reasons, c.total_us, c.echo_us,
  c.connect_us, c.tls_us, c.first_byte_us, c.ok_runs, c.bad_runs, c.stale, c.flags)
  u (member_id, generation, probed_at, next_at, outcome, reason, total_us, echo_us, connect_us, tls_us, first_byte_us,
    ok_run, bad_run, stale, flags)
join unnest($1::uuid[]) as wanted (id) on wanted.id = u.member_id
where c.shard = any($2::smallint[]) and ${ofSite('c')}`

interface EntryRow {
  readonly member_id: string
  readonly generation: number
  readonly probed_at: Date
  readonly next_at: Date
  readonly outcome: Outcome
  readonly reason: Reason
  readonly total_us: number | null
  readonly echo_us: number | null
  readonly connect_us: number | null
  readonly tls_us: number | null
  readonly first_byte_us: number | null
  readonly ok_run: number
  readonly bad_run: number
  readonly stale: boolean
  readonly flags: number
}

/** The entries of these members in the checkpoints of these shards; members without an entry are absent. */
export async function readCheckpointEntries(
  db: Db,
  shards: readonly number[],
  memberIds: readonly string[],
  site: string = LOCAL_SITE,
): Promise<readonly CheckpointEntry[]> {
  const rows = await query<EntryRow>(db, readEntriesOf(tablesOf(site)), [memberIds, shards])
  return rows.map(toEntry)
}

function toEntry(row: EntryRow): CheckpointEntry {
  return {
    memberId: row.member_id,
    generation: row.generation,
    probedAt: row.probed_at.getTime(),
    nextAt: row.next_at.getTime(),
    outcome: row.outcome,
    reason: row.reason,
    phases: {
      totalMs: (row.total_us ?? 0) / 1000,
      ...(row.echo_us === null ? {} : { echoMs: row.echo_us / 1000 }),
      ...(row.connect_us === null ? {} : { connectMs: row.connect_us / 1000 }),
      ...(row.tls_us === null ? {} : { tlsMs: row.tls_us / 1000 }),
      ...(row.first_byte_us === null ? {} : { firstByteMs: row.first_byte_us / 1000 }),
    },
    okRun: row.ok_run,
    badRun: row.bad_run,
    stale: row.stale,
    flags: row.flags,
  }
}

/** The values of a row, arrays in the form in which they are sent. */
export function checkpointValues({
  id,
  epoch,
  asOf,
  entries,
  recent,
}: ShardCheckpoint): Readonly<Record<Column, unknown>> {
  const array = <Value>(type: ElementType<Value>, read: (entry: CheckpointEntry) => Value | null): Buffer =>
    binaryArray(type, entries, read)
  return {
    shard: id,
    epoch,
    as_of: new Date(asOf).toISOString(),
    member_ids: array(UUID, (entry) => entry.memberId),
    generations: array(BIGINT, (entry) => entry.generation),
    probed_at: array(TIMESTAMPTZ, (entry) => entry.probedAt),
    next_at: array(TIMESTAMPTZ, (entry) => entry.nextAt),
    outcomes: array(CODE, (entry) => entry.outcome),
    reasons: array(CODE, (entry) => entry.reason),
    total_us: array(INTEGER, (entry) => microseconds(entry.phases.totalMs)),
    echo_us: array(INTEGER, (entry) => microseconds(entry.phases.echoMs)),
    connect_us: array(INTEGER, (entry) => microseconds(entry.phases.connectMs)),
    tls_us: array(INTEGER, (entry) => microseconds(entry.phases.tlsMs)),
    first_byte_us: array(INTEGER, (entry) => microseconds(entry.phases.firstByteMs)),
    ok_runs: array(SMALLINT, (entry) => entry.okRun),
    bad_runs: array(SMALLINT, (entry) => entry.badRun),
    stale: array(BOOLEAN, (entry) => entry.stale),
    recent: Buffer.from(recent.buffer, recent.byteOffset, recent.byteLength),
    flags: array(SMALLINT, (entry) => entry.flags),
  }
}

function microseconds(ms: number | undefined): number | null {
  return ms === undefined ? null : Math.min(2_147_483_647, Math.round(ms * 1000))
}
