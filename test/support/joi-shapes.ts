/** What joi says of its own schemas, and what openapi.yaml says of a body, in one form that can be compared. */
import assert from 'node:assert/strict'
import type Joi from 'joi'
import type { Shape } from '../../src/api/schema/shape.ts'
import { resolved, type Schema } from './openapi.ts'

/** A value: its keywords, with its attributes where it has some. */
export interface Described extends Omit<Shape, 'items'> {
  readonly items?: Described
  readonly required?: readonly string[]
  readonly properties?: Readonly<Record<string, Described>>
}

interface JoiDescription {
  readonly type: string
  readonly flags?: { readonly presence?: string; readonly result?: string }
  readonly metas?: readonly { readonly shape?: Shape }[]
  readonly keys?: Readonly<Record<string, JoiDescription>>
  readonly items?: readonly JoiDescription[]
  readonly rules?: readonly { readonly name: string; readonly args: { readonly limit: number } }[]
}

/** As joi's `describe()` has it, without attributes that a request cannot have. */
export function ofJoi(schema: Joi.Schema): Described {
  return joiValue(schema.describe() as JoiDescription)
}

function joiValue({ type, flags, metas = [], keys, items, rules = [] }: JoiDescription): Described {
  if (type === 'object') return joiObject(keys ?? {})
  if (type === 'array') {
    const max = rules.find(({ name }) => name === 'max')?.args.limit
    const [item] = items ?? []
    assert.ok(item !== undefined, 'a list says what its items are')
    return { type: 'array', ...(max === undefined ? {} : { maxItems: max }), items: joiValue(item) }
  }
  const shapes = metas.flatMap(({ shape }) => (shape === undefined ? [] : [shape]))
  const [shape] = shapes
  // Whatever was sent: what is dropped, and what another schema reads.
  if (shape === undefined) assert.ok(flags?.result === 'strip' || type === 'any', type)
  return shape ?? {}
}

function joiObject(keys: Readonly<Record<string, JoiDescription>>): Described {
  const sendable = Object.entries(keys).filter(([, { flags }]) => flags?.presence !== 'forbidden')
  return {
    type: 'object',
    required: sendable
      .flatMap(([name, { flags }]) => (flags?.presence === 'required' ? [name] : []))
      .toSorted(),
    properties: Object.fromEntries(sendable.map(([name, inner]) => [name, joiValue(inner)])),
  }
}

const KEYWORDS = ['type', 'format', 'minimum', 'maximum', 'minLength', 'maxLength', 'maxItems'] as const

/** Their check is a function: generated requests compare it with the document. */
const CHECKED_BY_REQUESTS: ReadonlySet<string> = new Set(
  ['MonitorOptionsPatch', 'PoolOptionsPatch'].map((name) => `#/components/schemas/${name}`),
)

/** As openapi.yaml has it: the keywords that joi describes; null is not among the words of an enum. */
export function ofDocument(schema: Schema): Described {
  const { $ref } = schema
  if (typeof $ref === 'string' && CHECKED_BY_REQUESTS.has($ref)) return { $ref }
  const whole = resolved<Schema>(schema)
  const told = Object.fromEntries(
    KEYWORDS.flatMap((keyword) => (whole[keyword] === undefined ? [] : [[keyword, whole[keyword]]])),
  ) as Described
  const words = whole['enum'] as readonly (string | number | null)[] | undefined
  const properties = whole['properties'] as Readonly<Record<string, Schema>> | undefined
  const items = whole['items'] as Schema | undefined
  return {
    ...told,
    ...(words === undefined ? {} : { enum: words.filter((word) => word !== null) }),
    ...(items === undefined ? {} : { items: ofDocument(items) }),
    ...(properties === undefined
      ? {}
      : {
          required: ((whole['required'] ?? []) as readonly string[]).toSorted(),
          properties: Object.fromEntries(
            Object.entries(properties).map(([name, inner]) => [name, ofDocument(inner)]),
          ),
        }),
  }
}

/** Every keyword by its place: `pools[].name maxLength`. */
export function keywordsOf(value: Described, at = ''): Readonly<Record<string, unknown>> {
  const { items, properties = {}, required = [], ...keywords } = value
  const here = Object.entries(keywords).map(([keyword, told]) => [`${at} ${keyword}`.trim(), told])
  const inner = Object.entries(properties).map(([name, property]) => {
    const path = at === '' ? name : `${at}.${name}`
    return { [`${path} required`]: required.includes(name), ...keywordsOf(property, path) }
  })
  return Object.assign(
    Object.fromEntries(here) as object,
    ...inner,
    items === undefined ? {} : keywordsOf(items, `${at}[]`),
  ) as Readonly<Record<string, unknown>>
}
