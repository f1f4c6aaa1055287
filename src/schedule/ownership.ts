/**
 * Which shards this prober owns. One heartbeat every third of a lease renews the lease and reads what is ours; from the
 * number of live probers follows the fair share, ceil(shards / live). Too few: claim. Too many: stop those checks, write
 * what they have to say, give them back.
 *
 * Safety does not rest on time: every write names shard and epoch, and a claim raises the epoch. Time only decides when
 * others may claim, and it is the database's. After PostgreSQL was away all leases have run out; so that nobody takes what
 * its owner is about to renew, a shard of another owner is claimed only after an own unbroken contact of one lease.
 */
import type { HeldShard } from '../domain/check.ts'
import { HEARTBEATS_PER_LEASE, SHARD_COUNT } from '../domain/limits.ts'
import type { Metrics } from '../runtime/metrics.ts'
import type { Log } from './log.ts'

export interface OwnershipStore {
  beat(): Promise<{
    readonly liveProbers: number
    readonly nextExpiryMs: number | undefined
    readonly held: readonly HeldShard[]
  }>
  claim(count: number, foreignToo: boolean): Promise<readonly HeldShard[]>
  release(ids: readonly number[]): Promise<void>
  removeProber(): Promise<void>
}

export interface OwnershipEvents {
  onGained(shards: readonly HeldShard[]): void
  /** Another prober owns them: stop at once, write nothing. */
  onLost(shards: ReadonlySet<number>): void
  /** They are ours until this resolves: stop their checks and write what they have to say. Rejects when it cannot. */
  onSurrender(shards: ReadonlySet<number>): Promise<void>
}

export interface OwnershipOptions {
  readonly store: OwnershipStore
  readonly events: OwnershipEvents
  readonly leaseMs: number
  readonly metrics: Pick<Metrics, 'leaseChanged'>
  readonly log: Log
  /** Monotonic milliseconds. */
  readonly now?: () => number
}

/** Milliseconds after the end of another's lease at which a claim is tried: the two clocks differ by the way of a packet. */
const AFTER_EXPIRY_MS = 20

export class Ownership {
  readonly #options: OwnershipOptions
  readonly #now: () => number
  readonly #held = new Map<number, number>()
  #timer: NodeJS.Timeout | undefined
  #beating: Promise<void> = Promise.resolve()
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

  /** The fence has shown that something of ours is gone: looks at once. */
  look(): void {
    this.#plan(0)
  }

  /** Stops beating, surrenders everything and ends the lease. Rejects when PostgreSQL is away. */
  async close(): Promise<void> {
    this.destroy()
    await this.#beating
    const ids = [...this.#held.keys()]
    if (ids.length > 0) await this.#options.events.onSurrender(new Set(ids))
    this.#held.clear()
    await this.#options.store.release(ids)
    await this.#options.store.removeProber()
  }

  /** Stops beating; the lease runs out by itself. */
  destroy(): void {
    this.#isStopped = true
    clearTimeout(this.#timer)
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
    const everyMs = this.#options.leaseMs / HEARTBEATS_PER_LEASE
    let nextMs = everyMs
    try {
      nextMs = Math.min(everyMs, (await this.#beat()) ?? everyMs)
      if (this.#isAway)
        this.#options.log.info({ shards: this.#held.size }, 'PostgreSQL is back; the lease is renewed')
      this.#isAway = false
    } catch (error) {
      if (!this.#isAway)
        this.#options.log.warn({ err: error }, 'the lease cannot be renewed; probing goes on')
      this.#isAway = true
    }
    this.#plan(nextMs)
  }

  /** One heartbeat. Returns in how many milliseconds a lease of another prober runs out. */
  async #beat(): Promise<number | undefined> {
    const { store, leaseMs } = this.#options
    const startedMs = this.#now()
    const { liveProbers, nextExpiryMs, held } = await store.beat()
    if (startedMs - this.#lastContactMs > leaseMs) this.#contactSinceMs = startedMs
    this.#lastContactMs = startedMs
    this.#reconcile(held)
    const share = Math.ceil(SHARD_COUNT / Math.max(1, liveProbers))
    if (this.#held.size < share && !this.#isStopped) {
      const hasLongContact = this.#now() - this.#contactSinceMs >= leaseMs
      this.#gain(await store.claim(share - this.#held.size, hasLongContact))
      if (this.#held.size < share && !hasLongContact) {
        return (
          Math.min(this.#contactSinceMs + leaseMs - this.#now(), nextExpiryMs ?? leaseMs) + AFTER_EXPIRY_MS
        )
      }
    } else if (this.#held.size > share) {
      await this.#surrender([...this.#held.keys()].slice(share))
    }
    return nextExpiryMs === undefined ? undefined : nextExpiryMs + AFTER_EXPIRY_MS
  }

  /** What the database says is ours wins over what we believe: an answer may have been lost, or a shard taken. */
  #reconcile(truth: readonly HeldShard[]): void {
    const epochs = new Map(truth.map((shard) => [shard.id, shard.epoch]))
    const lost = new Set<number>()
    for (const [id, epoch] of this.#held) if (epochs.get(id) !== epoch) lost.add(id)
    if (lost.size > 0) {
      for (const id of lost) this.#held.delete(id)
      this.#options.metrics.leaseChanged('lost', lost.size)
      this.#options.log.warn({ shards: lost.size }, 'shards were taken over by another prober')
      this.#options.events.onLost(lost)
    }
    this.#gain(truth.filter((shard) => !this.#held.has(shard.id)))
  }

  #gain(shards: readonly HeldShard[]): void {
    if (shards.length === 0) return
    for (const shard of shards) this.#held.set(shard.id, shard.epoch)
    this.#options.metrics.leaseChanged('claimed', shards.length)
    this.#options.log.info({ shards: shards.length, held: this.#held.size }, 'shards gained')
    this.#options.events.onGained(shards)
  }

  async #surrender(ids: readonly number[]): Promise<void> {
    try {
      await this.#options.events.onSurrender(new Set(ids))
      await this.#options.store.release(ids)
    } catch (error) {
      // They are still ours: what was stopped goes on.
      this.#options.events.onGained(ids.map((id) => ({ id, epoch: this.#held.get(id) ?? 0 })))
      throw error
    }
    for (const id of ids) this.#held.delete(id)
    this.#options.metrics.leaseChanged('released', ids.length)
    this.#options.log.info({ shards: ids.length, held: this.#held.size }, 'shards given back')
  }
}
