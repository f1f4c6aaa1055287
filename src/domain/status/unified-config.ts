/**
 * The unified model's configuration as the vectors and `simulate` write it, parsed into a policy. The model's own names
 * (docs/state-machine.md: `interval`, `initial`, `recoveryExtra`) are accepted as well, and its settings for how probes
 * are made are ignored. Unknown keys and wrong types are refused as INVALID_FIELD; null is absent, except that a credit
 * of null is the whole threshold (no credit).
 */
import { DomainError } from '../errors.ts'
import type { FlapDamping } from './flap-damping.ts'
import { FLAP_DEFAULT, FLAP_WINDOW, INT4_MAX, type Range, UNIFIED_DEFAULT } from '../limits.ts'
import type { Intervals } from '../timing/intervals.ts'
import type { FailureKind } from '../result/reasons.ts'
import type { StatePolicy } from './state-machine.ts'
import { outcomeOfWord } from './step-outcome.ts'

type Table = Readonly<Record<string, unknown>>

const COUNT: Range = { min: 1, max: INT4_MAX }
const COUNT_OR_NONE: Range = { min: 0, max: INT4_MAX }
const PERCENT: Range = { min: 0, max: 100 }

/** A retriable status is soft by its nature. */
const HARD_KINDS = ['network', 'timeout', 'status', 'payload', 'immediate'] as const satisfies FailureKind[]

/** Settings of the model for probes, not for their results: a simulation does not use them. */
const PROBING_KEYS = new Set([
  'timeout',
  'connectTimeout',
  'readTimeout',
  'jitter',
  'connection',
  'target',
  'tls',
  'http',
  'tcp',
  'udp',
  'grpc',
  'icmp',
  'exec',
  'dns',
  'sctp',
  'degraded',
  'drain',
  'events',
  'history',
])

const CONFIG_KEYS = new Set([
  'rise',
  'fall',
  'initialStatus',
  'firstRise',
  'firstFall',
  'unknownFall',
  'hardFail',
  'passive',
  'inconclusive',
  'invert',
  'doubleCheckOnRecovery',
  'haltWhenOffline',
  'anchor',
  'intervals',
  'flap',
  'interval',
  'initial',
  'recoveryExtra',
  ...PROBING_KEYS,
])

/** What the model calls `initial`, in the vectors' names. */
const INITIAL_NAMES = new Map([
  ['status', 'initialStatus'],
  ['rise', 'firstRise'],
  ['fall', 'firstFall'],
  ['unknownFall', 'unknownFall'],
])

const INITIAL_KEYS = new Set(INITIAL_NAMES.keys())

const INTERVAL_KEYS = new Set([
  'online',
  'onlinePending',
  'offline',
  'offlinePending',
  'undecided',
  'noTraffic',
  'noTrafficHealthy',
])

const FLAP_KEYS = new Set(['window', 'high', 'low', 'hold'])

/** The policy of a unified configuration. */
export function parseUnifiedConfig(value: unknown): StatePolicy {
  const config = inVectorNames(tableOf(value, 'unified_config', CONFIG_KEYS))
  const rise = whole(config, 'rise', COUNT) ?? UNIFIED_DEFAULT.rise
  const fall = whole(config, 'fall', COUNT) ?? UNIFIED_DEFAULT.fall
  const flap = flapOf(config['flap'])
  const inconclusive = oneOf(config, 'inconclusive', ['keep', 'break_run', 'fail'])
  const anchor = oneOf(config, 'anchor', ['completion', 'start'])
  const { hardFailures, isPassiveHard } = hardFailuresOf(config['hardFail'])
  const passive = oneOf(config, 'passive', ['hard', 'off']) ?? (isPassiveHard ? 'hard' : 'off')
  return {
    rise,
    fall,
    initialStatus: oneOf(config, 'initialStatus', ['UNKNOWN', 'ONLINE', 'OFFLINE']) ?? 'UNKNOWN',
    firstRise: credit(config, 'firstRise', rise),
    firstFall: credit(config, 'firstFall', fall),
    unknownFall: whole(config, 'unknownFall', COUNT) ?? 1,
    intervals: intervalsOf(config['intervals']),
    hardFailures,
    recoveryExtra: whole(config, 'doubleCheckOnRecovery', COUNT_OR_NONE) ?? 0,
    haltWhenOffline: yesOrNo(config, 'haltWhenOffline'),
    invert: yesOrNo(config, 'invert'),
    ...(passive === 'hard' ? { passive } : {}),
    ...(inconclusive === undefined ? {} : { inconclusive }),
    ...(anchor === undefined ? {} : { anchor }),
    ...(flap === undefined ? {} : { flap }),
  }
}

