/**
 * Bodies: the envelope, then the attributes by a joi schema, then one refusal: what is unknown before what is missing
 * before what is wrong (the order of neutron's `prepare_request_body`). Every type here says Neutron's reason when it
 * refuses, and converts what Neutron would convert ("5" → 5, "True" → true).
 */
import Joi from 'joi'
import { DomainError } from '../../domain/errors.ts'
import { charactersOf } from '../../domain/characters.ts'
import { parseAddress } from '../../domain/address/ip-address.ts'
import type { Range } from '../../domain/limits.ts'
import { isUuid } from '../../domain/uuid.ts'
import { type Shape, shaped } from './shape.ts'

/** Characters of a refused value that its refusal repeats. */
const SHOWN_MAX = 255

const shown = (value: unknown): string => {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? 'None')
  return value === null ? 'None' : text.slice(0, SHOWN_MAX)
}

type Check = (
  value: unknown,
) => { readonly value: unknown } | { readonly reason: string } | { readonly tooLong: number }

function checked(shape: Shape, check: Check): Joi.AnySchema {
  const schema = Joi.any().custom((value: unknown, helpers) => {
    const verdict = check(value)
    if ('value' in verdict) return verdict.value
    return 'reason' in verdict
      ? helpers.error('attribute.refused', { reason: verdict.reason })
      : helpers.error('attribute.tooLong', { max: verdict.tooLong })
  })
  return shaped(schema, shape)
}

/** A whole number in a range; also as a string of digits. */
export function integer(range: Range): Joi.AnySchema {
  return checked({ type: 'integer', minimum: range.min, maximum: range.max }, (value) => {
    const number = typeof value === 'string' && /^\s*[+-]?\d{1,15}\s*$/.test(value) ? Number(value) : value
    if (typeof number !== 'number' || !Number.isInteger(number))
      return { reason: `'${shown(value)}' is not an integer` }
    if (number < range.min) return { reason: `'${number}' is too small - must be at least '${range.min}'` }
    if (number > range.max)
      return { reason: `'${number}' is too large - must be no larger than '${range.max}'` }
    return { value: number }
  })
}

/** true, false, and what Neutron's convert_to_boolean takes: "true", "False", "1", "0", 1, 0. */
export function boolean(): Joi.AnySchema {
  return checked({ type: 'boolean' }, (value) => {
    if (typeof value === 'boolean') return { value }
    const word = typeof value === 'string' || typeof value === 'number' ? String(value).toLowerCase() : ''
    if (word === 'true' || word === '1') return { value: true }
    if (word === 'false' || word === '0') return { value: false }
    return { reason: `'${shown(value)}' cannot be converted to boolean` }
  })
}

/** Any text up to `max` characters. */
export function text(max: number): Joi.AnySchema {
  return checked({ type: 'string', maxLength: max }, (value) => {
    if (typeof value !== 'string') return { reason: `'${shown(value)}' is not a valid string` }
    return charactersOf(value) > max ? { tooLong: max } : { value }
  })
}

/** Text that matches a pattern. None of our patterns allows control characters or spaces. */
export function matching(pattern: RegExp, max: number): Joi.AnySchema {
  return checked({ type: 'string', maxLength: max }, (value) => {
    if (typeof value !== 'string') return { reason: `'${shown(value)}' is not a valid string` }
    if (charactersOf(value) > max) return { tooLong: max }
    return pattern.test(value) ? { value } : { reason: `'${shown(value)}' is not a valid input` }
  })
}

/** An IPv4 or IPv6 address in a spelling that every parser reads the same; kept as it was sent. */
export function ipAddress(max: number): Joi.AnySchema {
  return checked({ type: 'string', maxLength: max }, (value) => {
    if (typeof value === 'string' && charactersOf(value) > max) return { tooLong: max }
    return typeof value === 'string' && parseAddress(value) !== undefined
      ? { value }
      : { reason: `'${shown(value)}' is not a valid IP address` }
  })
}

/** A list of at most `max` items. */
export function listOf(item: Joi.AnySchema, max: number): Joi.AnySchema {
  return Joi.array().items(item).max(max)
}

/** An object with these attributes and no others. */
export function objectOf(attributes: Readonly<Record<string, Joi.AnySchema>>): Joi.AnySchema {
  return Joi.object(attributes)
}

/** One of some words, in this spelling. */
export function oneOf(words: readonly string[]): Joi.AnySchema {
  return checked({ type: 'string', enum: words }, (value) =>
    typeof value === 'string' && words.includes(value) ? { value } : { reason: notIn(value, words) },
  )
}

/** Neutron's reason for a word that is not in a list. */
export function notIn(value: unknown, words: readonly string[]): string {
  return `'${shown(value)}' is not in (${words.map((word) => `'${word}'`).join(', ')})`
}

