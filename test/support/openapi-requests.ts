/** Request bodies made from the schemas of openapi.yaml: such that the document allows, and such that it forbids. */
import fc from 'fast-check'
import type { DialectName } from '../../src/api/dialects.ts'
import { resolved, type Schema } from './openapi.ts'

/** Values for attributes that the schema alone cannot choose: ids of objects that exist, addresses that may be probed. */
export type Hints = Readonly<Record<string, fc.Arbitrary<unknown>>>

/** Items of a generated list; more would only be more of the same. */
const ITEMS_MAX = 3
/** Characters of a generated text, unless the schema allows fewer. */
const TEXT_MAX = 300

/** Every value that a schema allows, within reason. */
export function allowed(schema: Schema, hints: Hints, attribute = ''): fc.Arbitrary<unknown> {
  const { nullable, ...rest } = resolved<Schema>(schema)
  const value = hints[attribute] ?? notNull(rest, hints)
  return nullable === true ? fc.option(value, { nil: null, freq: 4 }) : value
}

function notNull(schema: Schema, hints: Hints): fc.Arbitrary<unknown> {
  const { enum: words, oneOf } = schema
  if (Array.isArray(words)) return fc.constantFrom(...words.filter((word) => word !== null))
  if (Array.isArray(oneOf)) return fc.oneof(...oneOf.map((each: Schema) => allowed(each, hints)))
  switch (schema['type']) {
    case 'integer':
      return fc.integer({ min: Number(schema['minimum']), max: Number(schema['maximum']) })
    case 'number':
      return fc.constantFrom(1, 1.1)
    case 'boolean':
      return fc.boolean()
    case 'string':
      return text(schema)
    case 'array': {
      const maxLength = Math.min(ITEMS_MAX, Number(schema['maxItems'] ?? ITEMS_MAX))
      return fc.array(allowed(schema['items'] as Schema, hints), { maxLength })
    }
    case 'object':
      return fc.record(
        Object.fromEntries(
          Object.entries(propertiesOf(schema)).map(([name, each]) => [name, allowed(each, hints, name)]),
        ),
        { requiredKeys: requiredOf(schema) },
      )
    default:
      return fc.constantFrom('1.0', '1.1')
  }
}

function text(schema: Schema): fc.Arbitrary<string> {
  // Characters outside of the basic plane count as one, as in JSON Schema and in PostgreSQL.
  const maxLength = Math.min(TEXT_MAX, Number(schema['maxLength'] ?? TEXT_MAX))
  const minLength = Number(schema['minLength'] ?? 0)
  if (schema['format'] === 'uuid') return fc.uuid()
  if (typeof schema['pattern'] === 'string') {
    const pattern = new RegExp(schema['pattern'])
    return fc.stringMatching(pattern).filter((value) => {
      const { length } = Array.from(value)
      return length >= minLength && length <= maxLength
    })
  }
  return fc.oneof(
    fc.string({ unit: 'binary', minLength, maxLength }).filter((value) => !value.includes('\0')),
    fc.constantFrom('a'.repeat(maxLength), '𝄞'.repeat(maxLength), minLength === 0 ? '' : 'a'),
  )
}

function propertiesOf(schema: Schema): Readonly<Record<string, Schema>> {
  return (schema['properties'] ?? {}) as Record<string, Schema>
}

function requiredOf(schema: Schema): string[] {
  return (schema['required'] ?? []) as string[]
}

/** One way to break a body. */
export interface Violation {
  readonly what: string
  /** A copy of the body that is broken in this way only. */
  readonly applied: (body: unknown) => unknown
}

/** What octavia converts and the schema forbids: whole numbers of fractions and of true, booleans of numbers. */
const CONVERTED: ReadonlySet<string> = new Set(['a fraction', 'true', 'another number'])

