/**
 * Statements on requests for a probe now (docs/adr/0028): the API inserts one and reads the answer, the prober that owns the
 * shard takes and answers it. All times are the database's.
 */
import { LOCAL_SITE } from '../../domain/limits.ts'
import type { ProbeAnswer, ProbeRequest } from '../../domain/prober/probe-request.ts'
import { type Db, query } from '../connection/database.ts'
import { type SiteTables, tablesOf } from './site-tables.ts'
import { PROBE_ANSWERS_CHANNEL, PROBE_REQUESTS_CHANNEL } from './probe-request-channels.ts'

export interface NewProbeRequest {
  readonly id: string
  readonly memberId: string
  readonly counted: boolean
  /** Milliseconds for which somebody waits for the answer. */
  readonly withinMs: number
}

/** The first of the sites of monitor `hm` that has a living prober for pool `p`, else the first; null = \`local\` alone probes. */
const SERVED_SITE = `(
  select s.site from jsonb_array_elements_text(hm.sites) with ordinality as s (site, position)
  order by exists (
      select from site_shard o join prober pr on pr.id = o.owner and pr.lease_until > now()
      where o.site = s.site and o.id = p.shard
      union all
      select from shard o join prober pr on pr.id = o.owner and pr.lease_until > now()
      where s.site = 'local' and o.id = p.shard
    ) desc, s.position limit 1)`

/**
 * Inserts a request and tells the probers. False: a request for this member is under way. The version of the pool is read by the
 * same statement, so that no change that was confirmed before is missed.
 */
export async function insertProbeRequest(db: Db, request: NewProbeRequest): Promise<boolean> {
  const rows = await query(
    db,
    `with inserted as (
       insert into probe_request as old
         (id, member_id, pool_id, project_id, shard, site, config_version, counted, deadline)
       select $1, m.id, p.id, m.project_id, p.shard, coalesce(${SERVED_SITE}, 'local'), p.config_version, $3,
         now() + $4 * interval '1 millisecond'
       from member m join pool p on p.id = m.pool_id left join health_monitor hm on hm.pool_id = p.id
       where m.id = $2
       on conflict (member_id) do update set
         id = excluded.id, pool_id = excluded.pool_id, shard = excluded.shard, site = excluded.site,
         config_version = excluded.config_version, counted = excluded.counted, requested_at = now(),
         deadline = excluded.deadline, taken_by = null, taken_epoch = null, answer = null
       where old.deadline < now()
       returning shard
     )
     select pg_notify('${PROBE_REQUESTS_CHANNEL}', shard::text) from inserted`,
    [request.id, request.memberId, request.counted, request.withinMs],
  )
  return rows.length > 0
}

export async function deleteProbeRequest(db: Db, id: string): Promise<void> {
  await query(db, 'delete from probe_request where id = $1', [id])
}

export interface AnsweredProbeRequest {
  readonly id: string
  /** Of the prober that answered. */
  readonly proberId: string
  readonly answer: ProbeAnswer
}

/** Those of these requests that are answered. */
export async function readProbeAnswers(
  db: Db,
  ids: readonly string[],
): Promise<readonly AnsweredProbeRequest[]> {
  return await query<AnsweredProbeRequest>(
    db,
    `select id, taken_by as "proberId", answer from probe_request where id = any($1::uuid[]) and answer is not null`,
    [ids],
  )
}

/**
 * `held` locks the rows of those shards that are still ours and that have requests, so an idle look locks nothing. `turn` numbers
 * the requests of each project, those in hand ($6) first: projects are served in turn, and none has more than
 * `perProject` in hand. One that is ours and not in hand was taken by a statement whose answer did not arrive: it is
 * taken again.
 */
const takeOf = ({ shard, ofSite, name }: SiteTables): string => `
with held as materialized (
  select s.id, s.epoch
  from ${shard} s join unnest($1::smallint[], $2::bigint[]) w (id, epoch) on w.id = s.id and w.epoch = s.epoch
  where s.owner = $3 and ${ofSite('s')} and s.id in (select r.shard from probe_request r where r.site = ${name})
  order by s.id
  for share of s
), open as (
  select o.*, row_number() over (
      partition by o.project_id order by o.in_hand desc, o.requested_at, o.id
    ) as turn
  from (
    select r.id, r.project_id, r.requested_at,
      r.taken_epoch is not distinct from h.epoch and r.id = any($6::uuid[]) as in_hand
    from probe_request r join held h on h.id = r.shard
    where r.answer is null and r.deadline > now() and r.site = ${name}
  ) o
), taken as (
  select id from open where not in_hand and turn <= $4 order by turn, requested_at, id limit $5
)
update probe_request r set taken_by = $3, taken_epoch = h.epoch
from taken, held h
where r.id = taken.id and h.id = r.shard and r.answer is null
  and (r.taken_epoch is null or r.taken_epoch < h.epoch or r.taken_by = $3)
returning r.id, r.member_id as "memberId", r.pool_id as "poolId", r.project_id as "projectId", r.shard,
  r.taken_epoch as epoch, r.config_version as "configVersion", r.counted,
  extract(epoch from r.deadline - clock_timestamp())::float8 * 1000 as "leftMs"`

/** Takes requests of shards that `owner` holds at these epochs. A request that an earlier owner took is taken again. */
export async function takeProbeRequests(
  db: Db,
  take: {
    readonly owner: string
    /** Absent = `local`. */
    readonly site?: string
    readonly held: ReadonlyMap<number, number>
    /** Ids of the requests that `owner` has in hand. */
    readonly inHand: readonly string[]
    readonly perProject: number
    readonly most: number
  },
): Promise<readonly ProbeRequest[]> {
  return await query<ProbeRequest>(db, takeOf(tablesOf(take.site ?? LOCAL_SITE)), [
    [...take.held.keys()],
    [...take.held.values()],
    take.owner,
    take.perProject,
    take.most,
    take.inHand,
  ])
}

/** Answers requests, and tells who waits; nothing for a shard that another prober has, or for a request that is gone. */
export async function answerProbeRequests(
  db: Db,
  owner: string,
  answers: readonly {
    readonly request: Pick<ProbeRequest, 'id' | 'shard' | 'epoch'>
    readonly answer: ProbeAnswer
  }[],
  site: string = LOCAL_SITE,
): Promise<void> {
  const { shard, ofSite } = tablesOf(site)
  await query(
    db,
    `with held as materialized (
       select s.id, s.epoch from ${shard} s
       where s.owner = $1 and s.id = any($4::smallint[]) and ${ofSite('s')}
       order by s.id
       for share of s
     ), answered as (
       update probe_request r set answer = a.answer
       from unnest($2::uuid[], $3::jsonb[], $4::smallint[], $5::bigint[]) a (id, answer, shard, epoch)
       join held h on h.id = a.shard and h.epoch = a.epoch
       where r.id = a.id and r.taken_by = $1 and r.taken_epoch = a.epoch
       returning r.id
     )
     select pg_notify('${PROBE_ANSWERS_CHANNEL}', id::text) from answered`,
    [
      owner,
      answers.map(({ request }) => request.id),
      answers.map(({ answer }) => JSON.stringify(answer)),
      answers.map(({ request }) => request.shard),
      answers.map(({ request }) => request.epoch),
    ],
  )
}

/** Removes what an API process has left behind that long after its end. */
export async function forgetProbeRequests(db: Db, afterMs: number): Promise<void> {
  await query(db, `delete from probe_request where deadline < now() - $1 * interval '1 millisecond'`, [
    afterMs,
  ])
}
