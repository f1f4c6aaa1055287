/** The parts of a target or of a policy that the options of a group set: the given value, else the preset's default. */
import type { Meaning, Option, OptionGroup, Plain } from './option.ts'
import type { Preset } from './preset-names.ts'
import type { MonitorType } from '../types.ts'

/** Whose options they are. */
export interface Setter {
  readonly type: MonitorType
  /** Undefined = what is given counts alone. */
  readonly preset: Preset | undefined
  /** Needed where a preset's default follows from other values. */
  readonly plain?: Plain
}

/** What the rows of a group set: the parts of one thing. */
type PartsOf<Keys> = SetOf<Keys[keyof Keys]>
type SetOf<Row> = Row extends { readonly kind: 'object' }
  ? never
  : Row extends { readonly sets?: (value: never) => infer Parts }
    ? Parts
    : never

/** The parts that the options of one group set, of those that are described with what they set. */
export function setBy<Keys extends Readonly<Record<string, Option | OptionGroup>>>(
  { keys, types }: Pick<OptionGroup<Keys>, 'keys' | 'types'>,
  given: object | undefined,
  setter: Setter,
): PartsOf<Keys> {
  const values = (given ?? {}) as Readonly<Record<string, unknown>>
  const parts = {}
  for (const { key, option, sets } of settersOf(keys)) {
    const taking = option.types ?? types
    if (taking !== undefined && !taking.includes(setter.type)) continue
    const value = values[key] ?? defaultOf(option, setter)
    if (value !== undefined) Object.assign(parts, sets(value))
  }
  return parts as PartsOf<Keys>
}

interface SettingRow {
  readonly key: string
  readonly option: Option
  readonly sets: NonNullable<Option['sets']>
}

/** By the rows of a group: policies are made for every member that is loaded or shown. */
const SETTERS = new WeakMap<object, readonly SettingRow[]>()

function settersOf(keys: Readonly<Record<string, Option | OptionGroup>>): readonly SettingRow[] {
  const known = SETTERS.get(keys)
  if (known !== undefined) return known
  const rows = Object.entries(keys).flatMap(([key, option]) =>
    option.kind === 'object' || option.sets === undefined ? [] : [{ key, option, sets: option.sets }],
  )
  SETTERS.set(keys, rows)
  return rows
}

/** What a preset has as the default of an option; undefined = nothing. */
export function defaultOf<Value>(
  { presets, derived }: Pick<Meaning<Value, never>, 'presets' | 'derived'>,
  { preset, plain }: Pick<Setter, 'preset' | 'plain'>,
): Value | undefined {
  if (preset === undefined) return undefined
  return presets?.[preset] ?? (plain === undefined ? undefined : derived?.[preset]?.(plain))
}
