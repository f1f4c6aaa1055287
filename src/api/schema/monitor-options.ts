/**
 * `options` in a body: a merge patch (RFC 7396) over what is stored, in which every attribute of an object may be null.
 * Nothing is converted. A refusal names the option and never repeats a value, which may be a secret.
 */
import Joi from 'joi'
import { charactersOf } from '../../domain/characters.ts'
import { DomainError } from '../../domain/errors.ts'
import { OPTION_STATUS_END, OPTION_STATUS_RANGES_MAX, OPTION_STATUS_START } from '../../domain/limits.ts'
import { isObject } from './attributes.ts'
import { shaped } from './shape.ts'
import type { OptionForm, StatusKind } from '../../domain/options/option.ts'
import { MONITOR_OPTIONS } from '../../domain/options/table.ts'

/** How a dialect says that an option is refused. */
export interface OptionWords {
  readonly invalid: (option: string, reason: string) => DomainError
  readonly unknown: (within: string, name: string) => DomainError
}

/** The attribute `options`: a patch, or null for none at all. */
export function monitorOptions(words: OptionWords): Joi.AnySchema {
  const schema = Joi.any()
    .allow(null)
    .custom((value: unknown) => {
      const fault = optionsFault(value)
      if (fault === undefined) return value
      throw 'unknown' in fault ? words.unknown(fault.at, fault.unknown) : words.invalid(fault.at, fault.why)
    })
  return shaped(schema, { $ref: '#/components/schemas/MonitorOptionsPatch' })
}

/** The body as a refusal may repeat it: without options. */
export function withoutOptions(body: unknown): unknown {
  if (Array.isArray(body)) return body.map(withoutOptions)
  if (!isObject(body)) return body
  return Object.fromEntries(
    Object.entries(body).map(([key, value]) => [key, key === 'options' ? '***' : withoutOptions(value)]),
  )
}

/** What is wrong with the form of options; undefined = nothing. */
export function optionsFault(options: unknown): Fault | undefined {
  return faultOf(MONITOR_OPTIONS, options, 'options')
}

type Fault = { readonly at: string; readonly why: string } | { readonly at: string; readonly unknown: string }

function faultOf(rule: OptionForm, value: unknown, at: string): Fault | undefined {
  switch (rule.kind) {
    case 'object':
      return objectFault(rule, value, at)
    case 'list':
      return listFault(rule, value, at)
    case 'either':
      return eitherFault(rule, value, at)
    case 'statuses':
      return statusesFault(rule.of, value, at)
    case 'integer':
    case 'boolean':
    case 'word':
    case 'text': {
      const why = reasonOf(rule, value)
      return why === undefined ? undefined : { at, why }
    }
  }
}

function objectFault(
  rule: Extract<OptionForm, { kind: 'object' }>,
  value: unknown,
  at: string,
): Fault | undefined {
  if (!isObject(value)) return { at, why: 'must be an object' }
  const unknown = Object.keys(value).find((name) => !Object.hasOwn(rule.keys, name))
  if (unknown !== undefined) return { at, unknown: unknown.slice(0, 64) }
  // Items of lists are whole: nothing is merged into them.
  const missing = rule.required?.find((name) => value[name] === undefined || value[name] === null)
  if (missing !== undefined) return { at: `${at}.${missing}`, why: 'must be set' }
  for (const [name, inner] of Object.entries(rule.keys)) {
    const sent = value[name]
    const isRemoved = sent === null && rule.required === undefined
    const fault = sent === undefined || isRemoved ? undefined : faultOf(inner, sent, `${at}.${name}`)
    if (fault !== undefined) return fault
  }
  return undefined
}

function listFault(
  rule: Extract<OptionForm, { kind: 'list' }>,
  value: unknown,
  at: string,
): Fault | undefined {
  if (!Array.isArray(value)) return { at, why: 'must be a list' }
  if (value.length > rule.max) return { at, why: `must have at most ${rule.max} items` }
  for (const [i, item] of value.entries()) {
    const fault = faultOf(rule.item, item, `${at}[${i}]`)
    if (fault !== undefined) return fault
  }
  return undefined
}

function eitherFault(
  { words, numbers }: Extract<OptionForm, { kind: 'either' }>,
  value: unknown,
  at: string,
): Fault | undefined {
  if (typeof value === 'string' && words.includes(value)) return undefined
  const keys = Object.keys(numbers)
  const why = `must be one of ${words.join(', ')}, or an object with one of ${keys.join(', ')}`
  if (!isObject(value)) return { at, why }
  const [key, ...others] = Object.keys(value)
  const number = key === undefined || !Object.hasOwn(numbers, key) ? undefined : numbers[key]
  if (key === undefined || number === undefined || others.length > 0) return { at, why }
  return faultOf({ kind: 'integer', ...number }, value[key], `${at}.${key}`)
}

/** Its limits have Envoy's names. */
const STATUS_CODE: OptionForm = {
  kind: 'integer',
  range: { min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER },
  unit: 'status code',
}
const STATUS_RANGE: OptionForm = {
  kind: 'object',
  required: ['start', 'end'],
  keys: { start: STATUS_CODE, end: STATUS_CODE },
}

/** In Envoy's order and words. */
function statusesFault(of: StatusKind, value: unknown, at: string): Fault | undefined {
  const shape = listFault({ kind: 'list', item: STATUS_RANGE, max: OPTION_STATUS_RANGES_MAX }, value, at)
  if (shape !== undefined) return shape
  for (const [i, { start, end }] of (value as { start: number; end: number }[]).entries()) {
    const expecting =
      start >= end
        ? `start < end, but found start=${start} and end=${end}`
        : start < OPTION_STATUS_START.min
          ? `start >= ${OPTION_STATUS_START.min}, but found start=${start}`
          : end > OPTION_STATUS_END.max
            ? `end <= ${OPTION_STATUS_END.max}, but found end=${end}`
            : undefined
    if (expecting !== undefined) {
      return { at: `${at}[${i}]`, why: `Invalid http ${of} status range: expecting ${expecting}` }
    }
  }
  return undefined
}

type Leaf = Exclude<OptionForm, { kind: 'object' | 'list' | 'either' | 'statuses' }>

function reasonOf(rule: Leaf, value: unknown): string | undefined {
  switch (rule.kind) {
    case 'boolean':
      return typeof value === 'boolean' ? undefined : 'must be true or false'
    case 'word':
      return typeof value === 'string' && rule.words.includes(value)
        ? undefined
        : `must be one of ${rule.words.join(', ')}`
    case 'integer': {
      const { min, max } = rule.range
      if (typeof value !== 'number' || !Number.isInteger(value)) return 'must be a whole number'
      if (value >= min && value <= max) return undefined
      // Grey Matter's and Kuma's words.
      if (value < 1 && min > 0) return 'must be greater than zero'
      if (min === 0 && max === 100) return 'must be in inclusive range [0, 100]'
      return value < min ? `must be at least ${min}` : `must be at most ${max}`
    }
    case 'text': {
      if (typeof value !== 'string') return 'must be a text'
      const length = charactersOf(value)
      if (length > rule.max) return `must have at most ${rule.max} characters`
      if (length < (rule.min ?? 0)) return 'cannot be empty'
      return rule.pattern === undefined || rule.pattern.test(value)
        ? undefined
        : `must match ${rule.pattern.source}`
    }
  }
}
