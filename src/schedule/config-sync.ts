/**
 * Brings the configuration of owned shards into the scheduler, by level: it reads the versions of their pools, loads
 * the pools whose version differs from the one that runs, and forgets pools that are gone. It looks shortly after a
 * NOTIFY and once a second anyway, so that a lost notification costs one second.
 *
 * Loading never delays probing or the heartbeat: each statement reads some members, project by project in turn
 * (load-queue.ts), and its rows are applied in slices of a few milliseconds. Changes are looked for between statements,
 * so that no change waits until a whole share of shards is loaded.
 *
 * A pool that cannot be loaded does not affect others: it is loaded alone, and if that fails, again when it changes or
 * after a minute. Its running checks go on, and its shard counts as loaded.
 */
import { setTimeout as wait } from 'node:timers/promises'
import type { PoolChecks } from '../domain/prober/check.ts'
import {
  CONFIG_CHECKS_PER_LOAD,
  CONFIG_CHECKS_PER_SLICE,
  CONFIG_COALESCE_MS,
  CONFIG_GIVEN_UP_MS,
  CONFIG_POLL_MS,
  CONFIG_SLICE_MS,
} from '../domain/limits.ts'
import { LoadQueue, type WaitingPool } from './load-queue.ts'
import type { Log } from './log.ts'

export interface ConfigStore {
  readVersions(
    shards: readonly number[],
  ): Promise<readonly { readonly poolId: string; readonly shard: number; readonly configVersion: number }[]>
  /** Of those of these pools that there are. */
  readSizes(
    poolIds: readonly string[],
  ): Promise<readonly { readonly poolId: string; readonly projectId: string; readonly members: number }[]>
  loadPools(poolIds: readonly string[]): Promise<readonly PoolChecks[]>
  /**
   * The next `limit` members of one pool in the order of their ids, after a member or from the first on. undefined: there is no
   * such pool.
   */
  loadMembers(poolId: string, after: string | undefined, limit: number): Promise<PoolPart | undefined>
}

/** Some of the checks of a pool, and the member after which it goes on; undefined = there are no more. */
export interface PoolPart {
  readonly pool: PoolChecks
  readonly lastMember: string | undefined
}

export interface ConfigSyncOptions {
  readonly store: ConfigStore
  readonly isHeld: (shard: number) => boolean
  /** Some checks of a pool: they are added, or changed where they run already. */
  readonly applyChecks: (pool: PoolChecks) => void
  /** The pool is complete: its other running checks end. */
  readonly completePool: (pool: Omit<PoolChecks, 'checks'>, members: ReadonlySet<string>) => void
  readonly removePool: (poolId: string) => void
  /** All shards that were added are loaded. */
  readonly onLoaded: () => void
  /** Whether an error says that PostgreSQL is away, as opposed to something about what was read. */
  readonly isAway: (error: unknown) => boolean
  readonly log: Log
  /** Monotonic milliseconds. */
  readonly now?: () => number
  /** Lets the event loop turn. */
  readonly rest?: (ms: number) => Promise<unknown>
}

/** What waits to be loaded. Of shards whose pools were not read yet, the members are not known. */
export interface Loading {
  readonly shards: number
  readonly checks: number
}

interface PartlyLoaded {
  readonly shard: number
  /** As of its first members: a change meanwhile is another version, so it is loaded again. */
  readonly configVersion: number
  readonly members: Set<string>
  after: string | undefined
}

export class ConfigSync {
  readonly #options: ConfigSyncOptions
  readonly #now: () => number
  readonly #rest: (ms: number) => Promise<unknown>
  /** What runs: pool → shard and version. */
  readonly #running = new Map<string, { readonly shard: number; readonly configVersion: number }>()
  /**
   * Owned shards, each with the number of its claim: rows that were read before a loss do not count after the next
   * claim.
   */
  readonly #held = new Map<number, number>()
  /** Held shards that are not loaded yet, and whether their pools are known. */
  readonly #loading = new Map<number, 'unread' | 'read'>()
  readonly #changed = new Set<number>()
  readonly #queue = new LoadQueue()
  /** Large pools of which some members are loaded. */
  readonly #partial = new Map<string, PartlyLoaded>()
  /** Pools that could not be loaded, not even alone. */
  readonly #givenUp = new Map<
    string,
    Pick<WaitingPool, 'shard' | 'configVersion'> & { readonly untilMs: number }
  >()
  #gains = 0
  #timer: NodeJS.Timeout | undefined
  #wakesAt = Number.POSITIVE_INFINITY
  #nextPollAt = 0
  #changedDueAt = 0
  #sliceStartMs = 0
  #working: Promise<void> | undefined
  #isAway = false
  #isStopped = false

  constructor(options: ConfigSyncOptions) {
    this.#options = options
    this.#now = options.now ?? (() => performance.now())
    this.#rest = options.rest ?? ((ms) => wait(ms))
  }

