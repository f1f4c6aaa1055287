/**
 * Pools that wait to be loaded: those of each project in their order, and the projects in turn, so that many or large
 * pools of one project do not delay the next project. A running pool that has changed comes before new ones.
 */
import { CONFIG_CHECKS_PER_LOAD, CONFIG_POOLS_PER_LOAD } from '../../domain/limits.ts'

/** A pool whose configuration is not the running one. */
export interface WaitingPool {
  readonly poolId: string
  readonly shard: number
  readonly projectId: string
  readonly configVersion: number
  readonly members: number
}

/** What waits of one project, by pool. */
interface Waiting {
  readonly changed: Map<string, WaitingPool>
  readonly fresh: Map<string, WaitingPool>
}

export class LoadQueue {
  /** By project; whose turn is next comes first. */
  readonly #projects = new Map<string, Waiting>()
  readonly #projectOf = new Map<string, string>()
  /** Pools that are loaded alone, because loading them failed, until it succeeds; each with its shard. */
  readonly #alone = new Map<string, number>()
  readonly #ofShard = new Map<number, number>()
  #members = 0

  get pools(): number {
    return this.#projectOf.size
  }

  /** Members of the pools that wait. */
  get members(): number {
    return this.#members
  }

  /** Pools of a shard that wait. */
  countOf(shard: number): number {
    return this.#ofShard.get(shard) ?? 0
  }

  /** A pool that waits already keeps its place. */
  add(pool: WaitingPool, isRunning: boolean): void {
    const { projectId, poolId } = pool
    const waiting = this.#projects.get(projectId) ?? { changed: new Map(), fresh: new Map() }
    this.#projects.set(projectId, waiting)
    const before = waiting.changed.get(poolId) ?? waiting.fresh.get(poolId)
    if (before !== undefined) this.#count(before, -1)
    const place = waiting.changed.has(poolId) || (isRunning && before === undefined) ? 'changed' : 'fresh'
    waiting[place].set(poolId, pool)
    this.#projectOf.set(poolId, projectId)
    this.#count(pool, 1)
  }

  /**
   * Takes what is loaded next: pools of at most CONFIG_CHECKS_PER_LOAD members together, one of each project in turn; a larger
   * one comes alone. Empty when nothing waits.
   */
  take(): readonly WaitingPool[] {
    const taken: WaitingPool[] = []
    let members = 0
    while (taken.length < CONFIG_POOLS_PER_LOAD) {
      const next = this.#first()
      if (next === undefined) break
      const isAlone = this.#alone.has(next.poolId)
      if (taken.length > 0 && (isAlone || members + next.members > CONFIG_CHECKS_PER_LOAD)) break
      this.#takeOut(next.poolId)
      this.#passOn(next.projectId)
      taken.push(next)
      members += next.members
      if (isAlone) break
    }
    return taken
  }

  /** Loading these failed: they wait again, at the end, and each is loaded alone until it has been loaded. */
  putBack(pools: readonly WaitingPool[]): void {
    for (const pool of pools) {
      if (!this.#projectOf.has(pool.poolId)) this.add(pool, false)
      this.loadAlone(pool.poolId, pool.shard)
    }
  }

  /** Whenever this pool waits, it is loaded alone until it has been loaded. */
  loadAlone(poolId: string, shard: number): void {
    this.#alone.set(poolId, shard)
  }

  /** It was loaded, so it may be loaded together with others again. */
  noteLoaded(poolId: string): void {
    this.#alone.delete(poolId)
  }

  /** Forgets a pool. */
  remove(poolId: string): void {
    this.#alone.delete(poolId)
    this.#takeOut(poolId)
  }

  #takeOut(poolId: string): void {
    const projectId = this.#projectOf.get(poolId)
    const waiting = projectId === undefined ? undefined : this.#projects.get(projectId)
    const pool = waiting?.changed.get(poolId) ?? waiting?.fresh.get(poolId)
    if (projectId === undefined || waiting === undefined || pool === undefined) return
    waiting.changed.delete(poolId)
    waiting.fresh.delete(poolId)
    if (waiting.changed.size + waiting.fresh.size === 0) this.#projects.delete(projectId)
    this.#projectOf.delete(poolId)
    this.#count(pool, -1)
  }

  dropShards(shards: ReadonlySet<number>): void {
    for (const { changed, fresh } of this.#projects.values()) {
      for (const { poolId, shard } of [...changed.values(), ...fresh.values()])
        if (shards.has(shard)) this.#takeOut(poolId)
    }
    for (const [poolId, shard] of this.#alone) if (shards.has(shard)) this.#alone.delete(poolId)
  }

  #first(): WaitingPool | undefined {
    const [waiting] = this.#projects.values()
    const [changed] = waiting?.changed.values() ?? []
    const [fresh] = waiting?.fresh.values() ?? []
    return changed ?? fresh
  }

  /** The project has had its turn. */
  #passOn(projectId: string): void {
    const waiting = this.#projects.get(projectId)
    if (waiting === undefined) return
    this.#projects.delete(projectId)
    this.#projects.set(projectId, waiting)
  }

  #count({ shard, members }: WaitingPool, by: 1 | -1): void {
    this.#members += by * members
    const count = this.countOf(shard) + by
    if (count === 0) this.#ofShard.delete(shard)
    else this.#ofShard.set(shard, count)
  }
}
