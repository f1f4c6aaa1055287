/** Mirrors heartbeats and leases of a site into the database, where they are shown and where the fence is. */
import { PROBER_FORGOTTEN_MS, RELAY_LEASE_STANDS_MS } from '../../domain/limits.ts'
import type { LeaseView, ProberBeat } from '../lease-view.ts'
import type { RelayDatabase } from './relay-database.ts'

export class Heartbeats {
  readonly #view: LeaseView
  readonly #database: RelayDatabase
  /** The heartbeats that were mirrored last, by prober. */
  readonly #mirrored = new Map<string, number>()

  constructor(view: LeaseView, database: RelayDatabase) {
    this.#view = view
    this.#database = database
  }

  /** Brings the heartbeats since the last time. */
  async mirror(): Promise<void> {
    const fresh = [...this.#view.probers.values()].filter(({ id, at }) => this.#mirrored.get(id) !== at)
    const live = fresh.filter((prober) => this.#view.leftMs(prober) > 0)
    if (live.length > 0) await this.#database.beat(live.map((prober) => this.#mirrorOf(prober)))
    for (const { id, at } of fresh) this.#mirrored.set(id, at)
    for (const id of this.#mirrored.keys()) {
      if (this.#view.probers.has(id)) continue
      await this.#database.removeProber(id)
      this.#mirrored.delete(id)
    }
  }

  /**
   * Brings leases that the stream of results has not: from before it, or lost with it. Only those that have stood for some
   * time, because what their last owners have sent comes before them.
   */
  async compareLeases(): Promise<void> {
    const before = this.#view.nowMs - RELAY_LEASE_STANDS_MS
    const standing = [...this.#view.shards.values()].flatMap(({ id, epoch, owner, at }) =>
      owner !== null && at !== undefined && at < before ? [{ id, epoch, owner }] : [],
    )
    if (standing.length > 0) await this.#database.claimed(standing)
  }

  /** Probers whose lease ended long ago. */
  forgotten(): readonly string[] {
    return [...this.#view.probers.values()]
      .filter((prober) => this.#view.leftMs(prober) < -PROBER_FORGOTTEN_MS)
      .map(({ id }) => id)
  }

  #mirrorOf(prober: ProberBeat) {
    const { id, host, pid, facts, contactMs, at, leaseMs } = prober
    return {
      id,
      host,
      pid,
      facts,
      leftMs: this.#view.leftMs(prober),
      longContactInMs: leaseMs - contactMs - (this.#view.nowMs - at),
    }
  }
}
