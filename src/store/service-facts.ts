/** What is true of the whole service at this moment, in one statement. */
import type { ServiceFacts } from '../domain/service-facts.ts'
import { type Db, query } from './database.ts'

/**
 * A member of a monitor that runs is counted; who is not probed for a reason of the configuration is not. NO_MONITOR of one that
 * is to be probed is what was published before its monitor was there: nothing is known of it yet.
 */
export async function readServiceFacts(db: Db): Promise<ServiceFacts> {
  const rows = await query<ServiceFacts>(
    db,
    `select alive.probers, alive.unwritten, shards.unowned as "shardsUnowned", members.*
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
     ) members`,
  )
  const [facts] = rows
  if (facts === undefined) throw new Error('a statement of aggregates has a row')
  return facts
}
