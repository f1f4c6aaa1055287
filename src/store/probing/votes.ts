/**
 * The verdicts of sites on members that several sites probe (ADR 38): each is a vote, and the transaction that writes a vote
 * decides the member anew. Fenced by the leases of the site, as all that probers write.
 *
 * Two sites never decide a member at one time: a decision holds the counts of the member's pool, as every verdict does, and
 * reads the votes of the others after it has them. Nothing waits for that lock; what is locked is put off.
 */
import type { VerdictsWritten, VerdictWrite } from '../../domain/prober/check.ts'
import { type Database, query, transaction, type Tx } from '../connection/database.ts'
import { decideMembers } from './decisions.ts'
import { fenceOf, heldShards } from './fence.ts'
import { tablesOf } from './site-tables.ts'

/**
 * A vote is newer in (epoch, sequence) than the one that it replaces, and of a member that still exists. `counted` and `busy`
 * are those of verdicts (verdicts.ts).
 */
const castVotesOf = (site: string): string => `
with ${heldShards(site)}, counted as materialized (
  select r.pool_id
  from pool_roll_up r
  where r.pool_id in (select m.pool_id from member m where m.id = any($4::uuid[])) and exists (select from held)
  for no key update of r skip locked
), busy as materialized (
  select r.pool_id
  from pool_roll_up r
  where r.pool_id in (select m.pool_id from member m where m.id = any($4::uuid[])) and exists (select from held)
    and (r.pool_id in (select pool_id from counted)) is not true
), vote as (
  insert into member_site_state as old
    (member_id, site, generation, status, since, reason, detail, evidence, ok_run, bad_run, shard, epoch, sequence, recent, stale)
  select b.member_id, ${tablesOf(site).name}, b.generation, b.status, b.since, b.reason, b.detail, b.evidence, b.ok_run,
    b.bad_run, b.shard, b.epoch, b.sequence, b.recent, b.stale
  from unnest($4::uuid[], $5::bigint[], $6::text[], $7::timestamptz[], $8::text[], $9::text[], $10::jsonb[],
      $11::smallint[], $12::smallint[], $13::smallint[], $14::bigint[], $15::bigint[], $16::bytea[], $17::boolean[])
    as b (member_id, generation, status, since, reason, detail, evidence, ok_run, bad_run, shard, epoch, sequence,
      recent, stale)
  join held h on h.id = b.shard and h.epoch = b.epoch
  join member m on m.id = b.member_id
  where (m.pool_id in (select pool_id from busy)) is not true
  order by b.member_id
  on conflict (member_id, site) do update set
    generation = excluded.generation, status = excluded.status, since = excluded.since, reason = excluded.reason,
    detail = excluded.detail, evidence = excluded.evidence, ok_run = excluded.ok_run, bad_run = excluded.bad_run,
    shard = excluded.shard, epoch = excluded.epoch, sequence = excluded.sequence,
    recent = coalesce(excluded.recent, old.recent), stale = excluded.stale, written_at = now()
  where (excluded.epoch, excluded.sequence) > (old.epoch, old.sequence)
  returning member_id
)
select h.id as shard, null::uuid as "putOff", null::uuid as voted from held h
union all
select null, m.id, null from member m
where m.id = any($4::uuid[]) and (m.pool_id in (select pool_id from busy)) is true
union all
select null, null, member_id from vote`

interface CastRow {
  readonly shard: number | null
  readonly putOff: string | null
  readonly voted: string | null
}

/** Writes the votes of a site, of shards that `owner` holds at their epochs, and what they decide; at most one per member. */
export async function writeVotes(
  db: Database,
  owner: string,
  rows: readonly VerdictWrite[],
  site: string,
): Promise<VerdictsWritten> {
  return await transaction(db, async (tx) => {
    const answer = await query<CastRow>(tx, castVotesOf(site), [...fenceOf(owner, rows), ...columnsOf(rows)])
    await decideMembers(
      tx,
      answer.flatMap(({ voted }) => voted ?? []),
    )
    return {
      held: new Set(answer.flatMap(({ shard }) => shard ?? [])),
      putOff: new Set(answer.flatMap(({ putOff }) => putOff ?? [])),
    }
  })
}

function columnsOf(rows: readonly VerdictWrite[]): readonly unknown[] {
  return [
    rows.map((row) => row.memberId),
    rows.map((row) => row.generation),
    rows.map((row) => row.status),
    rows.map((row) => new Date(row.since).toISOString()),
    rows.map((row) => row.reason),
    rows.map((row) => row.detail),
    rows.map((row) => JSON.stringify(row.evidence)),
    rows.map((row) => row.okRun),
    rows.map((row) => row.badRun),
    rows.map((row) => row.shard),
    rows.map((row) => row.epoch),
    rows.map((row) => row.sequence),
    rows.map((row) => (row.recent === undefined ? null : Buffer.from(row.recent))),
    rows.map((row) => row.isStale === true),
  ]
}

/** Decides these members anew, but for those whose counts somebody else has: these are returned. */
export async function decideAnew(tx: Tx, memberIds: readonly string[]): Promise<readonly string[]> {
  const locked = await query<{ id: string }>(
    tx,
    `with counted as materialized (
       select r.pool_id from pool_roll_up r
       where r.pool_id in (select m.pool_id from member m where m.id = any($1::uuid[]))
       for no key update of r skip locked
     )
     select m.id from member m join counted c on c.pool_id = m.pool_id where m.id = any($1::uuid[])`,
    [memberIds],
  )
  const mine = new Set(locked.map(({ id }) => id))
  await decideMembers(tx, [...mine])
  if (mine.size === memberIds.length) return []
  const there = await query<{ id: string }>(tx, 'select id from member where id = any($1::uuid[])', [
    memberIds,
  ])
  return there.map(({ id }) => id).filter((id) => !mine.has(id))
}
