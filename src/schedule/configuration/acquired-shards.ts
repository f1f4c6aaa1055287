/**
 * The shards that a prober holds, as far as their configuration is concerned: which are loaded, and which acquisition
 * of a shard something belongs to. A shard can be lost and acquired again while a statement runs: what was read for the
 * acquisition before does not count then.
 */
export class AcquiredShards {
  /** Each with the number of its acquisition. */
  readonly #held = new Map<number, number>()
  /** Held shards that are not loaded yet, and whether their pools are known. */
  readonly #loading = new Map<number, 'unread' | 'read'>()
  #acquisitions = 0

  /** How many are not loaded yet. */
  get loading(): number {
    return this.#loading.size
  }

  get ids(): readonly number[] {
    return [...this.#held.keys()]
  }

  has(shard: number): boolean {
    return this.#held.has(shard)
  }

  /** Whether all that is probed of a shard runs. */
  isLoaded(shard: number): boolean {
    return this.#held.has(shard) && !this.#loading.has(shard)
  }

  add(shards: Iterable<number>): void {
    this.#acquisitions++
    for (const shard of shards) {
      this.#held.set(shard, this.#acquisitions)
      this.#loading.set(shard, 'unread')
    }
  }

  drop(shards: Iterable<number>): void {
    for (const shard of shards) {
      this.#held.delete(shard)
      this.#loading.delete(shard)
    }
  }

  /** The acquisitions of now, to compare with later ones. */
  acquisitions(): ReadonlyMap<number, number> {
    return new Map(this.#held)
  }

  acquisitionOf(shard: number): number | undefined {
    return this.#held.get(shard)
  }

  /** Whether a shard has been held since that acquisition without a break; undefined: it was not held then. */
  isHeldSince(acquisition: number | undefined, shard: number): boolean {
    return acquisition !== undefined && this.#held.get(shard) === acquisition
  }

  /** The pools of these shards are known, for those acquisitions that still last. */
  noteRead(shards: Iterable<number>, acquisitions: ReadonlyMap<number, number>): void {
    for (const shard of shards) {
      if (this.#loading.has(shard) && this.isHeldSince(acquisitions.get(shard), shard))
        this.#loading.set(shard, 'read')
    }
  }

  /** Those of these shards are loaded of which nothing waits any more. Returns whether that was the last of all. */
  noteLoaded(shards: readonly number[], waits: (shard: number) => boolean): boolean {
    if (this.#loading.size === 0) return false
    for (const shard of shards) {
      if (this.#loading.get(shard) === 'read' && !waits(shard)) this.#loading.delete(shard)
    }
    return this.#loading.size === 0
  }
}
