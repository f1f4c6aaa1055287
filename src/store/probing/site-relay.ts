/**
 * Statements of the relay of a site that reaches the service over NATS: what its own leases and heartbeats say is brought into
 * the tables in which those of other sites are, so that the fence, health and lost sites need not know.
 */
import { type Db, query } from '../connection/database.ts'

/** Makes the shards of the site, where there are none, and reads their epochs. */
export async function readSiteEpochs(db: Db, site: string): Promise<ReadonlyMap<number, number>> {
  await query(
    db,
    `insert into site_shard (site, id) select $1, s.id from shard s
     where not exists (select from site_shard o where o.site = $1)
     on conflict do nothing`,
    [site],
  )
  const rows = await query<{ id: number; epoch: number }>(
    db,
    'select id, epoch from site_shard where site = $1',
    [site],
  )
  return new Map(rows.map(({ id, epoch }) => [id, epoch]))
}

export interface SiteLease {
  readonly id: number
  readonly epoch: number
  readonly owner: string
}

/** Notes owners of shards, where the epoch is a later one than what is noted. */
export async function claimSiteShards(db: Db, site: string, leases: readonly SiteLease[]): Promise<void> {
  await query(
    db,
    `update site_shard s set owner = w.owner, epoch = w.epoch
     from (
       select m.id, l.owner, l.epoch
       from site_shard m
       join unnest($2::smallint[], $3::bigint[], $4::uuid[]) as l (id, epoch, owner) on l.id = m.id
       where m.site = $1 and m.epoch < l.epoch order by m.id for update of m
     ) w
     where s.site = $1 and s.id = w.id`,
    [site, ...columnsOf(leases)],
  )
}

/** Notes that these have no owner, where owner and epoch are what is noted. */
export async function releaseSiteShards(db: Db, site: string, leases: readonly SiteLease[]): Promise<void> {
  await query(
    db,
    `update site_shard s set owner = null
     from (
       select m.id
       from site_shard m
       join unnest($2::smallint[], $3::bigint[], $4::uuid[]) as l (id, epoch, owner)
         on l.id = m.id and l.epoch = m.epoch and l.owner = m.owner
       where m.site = $1 order by m.id for update of m
     ) w
     where s.site = $1 and s.id = w.id`,
    [site, ...columnsOf(leases)],
  )
}

export interface SiteProber {
  readonly id: string
  readonly host: string
  readonly pid: number
  readonly facts: object
  /** Milliseconds until its lease ends. */
  readonly leftMs: number
  /** Milliseconds until its contact will have been unbroken for a lease. */
  readonly longContactInMs: number
}

/** Renews the rows of probers, as their heartbeats over NATS say. */
export async function beatSiteProbers(db: Db, site: string, probers: readonly SiteProber[]): Promise<void> {
  await query(
    db,
    `insert into prober (id, host, pid, lease_until, facts, long_contact_at, site)
     select b.id, b.host, b.pid, now() + b.left_ms * interval '1 millisecond', b.facts,
       now() + b.long_ms * interval '1 millisecond', $1
     from unnest($2::uuid[], $3::text[], $4::integer[], $5::jsonb[], $6::float8[], $7::float8[])
       as b (id, host, pid, facts, left_ms, long_ms)
     order by b.id
     on conflict (id) do update set lease_until = excluded.lease_until, beat_at = now(), facts = excluded.facts,
       long_contact_at = excluded.long_contact_at
     where prober.site = excluded.site`,
    [
      site,
      probers.map(({ id }) => id),
      probers.map(({ host }) => host),
      probers.map(({ pid }) => pid),
      probers.map(({ facts }) => JSON.stringify(facts)),
      probers.map(({ leftMs }) => leftMs),
      probers.map(({ longContactInMs }) => longContactInMs),
    ],
  )
}

/** Ends the lease of a prober of the site. */
export async function removeSiteProber(db: Db, site: string, id: string): Promise<void> {
  await query(db, 'delete from prober where id = $1 and site = $2', [id, site])
}

/** Columns $2 to $4. */
function columnsOf(leases: readonly SiteLease[]): readonly unknown[] {
  return [leases.map(({ id }) => id), leases.map(({ epoch }) => epoch), leases.map(({ owner }) => owner)]
}
