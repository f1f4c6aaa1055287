/** The present state of the whole service, in one statement. */
import type { ServiceFacts } from '../../domain/prober/service-facts.ts'
import { IS_EXPIRING } from './certificates.ts'
import { type Db, query } from '../connection/database.ts'

/**
 * Counts the members that are probed, not those that the configuration excludes. NO_MONITOR of a probed member is its
 * status from before it had a monitor: it has no verdict yet.
 */
export async function readServiceFacts(db: Db): Promise<ServiceFacts> {
  const rows = await query<ServiceFacts>(
    db,
    `select alive.probers, alive.unwritten, shards.unowned as "shardsUnowned", members.*, certificates.*
     from (
       select count(*)::int as probers, coalesce(sum((facts ->> 'unwritten')::float8), 0) as unwritten
       from prober where lease_until > now()
     ) alive
     cross join (
       select count(*)::int as unowned
       from shard s where not exists (select from prober p where p.id = s.owner and p.lease_until > now())
     ) shards
     cross join (
       select count(*) filter (where state = 'ONLINE')::int as online,
         count(*) filter (where state = 'OFFLINE')::int as offline,
         count(*) filter (where state = 'UNKNOWN' and reason <> 'PROVIDER_NOT_PROBED' or state = 'NO_MONITOR' and pending)::int
           as unknown,
         count(*) filter (where stale)::int as stale
       from member_status
     ) members
     cross join (
       select count(*)::int as "certificatesExpiring",
         count(*) filter (where not_after <= now())::int as "certificatesExpired"
       from shown_certificate where ${IS_EXPIRING}
     ) certificates`,
  )
  const [facts] = rows
  if (facts === undefined) throw new Error('a statement of aggregates has a row')
  return facts
}