/** The model's own names as the vectors'; giving both is refused. */
function inVectorNames({ interval, initial, recoveryExtra, intervals, ...rest }: Table): Table {
  const waits = tableOf(intervals ?? {}, 'intervals', INTERVAL_KEYS)
  const renamed = Object.entries(tableOf(initial ?? {}, 'initial', INITIAL_KEYS)).map(
    ([key, value]): [string, unknown] => [INITIAL_NAMES.get(key) ?? key, value],
  )
  if (recoveryExtra !== undefined) renamed.push(['doubleCheckOnRecovery', recoveryExtra])
  const twice = renamed.find(([key]) => rest[key] !== undefined)?.[0]
  if (twice !== undefined) throw refusal(twice, 'is given twice')
  const online = interval ?? waits['online']
  if (online !== (waits['online'] ?? online)) throw refusal('interval', 'is given twice')
  return { ...rest, ...Object.fromEntries(renamed), intervals: { ...waits, online } }
}

/** A first threshold: 1 when it is absent, the whole threshold when it is null. */
function credit(config: Table, key: string, threshold: number): number {
  return config[key] === null ? threshold : (whole(config, key, COUNT) ?? 1)
}

function intervalsOf(value: unknown): Intervals {
  const table = tableOf(value, 'intervals', INTERVAL_KEYS)
  const found: Record<string, number> = {}
  for (const key of INTERVAL_KEYS) {
    const ms = whole(table, key, key === 'undecided' ? COUNT_OR_NONE : COUNT)
    if (ms !== undefined) found[key] = ms
  }
  return { online: UNIFIED_DEFAULT.intervalMs, ...found }
}

interface Hard {
  readonly hardFailures: readonly FailureKind[]
  /** Whether failures seen on traffic are in the list: the model's way to say `passive`. */
  readonly isPassiveHard: boolean
}

function hardFailuresOf(value: unknown): Hard {
  if (!Array.isArray(value ?? [])) throw refusal('hardFail', 'must be a list')
  const words = (value ?? []) as readonly unknown[]
  const hardFailures = words
    .filter((word) => word !== 'passive_fail')
    .map((word) => {
      const outcome = typeof word === 'string' ? outcomeOfWord(word) : undefined
      const kind = HARD_KINDS.find((candidate) => candidate === outcome)
      if (kind !== undefined) return kind
      throw refusal('hardFail', `${JSON.stringify(word)} is no failure that can be hard`)
    })
  return { hardFailures, isPassiveHard: hardFailures.length < words.length }
}

function flapOf(value: unknown): FlapDamping | undefined {
  if (value === undefined || value === null) return undefined
  const table = tableOf(value, 'flap', FLAP_KEYS)
  const highPercent = whole(table, 'high', PERCENT) ?? FLAP_DEFAULT.highPercent
  const lowPercent = whole(table, 'low', PERCENT) ?? FLAP_DEFAULT.lowPercent
  if (lowPercent > highPercent) throw refusal('flap', 'low must not be above high')
  return {
    window: whole(table, 'window', FLAP_WINDOW) ?? FLAP_DEFAULT.window,
    highPercent,
    lowPercent,
    holdMs: whole(table, 'hold', COUNT_OR_NONE) ?? 0,
  }
}

/** `value` as an object that has no other keys than these. */
export function tableOf(value: unknown, name: string, keys?: ReadonlySet<string>): Table {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw refusal(name, 'must be an object')
  }
  const unknown = keys === undefined ? undefined : Object.keys(value).find((key) => !keys.has(key))
  if (unknown !== undefined) throw refusal(name, `has the unknown key ${JSON.stringify(unknown)}`)
  return value as Table
}

function whole(table: Table, key: string, range: Range): number | undefined {
  const value = table[key]
  if (value === undefined || value === null) return undefined
  if (typeof value === 'number' && Number.isInteger(value) && value >= range.min && value <= range.max)
    return value
  throw refusal(key, `must be a whole number of ${range.min} to ${range.max}`)
}

function yesOrNo(table: Table, key: string): boolean {
  const value = table[key] ?? false
  if (typeof value !== 'boolean') throw refusal(key, 'must be true or false')
  return value
}

function oneOf<Word extends string>(table: Table, key: string, words: readonly Word[]): Word | undefined {
  const value = table[key]
  if (value === undefined || value === null) return undefined
  const word = words.find((candidate) => candidate === value)
  if (word === undefined) throw refusal(key, `must be one of ${words.join(', ')}`)
  return word
}

export function refusal(field: string, problem: string): DomainError {
  return new DomainError('INVALID_FIELD', `${field} ${problem}`, { field })
}
