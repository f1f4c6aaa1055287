/**
 * The limits of a project's checks: probes a second, and probes in flight (docs/adr/0015-options.md). Every write that
 * increases either is checked; other writes cost nothing.
 */
import { DomainError } from '../../domain/errors.ts'
import { IN_FLIGHT_PER_PROJECT_DEFAULT, PROBES_PER_SECOND_PER_PROJECT_DEFAULT } from '../../domain/limits.ts'
import { highestCheckRate, highestInFlight } from '../../domain/timing/probe-forecast.ts'
import { type JudgedMonitor, statePolicy, timeoutMs } from '../../domain/options/profiles.ts'
import { siteCount } from '../../domain/site/monitor-sites.ts'
import type { HealthMonitor } from '../../domain/health-monitor.ts'
import type { Tx } from '../../store/connection/database.ts'
import { lockProbedMembers, type ProbedMembers } from '../../store/configuration/probe-rates.ts'
import type { ApiDependencies } from '../http/context.ts'

/** The load of checks, in the worst of their states. */
export interface ProbeDemand {
  readonly perSecond: number
  /** While none of their targets answers. */
  readonly inFlight: number
}

const NO_DEMAND: ProbeDemand = { perSecond: 0, inFlight: 0 }

/** The load of a monitor per member; none without a monitor. `trafficSeen` = in its pool. */
export function memberDemand(
  monitor: (JudgedMonitor & Pick<HealthMonitor, 'adminStateUp'>) | undefined,
  trafficSeen = false,
): ProbeDemand {
  return monitor?.adminStateUp === true ? demandOf(monitor, trafficSeen) : NO_DEMAND
}

/** `first` and so many times `more`. */
export function plus(first: ProbeDemand, more: ProbeDemand, times = 1): ProbeDemand {
  return {
    perSecond: first.perSecond + times * more.perSecond,
    inFlight: first.inFlight + times * more.inFlight,
  }
}

/** The same of so many members. */
export function ofMembers(demand: ProbeDemand, members: number): ProbeDemand {
  return plus(NO_DEMAND, demand, members)
}

/** The load of all checks of a project. */
export function demandOfAll(probed: readonly ProbedMembers[]): ProbeDemand {
  return probed.reduce((sum, like) => plus(sum, demandOf(like, like.trafficSeen), like.members), NO_DEMAND)
}

/** The bounds of a project; -1 = none. */
export function demandMax({ settings }: Pick<ApiDependencies, 'settings'>): ProbeDemand {
  return {
    perSecond: settings.probesPerSecondPerProject ?? PROBES_PER_SECOND_PER_PROJECT_DEFAULT,
    inFlight: settings.inFlightPerProject ?? IN_FLIGHT_PER_PROJECT_DEFAULT,
  }
}

const RESOURCES: Readonly<Record<keyof ProbeDemand, string>> = {
  perSecond: 'probes_per_second',
  inFlight: 'probes_in_flight',
}

/**
 * To be called when the write is done, or sent, and before it is committed; `raise`: what it adds. Throws QUOTA_EXCEEDED when the
 * project's checks could then make more probes a second, or have more in flight, than they may.
 */
export async function assertProbeRate(
  tx: Tx,
  deps: ApiDependencies,
  { projectId, raise }: { readonly projectId: string; readonly raise: ProbeDemand },
): Promise<void> {
  const max = demandMax(deps)
  const bounded = (['perSecond', 'inFlight'] as const).filter((what) => max[what] >= 0 && raise[what] > 0)
  if (bounded.length === 0) return
  const demand = demandOfAll(await lockProbedMembers(tx, projectId))
  const exceeded = bounded.find((what) => demand[what] > max[what] * (1 + ROUNDING))
  if (exceeded === undefined) return
  const resource = RESOURCES[exceeded]
  throw new DomainError('QUOTA_EXCEEDED', `Quota exceeded for resources:['${resource}'].`, { resource })
}

/** Thirds of a second add up to a little more than their sum. */
const ROUNDING = 1e-9

/** In the worst state, until and after traffic is seen; each of its sites makes all the probes. */
function demandOf(monitor: JudgedMonitor, trafficSeen: boolean): ProbeDemand {
  return ofMembers(demandOfSite(monitor, trafficSeen), siteCount(monitor.options))
}

function demandOfSite(monitor: JudgedMonitor, trafficSeen: boolean): ProbeDemand {
  const seen = statePolicy(monitor, true)
  const policies = trafficSeen ? [seen] : [seen, statePolicy(monitor, false)]
  return {
    perSecond: Math.max(...policies.map(highestCheckRate)),
    inFlight: Math.max(...policies.map((policy) => highestInFlight(policy, timeoutMs(monitor)))),
  }
}
