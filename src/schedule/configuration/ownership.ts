/**
 * Which shards this prober owns. One heartbeat every third of a lease renews the lease and reads what is ours; from the
 * number of live probers follows the fair share, ceil(shards / live). Too few: claim. Too many: stop those checks,
 * write their results, release the shards.
 *
 * Safety does not rest on time: every write names shard and epoch, and a claim raises the epoch. Time only decides when
 * others may claim, and it is the database's. After PostgreSQL was away all leases have run out; so that no prober
 * takes a shard that its owner is about to renew, a shard of another owner is claimed only when some live prober has
 * had unbroken contact for a lease: an owner that could have renewed has done so by then.
 *
 * Claiming and releasing run beside the heartbeat, which waits for neither, and in steps: more shards are claimed
 * when the claimed ones are loaded, and more are released when others have taken the last ones. So two probers that
 * start together share the work, and none takes more than it can load. The heartbeat is a timer of the event loop that
 * probes: it stops renewing when that loop is blocked.
 */
import type { Heartbeat, HeldShard } from '../../domain/prober/check.ts'
import {
  CLAIM_RETRY_MS,
  CLAIM_AFTER_EXPIRY_MS,
  HEARTBEATS_PER_LEASE,
  SHARD_COUNT,
  SHARDS_AT_FIRST,
  SHARDS_AT_ONCE,
  SHARDS_LOADED_WITHIN_MS,
} from '../../domain/limits.ts'
import type { Metrics } from '../../runtime/metrics/metrics.ts'
import type { Log } from '../log.ts'

export interface OwnershipStore {
  /** Renews the lease; `contactMs` is for how long our contact has been unbroken. */
  beat(contactMs: number): Promise<Heartbeat>
  claim(count: number, foreignToo: boolean): Promise<readonly HeldShard[]>
  release(ids: readonly number[]): Promise<void>
  removeProber(): Promise<void>
}

export interface OwnershipEvents {
  onGained(shards: readonly HeldShard[]): void
  /** Another prober owns them: stop at once, write nothing. */
  onLost(shards: ReadonlySet<number>): void
  /** They are ours until this resolves: stop their checks and write their results. Rejects when that fails. */
  onRelease(shards: ReadonlySet<number>): Promise<void>
}

export interface OwnershipOptions {
  readonly store: OwnershipStore
  readonly events: OwnershipEvents
  readonly leaseMs: number
  /** Whether the checks of a shard that was gained are loaded; `loaded` is to be called when all are. */
  readonly isLoaded: (shard: number) => boolean
  readonly metrics: Pick<Metrics, 'leaseChanged'>
  readonly log: Log
  /** Monotonic milliseconds. */
  readonly now?: () => number
}

export class Ownership {
  readonly #options: OwnershipOptions
  readonly #now: () => number
  readonly #held = new Map<number, number>()
  /** Shards that were gained or lost since the present heartbeat was sent: its answer about them may be old. */
  readonly #changedSinceBeat = new Set<number>()
  /** Shards that are being released. */
  #releasing: ReadonlySet<number> = new Set()
  #lastBeat: Heartbeat | undefined
  #timer: NodeJS.Timeout | undefined
  #claimTimer: NodeJS.Timeout | undefined
  #beating: Promise<void> = Promise.resolve()
  #balancing: Promise<void> | undefined
  #shardsPerStep = SHARDS_AT_FIRST
  /** When the first of what is being loaded was gained. */
  #gainedMs: number | undefined
  #lastContactMs = Number.NEGATIVE_INFINITY
  #contactSinceMs = 0
  #isAway = false
  #isStopped = false

  constructor(options: OwnershipOptions) {
    this.#options = options
    this.#now = options.now ?? (() => performance.now())
  }

  /** Shard → epoch. */
  get held(): ReadonlyMap<number, number> {
    return this.#held
  }

  epochOf(shard: number): number | undefined {
    return this.#held.get(shard)
  }

  /** Beats now, and from then on by itself. */
  start(): void {
    this.#plan(0)
  }

  /** A fenced write has shown that a shard was lost: looks at once. */
  beatNow(): void {
    this.#plan(0)
  }

