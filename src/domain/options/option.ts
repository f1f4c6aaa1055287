/**
 * The description of one option: its form and its meaning. Everything else follows from it: the check of bodies, the
 * schemas of openapi.yaml, the TypeScript type, what a plan says, and what of a target or a policy it sets.
 */
import type { EffectiveOption, Fitting, Planning } from './row-context.ts'
import type { StatusRange } from '../target/expected-codes.ts'
import type { Intervals } from '../timing/intervals.ts'
import type { Range } from '../limits/range.ts'
import type { MonitorType, PlainField } from '../types.ts'
import type { Preset } from './preset-names.ts'

/** Which ranges of statuses, in Envoy's messages. */
export type StatusKind = 'expected' | 'retriable' | 'warning' | 'draining'

export type Unit =
  | 'milliseconds'
  | 'days'
  | 'per cent'
  | 'bytes'
  | 'results'
  | 'probes'
  | 'echo requests'
  | 'status code'
  | 'sites'

interface IntegerForm {
  readonly kind: 'integer'
  readonly range: Range
  readonly unit: Unit
}
interface BooleanForm {
  readonly kind: 'boolean'
}
interface WordForm<Word extends string = string> {
  readonly kind: 'word'
  readonly words: readonly Word[]
}
interface TextForm {
  readonly kind: 'text'
  /** Characters. */
  readonly max: number
  readonly min?: 1
  readonly pattern?: RegExp
}
interface ListForm<Item extends OptionForm = OptionForm> {
  readonly kind: 'list'
  readonly item: Item
  readonly max: number
}
/** A word, or an object with exactly one of these numbers. It is replaced as a whole, never merged into. */
interface EitherForm<Word extends string = string, Key extends string = string> {
  readonly kind: 'either'
  readonly words: readonly Word[]
  readonly numbers: Readonly<Record<Key, { readonly range: Range; readonly unit: Unit }>>
}
/** `start` to `end`, without `end`. */
interface StatusesForm {
  readonly kind: 'statuses'
  readonly of: StatusKind
}
interface ObjectForm {
  readonly kind: 'object'
  readonly keys: Readonly<Record<string, OptionForm>>
  /** Of items of lists: they are whole, nothing is merged into them. */
  readonly required?: readonly string[]
}

/** The values of an option, and the sentence that describes them. */
export type OptionForm = (
  | IntegerForm
  | BooleanForm
  | WordForm
  | TextForm
  | ListForm
  | EitherForm
  | StatusesForm
  | ObjectForm
) & { readonly description?: string }

/** The TypeScript type of a form. */
export type ValueOf<Form> = Form extends { readonly kind: 'integer' }
  ? number
  : Form extends { readonly kind: 'boolean' }
    ? boolean
    : Form extends { readonly kind: 'text' }
      ? string
      : Form extends { readonly kind: 'word'; readonly words: readonly (infer Word)[] }
        ? Word
        : Form extends { readonly kind: 'statuses' }
          ? readonly StatusRange[]
          : Form extends {
                readonly kind: 'either'
                readonly words: readonly (infer Word)[]
                readonly numbers: infer Numbers
              }
            ? Word | OneOf<keyof Numbers>
            : Form extends { readonly kind: 'list'; readonly item: infer Item }
              ? readonly ValueOf<Item>[]
              : Form extends { readonly kind: 'object'; readonly keys: infer Keys }
                ? ObjectOf<Keys, Form extends { readonly required: readonly (infer Name)[] } ? Name : never>
                : never

/** An object with one of the keys. */
type OneOf<Key extends PropertyKey> = { readonly [K in Key]: { readonly [Only in K]: number } }[Key]

type ObjectOf<Keys, Required> = {
  readonly [Key in Extract<keyof Keys, Required>]: ValueOf<Keys[Key]>
} & { readonly [Key in Exclude<keyof Keys, Required>]?: ValueOf<Keys[Key]> }

/** From what a preset's default may follow. */
export interface Plain {
  readonly type: MonitorType
  /** The thresholds that hold, or, for these themselves, those of the plain fields. */
  readonly rise: number
  readonly fall: number
  /** Milliseconds between probes of a check that is ONLINE. */
  readonly online: number
  /** The intervals that the options set. */
  readonly given: Omit<Partial<Intervals>, 'online'>
}

