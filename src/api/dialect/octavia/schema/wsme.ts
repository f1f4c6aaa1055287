/**
 * Bodies as WSME reads them for Octavia (docs/peers/octavia.md 4): the root's one key, then unknown attributes, then
 * attribute by attribute in the declared order, each converted ("5" → 5) and checked, or reported as missing when it is
 * mandatory. The first fault is the refusal, in WSME's sentence. `null` passes every attribute: the dialect decides
 * what it means.
 */
import Joi from 'joi'
import { charactersOf } from '../../../../domain/characters.ts'
import { DomainError } from '../../../../domain/errors.ts'
import { parseAddress } from '../../../../domain/address/ip-address.ts'
import { INT4_MAX, type Range } from '../../../../domain/limits.ts'
import { isUuid } from '../../../../domain/uuid.ts'
import { isObject } from '../../../schema/attributes.ts'
import { withoutOptions } from '../../../schema/monitor-options.ts'
import { type Shape, shaped } from '../../../schema/shape.ts'
import { pythonRepr, pythonText } from './python-text.ts'

export type Verdict =
  | { readonly value: unknown }
  /** The value is refused; `shown` instead of what was sent. */
  | { readonly why: string; readonly shown?: string }
  /** The value is not of the type at all: WSME then blames the whole argument. */
  | { readonly unconvertible: string }

/** An attribute that is null or passes its check. */
export function attribute(shape: Shape, check: (value: unknown) => Verdict): Joi.AnySchema {
  const schema = Joi.any()
    .allow(null)
    .custom((value: unknown, helpers) => {
      const verdict = check(value)
      if ('value' in verdict) return verdict.value
      if ('why' in verdict) return helpers.error('wsme.refused', { shown: pythonText(value), ...verdict })
      return helpers.error('wsme.unconvertible', { why: verdict.unconvertible })
    })
  return shaped(schema, shape)
}

/** A mandatory attribute; null is not missing. */
export function mandatory(schema: Joi.AnySchema): Joi.AnySchema {
  return schema.required()
}

/**
 * A whole number, also as a string of digits; fractions are cut off, true is 1. `clearedByZero`: 0 is null, because
 * Terraform sends it for an argument that was removed.
 */
export function wsmeInteger(rule: Partial<Range> & { readonly clearedByZero?: true }): Joi.AnySchema {
  const { min, max: largest = INT4_MAX } = rule
  return attribute(
    { type: 'integer', minimum: rule.clearedByZero === true ? 0 : (min ?? -INT4_MAX), maximum: largest },
    (value) => {
      const number = wholeNumberOf(value)
      if (typeof number === 'string') return { unconvertible: number }
      if (number === 0 && rule.clearedByZero === true) return { value: null }
      if (min !== undefined && number < min) {
        return { why: `Value should be greater or equal to ${min}`, shown: String(number) }
      }
      if (number > largest)
        return { why: `Value should be lower or equal to ${largest}`, shown: String(number) }
      return number < -INT4_MAX
        ? { why: `Value should be greater or equal to ${-INT4_MAX}` }
        : { value: number }
    },
  )
}

function wholeNumberOf(value: unknown): number | string {
  if (typeof value === 'number') return Math.trunc(value)
  if (typeof value === 'boolean') return Number(value)
  if (typeof value !== 'string') {
    return `int() argument must be a string, a bytes-like object or a real number, not '${pythonTypeOf(value)}'`
  }
  return /^\s*[+-]?\d{1,300}\s*$/.test(value)
    ? Number(value)
    : `invalid literal for int() with base 10: ${pythonRepr(value)}`
}

function pythonTypeOf(value: unknown): string {
  return Array.isArray(value) ? 'list' : 'dict'
}

const YES: ReadonlySet<unknown> = new Set(['true', 't', 'yes', 'y', 'on', '1'])
const NO: ReadonlySet<unknown> = new Set(['false', 'f', 'no', 'n', 'off', '0'])

