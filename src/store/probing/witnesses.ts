/** What other sites see of members (ADR 38): their votes that count, and whether most targets fail there too. */
import type { Witness } from '../../domain/site/witnesses.ts'
import { type Db, query } from '../connection/database.ts'

/** The other sites that vote on some of these members. */
export async function readWitnesses(
  db: Db,
  site: string,
  memberIds: readonly string[],
): Promise<readonly Witness[]> {
  return await query<Witness>(
    db,
    `select v.site, count(*) filter (where v.status = 'ONLINE')::int as online,
       count(*) filter (where v.status = 'OFFLINE')::int as offline,
       exists (
         select from prober p
         where p.site = v.site and p.lease_until > now() and p.facts->'breaker'->>'massFailing' = 'true'
       ) as "isMassFailing"
     from member_site_state v
     where v.member_id = any($2::uuid[]) and v.site <> $1 and not v.stale
       and not exists (select from site_loss l where l.site = v.site and l.shard = v.shard and l.is_lost)
     group by v.site`,
    [site, memberIds],
  )
}