export function uuid(): Joi.AnySchema {
  return checked({ type: 'string', format: 'uuid' }, (value) =>
    typeof value === 'string' && isUuid(value)
      ? { value: value.toLowerCase() }
      : { reason: `'${shown(value)}' is not a valid UUID` },
  )
}

/** An attribute that may also be null: cleared. */
export function nullable(schema: Joi.AnySchema): Joi.AnySchema {
  return schema.allow(null)
}

/** An attribute that exists and cannot be sent in this request. */
export function readOnly(): Joi.AnySchema {
  return Joi.any().forbidden()
}

/** An attribute that clients send and that changes nothing. */
export function ignored(): Joi.AnySchema {
  return Joi.any().strip()
}

/** The rules of one body; `Attributes` is what passes them. */
export interface BodyRules<Attributes> {
  /** Name of the envelope and of the object in messages: `healthmonitor`. */
  readonly resource: string
  readonly schema: Joi.ObjectSchema<Attributes>
}

export function bodyRules<Attributes>(
  resource: string,
  attributes: Readonly<Record<string, Joi.AnySchema>>,
): BodyRules<Attributes> {
  return { resource, schema: Joi.object(attributes) as Joi.ObjectSchema<Attributes> }
}

/** The attributes inside the envelope. Throws MISSING_ENVELOPE and whatever the schema refuses. */
export function parseBody<Attributes>(body: unknown, rules: BodyRules<Attributes>): Attributes {
  const attributes = isObject(body) ? body[rules.resource] : undefined
  if (!isObject(attributes)) {
    throw new DomainError('MISSING_ENVELOPE', `Unable to find '${rules.resource}' in request body`, {
      resource: rules.resource,
    })
  }
  return parseAttributes(attributes, rules)
}

/** A body without an envelope. Throws MISSING_ENVELOPE when it is not an object. */
export function parseBare<Attributes>(body: unknown, rules: BodyRules<Attributes>): Attributes {
  if (isObject(body)) return parseAttributes(body, rules)
  throw new DomainError('MISSING_ENVELOPE', 'Resource body required', { resource: rules.resource })
}

/** Attributes without an envelope: the items of a batch. */
export function parseAttributes<Attributes>(attributes: unknown, rules: BodyRules<Attributes>): Attributes {
  const { value, error } = rules.schema.validate(attributes, { abortEarly: false, convert: true })
  if (error !== undefined) throw refusalOf(error.details, rules.resource)
  return value as Attributes
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

const PRIORITY = ['object.base', 'object.unknown', 'any.unknown', 'any.required']

function refusalOf(details: readonly Joi.ValidationErrorItem[], resource: string): DomainError {
  const rank = (item: Joi.ValidationErrorItem) => {
    const index = PRIORITY.indexOf(item.type)
    return index < 0 ? PRIORITY.length : index
  }
  const item = details.toSorted((a, b) => rank(a) - rank(b))[0]
  if (item === undefined) throw new Error('joi refused without a detail')
  const field = item.path.join('.')
  switch (item.type) {
    case 'object.unknown': {
      const names = details
        .filter((d) => d.type === 'object.unknown')
        .map((d) => d.path.join('.').slice(0, 64))
      return new DomainError('UNRECOGNIZED_ATTRIBUTE', `Unrecognized attribute(s) '${names.join("', '")}'`, {
        field: names.join("', '").slice(0, SHOWN_MAX),
      })
    }
    case 'any.unknown':
      return new DomainError('READ_ONLY_ATTRIBUTE', `Cannot update read-only attribute ${field}`, { field })
    case 'any.required':
      return new DomainError('MISSING_FIELD', `Required attribute '${field}' not specified`, {
        resource,
        field,
      })
    case 'attribute.tooLong': {
      const max = Number(item.context?.['max'])
      const length = charactersOf(String(item.context?.value))
      return new DomainError('TOO_LONG', `${field} exceeds maximum length of ${max}`, {
        resource,
        field,
        max,
        length,
      })
    }
    // A check that refuses in words of its own.
    case 'any.custom':
      return item.context?.['error'] as DomainError
    case 'array.max':
      return invalidField(field, `a list of at most ${item.context?.['limit']} is allowed`)
    default:
      return invalidField(
        field,
        String(item.context?.['reason'] ?? `'${shown(item.context?.value)}' is not a valid input`),
      )
  }
}

/** The refusal of one field with Neutron's reason. */
export function invalidField(field: string, reason: string): DomainError {
  return new DomainError('INVALID_FIELD', `Invalid input for ${field}. Reason: ${reason}.`, { field, reason })
}