/** oslo's `bool_from_string` with strict=False: any word that does not mean yes is false. */
export function isYes(text: string): boolean {
  return YES.has(text.trim().toLowerCase())
}

/** true, false, any whole number, and the words of yes and no in lower case. */
export function wsmeBoolean(): Joi.AnySchema {
  return attribute({ type: 'boolean' }, (value) => {
    if (typeof value === 'boolean') return { value }
    if (Number.isInteger(value)) return { value: value !== 0 }
    if (YES.has(value)) return { value: true }
    if (NO.has(value)) return { value: false }
    return { unconvertible: `Value not an unambiguous boolean: ${pythonText(value)}` }
  })
}

/** A boolean in a query string. Throws INVALID_FIELD. */
export function wsmeBooleanOf(name: string, sent: string): boolean {
  const word = sent.toLowerCase()
  if (YES.has(word)) return true
  if (NO.has(word)) return false
  throw invalid(name, sent.slice(0, 255), `Value not an unambiguous boolean: ${sent.slice(0, 255)}`)
}

interface TextRule {
  readonly min?: number
  readonly max: number
  readonly pattern?: RegExp
  /** The pattern as Octavia spells it. */
  readonly spelled?: string
  /** '' is null: Terraform sends it for an argument that was removed. */
  readonly clearedByEmpty?: true
}

/** Text; lengths in characters. */
export function wsmeText({ min = 0, max, pattern, spelled, clearedByEmpty }: TextRule): Joi.AnySchema {
  return attribute(
    { type: 'string', ...(min === 0 || clearedByEmpty === true ? {} : { minLength: min }), maxLength: max },
    (value) => {
      if (typeof value !== 'string') return { why: 'Value should be string' }
      if (value === '' && clearedByEmpty === true) return { value: null }
      const length = charactersOf(value)
      if (length < min) return { why: `Value should have a minimum character requirement of ${min}` }
      if (length > max) return { why: `Value should have a maximum character requirement of ${max}` }
      if (pattern !== undefined && !pattern.test(value)) {
        return { why: `Value should match the pattern ${spelled ?? pattern.source}` }
      }
      return { value }
    },
  )
}

/** One of some words, in this spelling. */
export function wsmeWord(words: readonly string[]): Joi.AnySchema {
  const why = `Value should be one of: ${words.toSorted().join(', ')}`
  return attribute({ type: 'string', enum: words }, (value) =>
    typeof value === 'string' && words.includes(value) ? { value } : { why },
  )
}

/** One of some decimal numbers, given as text with one place: `1.1`. Numbers and strings of numbers are accepted. */
export function wsmeDecimal(words: readonly string[]): Joi.AnySchema {
  return attribute({ type: 'number', enum: words.map(Number) }, (value) => {
    const number = decimalOf(value)
    if (number === undefined)
      return { unconvertible: `could not convert string to float: ${pythonRepr(value)}` }
    const found = words.find((word) => Number(word) === number)
    if (found !== undefined) return { value: found }
    const shown = Number.isInteger(number) ? number.toFixed(1) : String(number)
    return { why: `Value should be one of: ${words.join(', ')}`, shown }
  })
}

function decimalOf(value: unknown): number | undefined {
  if (typeof value === 'number' || typeof value === 'boolean') return Number(value)
  if (typeof value !== 'string' || value.trim() === '') return undefined
  const number = Number(value)
  return Number.isFinite(number) ? number : undefined
}

/** A UUID in any of Python's spellings; becomes lower case with dashes. */
export function wsmeUuid(): Joi.AnySchema {
  return attribute({ type: 'string', format: 'uuid' }, (value) => {
    const digits =
      typeof value === 'string' ? value.replace(/^urn:uuid:|^\{|\}$/g, '').replaceAll('-', '') : ''
    if (!/^[0-9a-f]{32}$/i.test(digits)) return { why: 'Value should be UUID format' }
    const parts = /^(.{8})(.{4})(.{4})(.{4})(.{12})$/.exec(digits.toLowerCase()) ?? []
    return { value: parts.slice(1).join('-') }
  })
}