  /** Everything that was gained is loaded: claims more, if there is to be more. */
  loaded(): void {
    if (this.#gainedMs !== undefined) this.#pace(this.#now() - this.#gainedMs)
    this.#gainedMs = undefined
    this.#balance()
  }

  /** Stops beating, releases everything and ends the lease. Rejects when PostgreSQL is away. */
  async close(): Promise<void> {
    this.destroy()
    await this.#beating
    await this.#balancing
    const ids = [...this.#held.keys()]
    if (ids.length > 0) await this.#options.events.onRelease(new Set(ids))
    this.#held.clear()
    await this.#options.store.release(ids)
    await this.#options.store.removeProber()
  }

  /** Stops beating; the lease runs out by itself. */
  destroy(): void {
    this.#isStopped = true
    clearTimeout(this.#timer)
    clearTimeout(this.#claimTimer)
  }

  #plan(inMs: number): void {
    if (this.#isStopped) return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      this.#beating = this.#beating.then(() => this.#beatOnce())
    }, inMs)
  }

  async #beatOnce(): Promise<void> {
    if (this.#isStopped) return
    const { leaseMs, log } = this.#options
    let nextMs = leaseMs / HEARTBEATS_PER_LEASE
    try {
      nextMs = Math.min(nextMs, await this.#beat())
      if (this.#isAway) log.info({ shards: this.#held.size }, 'the lease is renewed again')
      this.#isAway = false
    } catch (error) {
      if (!this.#isAway) log.warn({ err: error }, 'the lease cannot be renewed; probing goes on')
      this.#isAway = true
    }
    this.#plan(nextMs)
  }

  /** One heartbeat. Returns the milliseconds until the next one is useful. */
  async #beat(): Promise<number> {
    const { store, leaseMs } = this.#options
    const startedMs = this.#now()
    if (startedMs - this.#lastContactMs > leaseMs) this.#contactSinceMs = startedMs
    this.#changedSinceBeat.clear()
    const heartbeat = await store.beat(startedMs - this.#contactSinceMs)
    this.#lastContactMs = startedMs
    this.#lastBeat = heartbeat
    this.#reconcile(heartbeat.held)
    this.#balance()
    const expiryMs = heartbeat.nextExpiryMs ?? Number.POSITIVE_INFINITY
    const contactMs = this.#contactSinceMs + leaseMs - this.#now()
    const waitsForContact = !heartbeat.isContactLong && contactMs > 0
    return Math.min(expiryMs, waitsForContact ? contactMs : expiryMs) + CLAIM_AFTER_EXPIRY_MS
  }

  /** The database decides which shards are ours, not our memory: an answer may have been lost, or a shard taken. */
  #reconcile(truth: readonly HeldShard[]): void {
    const epochs = new Map(truth.map((shard) => [shard.id, shard.epoch]))
    const lost = new Set<number>()
    for (const [id, epoch] of this.#held) if (epochs.get(id) !== epoch && !this.#isMoving(id)) lost.add(id)
    if (lost.size > 0) {
      for (const id of lost) this.#held.delete(id)
      this.#options.metrics.leaseChanged('lost', lost.size)
      this.#options.log.warn({ shards: lost.size }, 'shards were taken over by another prober')
      this.#options.events.onLost(lost)
    }
    this.#gain(truth.filter(({ id }) => !this.#held.has(id) && !this.#isMoving(id)))
  }

  #isMoving(id: number): boolean {
    return this.#changedSinceBeat.has(id) || this.#releasing.has(id)
  }

  #gain(shards: readonly HeldShard[]): void {
    if (shards.length === 0) return
    // Shards that were being loaded may have been lost or released: that is no measure of how quick loading is.
    if (this.#isAllLoaded()) this.#gainedMs = undefined
    for (const { id, epoch } of shards) {
      this.#held.set(id, epoch)
      this.#changedSinceBeat.add(id)
    }
    this.#gainedMs ??= this.#now()
    this.#options.metrics.leaseChanged('claimed', shards.length)
    this.#options.log.info({ shards: shards.length, held: this.#held.size }, 'shards gained')
    this.#options.events.onGained(shards)
  }

  /** More at once when what was gained was loaded quickly, less when it was not. */
  #pace(tookMs: number): void {
    const { min, max } = SHARDS_AT_ONCE
    if (tookMs < SHARDS_LOADED_WITHIN_MS.min) this.#shardsPerStep = Math.min(max, this.#shardsPerStep * 2)
    else if (tookMs > SHARDS_LOADED_WITHIN_MS.max)
      this.#shardsPerStep = Math.max(min, this.#shardsPerStep >> 1)
  }

  /** Makes a step towards the fair share, unless one is under way. */
  #balance(): void {
    if (this.#balancing !== undefined || this.#isStopped || this.#lastBeat === undefined) return
    const step = this.#stepOf(this.#lastBeat)
    if (step === undefined) return
    this.#balancing = step()
      .catch((error: unknown) => {
        // The heartbeat meets the same error, and logs it.
        this.#options.log.debug({ err: error }, 'shards could not be claimed or released')
      })
      .finally(() => {
        this.#balancing = undefined
      })
  }

  #stepOf({ liveProbers, free }: Heartbeat): (() => Promise<void>) | undefined {
    const share = SHARD_COUNT / Math.max(1, liveProbers)
    const missing = Math.ceil(share) - this.#held.size
    if (missing > 0 && this.#isAllLoaded())
      return () => this.#claim(Math.min(missing, this.#shardsPerStep), this.#held.size < Math.floor(share))
    // More would have no owner until others have taken these.
    if (missing < 0 && free < this.#shardsPerStep)
      return () => this.#release(Math.min(-missing, this.#shardsPerStep))
    return undefined
  }

  #isAllLoaded(): boolean {
    return [...this.#held.keys()].every(this.#options.isLoaded)
  }

  async #claim(count: number, isBelowShare: boolean): Promise<void> {
    const claimed = await this.#options.store.claim(count, this.#lastBeat?.isContactLong === true)
    this.#gain(claimed.filter(({ id, epoch }) => this.#held.get(id) !== epoch))
    // Others may be about to release some. A heartbeat may have tried meanwhile: there is never more than one retry to come.
    clearTimeout(this.#claimTimer)
    if (claimed.length === 0 && isBelowShare && !this.#isStopped)
      this.#claimTimer = setTimeout(() => this.#balance(), CLAIM_RETRY_MS)
  }

  /** Releases what is not loaded first, then what was gained last. */
  async #release(count: number): Promise<void> {
    const { events, store, isLoaded, metrics, log } = this.#options
    const newest = [...this.#held.keys()].reverse()
    const ids = [...newest.filter((id) => !isLoaded(id)), ...newest.filter(isLoaded)].slice(0, count)
    const epochs = new Map(this.#held)
    this.#releasing = new Set(ids)
    try {
      await events.onRelease(this.#releasing)
      await store.release(ids)
      for (const id of ids) this.#held.delete(id)
      metrics.leaseChanged('released', ids.length)
      log.info({ shards: ids.length, held: this.#held.size }, 'shards released')
    } catch (error) {
      // They are still ours: their checks go on.
      events.onGained(ids.map((id) => ({ id, epoch: epochs.get(id) ?? 0 })))
      throw error
    } finally {
      for (const id of ids) this.#changedSinceBeat.add(id)
      this.#releasing = new Set()
    }
  }
}
