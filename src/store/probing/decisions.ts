/** What the votes of the sites decide of members: reads them, and writes what is new (votes.ts says under which lock). */
import {
  decide,
  type MemberVerdict,
  type SiteVerdict,
  type VotedMember,
} from '../../domain/site/member-verdict.ts'
import { STALE_MEMBERS_TOLD_ONE_BY_ONE } from '../../domain/limits.ts'
import { QUORUM_DEFAULT, type Quorum } from '../../domain/site/quorum.ts'
import { type Tx, query } from '../connection/database.ts'

const CHECK_GENERATION = 'greatest(lb.generation, p.generation, m.generation, hm.generation)'
const PUBLISHED_FROM = 'greatest(lb.published_from, p.published_from, m.published_from, hm.published_from)'

/** Votes of the check as it is now, of sites that have it, are there and are not stale. */
const READ_VOTES = `
select m.id, hm.sites, hm.options->'quorum' as quorum, ${CHECK_GENERATION} as generation,
  coalesce(hm.starts_as = 'ONLINE', false) as starts_online,
  s.generation as published_generation, s.status, s.since, s.undecided,
  coalesce(votes.all, '[]') as votes
from member m
join pool p on p.id = m.pool_id
join load_balancer lb on lb.id = p.load_balancer_id
join health_monitor hm on hm.pool_id = p.id and hm.sites is not null
left join member_state s on s.member_id = m.id and s.generation >= ${PUBLISHED_FROM}
left join lateral (
  select jsonb_agg(jsonb_build_object('site', v.site, 'status', v.status, 'reason', v.reason, 'evidence', v.evidence,
    'okRun', v.ok_run, 'badRun', v.bad_run)) as all
  from member_site_state v
  where v.member_id = m.id and v.generation = ${CHECK_GENERATION} and hm.sites ? v.site and not v.stale
    and not exists (select from site_loss l where l.site = v.site and l.shard = v.shard and l.is_lost)
) votes on true
where m.id = any($1::uuid[])`

interface VotesRow {
  readonly id: string
  readonly sites: readonly string[]
  readonly quorum: Quorum | null
  readonly generation: number
  readonly starts_online: boolean
  /** Null: nothing is published. */
  readonly published_generation: number | null
  readonly status: 'ONLINE' | 'OFFLINE'
  readonly since: Date
  readonly undecided: boolean
  readonly votes: readonly SiteVerdict[]
}

/** Members that no site votes on any more are left alone. The caller holds the counts of their pools. */
export async function decideMembers(tx: Tx, memberIds: readonly string[]): Promise<void> {
  if (memberIds.length === 0) return
  const nowMs = Date.now()
  const decided: (MemberVerdict & { readonly memberId: string })[] = []
  const undecided: string[] = []
  const fresh: string[] = []
  for (const row of await query<VotesRow>(tx, READ_VOTES, [memberIds])) {
    const decision = decide(votedMember(row), nowMs)
    if (decision.kind === 'decided') {
      decided.push({ memberId: row.id, ...decision.verdict })
      if (row.published_generation !== null && row.undecided) fresh.push(row.id)
    } else if (decision.kind === 'undecided') undecided.push(row.id)
  }
  if (decided.length > 0) await writeDecided(tx, decided)
  if (undecided.length > 0) await writeUndecided(tx, undecided)
  if (fresh.length > 0) await tellStaleness(tx, 'FRESH', fresh)
}

/** Members without a verdict are not stale: nothing is published of them. */
async function writeUndecided(tx: Tx, memberIds: readonly string[]): Promise<void> {
  const marked = await query<{ id: string }>(
    tx,
    'update member_state set undecided = true where member_id = any($1::uuid[]) returning member_id as id',
    [memberIds],
  )
  if (marked.length > 0)
    await tellStaleness(
      tx,
      'STALE',
      marked.map(({ id }) => id),
    )
}

