/** `options` of a pool in a body: a merge patch (RFC 7396), but `healthy_when` is replaced as a whole. */
import Joi from 'joi'
import { DomainError } from '../../domain/errors.ts'
import {
  POOL_AT_LEAST,
  POOL_OVERPROVISIONING_PERCENT,
  POOL_PERCENT,
  type Range,
} from '../../domain/limits.ts'
import { POOL_PRESETS, poolOptions, WHEN_TOO_FEW } from '../../domain/pool-health/pool-options.ts'
import { poolOptionsMisfit } from '../../domain/pool-health/traffic-rule.ts'
import type { Echo } from '../../domain/types.ts'
import { isObject } from './attributes.ts'
import type { OptionWords } from './monitor-options.ts'
import { shaped } from './shape.ts'

/** The attribute `options`: a patch, or null for none at all. */
export function poolOptionsPatch(words: OptionWords): Joi.AnySchema {
  const schema = Joi.any()
    .allow(null)
    .custom((value: unknown) => {
      const fault = poolOptionsFault(value)
      if (fault === undefined) return value
      throw 'unknown' in fault ? words.unknown(fault.at, fault.unknown) : words.invalid(fault.at, fault.why)
    })
  return shaped(schema, { $ref: '#/components/schemas/PoolOptionsPatch' })
}

type Fault = { readonly at: string; readonly why: string } | { readonly at: string; readonly unknown: string }
type Check = (value: unknown, at: string) => Fault | undefined

const oneOf =
  (words: readonly string[]): Check =>
  (value, at) =>
    typeof value === 'string' && words.includes(value)
      ? undefined
      : { at, why: `must be one of ${words.join(', ')}` }

const wholeNumber =
  ({ min, max }: Range): Check =>
  (value, at) =>
    Number.isInteger(value) && (value as number) >= min && (value as number) <= max
      ? undefined
      : { at, why: `must be a whole number from ${min} to ${max}` }

const MINIMUM: Readonly<Record<string, Check>> = {
  at_least: wholeNumber(POOL_AT_LEAST),
  percent: wholeNumber(POOL_PERCENT),
}

/** Null removes an option. */
const removable =
  (check: Check): Check =>
  (value, at) =>
    value === null ? undefined : check(value, at)

const OPTIONS: Readonly<Record<string, Check>> = {
  preset: removable(oneOf(POOL_PRESETS)),
  healthy_when: removable((value, at) => {
    if (value === 'any') return undefined
    if (!isObject(value) || Object.keys(value).length === 0) {
      return { at, why: 'must be "any", or an object with at_least, percent or both' }
    }
    return objectFault(value, at, MINIMUM)
  }),
  when_too_few: removable(oneOf(WHEN_TOO_FEW)),
  overprovisioning_percent: removable(wholeNumber(POOL_OVERPROVISIONING_PERCENT)),
}

/** What is wrong with the form of a patch; undefined = nothing. */
export function poolOptionsFault(options: unknown): Fault | undefined {
  if (!isObject(options)) return { at: 'options', why: 'must be an object' }
  return objectFault(options, 'options', OPTIONS)
}

function objectFault(
  value: Readonly<Record<string, unknown>>,
  at: string,
  checks: Readonly<Record<string, Check>>,
): Fault | undefined {
  const unknown = Object.keys(value).find((name) => !Object.hasOwn(checks, name))
  if (unknown !== undefined) return { at, unknown: unknown.slice(0, 64) }
  for (const [name, check] of Object.entries(checks)) {
    const fault = value[name] === undefined ? undefined : check(value[name], `${at}.${name}`)
    if (fault !== undefined) return fault
  }
  return undefined
}

/** Throws INVALID_FIELD when the options of a pool, as they will be stored, do not fit each other. */
export function assertPoolOptionsFit(echo: Echo): void {
  const options = poolOptions(echo)
  const reason = options === null ? undefined : poolOptionsMisfit(options)
  if (reason === undefined) return
  throw new DomainError('INVALID_FIELD', `Validation failure: options: ${reason}.`, {
    field: 'options',
    reason,
  })
}
