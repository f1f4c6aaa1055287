/**
 * What the checks of this prober depend on, and what that means for their results. The status of the parents is read
 * about once a second (dependency-readings.ts), level-triggered; any prober may probe them, as they may be in any
 * shard. While a parent is OFFLINE every result of its children is inconclusive (DEPENDENCY_DOWN).
 *
 * A parent and its children often fail together, in any order, and what was read is up to a second old: so the failure
 * that would make a child OFFLINE counts only if the child still fails and no parent is failing in a reading that began
 * one interval of the child later. For that, a child becomes OFFLINE one or two probes later. Where the readings of a
 * project fail for long, its children are judged without their parents.
 */
import type { PoolChecks } from '../../domain/prober/check.ts'
import { DEPENDENCY_SETTLE_MS } from '../../domain/limits.ts'
import { REASONS } from '../../domain/result/reasons.ts'
import type { ProbeResult } from '../../domain/result/probe-result.ts'
import { step } from '../../domain/status/state-machine.ts'
import { outcomeOf } from '../../domain/status/step-outcome.ts'
import { boundedDetail } from '../../probe/result.ts'
import type { Check } from '../loop/check.ts'
import { DependencyReadings, type DependencyReadingsOptions } from './dependency-readings.ts'

interface DependentPool {
  readonly shard: number
  readonly projectId: string
}

export class Dependencies {
  readonly #readings: DependencyReadings
  /** Pools whose checks depend on something. */
  readonly #pools = new Map<string, DependentPool>()
  /** Pools of which some checks have come, and what these depend on. */
  readonly #partial = new Map<string, DependentPool & { readonly parents: Set<string> }>()
  /** Children that have had the failure that would make them OFFLINE, and when first. */
  readonly #warned = new WeakMap<Check, number>()

  constructor(options: DependencyReadingsOptions) {
    this.#readings = new DependencyReadings(options)
  }

  /** Some checks of a pool; nothing changes before `completePool`. */
  applyChecks({ poolId, shard, checks }: PoolChecks): void {
    for (const { config } of checks) {
      if (config.dependsOn === undefined) continue
      const { projectId } = config
      const pool = this.#partial.get(poolId) ?? { shard, projectId, parents: new Set<string>() }
      this.#partial.set(poolId, pool)
      for (const parent of config.dependsOn) pool.parents.add(parent)
    }
  }

  /** Those were all of them. */
  completePool({ poolId }: Pick<PoolChecks, 'poolId'>): void {
    const pool = this.#partial.get(poolId)
    this.#partial.delete(poolId)
    if (pool === undefined) {
      this.removePool(poolId)
      return
    }
    this.#pools.set(poolId, pool)
    this.#readings.setPool(pool.projectId, poolId, [...pool.parents])
  }

  removePool(poolId: string): void {
    this.#partial.delete(poolId)
    const pool = this.#pools.get(poolId)
    if (pool === undefined) return
    this.#pools.delete(poolId)
    this.#readings.removePool(pool.projectId, poolId)
  }

  dropShards(shards: ReadonlySet<number>): void {
    for (const pools of [this.#pools, this.#partial]) {
      for (const [poolId, { shard }] of pools) if (shards.has(shard)) this.removePool(poolId)
    }
  }

  destroy(): void {
    this.#readings.destroy()
  }

  async close(): Promise<void> {
    await this.#readings.close()
  }

  /** The result, or an inconclusive one in its place. */
  reconsider(check: Check, result: ProbeResult, nowMs: number): ProbeResult {
    const { dependsOn, policy, projectId } = check.config
    if (dependsOn === undefined || result.outcome === 'inconclusive') return result
    const reading = this.#readings.of(projectId)
    if (reading?.isBlind === true) return result
    const offline = dependsOn.find((id) => reading?.states.get(id) === 'OFFLINE')
    if (offline !== undefined)
      return dependent(result, `${offline} is OFFLINE; ${REASONS[result.reason].sentence}`)
    if (result.outcome === 'passed') {
      this.#warned.delete(check)
      return result
    }
    const isDecisive =
      check.state.status !== 'OFFLINE' && step(policy, check.state, outcomeOf(result)).status === 'OFFLINE'
    if (!isDecisive) return result
    const failing = dependsOn.find((id) => reading?.states.has(id))
    if (failing !== undefined) return dependent(result, `${failing} is failing too`)
    const warnedMs = this.#warned.get(check)
    if (warnedMs === undefined) this.#warned.set(check, nowMs)
    else if (
      reading !== undefined &&
      reading.readMs >= warnedMs + policy.intervals.online + DEPENDENCY_SETTLE_MS
    ) {
      this.#warned.delete(check)
      return result
    }
    return dependent(result, 'believed when it goes on while what it depends on is well')
  }
}

function dependent(result: ProbeResult, detail: string): ProbeResult {
  return { ...result, outcome: 'inconclusive', reason: 'DEPENDENCY_DOWN', detail: boundedDetail(detail) }
}
