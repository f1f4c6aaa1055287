/** Checkpoints: one row per shard, fenced like every write of a prober. */
import type { CheckpointEntry, ShardCheckpoint } from '../domain/check.ts'
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
