/**
 * How the states of members roll up to pool, listener and load balancer, as Octavia's health manager does it
 * (docs/peers/octavia.md 26 to 28). Each level is a table of rules, first match wins. SQL repeats them: for pools and
 * load balancers `decide_pool_status`, `counted_pool` and `counted_load_balancer` (migrations 0019 and 0039), for listeners and
 * members store/status/roll-up.ts. A test compares the two.
 *
 * Where Octavia waits for a report of HAProxy we have none: a load balancer that is switched on with nothing below it
 * is ONLINE, and a pool of which no member has a verdict yet is OFFLINE, as its members are.
 */
import { type MemberState, NOOP_PROVIDER } from './member-status.ts'

/** The words of Octavia's operating_status, of every kind of object. */
export const OPERATING_STATUSES = [
  'ONLINE',
  'OFFLINE',
  'DEGRADED',
  'ERROR',
  'DRAINING',
  'NO_MONITOR',
] as const
export type RolledUpStatus = Extract<
  (typeof OPERATING_STATUSES)[number],
  'ONLINE' | 'OFFLINE' | 'DEGRADED' | 'ERROR'
>
export type MemberWord = Exclude<(typeof OPERATING_STATUSES)[number], 'DEGRADED'>

interface Rule<Facts, Word> {
  readonly when: (facts: Facts) => boolean
  readonly word: Word
}

/** The word of the first rule that applies; the last rule of a table always does. */
function firstOf<Facts, Word>(rules: readonly Rule<Facts, Word>[], facts: Facts): Word {
  const rule = rules.find((candidate) => candidate.when(facts))
  if (rule === undefined)
    throw new Error('no rule applies: a table of rules must end with one that always does')
  return rule.word
}

const always = (): boolean => true

export interface MemberWordFacts {
  readonly state: MemberState
  readonly memberUp: boolean
  readonly weight: number
  readonly provider: string
}

/**
 * A member in Octavia's words. Switched off is OFFLINE, with a monitor or without (HAProxy: MAINT), but not where nobody
 * reports (`noop_driver`: NO_MONITOR stays). Weight 0 drains only a member whose check passes.
 */
export const MEMBER_WORD_RULES: readonly Rule<MemberWordFacts, MemberWord>[] = [
  { when: (f) => f.provider !== NOOP_PROVIDER && !f.memberUp, word: 'OFFLINE' },
  { when: (f) => f.state === 'NO_MONITOR', word: 'NO_MONITOR' },
  { when: (f) => f.state === 'ONLINE' && f.weight === 0, word: 'DRAINING' },
  { when: (f) => f.state === 'ONLINE', word: 'ONLINE' },
  { when: (f) => f.state === 'OFFLINE', word: 'ERROR' },
  { when: always, word: 'OFFLINE' },
]

export function memberWord(facts: MemberWordFacts): MemberWord {
  return firstOf(MEMBER_WORD_RULES, facts)
}

export interface PoolFacts {
  readonly provider: string
  readonly loadBalancerUp: boolean
  readonly poolUp: boolean
  /** A listener that is switched on sends its traffic here. */
  readonly listened: boolean
  /** There is a monitor, and it is switched on. */
  readonly monitored: boolean
  readonly hasMembers: boolean
  /** A member that is switched on and has weight. */
  readonly hasWeight: boolean
  /** Such a member whose check passes, or which nobody checks or has checked yet: it has its traffic. */
  readonly hasPassing: boolean
  /** A member that is switched on and whose check fails, whatever its weight. */
  readonly hasFailing: boolean
  /** Whether as many pass as the options of the pool ask for; absent = they ask for nothing (ADR 36). */
  readonly isEnough?: boolean
}

/** With failing members and no passing one it is ERROR, also while another waits for its first verdict. */
export const POOL_RULES: readonly Rule<PoolFacts, RolledUpStatus>[] = [
  { when: (f) => f.provider === NOOP_PROVIDER, word: 'OFFLINE' },
  { when: (f) => !f.loadBalancerUp || !f.poolUp || !f.listened, word: 'OFFLINE' },
  { when: (f) => !f.hasMembers, word: 'ONLINE' },
  { when: (f) => !f.hasWeight, word: 'ERROR' },
  { when: (f) => !f.monitored, word: 'ONLINE' },
  { when: (f) => f.hasPassing && !(f.isEnough ?? !f.hasFailing), word: 'DEGRADED' },
  { when: (f) => f.hasPassing, word: 'ONLINE' },
  { when: (f) => f.hasFailing, word: 'ERROR' },
  { when: always, word: 'OFFLINE' },
]

/** Whether a member that is switched on takes traffic as far as its check goes. */
export function isPassing({
  state,
  weight,
}: {
  readonly state: MemberState
  readonly weight: number
}): boolean {
  return weight > 0 && (state === 'ONLINE' || state === 'NO_MONITOR')
}

export function poolStatus(facts: PoolFacts): RolledUpStatus {
  return firstOf(POOL_RULES, facts)
}

export interface ListenerFacts {
  readonly provider: string
  readonly loadBalancerUp: boolean
  readonly listenerUp: boolean
}

/** A listener of ours is never full, and never fails to open: it carries no traffic. */
export const LISTENER_RULES: readonly Rule<ListenerFacts, RolledUpStatus>[] = [
  { when: (f) => f.provider === NOOP_PROVIDER, word: 'OFFLINE' },
  { when: (f) => !f.loadBalancerUp || !f.listenerUp, word: 'OFFLINE' },
  { when: always, word: 'ONLINE' },
]

export function listenerStatus(facts: ListenerFacts): RolledUpStatus {
  return firstOf(LISTENER_RULES, facts)
}

export interface LoadBalancerFacts {
  readonly provider: string
  readonly loadBalancerUp: boolean
  readonly pools: readonly RolledUpStatus[]
}

/** The worst of its pools; a pool that is OFFLINE (on no listener, switched off, not yet probed) does not count. */
export const LOAD_BALANCER_RULES: readonly Rule<LoadBalancerFacts, RolledUpStatus>[] = [
  { when: (f) => f.provider === NOOP_PROVIDER, word: 'OFFLINE' },
  { when: (f) => !f.loadBalancerUp, word: 'OFFLINE' },
  { when: (f) => f.pools.includes('ERROR'), word: 'ERROR' },
  { when: (f) => f.pools.includes('DEGRADED'), word: 'DEGRADED' },
  { when: always, word: 'ONLINE' },
]

export function loadBalancerStatus(facts: LoadBalancerFacts): RolledUpStatus {
  return firstOf(LOAD_BALANCER_RULES, facts)
}
