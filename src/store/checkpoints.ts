/** Checkpoints: one row per shard, fenced like every write of a prober. */
import type { CheckpointEntry, ShardCheckpoint } from '../domain/check.ts'
import type { Outcome, Reason } from '../domain/reasons.ts'
import { type Db, query } from './database.ts'

/** In the order of the table. */
const COLUMNS = `shard, epoch, as_of, member_ids, generations, probed_at, next_at, outcomes, reasons, total_us, echo_us,
  connect_us, tls_us, first_byte_us, ok_runs, bad_runs, stale, recent, flags`

const ROW = `(?::smallint, ?::bigint, ?::timestamptz, ?::uuid[], ?::bigint[], ?::timestamptz[], ?::timestamptz[], ?::text[],
  ?::text[], ?::integer[], ?::integer[], ?::integer[], ?::integer[], ?::integer[], ?::smallint[], ?::smallint[],
  ?::boolean[], ?::bytea, ?::smallint[])`

/** Rewrites the checkpoints of shards that `owner` still holds at their epochs; others are left as they are. */
export async function writeCheckpoints(
  db: Db,
  owner: string,
  checkpoints: readonly ShardCheckpoint[],
): Promise<void> {
  if (checkpoints.length === 0) return
  const sorted = checkpoints.toSorted((a, b) => a.id - b.id)
  await query(
    db,
    `insert into shard_checkpoint as old (${COLUMNS})
     select c.* from (values ${sorted.map(() => ROW).join(', ')}) as c (${COLUMNS})
     join shard s on s.id = c.shard and s.epoch = c.epoch and s.owner = ?
     order by s.id
     for share of s
     on conflict (shard) do update set (${COLUMNS}) = row (excluded.*)
     where excluded.epoch >= old.epoch`,
    [...sorted.flatMap(bindings), owner],
  )
}

/** A join, not `= any(…)`: thousands of members are looked up in a hash whatever the plan. */
const READ_ENTRIES = `
select u.*
from shard_checkpoint c
cross join lateral unnest(c.member_ids, c.generations, c.probed_at, c.next_at, c.outcomes, c.reasons, c.total_us, c.echo_us,
  c.connect_us, c.tls_us, c.first_byte_us, c.ok_runs, c.bad_runs, c.stale, c.flags)
  u (member_id, generation, probed_at, next_at, outcome, reason, total_us, echo_us, connect_us, tls_us, first_byte_us,
    ok_run, bad_run, stale, flags)
join unnest(?::uuid[]) as wanted (id) on wanted.id = u.member_id
where c.shard = any(?::smallint[])`

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

/** What the checkpoints of these shards have of these members; members without an entry are absent. */
export async function readCheckpointEntries(
  db: Db,
  shards: readonly number[],
  memberIds: readonly string[],
): Promise<readonly CheckpointEntry[]> {
  const rows = await query<EntryRow>(db, READ_ENTRIES, [memberIds, shards])
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

function bindings({ id, epoch, asOf, entries, recent }: ShardCheckpoint): unknown[] {
  return [
    id,
    epoch,
    new Date(asOf).toISOString(),
    entries.map((entry) => entry.memberId),
    entries.map((entry) => entry.generation),
    entries.map((entry) => new Date(entry.probedAt).toISOString()),
    entries.map((entry) => new Date(entry.nextAt).toISOString()),
    entries.map((entry) => entry.outcome),
    entries.map((entry) => entry.reason),
    entries.map((entry) => microseconds(entry.phases.totalMs)),
    entries.map((entry) => microseconds(entry.phases.echoMs)),
    entries.map((entry) => microseconds(entry.phases.connectMs)),
    entries.map((entry) => microseconds(entry.phases.tlsMs)),
    entries.map((entry) => microseconds(entry.phases.firstByteMs)),
    entries.map((entry: CheckpointEntry) => entry.okRun),
    entries.map((entry) => entry.badRun),
    entries.map((entry) => entry.stale),
    Buffer.from(recent),
    entries.map((entry) => entry.flags),
  ]
}

function microseconds(ms: number | undefined): number | null {
  return ms === undefined ? null : Math.min(2_147_483_647, Math.round(ms * 1000))
}