/** What an option means. `Sets`: what the options of its group make, of which it sets a part. */
export interface Meaning<Value, Sets> {
  /** For people: the reference and the API's document. */
  readonly description?: string
  /** The types of monitors that take it; absent = those of its group. */
  readonly types?: readonly MonitorType[]
  /** Why a value does not fit the monitor, its other options or this host; undefined = it does. */
  readonly misfit?: (value: Value, on: Fitting) => string | undefined
  /** The plain field that says the same, and how it shows a value; undefined = as if the option were not there. */
  readonly field?: { readonly name: PlainField; readonly shows: (value: Value) => unknown }
  /** What holds with a preset, or with the profile of its name, where neither options nor fields say otherwise. */
  readonly presets?: Readonly<Partial<Record<Preset, Value>>>
  /** The same where it follows from other values. */
  readonly derived?: Readonly<Partial<Record<Preset, (plain: Plain) => Value | undefined>>>
  /** What holds with every other preset; absent = nothing, or what `plan` says. */
  readonly otherwise?: Value
  /** What a plan says; absent = the option, else the preset's, else `otherwise`, for the types that take it. */
  readonly plan?: (on: Planning) => EffectiveOption | undefined
  /**
   * The part of a target or a policy that follows from a value, set or of the preset; absent = the group's own code
   * reads it.
   */
  readonly sets?: (value: Value) => Partial<Sets>
}

/** An option of any form. */
// oxlint-disable-next-line typescript/no-explicit-any -- what a meaning takes depends on its form
export type Option = Exclude<OptionForm, { readonly kind: 'object' }> & Meaning<any, any>

/** The rules of a group as a whole: options that belong together, an object within `options`. */
export interface GroupMeaning {
  readonly description: string
  /** The types of monitors that take it; absent = all. */
  readonly types?: readonly MonitorType[]
  /** Why it does not fit as a whole; checked before its options. */
  readonly misfit?: (on: Fitting) => string | undefined
  /** Whether probes use it, where not the type alone decides. */
  readonly isUsed?: (on: Planning) => boolean
}

export interface OptionGroup<Keys = Readonly<Record<string, Option>>> extends GroupMeaning {
  readonly kind: 'object'
  readonly keys: Keys
}

type Row<Form, Value, Sets> = Form & Meaning<Value, Sets>
type RowInput<Form, Value, Sets> = Omit<Form, 'kind'> & Meaning<Value, Sets>

interface Rows<Sets> {
  readonly integer: (row: RowInput<IntegerForm, number, Sets>) => Row<IntegerForm, number, Sets>
  readonly boolean: (row: Meaning<boolean, Sets>) => Row<BooleanForm, boolean, Sets>
  readonly word: <const Word extends string>(
    row: RowInput<WordForm<Word>, NoInfer<Word>, Sets>,
  ) => Row<WordForm<Word>, Word, Sets>
  readonly text: (row: RowInput<TextForm, string, Sets>) => Row<TextForm, string, Sets>
  readonly list: <const Item extends OptionForm>(
    row: RowInput<ListForm<Item>, readonly ValueOf<NoInfer<Item>>[], Sets>,
  ) => Row<ListForm<Item>, readonly ValueOf<Item>[], Sets>
  readonly either: <Word extends string, Key extends string>(
    row: {
      readonly words: readonly Word[]
      readonly numbers: { readonly [K in Key]: { readonly range: Range; readonly unit: Unit } }
    } & Meaning<Word | OneOf<Key>, Sets>,
  ) => Row<EitherForm<Word, Key>, Word | OneOf<Key>, Sets>
  readonly statuses: (
    row: RowInput<StatusesForm, readonly StatusRange[], Sets>,
  ) => Row<StatusesForm, readonly StatusRange[], Sets>
}

/** How the rows of a group are written whose options set parts of `Sets`. */
export function rowsOf<Sets = never>(): Rows<Sets> {
  return {
    integer: (row) => ({ kind: 'integer', ...row }),
    boolean: (row) => ({ kind: 'boolean', ...row }),
    word: (row) => ({ kind: 'word', ...row }),
    text: (row) => ({ kind: 'text', ...row }),
    list: (row) => ({ kind: 'list', ...row }),
    either: (row) => ({ kind: 'either', ...row }),
    statuses: (row) => ({ kind: 'statuses', ...row }),
  }
}

/** A group of options, and what it has as a whole. */
export function group<Keys extends Readonly<Record<string, Option | OptionGroup>>>(
  row: GroupMeaning & { readonly keys: Keys },
): OptionGroup<Keys> {
  return { kind: 'object', ...row }
}

/** Whether a preset has a default of its own for an option. */
export function hasDefault(
  { presets, derived }: Pick<Meaning<unknown, never>, 'presets' | 'derived'>,
  preset: Preset,
): boolean {
  return presets?.[preset] !== undefined || derived?.[preset] !== undefined
}

/** RFC 4648 section 4, padded. */
export const BASE64 = /^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{4}|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{2}==)$/

/** The bytes of base64 of that form. */
export function decoded(base64: string): Uint8Array {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))
}
