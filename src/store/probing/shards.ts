/** Ownership of shards: leases of probers, claiming, releasing. All times are the database's. */
import { LOCAL_SITE } from '../../domain/limits.ts'
import type { Heartbeat, HeldShard } from '../../domain/prober/check.ts'
import { type Db, query } from '../connection/database.ts'
import { tablesOf } from './site-tables.ts'

export interface ProberIdentity {
  readonly id: string
  /** Absent = `local`. It shares shards with the probers of its site alone. */
  readonly site?: string
  readonly host: string
  readonly pid: number
  readonly leaseMs: number
  /** Milliseconds for which its contact has been unbroken; absent = 0. */
  readonly contactMs?: number
  /** Its present facts about itself; stored with the heartbeat for people (`GET /v1/probers`). */
  readonly facts?: object
}

/**
 * Renews the lease (or takes the first one) and returns the present ownership. A connection without an answer for a
 * lease is closed.
 */
export async function beat(db: Db, prober: ProberIdentity): Promise<Heartbeat> {
  const { site = LOCAL_SITE } = prober
  const { shard, ofSite, name } = tablesOf(site)
  await query(
    db,
    `insert into prober (id, host, pid, lease_until, facts, long_contact_at, site)
     values ($1, $2, $3, now() + $4 * interval '1 millisecond', $5::jsonb, now() + $6 * interval '1 millisecond', $7)
     on conflict (id) do update set lease_until = excluded.lease_until, beat_at = now(), facts = excluded.facts,
       long_contact_at = excluded.long_contact_at`,
    [
      prober.id,
      prober.host,
      prober.pid,
      prober.leaseMs,
      JSON.stringify(prober.facts ?? {}),
      prober.leaseMs - (prober.contactMs ?? 0),
      site,
    ],
    prober.leaseMs,
  )
  if (site !== LOCAL_SITE) await makeShards(db, site, prober.leaseMs)
  const [row] = await query<{
    live: number
    next_expiry_ms: number | null
    ids: number[]
    epochs: number[]
    free: number
    long: boolean
  }>(
    db,
    `select
       (select count(*) from prober where lease_until > now() and site = ${name}) as live,
       (select count(*) from ${shard} f where f.owner is null and ${ofSite('f')}) as free,
       exists (select from prober where lease_until > now() and long_contact_at <= now() and site = ${name}) as long,
       (select extract(epoch from min(lease_until) - now())::float8 * 1000 from prober
         where lease_until > now() and id <> $1 and site = ${name}) as next_expiry_ms,
       coalesce(array_agg(id::int order by id), '{}') as ids,
       coalesce(array_agg(epoch::float8 order by id), '{}') as epochs
     from ${shard} s where owner = $1 and ${ofSite('s')}`,
    [prober.id],
    prober.leaseMs,
  )
  if (row === undefined) throw new Error('an aggregate gives one row')
  return {
    liveProbers: row.live,
    nextExpiryMs: row.next_expiry_ms ?? undefined,
    held: row.ids.map((id, i) => ({ id, epoch: row.epochs[i] ?? 0 })),
    free: row.free,
    isContactLong: row.long,
  }
}

/** The shards of a site, when its first prober comes; and after a restore from before it came. */
async function makeShards(db: Db, site: string, withinMs: number): Promise<void> {
  await query(
    db,
    `insert into site_shard (site, id) select $1, s.id from shard s
     where not exists (select from site_shard o where o.site = $1)
     on conflict do nothing`,
    [site],
    withinMs,
  )
}

/**
 * Claims at most `count` shards of a site (absent = `local`) without an owner and, with `foreignToo`, those whose owner's lease has run out. The
 * epoch rises with each change of owner, so writes of the former owner are refused. Concurrent claimers skip each
 * other's shards.
 */
export async function claimShards(
  db: Db,
  claim: {
    readonly owner: string
    readonly count: number
    readonly foreignToo: boolean
    readonly site?: string
  },
): Promise<readonly HeldShard[]> {
  const { shard, ofSite } = tablesOf(claim.site ?? LOCAL_SITE)
  return await query<HeldShard>(
    db,
    `update ${shard} s set owner = $1, epoch = s.epoch + 1
     from (
       select f.id from ${shard} f
       where (f.owner is null
           or ($2 and not exists (select from prober p where p.id = f.owner and p.lease_until > now())))
         and ${ofSite('f')}
       order by f.id limit $3 for update skip locked
     ) free
     where s.id = free.id and ${ofSite('s')}
     returning s.id, s.epoch`,
    [claim.owner, claim.foreignToo, claim.count],
  )
}

/** Releases shards: they have no owner then. Shards that another prober has taken meanwhile are not changed. */
export async function releaseShards(
  db: Db,
  owner: string,
  ids: readonly number[],
  site: string = LOCAL_SITE,
): Promise<void> {
  const { shard, ofSite } = tablesOf(site)
  await query(
    db,
    `update ${shard} s set owner = null
     from (
       select m.id from ${shard} m
       where m.owner = $1 and m.id = any($2::smallint[]) and ${ofSite('m')} order by m.id for update
     ) mine
     where s.id = mine.id and ${ofSite('s')}`,
    [owner, ids],
  )
}

/** Ends a prober's lease, when the prober stops. */
export async function removeProber(db: Db, id: string): Promise<void> {
  await query(db, 'delete from prober where id = $1', [id])
}

/** Removes probers whose lease ran out `deadForMs` ago and that own nothing any more; returns how many. */
export async function removeDeadProbers(db: Db, deadForMs: number): Promise<number> {
  const rows = await query(
    db,
    `delete from prober p
     where p.lease_until < now() - $1 * interval '1 millisecond'
       and not exists (select from shard s where s.owner = p.id)
       and not exists (select from site_shard s where s.owner = p.id)
     returning p.id`,
    [deadForMs],
  )
  return rows.length
}
