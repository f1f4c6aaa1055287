import { SHARD_COUNT } from '../limits.ts'

/**
 * The shard that owns a pool, 0..255: the last byte of its id, which is random in every UUID version that we or a
 * restore could have made (the first bytes of a v7 are a clock).
 */
export function shardOf(poolId: string): number {
  return Number.parseInt(poolId.slice(-2), 16) % SHARD_COUNT
}
