/**
 * Loads pools whose version differs from the one that runs, so that loading never delays probing: each statement reads
 * some members, project by project in turn (load-queue.ts), and its rows are applied in slices of a few milliseconds.
 *
 * A pool that cannot be loaded does not affect others: it is loaded alone, and if that fails, again when it changes or
 * after a minute. Its running checks go on, and its shard counts as loaded.
 */
import {
  CONFIG_CHECKS_PER_LOAD,
  CONFIG_CHECKS_PER_SLICE,
  CONFIG_GIVEN_UP_MS,
  CONFIG_SLICE_MS,
} from '../../domain/limits.ts'
import type { PoolChecks } from '../../domain/prober/check.ts'
import type { AcquiredShards } from './acquired-shards.ts'
import type { ConfigSyncOptions } from './config-sync-options.ts'
import { LoadQueue, type WaitingPool } from './load-queue.ts'

interface PartlyLoaded {
  readonly shard: number
  /** As of its first members: a change meanwhile is another version, so it is loaded again. */
  readonly configVersion: number
  readonly members: Set<string>
  after: string | undefined
}

interface Options extends Required<ConfigSyncOptions> {
  /** A pool of this shard was not applied, because the shard seems to be lost: its pools are to be compared again. */
  readonly onAbandoned: (shard: number) => void
}

type Version = Pick<WaitingPool, 'shard' | 'configVersion'>

export class PoolLoader {
  readonly #options: Options
  readonly #shards: AcquiredShards
  readonly #queue = new LoadQueue()
  /** What runs: pool → shard and version. */
  readonly #running = new Map<string, Version>()
  /** Large pools of which some members are loaded. */
  readonly #partial = new Map<string, PartlyLoaded>()
  /** Pools that could not be loaded, not even alone. */
  readonly #givenUp = new Map<string, Version & { readonly untilMs: number }>()
  #sliceStartMs = 0
  #isStopped = false

  constructor(options: Options, shards: AcquiredShards) {
    this.#options = options
    this.#shards = shards
  }

  /** Members of the pools that wait. */
  get waitingMembers(): number {
    return this.#queue.members
  }

  /** The version of a pool that runs; undefined = none. */
  versionOf(poolId: string): number | undefined {
    return this.#running.get(poolId)?.configVersion
  }

  /** Whether a pool of this shard waits. */
  waits(shard: number): boolean {
    return this.#queue.countOf(shard) > 0
  }