/** Every kind of mistake that a schema forbids, at every place of the body. */
export function violations(
  schema: Schema,
  dialect: DialectName,
  place: readonly string[] = [],
): readonly Violation[] {
  const known = resolved<Schema>(schema)
  if (Array.isArray(known['oneOf'])) {
    return [schemaBranch(known['oneOf'] as Schema[])].flatMap((branch) => violations(branch, dialect, place))
  }
  const isConverted = (what: string) =>
    dialect === 'octavia' && known['type'] !== 'string' && CONVERTED.has(what)
  const here = wrongValues(known)
    .filter(([what]) => !isConverted(what))
    .map(([what, value]) => replaced(place, what, value))
  if (known['type'] === 'array') return here
  const properties = Object.entries(propertiesOf(known))
  const missing = requiredOf(known).map((name) => removed([...place, name]))
  const extra =
    known['additionalProperties'] === false ? [replaced([...place, 'colour'], 'unknown', 'red')] : []
  return [
    ...here,
    ...missing,
    ...extra,
    ...properties.flatMap(([name, each]) => violations(each, dialect, [...place, name])),
  ]
}

/** The first branch: its mistakes are mistakes in every other one as well, or they are none of this body. */
function schemaBranch(branches: readonly Schema[]): Schema {
  const branch = branches[0]
  if (branch === undefined) throw new Error('oneOf without a branch')
  return branch
}

type Wrong = readonly [what: string, value: unknown]

function wrongValues(schema: Schema): readonly Wrong[] {
  const { type, nullable, enum: words, minimum, maximum, maxLength, maxItems, pattern, format } = schema
  if (type === undefined) return []
  const wrong: Wrong[] = nullable === true ? [] : [['null', null]]
  if (type !== 'object') wrong.push(['an object', {}])
  if (type !== 'array') wrong.push(['a list', ['x']])
  if (type === 'object' || type === 'array') wrong.push(['a text', 'x'], ['a number', 7])
  if (type === 'integer') wrong.push(['a word', 'five'], ['a fraction', 1.5], ['true', true])
  if (type === 'boolean') wrong.push(['a word', 'maybe'], ['another number', 7])
  if (type === 'string') wrong.push(['a number', 7], ['true', true])
  if (Array.isArray(words))
    wrong.push(['an unknown word', 'COLOUR'], ['in lower case', String(words[0]).toLowerCase() + '_'])
  if (typeof minimum === 'number') wrong.push(['too small', minimum - 1], ['far too small', -(2 ** 40)])
  if (typeof maximum === 'number') wrong.push(['too large', maximum + 1], ['far too large', 2 ** 40])
  if (typeof maxLength === 'number') wrong.push(['too long', 'a'.repeat(maxLength + 1)])
  if (typeof maxItems === 'number')
    wrong.push(['too many', Array.from({ length: maxItems + 1 }, (_, i) => `a${i}`)])
  if (typeof pattern === 'string' || format === 'uuid') {
    wrong.push(['a space', ' '], ['a control', '/\u0001'], ['a line break', '/\r\nHost: x'], ['empty', ''])
  }
  return wrong.filter(
    ([, value]) => typeof pattern !== 'string' || typeof value !== 'string' || !fits(schema, value),
  )
}

function fits({ pattern, maxLength }: Schema, value: string): boolean {
  return new RegExp(String(pattern)).test(value) && value.length <= Number(maxLength ?? value.length)
}

function replaced(place: readonly string[], what: string, value: unknown): Violation {
  return {
    what: `${place.join('.') || 'the body'}: ${what}`,
    applied: (body) => changed(body, place, () => value),
  }
}

function removed(place: readonly string[]): Violation {
  return { what: `${place.join('.')}: missing`, applied: (body) => changed(body, place, () => undefined) }
}

/** A copy with another value at a place; what is on the way there and is no object becomes one. */
function changed(body: unknown, place: readonly string[], value: () => unknown): unknown {
  const [name, ...rest] = place
  if (name === undefined) return value()
  const object = typeof body === 'object' && body !== null && !Array.isArray(body) ? body : {}
  const inner = (object as Record<string, unknown>)[name]
  return { ...object, [name]: changed(inner, rest, value) }
}
