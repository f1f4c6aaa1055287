/**
 * Who should get what is sent to a pool, from the counts of its members and its rule (ADR 36). Migration 0039 repeats
 * `trafficOf` in SQL, in the function `decide_pool_status`; a test compares the two. Pure.
 *
 * Able is a member that is switched on and has weight. Passing is an able one whose check passes, or that nobody checks. The
 * first members are those that are no backups.
 *
 * - Backups stand in: while the first members that pass are enough, they alone get traffic. Else the backups that pass get
 *   traffic too, and both together may be enough. With "any", which is also the rule without options, this is what HAProxy does
 *   with `option allbackups`, as Octavia configures it (docs/peers/pool-health.md 9).
 * - With overprovisioning, first members and backups are Envoy's priorities 0 and 1 (docs/peers/pool-health.md 5 to 8).
 */
import type { MemberState } from '../status/member-status.ts'
import { isPassing } from '../status/roll-up.ts'
import type { WhenTooFew } from './pool-options.ts'
import { NO_RULE, type TrafficRule } from './traffic-rule.ts'

export interface PoolCounts {
  /** The pool and its load balancer are switched on, and the provider is one that reports. */
  readonly switchedOn: boolean
  readonly able: number
  readonly passing: number
  /** Of these, backups. */
  readonly ableBackup: number
  readonly passingBackup: number
}

/** What is the case → in words. */
export const TRAFFIC_KINDS = {
  healthy: 'enough members pass: those that pass get the traffic',
  backup: 'too few of the first members pass: backups that pass get traffic too',
  too_few: 'too few members pass: those that pass get the traffic',
  fail_open: 'too few members pass: all get traffic, also those that do not pass',
  fail_closed: 'too few members pass: none of them gets traffic',
  empty: 'no member is switched on and has weight',
  switched_off: 'the pool or its load balancer is switched off, or nobody probes for its provider',
} as const
export type TrafficKind = keyof typeof TRAFFIC_KINDS

export function isTrafficKind(word: string | undefined): word is TrafficKind {
  return word !== undefined && Object.hasOwn(TRAFFIC_KINDS, word)
}

/** Which able members of a kind get traffic. */
export type Takers = 'none' | 'passing' | 'all'

export interface Traffic {
  readonly kind: TrafficKind
  /** Fewer pass than the rule asks for. */
  readonly isTooFew: boolean
  readonly first: Takers
  readonly backups: Takers
}

const NOBODY = { isTooFew: false, first: 'none', backups: 'none' } as const
const OF_TOO_FEW = { report: 'passing', fail_open: 'all', fail_closed: 'none' } as const satisfies Record<
  WhenTooFew,
  Takers
>
const KIND_OF_TOO_FEW = {
  report: 'too_few',
  fail_open: 'fail_open',
  fail_closed: 'fail_closed',
} as const satisfies Record<WhenTooFew, TrafficKind>

export function trafficOf(counts: PoolCounts, rule: TrafficRule = NO_RULE): Traffic {
  if (!counts.switchedOn) return { kind: 'switched_off', ...NOBODY }
  if (counts.able === 0) return { kind: 'empty', ...NOBODY }
  return rule.overprovisioningPercent === null || rule.percent === null
    ? standIns(counts, rule)
    : byLevels(counts, {
        percent: rule.percent,
        overprovisioning: rule.overprovisioningPercent,
        whenTooFew: rule.whenTooFew ?? 'report',
      })
}

function standIns(counts: PoolCounts, rule: TrafficRule): Traffic {
  const { able, ableBackup, passing, passingBackup } = counts
  // Backups replace first members: they are no reason to ask for more.
  const base = able > ableBackup ? able - ableBackup : able
  const isEnough = (pass: number): boolean =>
    pass >= (rule.atLeast ?? 1) && pass * 100 >= (rule.percent ?? 0) * base
  if (isEnough(passing - passingBackup)) {
    return { kind: 'healthy', isTooFew: false, first: 'passing', backups: 'none' }
  }
  if (isEnough(passing)) return { kind: 'backup', isTooFew: false, first: 'passing', backups: 'passing' }
  const whenTooFew = rule.whenTooFew ?? 'report'
  const takers = OF_TOO_FEW[whenTooFew]
  return { kind: KIND_OF_TOO_FEW[whenTooFew], isTooFew: true, first: takers, backups: takers }
}