  /** Whether this version of a pool is not the running one, and not one that cannot be loaded. */
  isToBeLoaded({ poolId, configVersion }: Pick<WaitingPool, 'poolId' | 'configVersion'>): boolean {
    const givenUp = this.#givenUp.get(poolId)
    if (givenUp?.configVersion === configVersion && this.#options.now() < givenUp.untilMs) return false
    return this.#running.get(poolId)?.configVersion !== configVersion
  }

  /** Shards with a pool that could not be loaded and is to be tried again now. */
  shardsToTryAgain(): ReadonlySet<number> {
    const nowMs = this.#options.now()
    const due = [...this.#givenUp.values()].filter(({ untilMs }) => nowMs >= untilMs)
    return new Set(due.map(({ shard }) => shard))
  }

  /** Queues a pool, unless its shard was lost since that acquisition. */
  add(pool: WaitingPool, acquisition: number | undefined): void {
    if (this.#isWanted(pool.shard, acquisition)) this.#queue.add(pool, this.#running.has(pool.poolId))
    else this.#options.onAbandoned(pool.shard)
  }

  /** What is loaded next; empty when nothing waits. */
  take(): readonly WaitingPool[] {
    return this.#queue.take()
  }

  /** Loads these, or finds out which of them cannot be loaded. Rejects when PostgreSQL is away. */
  async load(pools: readonly WaitingPool[]): Promise<void> {
    const acquisitions = this.#shards.acquisitions()
    try {
      const [only] = pools
      if (pools.length === 1 && only !== undefined && only.members > CONFIG_CHECKS_PER_LOAD)
        await this.#loadSome(only)
      else await this.#loadWhole(pools)
    } catch (error) {
      const isWanted = ({ shard }: WaitingPool) => this.#isWanted(shard, acquisitions.get(shard))
      for (const pool of pools) if (!isWanted(pool)) this.#options.onAbandoned(pool.shard)
      const wanted = pools.filter(isWanted)
      const isAway = this.#options.isAway(error)
      if (isAway || pools.length > 1) this.#queue.putBack(wanted)
      else for (const pool of wanted) this.#giveUp(pool, error)
      if (isAway) throw error
    }
  }

  /** Forgets the pools of these shards that are not among those that there are. */
  removeMissing(shards: ReadonlySet<number>, found: ReadonlySet<string>): void {
    for (const pools of [this.#running, this.#givenUp]) {
      for (const [poolId, { shard }] of pools)
        if (shards.has(shard) && !found.has(poolId)) this.#forget(poolId)
    }
  }

  /** Forgets these shards; the caller stops their checks. What was not loaded yet costs nothing. */
  dropShards(shards: ReadonlySet<number>): void {
    this.#queue.dropShards(shards)
    for (const pools of [this.#running, this.#partial, this.#givenUp]) {
      for (const [poolId, { shard }] of pools) if (shards.has(shard)) pools.delete(poolId)
    }
  }

  /** What is being loaded is not applied any more. */
  destroy(): void {
    this.#isStopped = true
  }

  async #loadWhole(waiting: readonly WaitingPool[]): Promise<void> {
    const acquisitions = this.#shards.acquisitions()
    const pools = await this.#options.store.loadPools(waiting.map(({ poolId }) => poolId))
    this.#sliceStartMs = this.#options.now()
    const found = new Set<string>()
    for (const pool of pools) {
      found.add(pool.poolId)
      const members = new Set<string>()
      if (await this.#apply(pool, acquisitions.get(pool.shard), members)) this.#complete(pool, members)
    }
    for (const { poolId } of waiting) if (!found.has(poolId)) this.#forget(poolId)
    await this.#options.rest(0)
  }

  /** Loads the next members of a large pool; until all are loaded, the pool waits for its next turn. */
  async #loadSome(waiting: WaitingPool): Promise<void> {
    const { poolId, shard, configVersion } = waiting
    const partial = this.#partial.get(poolId) ?? {
      shard,
      configVersion,
      members: new Set<string>(),
      after: undefined,
    }
    const acquisition = this.#shards.acquisitionOf(shard)
    const part = await this.#options.store.loadMembers(poolId, partial.after, CONFIG_CHECKS_PER_LOAD)
    this.#sliceStartMs = this.#options.now()
    if (part === undefined) {
      this.#forget(poolId)
      return
    }
    if (!(await this.#apply(part.pool, acquisition, partial.members))) return
    partial.after = part.lastMember
    if (part.lastMember === undefined) {
      this.#partial.delete(poolId)
      this.#complete({ ...part.pool, configVersion: partial.configVersion }, partial.members)
    } else {
      this.#partial.set(poolId, partial)
      this.#queue.add(waiting, this.#running.has(poolId))
    }
    await this.#options.rest(0)
  }

  /** Applies checks slice by slice and notes their members; false when the shard was lost meanwhile. */
  async #apply(pool: PoolChecks, acquisition: number | undefined, members: Set<string>): Promise<boolean> {
    const { checks } = pool
    for (let from = 0; from === 0 || from < checks.length; from += CONFIG_CHECKS_PER_SLICE) {
      // It may have been lost or given back while the statement ran, or between two slices.
      if (!this.#isWanted(pool.shard, acquisition)) break
      const slice = checks.slice(from, from + CONFIG_CHECKS_PER_SLICE)
      for (const { config } of slice) members.add(config.memberId)
      this.#options.applyChecks({ ...pool, checks: slice })
      const tookMs = this.#options.now() - this.#sliceStartMs
      if (tookMs >= CONFIG_SLICE_MS) {
        await this.#options.rest(tookMs)
        this.#sliceStartMs = this.#options.now()
      }
    }
    if (this.#isWanted(pool.shard, acquisition)) return true
    this.#options.onAbandoned(pool.shard)
    return false
  }

  #complete(
    { poolId, shard, configVersion }: Omit<PoolChecks, 'checks'>,
    members: ReadonlySet<string>,
  ): void {
    this.#givenUp.delete(poolId)
    this.#queue.noteLoaded(poolId)
    this.#running.set(poolId, { shard, configVersion })
    this.#options.completePool({ poolId, shard, configVersion }, members)
  }

  #giveUp({ poolId, shard, projectId, configVersion }: WaitingPool, error: unknown): void {
    // Logged once, however often the pool changes or is tried again.
    if (!this.#givenUp.has(poolId))
      this.#options.log.error(
        { err: error, pool_id: poolId, project_id: projectId },
        'a pool cannot be loaded; what ran of it goes on, until it changes',
      )
    this.#partial.delete(poolId)
    const untilMs = this.#options.now() + CONFIG_GIVEN_UP_MS
    this.#givenUp.set(poolId, { shard, configVersion, untilMs })
    this.#queue.loadAlone(poolId, shard)
  }

  #forget(poolId: string): void {
    this.#running.delete(poolId)
    this.#partial.delete(poolId)
    this.#givenUp.delete(poolId)
    this.#queue.remove(poolId)
    this.#options.removePool(poolId)
  }

  #isWanted(shard: number, acquisition: number | undefined): boolean {
    return this.#shards.isHeldSince(acquisition, shard) && this.#options.isHeld(shard) && !this.#isStopped
  }
}
