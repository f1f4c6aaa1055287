/**
 * Brings the configuration of owned shards into the scheduler, by level: it reads the versions of their pools, loads the
 * pools whose version differs from the one that runs, and forgets pools that are gone. It looks shortly after a NOTIFY and
 * once a second in case none came, so that a lost notification costs a second and never leaves a wrong state.
 */
import type { PoolChecks } from '../domain/check.ts'
import { CONFIG_COALESCE_MS, CONFIG_POLL_MS, CONFIG_POOLS_PER_LOAD } from '../domain/limits.ts'
import type { Log } from './log.ts'

export interface ConfigStore {
  readVersions(
    shards: readonly number[],
  ): Promise<readonly { readonly poolId: string; readonly shard: number; readonly configVersion: number }[]>
  loadPools(poolIds: readonly string[]): Promise<readonly PoolChecks[]>
}

export interface ConfigSyncOptions {
  readonly store: ConfigStore
  readonly isHeld: (shard: number) => boolean
  readonly applyPool: (pool: PoolChecks) => void
  readonly removePool: (poolId: string) => void
  readonly log: Log
}

export class ConfigSync {
  readonly #options: ConfigSyncOptions
  /** What runs: pool → shard and version. */
  readonly #running = new Map<string, { readonly shard: number; readonly configVersion: number }>()
  readonly #held = new Set<number>()
  readonly #changed = new Set<number>()
  #timer: NodeJS.Timeout | undefined
  #wakesAt = Number.POSITIVE_INFINITY
  #nextFullPassAt = 0
  #passing: Promise<void> | undefined
  #isAway = false
  #isStopped = false

  constructor(options: ConfigSyncOptions) {
    this.#options = options
  }

  /** Loads these shards at once, and keeps them up to date. */
  addShards(shards: Iterable<number>): void {
    for (const shard of shards) {
      this.#held.add(shard)
      this.#changed.add(shard)
    }
    this.#wake(0)
  }

  /** Forgets these shards; what runs of them is the caller's to stop. */
  dropShards(shards: ReadonlySet<number>): void {
    for (const shard of shards) {
      this.#held.delete(shard)
      this.#changed.delete(shard)
    }
    for (const [poolId, pool] of this.#running) if (shards.has(pool.shard)) this.#running.delete(poolId)
  }

  /** A notification came: its payload names the shard. Anything else means "look at everything". */
  readonly notify = (payload: string): void => {
    const shard = /^\d{1,3}$/.test(payload) ? Number(payload) : undefined
    if (shard === undefined) for (const each of this.#held) this.#changed.add(each)
    else if (this.#held.has(shard)) this.#changed.add(shard)
    if (this.#changed.size > 0) this.#wake(CONFIG_COALESCE_MS)
  }

  destroy(): void {
    this.#isStopped = true
    clearTimeout(this.#timer)
  }

  async close(): Promise<void> {
    this.destroy()
    await this.#passing
  }

  #wake(inMs: number): void {
    if (this.#isStopped || this.#passing !== undefined) return
    const at = performance.now() + inMs
    if (at >= this.#wakesAt) return
    clearTimeout(this.#timer)
    this.#wakesAt = at
    this.#timer = setTimeout(() => {
      this.#wakesAt = Number.POSITIVE_INFINITY
      this.#passing = this.#passOnce().finally(() => {
        this.#passing = undefined
        const pollMs = Math.max(0, this.#nextFullPassAt - performance.now())
        this.#wake(this.#changed.size > 0 && !this.#isAway ? Math.min(pollMs, CONFIG_COALESCE_MS) : pollMs)
      })
    }, inMs)
  }

  async #passOnce(): Promise<void> {
    const isFull = performance.now() >= this.#nextFullPassAt
    if (isFull) this.#nextFullPassAt = performance.now() + CONFIG_POLL_MS
    const shards = [...(isFull ? this.#held : this.#changed)]
    this.#changed.clear()
    if (shards.length === 0) return
    try {
      await this.#pass(shards)
      if (this.#isAway) this.#options.log.info({}, 'the configuration is read again')
      this.#isAway = false
    } catch (error) {
      for (const shard of shards) if (this.#held.has(shard)) this.#changed.add(shard)
      if (!this.#isAway)
        this.#options.log.warn({ err: error }, 'the configuration cannot be read; the last one goes on')
      this.#isAway = true
      this.#nextFullPassAt = performance.now() + CONFIG_POLL_MS
    }
  }

  async #pass(shards: readonly number[]): Promise<void> {
    const versions = await this.#options.store.readVersions(shards)
    const found = new Set(versions.map((version) => version.poolId))
    const looked = new Set(shards)
    for (const [poolId, pool] of this.#running) {
      if (looked.has(pool.shard) && !found.has(poolId)) this.#forget(poolId)
    }
    const differing = versions.filter(
      ({ poolId, configVersion }) => this.#running.get(poolId)?.configVersion !== configVersion,
    )
    for (let from = 0; from < differing.length; from += CONFIG_POOLS_PER_LOAD) {
      await this.#load(differing.slice(from, from + CONFIG_POOLS_PER_LOAD).map((version) => version.poolId))
    }
  }

  async #load(poolIds: readonly string[]): Promise<void> {
    const pools = await this.#options.store.loadPools(poolIds)
    const found = new Set<string>()
    for (const pool of pools) {
      found.add(pool.poolId)
      // The shard may have been lost or given back while the statement ran.
      if (!this.#held.has(pool.shard) || !this.#options.isHeld(pool.shard) || this.#isStopped) continue
      this.#running.set(pool.poolId, { shard: pool.shard, configVersion: pool.configVersion })
      this.#options.applyPool(pool)
    }
    for (const poolId of poolIds) if (!found.has(poolId)) this.#forget(poolId)
  }

  #forget(poolId: string): void {
    this.#running.delete(poolId)
    this.#options.removePool(poolId)
  }
}
