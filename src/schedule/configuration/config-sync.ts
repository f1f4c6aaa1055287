/**
 * Brings the configuration of owned shards into the scheduler, by level: it reads the versions of their pools, has the
 * pools loaded whose version differs from the one that runs (pool-loader.ts), and forgets pools that are gone. It looks
 * shortly after a NOTIFY and once a second anyway, so that a lost notification costs one second. Such a look reads one
 * digest per shard: pools are read one by one only where it is another one, so a second costs the same with 100 pools
 * and with 100 000.
 *
 * Loading never delays probing or the heartbeat. Changes are looked for between its statements, so that no change waits
 * until a whole share of shards is loaded.
 */
import { setTimeout as wait } from 'node:timers/promises'
import { CONFIG_COALESCE_MS, CONFIG_POLL_MS } from '../../domain/limits.ts'
import { AcquiredShards } from './acquired-shards.ts'
import type { ConfigSyncOptions } from './config-sync-options.ts'
import type { WaitingPool } from './load-queue.ts'
import { PoolLoader } from './pool-loader.ts'

/** What waits to be loaded. Of shards whose pools were not read yet, the members are not known. */
export interface Loading {
  readonly shards: number
  readonly checks: number
}

export class ConfigSync {
  readonly #options: ConfigSyncOptions
  readonly #now: () => number
  readonly #shards = new AcquiredShards()
  readonly #loader: PoolLoader
  /** Shards that were notified and not looked at since. */
  readonly #changed = new Set<number>()
  /** Of the pools that were compared last, by shard; undefined = there were none. */
  readonly #compared = new Map<number, string | undefined>()
  #timer: NodeJS.Timeout | undefined
  #wakesAt = Number.POSITIVE_INFINITY
  #nextPollAt = 0
  #changedDueAt = 0
  #working: Promise<void> | undefined
  #isAway = false
  #isStopped = false

  constructor(options: ConfigSyncOptions) {
    const { now = () => performance.now(), rest = (ms) => wait(ms) } = options
    this.#options = options
    this.#now = now
    const onAbandoned = (shard: number) => void this.#compared.delete(shard)
    this.#loader = new PoolLoader({ ...options, now, rest, onAbandoned }, this.#shards)
  }

  get loading(): Loading {
    return { shards: this.#shards.loading, checks: this.#loader.waitingMembers }
  }

  /** Whether all that is probed of a shard runs. */
  isLoaded(shard: number): boolean {
    return this.#shards.isLoaded(shard)
  }

  /** The version of a pool that runs; undefined = none of it is loaded. */
  versionOf(poolId: string): number | undefined {
    return this.#loader.versionOf(poolId)
  }

  /** Loads these shards at once, and keeps them up to date. */
  addShards(shards: readonly number[]): void {
    this.#shards.add(shards)
    for (const shard of shards) this.#changed.add(shard)
    this.#changedDueAt = 0
    this.#wake(0)
  }

  /** Forgets these shards; the caller stops their checks. What was not loaded yet costs nothing. */
  dropShards(shards: ReadonlySet<number>): void {
    this.#shards.drop(shards)
    for (const shard of shards) {
      this.#changed.delete(shard)
      this.#compared.delete(shard)
    }
    this.#loader.dropShards(shards)
  }

  /** A notification came: its payload names the shard. Anything else means "look at everything". */
  readonly notify = (payload: string): void => {
    const shard = /^\d{1,3}$/.test(payload) ? Number(payload) : undefined
    if (this.#changed.size === 0) this.#changedDueAt = this.#now() + CONFIG_COALESCE_MS
    if (shard === undefined) for (const each of this.#shards.ids) this.#changed.add(each)
    else if (this.#shards.has(shard)) this.#changed.add(shard)
    if (this.#changed.size > 0) this.#wake(Math.max(0, this.#changedDueAt - this.#now()))
  }

  destroy(): void {
    this.#isStopped = true
    this.#loader.destroy()
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
      if (!(await this.#guarded(() => this.#look(this.#due())))) return
      const next = this.#loader.take()
      if (next.length === 0) break
      const load = async (): Promise<true> => {
        await this.#loader.load(next)
        return true
      }
      if (!(await this.#guarded(load))) return
      this.#noteLoaded(next.map(({ shard }) => shard))
    }
  }

  /** Does a part of the work; false = PostgreSQL is away. `part` says whether a statement was answered. */
  async #guarded(part: () => Promise<boolean>): Promise<boolean> {
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
      return this.#shards.ids
    }
    return nowMs >= this.#changedDueAt ? [...this.#changed] : []
  }

  /** Queues the pools of these shards whose version is not the running one. */
  async #look(shards: readonly number[]): Promise<boolean> {
    if (shards.length === 0) return false
    for (const shard of shards) this.#changed.delete(shard)
    try {
      await this.#lookAt(shards)
    } catch (error) {
      for (const shard of shards) if (this.#shards.has(shard)) this.#changed.add(shard)
      throw error
    }
    this.#noteLoaded(shards)
    return true
  }

  async #lookAt(shards: readonly number[]): Promise<void> {
    const acquisitions = this.#shards.acquisitions()
    // Before the versions: what changes in between is another digest at the next look.
    const digests = await this.#options.store.readDigests(shards)
    const again = this.#loader.shardsToTryAgain()
    const differing = shards.filter(
      (shard) =>
        !this.#compared.has(shard) || this.#compared.get(shard) !== digests.get(shard) || again.has(shard),
    )
    if (differing.length > 0) {
      const waiting = await this.#compare(new Set(differing))
      for (const shard of differing) {
        if (this.#shards.isHeldSince(acquisitions.get(shard), shard))
          this.#compared.set(shard, digests.get(shard))
      }
      for (const pool of waiting) this.#loader.add(pool, acquisitions.get(pool.shard))
    }
    this.#shards.noteRead(shards, acquisitions)
  }

  /** Forgets the pools of these shards that are gone; those whose version is not the running one. */
  async #compare(shards: ReadonlySet<number>): Promise<readonly WaitingPool[]> {
    const { store } = this.#options
    const versions = await store.readVersions([...shards])
    this.#loader.removeMissing(shards, new Set(versions.map(({ poolId }) => poolId)))
    const differing = new Map(
      versions
        .filter((version) => this.#loader.isToBeLoaded(version))
        .map((version) => [version.poolId, version]),
    )
    const sizes = differing.size === 0 ? [] : await store.readSizes([...differing.keys()])
    const waiting = sizes.flatMap((size) => {
      const version = differing.get(size.poolId)
      return version === undefined ? [] : { ...version, ...size }
    })
    // Pools of one shard come together: their checks are looked for in one checkpoint.
    return waiting.toSorted((a, b) => a.shard - b.shard)
  }

  #noteLoaded(shards: readonly number[]): void {
    const isAll = this.#shards.noteLoaded(shards, (shard) => this.#loader.waits(shard))
    if (isAll) this.#options.onLoaded()
  }
}