  get loading(): Loading {
    return { shards: this.#loading.size, checks: this.#queue.members }
  }

  /** Whether all that is probed of a shard runs. */
  isLoaded(shard: number): boolean {
    return this.#held.has(shard) && !this.#loading.has(shard)
  }

  /** Loads these shards at once, and keeps them up to date. */
  addShards(shards: Iterable<number>): void {
    this.#gains++
    for (const shard of shards) {
      this.#held.set(shard, this.#gains)
      this.#loading.set(shard, 'unread')
      this.#changed.add(shard)
    }
    this.#changedDueAt = 0
    this.#wake(0)
  }

  /** Forgets these shards; the caller stops their checks. What was not loaded yet costs nothing. */
  dropShards(shards: ReadonlySet<number>): void {
    for (const shard of shards) {
      this.#held.delete(shard)
      this.#changed.delete(shard)
      this.#loading.delete(shard)
    }
    this.#queue.dropShards(shards)
    for (const pools of [this.#running, this.#partial, this.#givenUp]) {
      for (const [poolId, { shard }] of pools) if (shards.has(shard)) pools.delete(poolId)
    }
  }

  /** A notification came: its payload names the shard. Anything else means "look at everything". */
  readonly notify = (payload: string): void => {
    const shard = /^\d{1,3}$/.test(payload) ? Number(payload) : undefined
    if (this.#changed.size === 0) this.#changedDueAt = this.#now() + CONFIG_COALESCE_MS
    if (shard === undefined) for (const each of this.#held.keys()) this.#changed.add(each)
    else if (this.#held.has(shard)) this.#changed.add(shard)
    if (this.#changed.size > 0) this.#wake(Math.max(0, this.#changedDueAt - this.#now()))
  }

  destroy(): void {
    this.#isStopped = true
    clearTimeout(this.#timer)
  }

  async close(): Promise<void> {
    this.destroy()
    await this.#working
  }

  #wake(inMs: number): void {
    if (this.#isStopped || this.#working !== undefined) return
    const at = this.#now() + inMs
    if (at >= this.#wakesAt) return
    clearTimeout(this.#timer)
    this.#wakesAt = at
    this.#timer = setTimeout(() => {
      this.#wakesAt = Number.POSITIVE_INFINITY
      this.#working = this.#work().finally(() => {
        this.#working = undefined
        this.#wake(this.#idleMs())
      })
    }, inMs)
  }

  /** Milliseconds until there is something to do. */
  #idleMs(): number {
    const pollMs = Math.max(0, this.#nextPollAt - this.#now())
    if (this.#isAway || this.#changed.size === 0) return pollMs
    return Math.min(pollMs, Math.max(0, this.#changedDueAt - this.#now()))
  }

  /** Looks, and loads all that waits; never rejects. */
  async #work(): Promise<void> {
    while (!this.#isStopped) {
      if (!(await this.#attempt(() => this.#look(this.#due())))) return
      const turn = this.#queue.take()
      if (turn.length === 0) break
      if (!(await this.#attempt(() => this.#loadTurn(turn)))) return
      this.#noteLoaded(turn.map(({ shard }) => shard))
    }
  }

  /** `part` records whether a statement was answered. */
  async #attempt(part: () => Promise<boolean>): Promise<boolean> {
    try {
      if (!(await part())) return true
      if (this.#isAway) this.#options.log.info({}, 'the configuration is read again')
      this.#isAway = false
      return true
    } catch (error) {
      if (!this.#isAway)
        this.#options.log.warn({ err: error }, 'the configuration cannot be read; the last one goes on')
      this.#isAway = true
      this.#nextPollAt = this.#now() + CONFIG_POLL_MS
      return false
    }
  }

  /** The shards to look at now. */
  #due(): readonly number[] {
    const nowMs = this.#now()
    if (nowMs >= this.#nextPollAt) {
      this.#nextPollAt = nowMs + CONFIG_POLL_MS
      return [...this.#held.keys()]
    }
    return nowMs >= this.#changedDueAt ? [...this.#changed] : []
  }

  /** Reads which pools these shards have, and queues those whose version is not the running one. */
  async #look(shards: readonly number[]): Promise<boolean> {
    if (shards.length === 0) return false
    for (const shard of shards) this.#changed.delete(shard)
    try {
      await this.#compare(new Set(shards))
    } catch (error) {
      for (const shard of shards) if (this.#held.has(shard)) this.#changed.add(shard)
      throw error
    }
    this.#noteLoaded(shards)
    return true
  }

  async #compare(shards: ReadonlySet<number>): Promise<void> {
    const { store } = this.#options
    const gains = new Map(this.#held)
    const versions = await store.readVersions([...shards])
    const found = new Set(versions.map((version) => version.poolId))
    for (const pools of [this.#running, this.#givenUp]) {
      for (const [poolId, { shard }] of pools)
        if (shards.has(shard) && !found.has(poolId)) this.#forget(poolId)
    }
    const differing = new Map(
      versions.filter((version) => this.#isToBeLoaded(version)).map((version) => [version.poolId, version]),
    )
    const sizes = differing.size === 0 ? [] : await store.readSizes([...differing.keys()])
    for (const size of sizes) {
      const version = differing.get(size.poolId)
      if (version !== undefined && this.#isWanted(version.shard, gains.get(version.shard)))
        this.#queue.add({ ...version, ...size }, this.#running.has(size.poolId))
    }
    for (const shard of shards) {
      if (this.#loading.has(shard) && this.#held.get(shard) === gains.get(shard))
        this.#loading.set(shard, 'read')
    }
  }

  /** Shards of which nothing waits any more are loaded. */
  #noteLoaded(shards: readonly number[]): void {
    if (this.#loading.size === 0) return
    for (const shard of shards) {
      if (this.#loading.get(shard) === 'read' && this.#queue.countOf(shard) === 0) this.#loading.delete(shard)
    }
    if (this.#loading.size === 0) this.#options.onLoaded()
  }

  /** Loads these, or finds out which of them cannot be loaded. Rejects when PostgreSQL is away. */
  async #loadTurn(turn: readonly WaitingPool[]): Promise<true> {
    const gains = new Map(this.#held)
    try {
      await this.#load(turn)
    } catch (error) {
      const wanted = turn.filter(({ shard }) => this.#isWanted(shard, gains.get(shard)))
      const isAway = this.#options.isAway(error)
      if (isAway || turn.length > 1) this.#queue.putBack(wanted)
      else for (const pool of wanted) this.#giveUp(pool, error)
      if (isAway) throw error
    }
    return true
  }

  #giveUp({ poolId, shard, projectId, configVersion }: WaitingPool, error: unknown): void {
    // Logged once, however often the pool changes or is tried again.
    if (!this.#givenUp.has(poolId))
      this.#options.log.error(
        { err: error, pool_id: poolId, project_id: projectId },
        'a pool cannot be loaded; what ran of it goes on, until it changes',
      )
    this.#partial.delete(poolId)
    this.#givenUp.set(poolId, { shard, configVersion, untilMs: this.#now() + CONFIG_GIVEN_UP_MS })
    this.#queue.loadAlone(poolId, shard)
  }

  #isToBeLoaded({ poolId, configVersion }: Pick<WaitingPool, 'poolId' | 'configVersion'>): boolean {
    const givenUp = this.#givenUp.get(poolId)
    if (givenUp?.configVersion === configVersion && this.#now() < givenUp.untilMs) return false
    return this.#running.get(poolId)?.configVersion !== configVersion
  }

  async #load(turn: readonly WaitingPool[]): Promise<void> {
    const [only] = turn
    if (turn.length === 1 && only !== undefined && only.members > CONFIG_CHECKS_PER_LOAD) {
      await this.#loadSome(only)
      return
    }
    const gains = new Map(this.#held)
    const pools = await this.#options.store.loadPools(turn.map(({ poolId }) => poolId))
    this.#sliceStartMs = this.#now()
    const found = new Set<string>()
    for (const pool of pools) {
      found.add(pool.poolId)
      const members = new Set<string>()
      if (await this.#apply(pool, gains.get(pool.shard), members)) this.#complete(pool, members)
    }
    for (const { poolId } of turn) if (!found.has(poolId)) this.#forget(poolId)
    await this.#rest(0)
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
    const gain = this.#held.get(shard)
    const part = await this.#options.store.loadMembers(poolId, partial.after, CONFIG_CHECKS_PER_LOAD)
    this.#sliceStartMs = this.#now()
    if (part === undefined) {
      this.#forget(poolId)
      return
    }
    if (!(await this.#apply(part.pool, gain, partial.members))) return
    partial.after = part.lastMember
    if (part.lastMember === undefined) {
      this.#partial.delete(poolId)
      this.#complete({ ...part.pool, configVersion: partial.configVersion }, partial.members)
    } else {
      this.#partial.set(poolId, partial)
      this.#queue.add(waiting, this.#running.has(poolId))
    }
    await this.#rest(0)
  }

  /** Applies checks slice by slice and notes their members; false when the shard was lost meanwhile. */
  async #apply(pool: PoolChecks, gain: number | undefined, members: Set<string>): Promise<boolean> {
    const { checks } = pool
    for (let from = 0; from === 0 || from < checks.length; from += CONFIG_CHECKS_PER_SLICE) {
      // It may have been lost or given back while the statement ran, or between two slices.
      if (!this.#isWanted(pool.shard, gain)) return false
      const slice = checks.slice(from, from + CONFIG_CHECKS_PER_SLICE)
      for (const { config } of slice) members.add(config.memberId)
      this.#options.applyChecks({ ...pool, checks: slice })
      const tookMs = this.#now() - this.#sliceStartMs
      if (tookMs >= CONFIG_SLICE_MS) {
        await this.#rest(tookMs)
        this.#sliceStartMs = this.#now()
      }
    }
    return this.#isWanted(pool.shard, gain)
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

  #isWanted(shard: number, gain: number | undefined): boolean {
    return (
      gain !== undefined && this.#held.get(shard) === gain && this.#options.isHeld(shard) && !this.#isStopped
    )
  }

  #forget(poolId: string): void {
    this.#running.delete(poolId)
    this.#partial.delete(poolId)
    this.#givenUp.delete(poolId)
    this.#queue.remove(poolId)
    this.#options.removePool(poolId)
  }
}