/** A list of at most `max` UUIDs. */
export function wsmeUuids(max: number): Joi.AnySchema {
  return attribute({ type: 'array', maxItems: max, items: { type: 'string', format: 'uuid' } }, (value) => {
    if (!Array.isArray(value)) return { unconvertible: `Value not a valid list: ${pythonText(value)}` }
    if (value.length > max) return { why: `Value should have at most ${max} items` }
    if (!value.every((item) => typeof item === 'string' && isUuid(item)))
      return { why: 'Value should be UUID format' }
    return { value: value.map((item: string) => item.toLowerCase()) }
  })
}

/** An IPv4 or IPv6 literal, kept as it was sent. `clearedByEmpty` as of `wsmeText`. */
export function wsmeAddress({ clearedByEmpty }: Pick<TextRule, 'clearedByEmpty'> = {}): Joi.AnySchema {
  return attribute({ type: 'string' }, (value) => {
    if (value === '' && clearedByEmpty === true) return { value: null }
    return typeof value === 'string' && parseAddress(value) !== undefined
      ? { value }
      : { why: 'Value should be IPv4 or IPv6 format' }
  })
}

/** A list of texts of at most `max` characters; duplicates are removed. */
export function wsmeTexts(max: number): Joi.AnySchema {
  return attribute({ type: 'array', items: { type: 'string', maxLength: max } }, (value) => {
    if (!Array.isArray(value)) return { unconvertible: `Value not a valid list: ${pythonText(value)}` }
    if (value.some((item) => typeof item !== 'string')) return { why: 'Value should be string' }
    if (value.some((item: string) => charactersOf(item) > max)) {
      return { why: `Value should have a maximum character requirement of ${max}` }
    }
    return { value: [...new Set(value)] }
  })
}

/** An absolute path: no white space, no controls, no scheme, no host. */
export function wsmeUrlPath(max: number): Joi.AnySchema {
  return attribute({ type: 'string', maxLength: max }, (value) => {
    if (typeof value !== 'string' || !/^\/(?!\/)[^\s\p{Cc}]*$/u.test(value)) {
      return { why: 'Value must be a valid URL Path string' }
    }
    return charactersOf(value) > max
      ? { why: `Value should have a maximum character requirement of ${max}` }
      : { value }
  })
}

/** An object with attributes of its own. */
export function wsmeObject(attributes: Readonly<Record<string, Joi.AnySchema>>): Joi.AnySchema {
  return Joi.object(attributes).allow(null)
}

/** Whatever was sent, as it is. */
export function wsmeAnything(): Joi.AnySchema {
  return Joi.any()
}

/** The rules of one body; `Attributes` is what passes them. */
export interface WsmeRules<Attributes> {
  /** WSME's name of the argument: `health_monitor_`. */
  readonly argument: string
  /** Its only key: `healthmonitor`. */
  readonly envelope: string
  readonly names: ReadonlySet<string>
  readonly schema: Joi.ObjectSchema<Attributes>
}

export function wsmeRules<Attributes>(
  argument: string,
  envelope: string,
  attributes: Readonly<Record<string, Joi.AnySchema>>,
): WsmeRules<Attributes> {
  return {
    argument,
    envelope,
    names: new Set(Object.keys(attributes)),
    schema: Joi.object(attributes).unknown(true) as Joi.ObjectSchema<Attributes>,
  }
}

/** The attributes inside the envelope. Throws MISSING_ENVELOPE, UNRECOGNIZED_ATTRIBUTE and INVALID_FIELD. */
export function parseWsme<Attributes>(body: unknown, rules: WsmeRules<Attributes>): Attributes {
  return parseWsmeObject(wsmeRoot(body, rules), rules, body)
}

