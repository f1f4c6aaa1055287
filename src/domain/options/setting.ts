/** What the options of a group set of a target or of a policy: what is said, else what the preset has as its default. */
import type { Meaning, Option, OptionGroup, Plain } from './option.ts'
import type { Preset } from './preset-names.ts'
import type { MonitorType } from '../types.ts'

/** Whose options they are. */
export interface Setter {
  readonly type: MonitorType
  /** Undefined = what is said counts alone. */
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
  said: object | undefined,
  setter: Setter,
): PartsOf<Keys> {
  const values = (said ?? {}) as Readonly<Record<string, unknown>>
  const parts: object[] = []
  for (const [key, option] of Object.entries(keys)) {
    if (option.kind === 'object' || option.sets === undefined) continue
    if (!(option.types ?? types ?? [setter.type]).includes(setter.type)) continue
    const value = values[key] ?? defaultOf(option, setter)
    if (value !== undefined) parts.push(option.sets(value))
  }
  return Object.assign({}, ...parts) as PartsOf<Keys>
}

/** What a preset has as the default of an option; undefined = nothing. */
export function defaultOf<Value>(
  { presets, derived }: Pick<Meaning<Value, never>, 'presets' | 'derived'>,
  { preset, plain }: Pick<Setter, 'preset' | 'plain'>,
): Value | undefined {
  if (preset === undefined) return undefined
  return presets?.[preset] ?? (plain === undefined ? undefined : derived?.[preset]?.(plain))
}
