/**
 * The member state machine: probe outcomes in, status out. Pure.
 *
 * States: UNKNOWN (no verdict yet) → ONLINE ⇄ OFFLINE. `okRun` and `badRun` count results in a row; a success clears
 * `badRun`, a failure clears `okRun`, an inconclusive result changes nothing, ever. Starting credits
 * (`rise - firstRise`, `fall - firstFall`) make the first-check rules of OTC ("the first check alone decides"), HAProxy
 * ("up, but will fall down at first failure") and keepalived one rule. Equal to HAProxy's one-integer counter
 * (`include/haproxy/check-t.h`) for every rise and fall.
 *
 * Invariant: runs never exceed their thresholds, so an unchanged state is the same object and costs no allocation.
 */
export type CheckStatus = 'UNKNOWN' | 'ONLINE' | 'OFFLINE'

/** `conditional`: HAProxy's "conditionally passed" (404 with disable-on-404): up, but no new traffic. */
export type StepOutcome = 'passed' | 'failed' | 'inconclusive' | 'conditional'

/** Milliseconds from the end of one probe to the start of the next, by where the state stands. */
export interface Intervals {
  readonly online: number
  /** ONLINE with failures in a row; absent = `online`. */
  readonly onlinePending?: number
  /** OFFLINE and still failing; absent = `online`. */
  readonly offline?: number
  /** OFFLINE with successes in a row; absent = `online`. */
  readonly offlinePending?: number
}

/** How results become a status: thresholds >= 1. A profile makes it from a health monitor. */
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
}

export interface CheckState {
  readonly status: CheckStatus
  /** Successes in a row, at most `rise`. */
  readonly okRun: number
  /** Failures in a row, below `fall` (below `unknownFall` while UNKNOWN). */
  readonly badRun: number
  /** False until the first result that was not inconclusive. */
  readonly decided: boolean
  readonly draining: boolean
}

export function initialState(policy: StatePolicy): CheckState {
  return {
    status: policy.initialStatus,
    okRun: Math.max(0, policy.rise - policy.firstRise),
    badRun: policy.initialStatus === 'ONLINE' ? Math.max(0, policy.fall - policy.firstFall) : 0,
    decided: false,
    draining: false,
  }
}

/** The state of a check whose last verdict is known and whose counters are not: it never flips without new evidence. */
export function restoredState(status: 'ONLINE' | 'OFFLINE', policy: StatePolicy): CheckState {
  return { status, okRun: status === 'ONLINE' ? policy.rise : 0, badRun: 0, decided: true, draining: false }
}

/** The state after one more outcome; the same object when nothing changed. */
export function step(policy: StatePolicy, state: CheckState, outcome: StepOutcome): CheckState {
  switch (outcome) {
    case 'inconclusive':
      return state
    case 'passed':
      return afterSuccess(policy, state, false)
    case 'conditional':
      return state.status === 'ONLINE' ? afterSuccess(policy, state, true) : afterFailure(policy, state)
    case 'failed':
      return afterFailure(policy, state)
  }
}

function afterSuccess(policy: StatePolicy, state: CheckState, draining: boolean): CheckState {
  const okRun = Math.min(state.okRun + 1, policy.rise)
  const status = state.status === 'ONLINE' || okRun >= policy.rise ? 'ONLINE' : state.status
  if (
    status === state.status &&
    okRun === state.okRun &&
    state.badRun === 0 &&
    state.decided &&
    state.draining === draining
  ) {
    return state
  }
  return { status, okRun, badRun: 0, decided: true, draining }
}

function afterFailure(policy: StatePolicy, state: CheckState): CheckState {
  if (state.status === 'OFFLINE') {
    return state.okRun === 0 && state.decided ? state : offline()
  }
  const badRun = state.badRun + 1
  const needed = state.status === 'UNKNOWN' ? policy.unknownFall : policy.fall
  if (badRun >= needed) return offline()
  return { status: state.status, okRun: 0, badRun, decided: true, draining: state.draining }
}

function offline(): CheckState {
  return { status: 'OFFLINE', okRun: 0, badRun: 0, decided: true, draining: false }
}

/** Milliseconds until the next probe starts, counted from the end of the last one. */
export function nextIntervalMs(policy: StatePolicy, state: CheckState): number {
  const { online, onlinePending = online, offline: down = online, offlinePending = online } = policy.intervals
  switch (state.status) {
    case 'ONLINE':
      return state.badRun > 0 ? onlinePending : online
    case 'OFFLINE':
      return state.okRun > 0 ? offlinePending : down
    case 'UNKNOWN':
      return state.badRun > 0 ? onlinePending : down
  }
}