/** What is below the root's one key. Throws MISSING_ENVELOPE and UNRECOGNIZED_ATTRIBUTE. */
export function wsmeRoot(
  body: unknown,
  { argument, envelope }: Pick<WsmeRules<unknown>, 'argument' | 'envelope'>,
): unknown {
  if (body === undefined) throw new DomainError('MISSING_ENVELOPE', `Missing argument: "${argument}"`)
  if (!isObject(body)) throw blamed(argument, body, 'Value should be an object')
  const others = Object.keys(body).filter((key) => key !== envelope)
  if (others.length > 0) throw unknownAttributes(argument, others)
  return body[envelope]
}

/** One object of a body; `body` is what a refusal repeats when a value is not of its type. */
export function parseWsmeObject<Attributes>(
  attributes: unknown,
  rules: WsmeRules<Attributes>,
  body: unknown,
): Attributes {
  const { argument, envelope, names, schema } = rules
  if (!isObject(attributes)) throw blamed(argument, body, `Value should be an object: ${envelope}`)
  const unknown = Object.keys(attributes).filter((name) => !names.has(name))
  if (unknown.length > 0) throw unknownAttributes(`${argument}.${envelope}`, unknown)
  const { value, error } = schema.validate(attributes, { abortEarly: true, convert: false })
  const fault = error?.details[0]
  if (fault !== undefined) throw refusalOf(fault, rules, body)
  return value as Attributes
}

/** Other names of attributes: Octavia sets the attribute by its own name, and refuses it by that. */
const ALIASES: Readonly<Record<string, string>> = { tenant_id: 'project_id' }

function refusalOf(
  { type, path, context }: Joi.ValidationErrorItem,
  { argument, envelope }: Pick<WsmeRules<unknown>, 'argument' | 'envelope'>,
  body: unknown,
): DomainError {
  const sent = String(path.at(-1) ?? argument)
  const field = ALIASES[sent] ?? sent
  switch (type) {
    case 'any.required':
      return invalid(field, 'None', 'Mandatory field missing.')
    case 'object.unknown':
      return unknownAttributes([argument, envelope, ...path.slice(0, -1).filter(isName)].join('.'), [field])
    case 'array.max':
      return invalid(
        field,
        pythonText(context?.['value']),
        `Value should have at most ${context?.['limit']} items`,
      )
    case 'wsme.refused':
      return invalid(field, String(context?.['shown']), String(context?.['why']))
    // A check that refuses in words of its own.
    case 'any.custom':
      return context?.['error'] as DomainError
    default:
      return blamed(argument, body, String(context?.['why'] ?? `unable to convert ${field}`))
  }
}

/** The refusal of names that an object does not have. */
export function unknownAttributes(where: string, names: readonly string[]): DomainError {
  const shown = names
    .map((name) => name.slice(0, 64))
    .join(', ')
    .slice(0, 1024)
  const message = `Unknown attribute${names.length > 1 ? 's' : ''} for argument ${where}: ${shown}`
  return new DomainError('UNRECOGNIZED_ATTRIBUTE', message)
}

/** The refusal of one attribute in WSME's sentence. */
export function invalid(field: string, shown: string, why: string): DomainError {
  return new DomainError(
    'INVALID_FIELD',
    `Invalid input for field/attribute ${field}. Value: '${shown}'. ${why}`,
    {
      field,
    },
  )
}

function blamed(argument: string, body: unknown, why: string): DomainError {
  return invalid(argument, pythonRepr(withoutOptions(body)), why)
}

/** `x is not a valid option for y`. */
export function invalidOption(value: unknown, option: string): DomainError {
  const message = `${pythonText(value)} is not a valid option for ${option}`
  return new DomainError('INVALID_FIELD', message, { field: option })
}

/** `Validation failure: …` */
export function validationFailure(what: string): DomainError {
  return new DomainError('INVALID_FIELD', `Validation failure: ${what}`)
}

/** Positions in lists are not named. */
function isName(step: string | number): step is string {
  return typeof step === 'string'
}
