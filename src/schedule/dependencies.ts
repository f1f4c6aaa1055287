/**
 * What the checks of this prober depend on, and how that stands. Read once a second, by level, whoever probes it: parents
 * may be in any shard. While a parent is OFFLINE every result of its children is inconclusive (DEPENDENCY_DOWN).
 *
 * A parent and its children often fail together, in any order, and what was read is up to a second old: so the failure
 * that would make a child OFFLINE is believed only when it goes on and no parent is failing in a reading that began an
 * interval of the child after it. A child falls one or two probes later for that.
 */
import type { PoolChecks } from '../domain/check.ts'
import { type Parent, parentKey, type ParentState } from '../domain/dependencies.ts'
import { DEPENDENCY_POLL_MS, DEPENDENCY_SETTLE_MS } from '../domain/limits.ts'
import { REASONS } from '../domain/reasons.ts'
import type { ProbeResult } from '../domain/results.ts'
import { step } from '../domain/state-machine.ts'
import { outcomeOf } from '../domain/step-outcome.ts'
import { boundedDetail } from '../probe/result.ts'
import type { Check } from './check.ts'
import type { Log } from './log.ts'

export interface DependenciesOptions {
  /** How these stand that do not stand well, by `parentKey`. */
  readonly read: (parents: readonly Parent[]) => Promise<ReadonlyMap<string, ParentState>>
  readonly log: Log
}

export class Dependencies {
  readonly #options: DependenciesOptions
  /** Pool → its shard, and what its checks depend on. */
  readonly #pools = new Map<string, { readonly shard: number; readonly parents: readonly Parent[] }>()
  /** Children whose decisive failure has come, and when first. */
  readonly #warned = new Map<Check, number>()
  /** When the last reading that ended began. */
  #readMs = Number.NEGATIVE_INFINITY
  #states: ReadonlyMap<string, ParentState> = new Map()
  #timer: NodeJS.Timeout | undefined
  #reading: Promise<void> | undefined
  #isAway = false
  #isDestroyed = false

  constructor(options: DependenciesOptions) {
    this.#options = options
  }

  applyPool({ poolId, shard, checks }: PoolChecks): void {
    const parents = checks.flatMap(({ config: { projectId, dependsOn = [] } }) =>
      dependsOn.map((id) => ({ projectId, id })),
    )
    if (parents.length === 0) this.#pools.delete(poolId)
    else this.#pools.set(poolId, { shard, parents: distinct(parents) })
    if (parents.length > 0 && this.#timer === undefined && !this.#isDestroyed) this.#plan(0)
  }

  removePool(poolId: string): void {
    this.#pools.delete(poolId)
  }

  dropShards(shards: ReadonlySet<number>): void {
    for (const [poolId, { shard }] of this.#pools) if (shards.has(shard)) this.#pools.delete(poolId)
  }

  destroy(): void {
    this.#isDestroyed = true
    clearTimeout(this.#timer)
  }

  async close(): Promise<void> {
    this.destroy()
    await this.#reading
  }

  /** The result, or an inconclusive one in its place. */
  weigh(check: Check, result: ProbeResult, nowMs: number): ProbeResult {
    const { dependsOn, policy, projectId } = check.config
    if (dependsOn === undefined || result.outcome === 'inconclusive') return result
    const stateOf = (id: string) => this.#states.get(parentKey({ projectId, id }))
    const offline = dependsOn.find((id) => stateOf(id) === 'OFFLINE')
    if (offline !== undefined)
      return dependent(result, `${offline} is OFFLINE; ${REASONS[result.reason].sentence}`)
    if (result.outcome === 'passed') {
      this.#warned.delete(check)
      return result
    }
    const isDecisive =
      check.state.status !== 'OFFLINE' && step(policy, check.state, outcomeOf(result)).status === 'OFFLINE'
    if (!isDecisive) return result
    const failing = dependsOn.find((id) => stateOf(id) !== undefined)
    if (failing !== undefined) return dependent(result, `${failing} is failing too`)
    const warnedMs = this.#warned.get(check)
    if (warnedMs === undefined) this.#warned.set(check, nowMs)
    else if (this.#readMs >= warnedMs + policy.intervals.online + DEPENDENCY_SETTLE_MS) {
      this.#warned.delete(check)
      return result
    }
    return dependent(result, 'believed when it goes on while what it depends on is well')
  }

  #plan(inMs: number): void {
    this.#timer = setTimeout(() => {
      this.#reading = this.#read().finally(() => {
        this.#timer = undefined
        if (this.#pools.size > 0 && !this.#isDestroyed) this.#plan(DEPENDENCY_POLL_MS)
      })
    }, inMs)
  }

  async #read(): Promise<void> {
    const parents = distinct([...this.#pools.values()].flatMap((pool) => pool.parents))
    for (const check of this.#warned.keys()) if (check.phase === 'removed') this.#warned.delete(check)
    const startedMs = performance.now()
    try {
      this.#states = parents.length === 0 ? new Map() : await this.#options.read(parents)
      this.#readMs = startedMs
      this.#isAway = false
    } catch (error) {
      // What was read last goes on: no child falls because PostgreSQL is away.
      if (!this.#isAway) this.#options.log.warn({ err: error }, 'how dependencies stand cannot be read')
      this.#isAway = true
    }
  }
}

function distinct(parents: readonly Parent[]): Parent[] {
  return [...new Map(parents.map((parent) => [parentKey(parent), parent])).values()]
}

function dependent(result: ProbeResult, detail: string): ProbeResult {
  return { ...result, outcome: 'inconclusive', reason: 'DEPENDENCY_DOWN', detail: boundedDetail(detail) }
}
