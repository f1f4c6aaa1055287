/**
 * `options` of a health monitor: settings beyond the plain fields of OpenStack's API, in the form of the API and of the
 * database. Every key is optional; an absent value follows from the preset, else from the plain fields and the profile.
 * Durations are whole milliseconds, bytes are base64.
 */
import { votingSites } from '../site/monitor-sites.ts'
import { QUORUM_DEFAULT } from '../site/quorum.ts'
import type { ValueOf } from './option.ts'
import type { MONITOR_OPTIONS } from './table.ts'

export { HARD_FAILURES, type HardFailure } from './judging.ts'
export type { StatusRange } from '../target/expected-codes.ts'
export { type Preset, PRESETS } from './preset-names.ts'

/** The type that the table of options describes. */
export type MonitorOptions = ValueOf<typeof MONITOR_OPTIONS>

/** A merge patch (RFC 7396) over options: null removes; lists are replaced as a whole. */
export type OptionsPatch = {
  readonly [Key in keyof MonitorOptions]?: MonitorOptions[Key] extends infer Value
    ? Value extends readonly unknown[]
      ? Value | null
      : Value extends object
        ? { readonly [Inner in keyof Value]?: Value[Inner] | null } | null
        : Value | null
    : never
}

/** The options after a patch; null when nothing is left. A patch of null removes all. */
export function mergeOptions(
  stored: MonitorOptions | null,
  patch: OptionsPatch | null,
): MonitorOptions | null {
  const merged = patch === null ? {} : { ...merge({ ...stored }, { ...patch }), ...replacedBy(patch) }
  return Object.keys(merged).length === 0 ? null : (merged as MonitorOptions)
}

/** Values of which a part means nothing. */
function replacedBy({ quorum }: OptionsPatch): Pick<OptionsPatch, 'quorum'> {
  return quorum === undefined || quorum === null ? {} : { quorum }
}

type Json = Readonly<Record<string, unknown>>

function merge(target: Json, patch: Json): Json {
  const result: Record<string, unknown> = { ...target }
  for (const [key, value] of Object.entries(patch)) {
    const old = result[key]
    if (value === null) delete result[key]
    else if (isPlain(value)) result[key] = merge(isPlain(old) ? old : {}, value)
    else result[key] = value
  }
  return result
}

function isPlain(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/**
 * Whether results before a change of options do not count after it: gRPC or not, inverted or not (ADR 5); other sites, or
 * another quorum of them, because the verdict is one of all (ADR 38).
 */
export function invalidatesResults(before: MonitorOptions | null, after: MonitorOptions | null): boolean {
  const isGrpc = (options: MonitorOptions | null): boolean => options?.grpc !== undefined
  const isInverted = (options: MonitorOptions | null): boolean => options?.invert === true
  return (
    isGrpc(before) !== isGrpc(after) ||
    isInverted(before) !== isInverted(after) ||
    places(before) !== places(after)
  )
}

/** Equal where the same sites vote under the same rule; of `local` alone no rule makes a difference. */
function places(options: MonitorOptions | null): string {
  const sites = votingSites(options)
  return sites === null ? '' : JSON.stringify([sites.toSorted(), options?.quorum ?? QUORUM_DEFAULT])
}
