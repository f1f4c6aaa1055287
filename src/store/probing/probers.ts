/** Statements on probers, for `GET /v1/probers`. */
import type { ProberFacts } from '../../domain/prober/prober-facts.ts'
import { type Db, query } from '../connection/database.ts'

export interface ProberRecord {
  readonly id: string
  readonly site: string
  readonly host: string
  readonly pid: number
  readonly startedAt: Date
  readonly beatAt: Date
  readonly leaseUntil: Date
  readonly isAlive: boolean
  readonly shards: readonly number[]
  /** As of `beatAt`; empty before the first. */
  readonly facts: Partial<ProberFacts>
}

/** At most `limit` probers, live ones first. Rows of dead ones are removed some leases later. */
export async function listProbers(db: Db, limit: number): Promise<readonly ProberRecord[]> {
  return await query<ProberRecord>(
    db,
    `select p.id, p.site, p.host, p.pid, p.started_at as "startedAt", p.beat_at as "beatAt", p.lease_until as "leaseUntil",
       p.lease_until > now() as "isAlive", p.facts,
       array(
         select s.id::int from shard s where s.owner = p.id
         union all
         select s.id::int from site_shard s where s.owner = p.id and s.site = p.site
         order by 1) as shards
     from prober p
     order by p.lease_until > now() desc, p.started_at, p.id limit $1`,
    [limit],
  )
}
