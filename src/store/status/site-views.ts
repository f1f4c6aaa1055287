/** What each site sees of members that several sites probe, or another one than `local`. */
import type { Reason } from '../../domain/result/reasons.ts'
import type { SiteFacts } from '../../domain/site/site-health.ts'
import { type Db, query } from '../connection/database.ts'

/** All members are of one pool, and so of one shard ($2). */
const READ_SITES = `
with member_site as materialized (
  select m.id, s.site, s.position, greatest(lb.generation, p.generation, m.generation, hm.generation) as generation
  from member m
  join pool p on p.id = m.pool_id
  join load_balancer lb on lb.id = p.load_balancer_id
  join health_monitor hm on hm.pool_id = p.id and hm.sites is not null
  cross join lateral jsonb_array_elements_text(hm.sites) with ordinality as s (site, position)
  where m.id = any($1::uuid[])
), served as materialized (
  select 'local' as site from shard s join prober p on p.id = s.owner and p.lease_until > now() where s.id = $2
  union all
  select s.site from site_shard s join prober p on p.id = s.owner and p.lease_until > now() where s.id = $2
), probe as materialized (
  select c.site, c.as_of, u.*
  from (
    select 'local' as site, as_of, member_ids, generations, outcomes, reasons, total_us from shard_checkpoint where shard = $2
    union all
    select site, as_of, member_ids, generations, outcomes, reasons, total_us from site_checkpoint where shard = $2
  ) c
  cross join lateral unnest(c.member_ids, c.generations, c.outcomes, c.reasons, c.total_us)
    u (member_id, generation, outcome, reason, total_us)
  where u.member_id = any($1::uuid[])
)
select ms.id, ms.site, ms.site in (select site from served) as is_served,
  exists (select from site_loss l where l.site = ms.site and l.shard = $2 and l.is_lost) as is_lost,
  v.status, v.since, v.reason, v.detail, v.stale, (v.evidence->'phases'->>'total_ms')::float8 as decided_ms,
  pr.as_of, pr.outcome, pr.reason as probe_reason, pr.total_us
from member_site ms
left join member_site_state v on v.member_id = ms.id and v.site = ms.site and v.generation = ms.generation
left join probe pr on pr.member_id = ms.id and pr.site = ms.site and pr.generation = ms.generation
order by ms.id, ms.position`

interface SiteRow {
  readonly id: string
  readonly site: string
  readonly is_served: boolean
  readonly is_lost: boolean
  /** Null: no verdict of this generation. */
  readonly status: 'ONLINE' | 'OFFLINE' | null
  readonly since: Date
  readonly reason: Reason
  readonly detail: string
  readonly stale: boolean
  /** Milliseconds. */
  readonly decided_ms: number | null
  /** Null: no probe of this generation is in a checkpoint. */
  readonly as_of: Date | null
  readonly outcome: string
  readonly probe_reason: string
  readonly total_us: number | null
}

/** By member, in the order of its monitor's sites; members that `local` alone probes are absent. */
export async function readSiteFacts(
  db: Db,
  { shard, memberIds }: { readonly shard: number; readonly memberIds: readonly string[] },
): Promise<ReadonlyMap<string, readonly SiteFacts[]>> {
  const facts = new Map<string, SiteFacts[]>()
  for (const row of await query<SiteRow>(db, READ_SITES, [memberIds, shard])) {
    const ofMember = facts.get(row.id)
    if (ofMember === undefined) facts.set(row.id, [toFacts(row)])
    else ofMember.push(toFacts(row))
  }
  return facts
}

function toFacts(row: SiteRow): SiteFacts {
  const { site, is_served: isServed, is_lost: isLost, status, as_of: asOf } = row
  return {
    site,
    isServed,
    isLost,
    ...(status === null
      ? {}
      : {
          verdict: {
            status,
            since: row.since,
            reason: row.reason,
            detail: row.detail,
            isStale: row.stale,
            totalMs: row.decided_ms,
          },
        }),
    ...(asOf === null
      ? {}
      : {
          probe: {
            asOf,
            outcome: row.outcome,
            reason: row.probe_reason,
            totalMs: row.total_us === null ? null : row.total_us / 1000,
          },
        }),
  }
}
