/**
 * The bound on a project's probes a second (docs/adr/0015-options.md). Plain fields ask for one a second and member at most, which the quota of
 * members bounds; so only writes that make fast probes pay for the sum, and only they are refused.
 */
import { DomainError } from '../domain/errors.ts'
import { ENGINE_FLOOR_MS, PROBES_PER_SECOND_PER_PROJECT_DEFAULT } from '../domain/limits.ts'
import { highestCheckRate } from '../domain/probe-forecast.ts'
import { type JudgedMonitor, statePolicy } from '../domain/profiles.ts'
import type { Tx } from '../store/database.ts'
import { readProbedPools } from '../store/probe-rates.ts'
import type { ApiDependencies } from './context.ts'

/** Whether a monitor may probe a member more often than plain fields can ask for. */
export function probesFast(monitor: JudgedMonitor): boolean {
  return (monitor.options ?? null) !== null && rateOf(monitor, false) > 1000 / ENGINE_FLOOR_MS
}

/**
 * To be called when the write is done and before it is committed. Throws QUOTA_EXCEEDED when the project's checks could
 * then make more probes a second than it may.
 */
export async function assertProbeRate(tx: Tx, deps: ApiDependencies, projectId: string): Promise<void> {
  const bound = deps.settings.probesPerSecondPerProject ?? PROBES_PER_SECOND_PER_PROJECT_DEFAULT
  if (bound < 0) return
  const pools = await readProbedPools(tx, projectId)
  const rate = pools.reduce((sum, pool) => sum + pool.members * rateOf(pool, pool.trafficSeen), 0)
  if (rate <= bound) return
  const resource = 'probes_per_second'
  throw new DomainError('QUOTA_EXCEEDED', `Quota exceeded for resources:['${resource}'].`, { resource })
}

/** In the worst state, until and after traffic is seen. */
function rateOf(monitor: JudgedMonitor, trafficSeen: boolean): number {
  const seen = highestCheckRate(statePolicy(monitor, true))
  return trafficSeen ? seen : Math.max(seen, highestCheckRate(statePolicy(monitor, false)))
}