/** Events as checkpoints of `local` cause them (migration 0025): many members of a pool are one event. */
const TELL_STALENESS = `
with change as materialized (
  select m.id, m.pool_id, m.project_id, count(*) over (partition by m.pool_id) as n
  from member m where m.id = any($1::uuid[])
)
insert into event_outbox (type, project_id, pool_id, member_id, to_status, data)
select 'member.stale', c.project_id, c.pool_id, c.id, $2::text, jsonb_build_object('reason', 'TOO_FEW_SITES')
from change c where c.n <= $3::integer
union all
select 'member.stale', c.project_id, c.pool_id, null, $2::text,
  jsonb_build_object('reason', 'TOO_FEW_SITES', 'members', count(*))
from change c where c.n > $3::integer group by c.project_id, c.pool_id`

async function tellStaleness(tx: Tx, to: 'STALE' | 'FRESH', memberIds: readonly string[]): Promise<void> {
  await query(tx, TELL_STALENESS, [memberIds, to, STALE_MEMBERS_TOLD_ONE_BY_ONE])
}

function votedMember(row: VotesRow): VotedMember {
  return {
    generation: row.generation,
    sites: row.sites,
    quorum: row.quorum ?? QUORUM_DEFAULT,
    votes: row.votes,
    startsOnline: row.starts_online,
    published:
      row.published_generation === null
        ? undefined
        : {
            generation: row.published_generation,
            status: row.status,
            since: row.since.getTime(),
            isUndecided: row.undecided,
          },
  }
}

/** The recent results are those of the site that gives the reason. */
const WRITE_DECIDED = `
with decided as materialized (
  select d.*, m.pool_id, m.project_id, p.shard, nextval('vote_sequence') as sequence, v.recent
  from unnest($1::uuid[], $2::bigint[], $3::text[], $4::timestamptz[], $5::text[], $6::text[], $7::jsonb[], $8::smallint[],
      $9::smallint[], $10::text[], $11::text[])
    as d (member_id, generation, status, since, reason, detail, evidence, ok_run, bad_run, site, from_state)
  join member m on m.id = d.member_id
  join pool p on p.id = m.pool_id
  left join member_site_state v on v.member_id = d.member_id and v.site = d.site
  order by d.member_id
), verdict as (
  insert into member_state
    (member_id, generation, status, since, reason, detail, evidence, ok_run, bad_run, shard, epoch, sequence, recent, pool_id)
  select member_id, generation, status, since, reason, detail, evidence, ok_run, bad_run, shard, 0, sequence, recent, pool_id
  from decided order by member_id
  on conflict (member_id) do update set
    generation = excluded.generation, status = excluded.status, since = excluded.since, reason = excluded.reason,
    detail = excluded.detail, evidence = excluded.evidence, ok_run = excluded.ok_run, bad_run = excluded.bad_run,
    shard = excluded.shard, epoch = excluded.epoch, sequence = excluded.sequence, recent = excluded.recent,
    undecided = false, written_at = now()
)
insert into member_transition
  (member_id, pool_id, project_id, at, from_state, to_state, reason, detail, evidence, generation, epoch, sequence)
select member_id, pool_id, project_id, since, from_state, status, reason, detail, evidence, generation, 0, sequence
from decided where from_state is not null order by sequence`

async function writeDecided(
  tx: Tx,
  rows: readonly (MemberVerdict & { readonly memberId: string })[],
): Promise<void> {
  await query(tx, WRITE_DECIDED, [
    rows.map((row) => row.memberId),
    rows.map((row) => row.generation),
    rows.map((row) => row.status),
    rows.map((row) => new Date(row.since).toISOString()),
    rows.map((row) => row.reason),
    rows.map((row) => row.detail),
    rows.map((row) => JSON.stringify(row.evidence)),
    rows.map((row) => row.okRun),
    rows.map((row) => row.badRun),
    rows.map((row) => row.site),
    rows.map((row) => row.from ?? null),
  ])
}
