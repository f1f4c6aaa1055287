/**
 * What a member *is*: a function of its configuration and of the last verdict of its check. The rules are one table
 * here, first match wins; the view `member_status` repeats them in SQL, and a test compares the two.
 */
import type { Reason } from '../result/reasons.ts'

/** UNKNOWN: probed, and nothing is known and nothing was published before. */
export type MemberState = 'NO_MONITOR' | 'DISABLED' | 'UNKNOWN' | 'ONLINE' | 'OFFLINE'
export type OperatingStatus = 'ONLINE' | 'OFFLINE' | 'NO_MONITOR'
export type MemberReason =
  | Reason
  | 'NO_MONITOR'
  | 'MONITOR_DISABLED'
  | 'LOAD_BALANCER_DISABLED'
  | 'POOL_DISABLED'
  | 'MEMBER_DISABLED'
  | 'PROVIDER_NOT_PROBED'
  | 'NOT_YET_PROBED'

/** The facts that decide. */
export interface StatusFacts {
  readonly hasMonitor: boolean
  readonly monitorUp: boolean
  readonly loadBalancerUp: boolean
  readonly poolUp: boolean
  readonly memberUp: boolean
  readonly provider: string
  /** The monitor was made or switched on after the member, its pool and its load balancer were: until then NO_MONITOR held. */
  readonly monitorIsNewest: boolean
  /** The status that the monitor's options set before the first verdict. */
  readonly startsAs: StartStatus | null
  /**
   * Absent when there is no valid one: creating or switching on an object, at any level, ends a verdict; another type
   * or target makes it old, and it is published until there is a newer one.
   */
  readonly verdict?: {
    readonly status: 'ONLINE' | 'OFFLINE'
    readonly reason: Reason
    /** Of an older generation of the check. */
    readonly isOld: boolean
  }
}

/** What a monitor may choose for members that have no verdict yet. */
export type StartStatus = 'ONLINE' | 'OFFLINE'

export interface MemberStatus {
  readonly state: MemberState
  readonly reason: MemberReason
  /** Probed, and without a verdict since the configuration changed: `state` is what was published before. */
  readonly pending: boolean
}

/** Load balancers of this provider are stored and never probed (tempest's noop mode). */
export const NOOP_PROVIDER = 'noop_driver'

interface Rule {
  readonly when: (facts: StatusFacts) => boolean
  readonly state: MemberState
  readonly reason: MemberReason
}

export const MEMBER_STATUS_RULES: readonly Rule[] = [
  { when: (f) => !f.hasMonitor, state: 'NO_MONITOR', reason: 'NO_MONITOR' },
  { when: (f) => !f.monitorUp, state: 'NO_MONITOR', reason: 'MONITOR_DISABLED' },
  { when: (f) => !f.loadBalancerUp, state: 'DISABLED', reason: 'LOAD_BALANCER_DISABLED' },
  { when: (f) => !f.poolUp, state: 'DISABLED', reason: 'POOL_DISABLED' },
  { when: (f) => !f.memberUp, state: 'DISABLED', reason: 'MEMBER_DISABLED' },
  { when: (f) => f.provider === NOOP_PROVIDER, state: 'UNKNOWN', reason: 'PROVIDER_NOT_PROBED' },
]

export function memberStatus(facts: StatusFacts): MemberStatus {
  const rule = MEMBER_STATUS_RULES.find((candidate) => candidate.when(facts))
  if (rule !== undefined) return { state: rule.state, reason: rule.reason, pending: false }
  const { verdict } = facts
  if (verdict !== undefined) return { state: verdict.status, reason: verdict.reason, pending: verdict.isOld }
  const start = START_RULES.find((candidate) => candidate.when(facts))
  return { state: start?.state ?? 'UNKNOWN', reason: 'NOT_YET_PROBED', pending: true }
}

/** Before the first verdict: the monitor's choice, else the status that was published before the monitor existed. */
const START_RULES: readonly Omit<Rule, 'reason'>[] = [
  { when: (f) => f.startsAs === 'ONLINE', state: 'ONLINE' },
  { when: (f) => f.startsAs === 'OFFLINE', state: 'UNKNOWN' },
  { when: (f) => f.monitorIsNewest, state: 'NO_MONITOR' },
]

/** elb's three words for the finer states: OFFLINE is also "not yet" and "switched off". */
export function operatingStatus(state: MemberState): OperatingStatus {
  switch (state) {
    case 'NO_MONITOR':
    case 'ONLINE':
      return state
    case 'DISABLED':
    case 'UNKNOWN':
    case 'OFFLINE':
      return 'OFFLINE'
  }
}
