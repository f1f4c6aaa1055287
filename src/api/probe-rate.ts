/**
 * The bound on a project's probes a second (docs/adr/0015-options.md), held by every write that makes it probe more. A write
 * that does not pays nothing.
 */
import { DomainError } from '../domain/errors.ts'
import { PROBES_PER_SECOND_PER_PROJECT_DEFAULT } from '../domain/limits.ts'
import { highestCheckRate } from '../domain/probe-forecast.ts'
import { type JudgedMonitor, statePolicy } from '../domain/profiles.ts'
import type { HealthMonitor } from '../domain/types.ts'
import type { Tx } from '../store/database.ts'
import { readProbedMembers } from '../store/probe-rates.ts'
import type { ApiDependencies } from './context.ts'

/** Probes a second that a monitor may ask for of every member, in the worst of its states; 0 without one. `trafficSeen` = in its pool. */
export function memberRate(
  monitor: (JudgedMonitor & Pick<HealthMonitor, 'adminStateUp'>) | undefined,
  trafficSeen = false,
): number {
  return monitor?.adminStateUp === true ? rateOf(monitor, trafficSeen) : 0
}

/**
 * To be called when the write is done, or sent, and before it is committed; `raise`: the probes a second that it adds. Throws
 * QUOTA_EXCEEDED when the project's checks could then make more probes a second than it may.
 */
export async function assertProbeRate(
  tx: Tx,
  deps: ApiDependencies,
  { projectId, raise }: { readonly projectId: string; readonly raise: number },
): Promise<void> {
  const bound = deps.settings.probesPerSecondPerProject ?? PROBES_PER_SECOND_PER_PROJECT_DEFAULT
  if (bound < 0 || raise <= 0) return
  const probed = await readProbedMembers(tx, projectId)
  const rate = probed.reduce((sum, like) => sum + like.members * rateOf(like, like.trafficSeen), 0)
  if (rate <= bound * (1 + ROUNDING)) return
  const resource = 'probes_per_second'
  throw new DomainError('QUOTA_EXCEEDED', `Quota exceeded for resources:['${resource}'].`, { resource })
}

/** Thirds of a second add up to a little more than their sum. */
const ROUNDING = 1e-9

/** In the worst state, until and after traffic is seen. */
function rateOf(monitor: JudgedMonitor, trafficSeen: boolean): number {
  const seen = highestCheckRate(statePolicy(monitor, true))
  return trafficSeen ? seen : Math.max(seen, highestCheckRate(statePolicy(monitor, false)))
}
