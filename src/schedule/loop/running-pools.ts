/**
 * The pools that a prober runs, with their checks: by pool, and by shard. A removed pool is gone at once for every
 * caller; releasing what its checks hold takes longer, and is done in slices (`leaving`).
 */
import type { PoolChecks } from '../../domain/prober/check.ts'
import type { Check } from './check.ts'

export interface RunningPool {
  readonly poolId: string
  readonly shard: number
  /** By member. */
  readonly checks: Map<string, Check>
  /** Nothing of it is probed any more. */
  isGone: boolean
}

export class RunningPools {
  /** Also removed pools, until their checks are released or the pool comes back. */
  readonly #pools = new Map<string, RunningPool>()
  readonly #shards = new Map<number, Set<RunningPool>>()
  /** Removed pools with checks that must still be released. */
  readonly #leaving: RunningPool[] = []

  get(poolId: string): RunningPool | undefined {
    const pool = this.#pools.get(poolId)
    return pool?.isGone === false ? pool : undefined
  }

  /** The pool, made when it is not there yet. */
  take({ poolId, shard }: PoolChecks): RunningPool {
    const known = this.get(poolId)
    if (known !== undefined) return known
    const pool: RunningPool = { poolId, shard, checks: new Map(), isGone: false }
    this.#pools.set(poolId, pool)
    this.#shards.set(shard, (this.#shards.get(shard) ?? new Set()).add(pool))
    return pool
  }

  /** Lets a pool go. */
  drop(pool: RunningPool): void {
    const ofShard = this.#shards.get(pool.shard)
    ofShard?.delete(pool)
    if (ofShard?.size === 0) this.#shards.delete(pool.shard)
    this.#leave(pool)
  }

  /** Lets all pools of a shard go. */
  dropShard(shard: number): void {
    for (const pool of this.ofShard(shard)) this.#leave(pool)
    this.#shards.delete(shard)
  }

  /** Whether checks of pools that are gone are still to be released. */
  get hasLeaving(): boolean {
    return this.#leaving.length > 0
  }

  /** The checks of removed pools, one after the other; the caller removes each from its pool. */
  *leaving(): Iterable<readonly [Check, RunningPool]> {
    for (let pool = this.#leaving.at(-1); pool !== undefined; pool = this.#leaving.at(-1)) {
      for (const check of pool.checks.values()) yield [check, pool]
      this.#leaving.pop()
      if (this.#pools.get(pool.poolId) === pool) this.#pools.delete(pool.poolId)
    }
  }

  ofShard(shard: number): Iterable<RunningPool> {
    return this.#shards.get(shard) ?? []
  }

  /** Of all pools that run. */
  *checks(): Iterable<Check> {
    for (const pool of this.#pools.values()) if (!pool.isGone) yield* pool.checks.values()
  }

  #leave(pool: RunningPool): void {
    pool.isGone = true
    this.#leaving.push(pool)
  }
}
