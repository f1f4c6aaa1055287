/** The pools that a prober runs, with their checks: by pool, and by shard. */
import type { PoolChecks } from '../domain/check.ts'
import type { Check } from './check.ts'

export interface RunningPool {
  readonly poolId: string
  readonly shard: number
  /** By member. */
  readonly checks: Map<string, Check>
}

export class RunningPools {
  readonly #pools = new Map<string, RunningPool>()
  readonly #shards = new Map<number, Set<RunningPool>>()

  get(poolId: string): RunningPool | undefined {
    return this.#pools.get(poolId)
  }

  /** The pool, made when it is not there yet. */
  take({ poolId, shard }: PoolChecks): RunningPool {
    const known = this.#pools.get(poolId)
    if (known !== undefined) return known
    const pool: RunningPool = { poolId, shard, checks: new Map() }
    this.#pools.set(poolId, pool)
    this.#shards.set(shard, (this.#shards.get(shard) ?? new Set()).add(pool))
    return pool
  }

  delete(pool: RunningPool): void {
    this.#pools.delete(pool.poolId)
    const ofShard = this.#shards.get(pool.shard)
    ofShard?.delete(pool)
    if (ofShard?.size === 0) this.#shards.delete(pool.shard)
  }

  ofShard(shard: number): Iterable<RunningPool> {
    return this.#shards.get(shard) ?? []
  }

  *checks(): Iterable<Check> {
    for (const pool of this.#pools.values()) yield* pool.checks.values()
  }
}