/** One of Envoy's priorities. */
interface Level {
  readonly able: number
  readonly passing: number
  /** Per cent of the traffic that it can take, rounded down. */
  readonly health: number
}

interface LevelRule {
  readonly percent: number
  readonly overprovisioning: number
  readonly whenTooFew: WhenTooFew
}

function byLevels(counts: PoolCounts, { percent, overprovisioning, whenTooFew }: LevelRule): Traffic {
  const levelOf = (able: number, passing: number): Level => ({
    able,
    passing,
    health: able === 0 ? 0 : Math.min(100, Math.floor((overprovisioning * passing) / able)),
  })
  const first = levelOf(counts.able - counts.ableBackup, counts.passing - counts.passingBackup)
  const backups = levelOf(counts.ableBackup, counts.passingBackup)
  const total = Math.min(100, first.health + backups.health)
  const isPanic = ({ able, passing }: Level): boolean =>
    total < 100 && (able === 0 || passing * 100 < percent * able)
  // In panic on both levels, traffic is shared by the number of members, whether they pass or not.
  const isTotalPanic = isPanic(first) && isPanic(backups)
  const hasLoad = {
    first: isTotalPanic ? first.able > 0 : first.health > 0,
    backups: isTotalPanic
      ? backups.able > 0
      : backups.health > 0 && Math.floor((100 * first.health) / total) < 100,
  }
  const takersOf = (level: Level, isLoaded: boolean): Takers => {
    if (!isLoaded) return 'none'
    return isPanic(level) ? OF_TOO_FEW[whenTooFew] : 'passing'
  }
  const isTooFew = (hasLoad.first && isPanic(first)) || (hasLoad.backups && isPanic(backups))
  return {
    kind: isTooFew ? KIND_OF_TOO_FEW[whenTooFew] : hasLoad.backups ? 'backup' : 'healthy',
    isTooFew,
    first: takersOf(first, hasLoad.first),
    backups: takersOf(backups, hasLoad.backups),
  }
}

/** Why a member gets traffic or not → in words. */
export const TRAFFIC_REASONS = {
  healthy: 'its check passes',
  not_monitored: 'nobody checks it',
  backup: 'its check passes, and it stands in for first members',
  fail_open: 'it does not pass, but too few do',
  switched_off: 'the member, its pool or its load balancer is switched off',
  draining: 'its weight is 0 and its check passes',
  weight_0: 'its weight is 0',
  standby: 'it is a backup and passes; the first members that pass are enough',
  failing: 'its check fails',
  not_judged_yet: 'its check has no verdict yet',
  fail_closed: 'it passes, but too few do',
} as const
export type TrafficReason = keyof typeof TRAFFIC_REASONS

export interface MemberTrafficFacts {
  readonly state: MemberState
  readonly memberUp: boolean
  readonly weight: number
  readonly backup: boolean
}

export interface MemberTraffic {
  readonly receives: boolean
  readonly why: TrafficReason
}

/** Whether a member gets traffic, as its pool decided. */
export function memberTraffic(member: MemberTrafficFacts, traffic: Omit<Traffic, 'isTooFew'>): MemberTraffic {
  const { state, memberUp, weight, backup } = member
  const no = (why: TrafficReason): MemberTraffic => ({ receives: false, why })
  if (traffic.kind === 'switched_off' || !memberUp) return no('switched_off')
  if (weight === 0) return no(state === 'ONLINE' ? 'draining' : 'weight_0')
  const takers = backup ? traffic.backups : traffic.first
  if (isPassing({ state, weight })) {
    if (takers === 'none') return no(traffic.kind === 'fail_closed' ? 'fail_closed' : 'standby')
    if (backup) return { receives: true, why: 'backup' }
    return { receives: true, why: state === 'NO_MONITOR' ? 'not_monitored' : 'healthy' }
  }
  if (takers === 'all') return { receives: true, why: 'fail_open' }
  return no(state === 'OFFLINE' ? 'failing' : 'not_judged_yet')
}
