/** Attributes that hold more than one value, as WSME reads them: lists of words, of networks and of objects, and names with texts. */
import Joi from 'joi'
import { parseCidr } from '../../../../domain/address/ip-address.ts'
import { hasMoreCharacters } from '../../../../domain/characters.ts'
import type { Shape } from '../../../schema/shape.ts'
import { pythonText } from './python-text.ts'
import { attribute, type Verdict } from './wsme.ts'

/** A list whose items all pass; duplicates are removed. */
function listOf(shape: Shape, why: (item: unknown) => string | undefined): Joi.AnySchema {
  return attribute({ type: 'array', ...shape }, (value): Verdict => {
    if (!Array.isArray(value)) return { unconvertible: `Value not a valid list: ${pythonText(value)}` }
    for (const item of value as readonly unknown[]) {
      const reason = why(item)
      if (reason !== undefined) return { why: reason, shown: pythonText(item) }
    }
    return { value: [...new Set(value)] }
  })
}

/** A list of some words. */
export function wsmeWords(words: readonly string[]): Joi.AnySchema {
  const why = `Value should be one of: ${words.toSorted().join(', ')}`
  return listOf({ items: { type: 'string', enum: words } }, (item) =>
    typeof item === 'string' && words.includes(item) ? undefined : why,
  )
}

/** A list that can only be empty, because there are no such objects here. */
export function wsmeEmptyList(why: string): Joi.AnySchema {
  return listOf({ maxItems: 0, items: { type: 'object' } }, () => why)
}

/** A list of UUIDs, with dashes. */
export function wsmeUuids(): Joi.AnySchema {
  const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
  return listOf({ items: { type: 'string', format: 'uuid' } }, (item) =>
    typeof item === 'string' && uuid.test(item) ? undefined : 'Value should be UUID format',
  )
}

/** A list of IPv4 and IPv6 networks, kept as they were sent. */
export function wsmeCidrs(): Joi.AnySchema {
  return listOf({ items: { type: 'string' } }, (item) =>
    isCidr(item) ? undefined : 'Value should be IPv4 or IPv6 CIDR format',
  )
}

function isCidr(value: unknown): boolean {
  if (typeof value !== 'string' || !value.includes('/')) return false
  try {
    parseCidr(value)
    return true
  } catch {
    return false
  }
}

/** An object of texts of at most `max` characters. */
export function wsmeTextByName(max: number): Joi.AnySchema {
  return attribute({ type: 'object' }, (value): Verdict => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      return { unconvertible: `Value not a valid dict: ${pythonText(value)}` }
    }
    const values = Object.values(value)
    if (values.some((item) => typeof item !== 'string')) return { why: 'Value should be string' }
    const isTooLong = values.some((item: string) => hasMoreCharacters(item, max))
    return isTooLong ? { why: `Value should have a maximum character requirement of ${max}` } : { value }
  })
}

/** A list of at most `max` objects with attributes of their own. */
export function wsmeObjects(attributes: Readonly<Record<string, Joi.AnySchema>>, max: number): Joi.AnySchema {
  return Joi.array().max(max).items(Joi.object(attributes)).allow(null)
}
