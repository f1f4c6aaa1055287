/** The flags and words of `healthmonitor simulate`, and the policy and the results that they say. */
import { INT4_MAX } from '../../domain/limits.ts'
import {
  HARD_FAILURES,
  type HardFailure,
  type MonitorOptions,
  PRESETS,
} from '../../domain/options/monitor-options.ts'
import { type PlainPolicy, presetPolicy } from '../../domain/options/presets.ts'
import type { SimulatedEvent } from '../../domain/status/simulation.ts'
import type { StatePolicy } from '../../domain/status/state-machine.ts'
import { outcomeOfWord, RESULT_WORDS, type StepOutcome } from '../../domain/status/step-outcome.ts'
import { MONITOR_TYPES } from '../../domain/types.ts'
import { UsageError, type Word } from '../command-line.ts'

/** The words for people, instead of those of the vectors. */
const SHORT_WORDS: Readonly<Record<string, StepOutcome>> = {
  pass: 'passed',
  fail: 'network',
  status: 'status',
  payload: 'payload',
  immediate: 'immediate',
  retriable: 'retriable',
  draining: 'draining',
  passive: 'passive',
}

export const SIMULATE_WORDS: readonly Word[] = [
  {
    name: 'RESULT',
    what: `${[...Object.keys(SHORT_WORDS), ...Object.keys(RESULT_WORDS)].join(', ')}, or an event: @traffic, @restart`,
    choices: [...Object.keys(SHORT_WORDS), '@traffic', '@restart'],
    isRepeated: true,
    isOptional: true,
  },
]

const count = (what: string) => ({ type: 'string', value: 'N', what }) as const
const time = (what: string) => ({ type: 'string', value: 'TIME', what }) as const

export const SIMULATE_FLAGS = {
  preset: { type: 'string', value: 'NAME', choices: PRESETS, what: `${PRESETS.join(', ')} (elb)` },
  type: { type: 'string', value: 'TYPE', choices: MONITOR_TYPES, what: `${MONITOR_TYPES.join(', ')} (TCP)` },
  rise: count('results in a row to ONLINE (3)'),
  fall: count('results in a row to OFFLINE (3)'),
  interval: time('between two probes: 5s, 500ms (5s)'),
  initial: {
    type: 'string',
    value: 'STATUS',
    choices: ['UNKNOWN', 'ONLINE', 'OFFLINE'],
    what: 'UNKNOWN, ONLINE or OFFLINE',
  },
  'first-rise': count('successes in a row that the very first verdict needs'),
  'first-fall': count('failures in a row that the very first verdict needs'),
  'unknown-fall': count('failures in a row that a verdict needs out of UNKNOWN'),
  'online-pending': time('interval while ONLINE, with failures in a row'),
  offline: time('interval while OFFLINE, still failing'),
  'offline-pending': time('interval while OFFLINE, with successes in a row'),
  undecided: time('interval until the first verdict'),
  'no-traffic': time('interval until traffic was reported'),
  'no-traffic-healthy': time('the same while ONLINE and passing'),
  hard: {
    type: 'string',
    value: 'KINDS',
    what: `failures of which one is enough: ${HARD_FAILURES.join(',')}, or none`,
  },
  inconclusive: {
    type: 'string',
    value: 'WHAT',
    choices: ['keep', 'break_run', 'fail'],
    what: 'keep, break_run or fail (keep)',
  },
  'recovery-extra': count('further successes out of OFFLINE'),
  invert: { type: 'boolean', what: 'a success fails, a failure passes' },
  halt: { type: 'boolean', what: 'OFFLINE ends the probing' },
} as const

type Flag = keyof typeof SIMULATE_FLAGS
export type Values = { readonly [Name in Flag]?: string | boolean | undefined }

export interface Simulation {
  readonly policy: StatePolicy
  readonly words: readonly string[]
  readonly results: readonly (StepOutcome | SimulatedEvent)[]
}

