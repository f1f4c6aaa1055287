/**
 * What a member *is*: a function of its configuration and of the last verdict of its check. The rules stand here once
 * as a table, first match wins; the view `member_status` repeats them in SQL and a test holds the two together.
 */
import type { Reason } from './reasons.ts'

/** UNKNOWN: probed, and no verdict of this generation yet. */
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

/** The facts that decide. `verdict` is absent when there is none of the current generation. */
export interface MemberFacts {
  readonly hasMonitor: boolean
  readonly monitorUp: boolean
  readonly loadBalancerUp: boolean
  readonly poolUp: boolean
  readonly memberUp: boolean
  readonly provider: string
  readonly verdict?: { readonly status: 'ONLINE' | 'OFFLINE'; readonly reason: Reason }
}

/** Load balancers of this provider are stored and never probed (tempest's noop mode). */
export const NOOP_PROVIDER = 'noop_driver'

interface Rule {
  readonly when: (facts: MemberFacts) => boolean
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

export function memberState(facts: MemberFacts): {
  readonly state: MemberState
  readonly reason: MemberReason
} {
  const rule = MEMBER_STATUS_RULES.find((candidate) => candidate.when(facts))
  if (rule !== undefined) return { state: rule.state, reason: rule.reason }
  if (facts.verdict !== undefined) return { state: facts.verdict.status, reason: facts.verdict.reason }
  return { state: 'UNKNOWN', reason: 'NOT_YET_PROBED' }
}

/** elb's three words for the finer states: OFFLINE is also "not yet" and "switched off" (elb-api section 5). */
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
