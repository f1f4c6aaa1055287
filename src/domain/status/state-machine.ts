/**
 * The member state machine: outcomes of probes in, status out. Pure. The model of docs/state-machine.md; every peer
 * (Envoy, HAProxy, keepalived, Octavia, OTC, Contrail, Consul, Kubernetes…) is a policy for it, never a branch in it.
 *
 * States: UNKNOWN (no verdict yet) → ONLINE ⇄ OFFLINE. `okRun` and `badRun` count results in a row; a success clears
 * `badRun`, a failure clears `okRun`, an inconclusive result changes nothing (unless the policy says otherwise).
 * Starting credits (`rise - firstRise`, `fall - firstFall`) make the first-check rules of OTC and Envoy ("the first
 * check alone decides"), HAProxy ("up, but will fall down at first failure"), keepalived and Consul one rule. Equal to
 * HAProxy's one-integer counter (`include/haproxy/check-t.h`) for every rise and fall.
 *
 * Invariants: runs never exceed their thresholds, so an unchanged state is the same object and costs no allocation; a
 * status changes only by a result in the direction of the change.
 */
import { type FlapDamping, type FlapState, flapAfter } from './flap-damping.ts'
import type { Intervals, Jitter } from '../timing/intervals.ts'
import type { FailureKind } from '../result/reasons.ts'
import { isPass, type StepOutcome } from './step-outcome.ts'

export type CheckStatus = 'UNKNOWN' | 'ONLINE' | 'OFFLINE'

/** How results become a status and when the next probe is: thresholds >= 1. Made from a health monitor by its profile. */
export interface StatePolicy {
  readonly rise: number
  readonly fall: number
  readonly initialStatus: CheckStatus
  /** Successes that the very first verdict to ONLINE needs. */
  readonly firstRise: number
  /** Failures that the very first verdict to OFFLINE needs when `initialStatus` is ONLINE. */
  readonly firstFall: number
  /** Failures in a row from UNKNOWN to OFFLINE. */
  readonly unknownFall: number
  readonly intervals: Intervals
  /** Kinds of failures of which one is enough. */
  readonly hardFailures?: readonly FailureKind[]
  /** `hard`: one failure seen on data traffic is enough; absent = such failures do not count. */
  readonly passive?: 'hard'
  /** The effect of an inconclusive result on the runs, where its reason may count (result/reasons.ts); absent = `keep`. */
  readonly inconclusive?: 'keep' | 'break_run' | 'fail'
  /** A success counts as a (soft) failure and the other way round. */
  readonly invert?: boolean
  /** Successes on top of `rise` that leaving an OFFLINE needs which results had led to. */
  readonly recoveryExtra?: number
  /** OFFLINE ends the probing until the check starts anew (Kubernetes liveness). */
  readonly haltWhenOffline?: boolean
  /** From what the intervals count: the end of a probe (absent) or its start. */
  readonly anchor?: 'completion' | 'start'
  /** Absent = every interval is exact. */
  readonly jitter?: Jitter
  /** Absent = off. */
  readonly flap?: FlapDamping
}

export interface CheckState {
  readonly status: CheckStatus
  /** Successes in a row, at most `rise` (and `recoveryExtra` while OFFLINE). */
  readonly okRun: number
  /** Failures in a row, below `fall` (below `unknownFall` while UNKNOWN). */
  readonly badRun: number
  /** Results have led to, or confirmed, the status: the initial status of a policy is not a verdict. */
  readonly decided: boolean
  /** What the target says of itself, while ONLINE. */
  readonly degraded: boolean
  readonly warning: boolean
  readonly draining: boolean
  /** Once true, the no-traffic intervals are over. */
  readonly trafficSeen: boolean
  /** With `policy.flap` only. */
  readonly flap: FlapState | undefined
}

export function initialState(policy: StatePolicy): CheckState {
  return {
    status: policy.initialStatus,
    okRun: Math.max(0, policy.rise - policy.firstRise),
    badRun: policy.initialStatus === 'ONLINE' ? Math.max(0, policy.fall - policy.firstFall) : 0,
    decided: false,
    degraded: false,
    warning: false,
    draining: false,
    trafficSeen: false,
    flap: undefined,
  }
}

/** The state of a check whose last verdict is known and whose counters are not: it never flips without new evidence. */
export function restoredState(status: 'ONLINE' | 'OFFLINE', policy: StatePolicy): CheckState {
  const okRun = status === 'ONLINE' ? policy.rise : 0
  return { ...initialState(policy), status, okRun, badRun: 0, decided: true }
}