/** The policy and the results; throws a UsageError for what it does not understand. */
export function parseSimulation(values: Values, words: readonly string[]): Simulation {
  const flags = new Flags(values)
  const plain: PlainPolicy = {
    type: flags.oneOf('type', MONITOR_TYPES) ?? 'TCP',
    rise: flags.count('rise', 1) ?? 3,
    fall: flags.count('fall', 1) ?? 3,
    intervalMs: flags.time('interval', 1) ?? 5000,
  }
  // What is undefined here is absent there.
  const options = {
    rise: flags.count('rise', 1),
    fall: flags.count('fall', 1),
    initial: {
      status: flags.oneOf('initial', ['UNKNOWN', 'ONLINE', 'OFFLINE']),
      rise: flags.count('first-rise', 1),
      fall: flags.count('first-fall', 1),
      unknown_fall: flags.count('unknown-fall', 1),
    },
    intervals: {
      online_pending_ms: flags.time('online-pending', 1),
      offline_ms: flags.time('offline', 1),
      offline_pending_ms: flags.time('offline-pending', 1),
      undecided_ms: flags.time('undecided', 0),
      no_traffic_ms: flags.time('no-traffic', 1),
      no_traffic_healthy_ms: flags.time('no-traffic-healthy', 1),
    },
    hard_failures: flags.hardFailures(),
    inconclusive: flags.oneOf('inconclusive', ['keep', 'break_run', 'fail']),
    recovery_extra: flags.count('recovery-extra', 0),
    invert: values.invert === true,
    halt_when_offline: values.halt === true,
  } as MonitorOptions
  return {
    policy: presetPolicy(flags.oneOf('preset', PRESETS) ?? 'elb', plain, options),
    words,
    results: words.map(parseWord),
  }
}

function parseWord(word: string): StepOutcome | SimulatedEvent {
  if (word.startsWith('@')) return word as SimulatedEvent
  const outcome = Object.hasOwn(SHORT_WORDS, word) ? SHORT_WORDS[word] : outcomeOfWord(word)
  if (outcome === undefined) throw new UsageError(`${JSON.stringify(word)} is no result`)
  return outcome
}

class Flags {
  readonly #values: Values

  constructor(values: Values) {
    this.#values = values
  }

  count(flag: Flag, min: number): number | undefined {
    const text = this.#values[flag]
    if (text === undefined) return undefined
    const count = /^\d{1,10}$/.test(String(text)) ? Number(text) : Number.NaN
    if (!(count >= min && count <= INT4_MAX)) throw this.#refusal(flag, `a whole number of at least ${min}`)
    return count
  }

  /** Milliseconds. */
  time(flag: Flag, minMs: number): number | undefined {
    const text = this.#values[flag]
    if (text === undefined) return undefined
    const match = /^(\d{1,10}(?:\.\d{1,3})?)(ms|s|m)$/.exec(String(text))
    const unit = match?.[2]
    const factor = unit === 'm' ? 60_000 : unit === 's' ? 1000 : 1
    const milliseconds = match === null ? Number.NaN : Math.round(Number(match[1]) * factor)
    if (!(milliseconds >= minMs && milliseconds <= INT4_MAX))
      throw this.#refusal(flag, 'like 5s, 1.5s or 500ms')
    return milliseconds
  }

  oneOf<Word extends string>(flag: Flag, words: readonly Word[]): Word | undefined {
    const text = this.#values[flag]
    if (text === undefined) return undefined
    const word = words.find((candidate) => candidate === text)
    if (word === undefined) throw this.#refusal(flag, `one of ${words.join(', ')}`)
    return word
  }

  hardFailures(): readonly HardFailure[] | undefined {
    const text = this.#values.hard
    if (text === undefined) return undefined
    if (text === 'none') return []
    return String(text)
      .split(',')
      .map((part) => {
        const kind = HARD_FAILURES.find((candidate) => candidate === part)
        if (kind === undefined) throw this.#refusal('hard', `some of ${HARD_FAILURES.join(',')}, or none`)
        return kind
      })
  }

  #refusal(flag: Flag, wanted: string): UsageError {
    return new UsageError(`--${flag} ${JSON.stringify(this.#values[flag])} must be ${wanted}`)
  }
}
