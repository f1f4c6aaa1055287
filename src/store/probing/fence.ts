/**
 * The fence of what probers write by shard: only rows of shards that the prober holds at the epoch of the row. `held`
 * locks the rows of those shards: while another prober takes one over, the statement waits and then sees the new epoch.
 */
import { tablesOf } from './site-tables.ts'

/** Begins a statement of a site: `with ${heldShards(site)}, …`. Its bindings are the first three, of `fenceOf`. */
export function heldShards(site: string): string {
  const { shard, ofSite } = tablesOf(site)
  return `wanted as materialized (
  select * from unnest($1::smallint[], $2::bigint[]) as w (id, epoch)
), held as materialized (
  select s.id, s.epoch
  from ${shard} s join wanted w on w.id = s.id and w.epoch = s.epoch
  where s.owner = $3 and ${ofSite('s')}
  order by s.id
  for share of s
)`
}

/** A row that is written for a shard. */
export interface Fenced {
  readonly shard: number
  readonly epoch: number
}

/**
 * Bindings $1 to $3 of `HELD_SHARDS`. Rows may be from before a shard was lost and claimed again: only the present
 * epoch, the greatest, can be held.
 */
export function fenceOf(owner: string, rows: readonly Fenced[]): readonly unknown[] {
  const epochs = new Map<number, number>()
  for (const { shard, epoch } of rows) epochs.set(shard, Math.max(epoch, epochs.get(shard) ?? epoch))
  return [[...epochs.keys()], [...epochs.values()], owner]
}
