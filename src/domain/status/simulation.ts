/**
 * What a monitor would do: a policy and a list of results in, one step per result out (`healthmonitor simulate`, the state
 * vectors). Time is nominal: no jitter, and probes take none.
 */
import { nextIntervalMs } from '../timing/probe-times.ts'
import {
  type CheckState,
  type CheckStatus,
  initialState,
  restartedState,
  type StatePolicy,
  step,
  withTraffic,
} from './state-machine.ts'
import { outcomeOfWord, type StepOutcome } from './step-outcome.ts'
import { parseUnifiedConfig, refusal, tableOf } from './unified-config.ts'

/** The effect of a result, in the words of the vectors; flags only when true. */
export interface SimulatedStep {
  readonly status: CheckStatus
  /** Null with `timer`: the timer was left as it was (`unchanged`), or there is none any more (`stopped`). */
  readonly next_interval_ms: number | null
  /** `ChangePending`: results toward another status have been counted. */
  readonly transition: 'Changed' | 'ChangePending' | 'Unchanged'
  readonly timer?: 'unchanged' | 'stopped'
  readonly degraded?: true
  readonly warning?: true
  readonly draining?: true
}

export interface SimulatedTrace {
  readonly id: string
  /** One per result, null for events; null as a whole when there is no configuration. */
  readonly steps: readonly (SimulatedStep | null)[] | null
}

/** A step, with the state that it left behind. */
export interface SimulatedResult extends SimulatedStep {
  readonly state: CheckState
}

/** `@traffic`: traffic reaches the target; `@restart`: the check starts anew; others change nothing. */
export type SimulatedEvent = `@${string}`

/**
 * Simulates an object as the vector files have them. Reads `id`, `unified_config` and `results`, ignores other keys;
 * refuses what it cannot read as INVALID_FIELD.
 */
export function simulateTrace(value: unknown): SimulatedTrace {
  const trace = tableOf(value, 'a trace')
  const { id, results, unified_config: config } = trace
  if (typeof id !== 'string' || id === '') throw refusal('id', 'must be a text')
  if (!Array.isArray(results)) throw refusal('results', 'must be a list')
  if (config === null) return { id, steps: null }
  const policy = parseUnifiedConfig(config)
  return { id, steps: simulate(policy, results.map(parseResult)).map(withoutState) }
}

function parseResult(word: unknown): StepOutcome | SimulatedEvent {
  if (typeof word === 'string') {
    if (word.startsWith('@')) return word as SimulatedEvent
    const outcome = outcomeOfWord(word)
    if (outcome !== undefined) return outcome
  }
  throw refusal('results', `${JSON.stringify(word)} is no result`)
}

/** One step per result, null for events. */
export function simulate(
  policy: StatePolicy,
  results: readonly (StepOutcome | SimulatedEvent)[],
): readonly (SimulatedResult | null)[] {
  let state = initialState(policy)
  // A credit is not a run: as long as no result has counted, no change is pending.
  let start = state
  let atMs = 0
  return results.map((result) => {
    if (isEvent(result)) {
      if (result === '@traffic') {
        const isStart = state === start
        state = withTraffic(state)
        if (isStart) start = state
      } else if (result === '@restart') {
        state = restartedState(policy, state)
        start = state
      }
      return null
    }
    const before = state
    state = step(policy, before, result, atMs)
    const intervalMs = nextIntervalMs(policy, state)
    const isTimerKept = intervalMs !== undefined && result === 'passive'
    if (intervalMs !== undefined && !isTimerKept) atMs += intervalMs
    return {
      status: state.status,
      next_interval_ms: isTimerKept ? null : (intervalMs ?? null),
      transition: transitionOf(before, state, state === start),
      ...(isTimerKept ? { timer: 'unchanged' } : intervalMs === undefined ? { timer: 'stopped' } : {}),
      ...(state.degraded ? { degraded: true } : {}),
      ...(state.warning ? { warning: true } : {}),
      ...(state.draining ? { draining: true } : {}),
      state,
    } as const
  })
}

function isEvent(result: StepOutcome | SimulatedEvent): result is SimulatedEvent {
  return result.startsWith('@')
}

function transitionOf(
  before: CheckState,
  after: CheckState,
  isUntouched: boolean,
): SimulatedStep['transition'] {
  if (before.status !== after.status || before.degraded !== after.degraded) return 'Changed'
  if (isUntouched) return 'Unchanged'
  const run = {
    ONLINE: after.badRun,
    OFFLINE: after.okRun,
    UNKNOWN: Math.max(after.okRun, after.badRun),
  }[after.status]
  return run > 0 ? 'ChangePending' : 'Unchanged'
}

function withoutState(simulated: SimulatedResult | null): SimulatedStep | null {
  if (simulated === null) return null
  const { state: _, ...step } = simulated
  return step
}