/** The state after a change of the target or of the request: as never probed, but traffic was seen. */
export function restartedState(policy: StatePolicy, state: CheckState): CheckState {
  return { ...initialState(policy), trafficSeen: state.trafficSeen }
}

/** Whether the check is probed no more until it starts anew. */
export function isHalted(policy: StatePolicy, state: CheckState): boolean {
  return policy.haltWhenOffline === true && state.status === 'OFFLINE' && state.decided
}

/** The state once traffic has reached the target; the same object when it had before. */
export function withTraffic(state: CheckState): CheckState {
  return state.trafficSeen ? state : { ...state, trafficSeen: true }
}

/**
 * The state after one more outcome; the same object when nothing changed. `atMs` is any monotonic clock, in
 * milliseconds; only flap damping looks at it.
 */
export function step(policy: StatePolicy, state: CheckState, outcome: StepOutcome, atMs = 0): CheckState {
  if (isHalted(policy, state)) return state
  if (outcome === 'inconclusive') return afterInconclusive(policy, state)
  if (outcome === 'passive') return policy.passive === 'hard' ? afterFailure(policy, state, true) : state
  const seen = policy.invert === true ? inverted(outcome) : outcome
  const next =
    isPass(seen) && !(seen === 'draining' && state.status === 'OFFLINE')
      ? afterSuccess(policy, state, seen)
      : afterFailure(policy, state, isHard(policy, seen))
  return policy.flap === undefined ? next : damped(policy.flap, state, next, { passed: isPass(seen), atMs })
}

function afterInconclusive(policy: StatePolicy, state: CheckState): CheckState {
  switch (policy.inconclusive ?? 'keep') {
    case 'keep':
      return state
    case 'break_run':
      return state.okRun === 0 && state.badRun === 0 ? state : { ...state, okRun: 0, badRun: 0 }
    case 'fail':
      return afterFailure(policy, state, false)
  }
}

function inverted(outcome: StepOutcome): StepOutcome {
  return isPass(outcome) ? 'network' : 'passed'
}

function isHard(policy: StatePolicy, outcome: StepOutcome): boolean {
  return (
    policy.hardFailures !== undefined && (policy.hardFailures as readonly StepOutcome[]).includes(outcome)
  )
}

function afterSuccess(policy: StatePolicy, state: CheckState, outcome: StepOutcome): CheckState {
  const { rise } = policy
  const wasOnline = state.status === 'ONLINE'
  const needed = state.status === 'OFFLINE' && state.decided ? rise + (policy.recoveryExtra ?? 0) : rise
  const run = state.okRun + 1
  if (!wasOnline && run < needed) return { ...state, okRun: run, badRun: 0 }
  const okRun = Math.min(run, rise)
  const degraded = outcome === 'degraded'
  const draining = outcome === 'draining'
  // Consul: a warning is a kind of passing, and appears as late as passing does.
  const warning = okRun >= rise ? outcome === 'warning' : state.warning
  const isSame =
    wasOnline &&
    okRun === state.okRun &&
    state.badRun === 0 &&
    state.decided &&
    degraded === state.degraded &&
    draining === state.draining &&
    warning === state.warning
  if (isSame) return state
  const { trafficSeen, flap } = state
  return { status: 'ONLINE', okRun, badRun: 0, decided: true, degraded, warning, draining, trafficSeen, flap }
}

function afterFailure(policy: StatePolicy, state: CheckState, isHardFailure: boolean): CheckState {
  if (state.status === 'OFFLINE') return state.okRun === 0 && state.decided ? state : offline(state)
  const badRun = state.badRun + 1
  const needed = state.status === 'UNKNOWN' ? policy.unknownFall : policy.fall
  return isHardFailure || badRun >= needed ? offline(state) : { ...state, okRun: 0, badRun }
}

function offline({ trafficSeen, flap }: CheckState): CheckState {
  return {
    status: 'OFFLINE',
    okRun: 0,
    badRun: 0,
    decided: true,
    degraded: false,
    warning: false,
    draining: false,
    trafficSeen,
    flap,
  }
}

/** Keeps a flapping target OFFLINE, one success short of ONLINE. */
function damped(
  damping: FlapDamping,
  before: CheckState,
  next: CheckState,
  result: { readonly passed: boolean; readonly atMs: number },
): CheckState {
  const flap = flapAfter(damping, before.flap, result.passed, result.atMs)
  const isHeld = flap.isFlapping && before.status === 'OFFLINE' && next.status === 'ONLINE'
  if (isHeld) {
    return before.flap === flap ? before : { ...before, flap }
  }
  return next.flap === flap ? next : { ...next, flap }
}
