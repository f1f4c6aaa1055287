/**
 * The documents of doors (openapi/<door>.yaml) as the tests read them: which operation a request is, and whether an answer is one
 * that the document promises. An attribute that is not described is an error, unless the document says that there may be more.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { Ajv, type ValidateFunction } from 'ajv'
import formats from 'ajv-formats'
import { parse } from 'yaml'
import { DOORS } from '../../src/api/dialects.ts'
import { METHODS, type Method, type Operation, type PathItem, type Response, type Schema } from './openapi.ts'

interface DoorDocument {
  readonly paths: Readonly<Record<string, PathItem>>
  readonly components: {
    readonly schemas: Readonly<Record<string, Schema>>
    readonly responses: Readonly<Record<string, Response>>
  }
}

export interface DoorOperation {
  readonly path: string
  readonly method: Method
  readonly operation: Operation
}

interface Described {
  readonly document: DoorDocument
  readonly operations: readonly DoorOperation[]
  readonly validatorOf: (schema: Schema) => ValidateFunction
}

const DESCRIBED = new Map<string, Described>()

/** What the document of a door says; read once. */
export function doorDocument(door: string): Described {
  let described = DESCRIBED.get(door)
  if (described === undefined) {
    const document = parse(readFileSync(`openapi/${door}.yaml`, 'utf8')) as DoorDocument
    described = { document, operations: operationsOf(document), validatorOf: validators(document) }
    DESCRIBED.set(door, described)
  }
  return described
}

function operationsOf({ paths }: DoorDocument): readonly DoorOperation[] {
  return Object.entries(paths).flatMap(([path, item]) =>
    METHODS.flatMap((method) => {
      const operation = item[method]
      return operation === undefined ? [] : [{ path, method, operation }]
    }),
  )
}

/** A reference into a document; any other value is returned as it is. */
export function resolvedIn<Value>(document: DoorDocument, value: Value | { readonly $ref: string }): Value {
  if (typeof value !== 'object' || value === null || !('$ref' in value)) return value
  const found = value.$ref
    .split('/')
    .slice(1)
    .reduce<unknown>((node, key) => (node as Record<string, unknown>)[key], document)
  assert.ok(found !== undefined, `${value.$ref} does not exist`)
  return found as Value
}

/** What the body of a request may be: its schema without references. */
export function bodySchema(door: string, { operation }: DoorOperation): Schema {
  return inlined(door, operation.requestBody?.content['application/json']?.schema) as Schema
}

/** A schema, or a part of one, without references. */
export function inlined(door: string, node: unknown): unknown {
  if (Array.isArray(node)) return node.map((each) => inlined(door, each))
  if (typeof node !== 'object' || node === null) return node
  const found: unknown = resolvedIn<unknown>(doorDocument(door).document, node)
  if (found !== node) return inlined(door, found)
  return Object.fromEntries(Object.entries(node).map(([name, each]) => [name, inlined(door, each)]))
}

/** The door below whose prefix a path is. */
export function doorOf(path: string): string | undefined {
  return DOORS.find(
    ({ prefix }) => path === prefix || path.startsWith(`${prefix}/`) || path.startsWith(`${prefix}?`),
  )?.name
}

export interface DoorAnswer {
  readonly method: string
  /** Below the prefix of the door, with the query string. */
  readonly path: string
  readonly status: number
  readonly body: unknown
}

/** Throws an AssertionError when an answer is not one that the document describes for the request. */
export function validateDoorAnswer(door: string, { method, path, status, body }: DoorAnswer): void {
  const { document, operations, validatorOf } = doorDocument(door)
  const request = `${door}: ${method} ${path} → ${status}`
  const { pathname } = new URL(path, 'http://localhost')
  const matches = operations
    .filter((each) => patternOf(each.path).test(pathname))
    .toSorted((a, b) => a.path.split('{').length - b.path.split('{').length)
  const found = matches.find((each) => each.method === method.toLowerCase())
  const response = found?.operation.responses[String(status)]
  if (found !== undefined) assert.ok(response, `${request}: this status is not described`)
  const described = resolvedIn<Response>(document, response ?? { $ref: '#/components/responses/Error' })
  const schema = described.content?.['application/json']?.schema
  assert.ok(schema, `${request}: no answer in JSON is described`)
  const validate = validatorOf(schema)
  const problems = () =>
    (validate.errors ?? []).map(
      ({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`,
    )
  assert.ok(validate(body), `${request}: ${problems().join('; ')}\n${JSON.stringify(body)?.slice(0, 2000)}`)
}

function patternOf(path: string): RegExp {
  return new RegExp(`^${path.replaceAll(/[.+]/g, '\\$&').replaceAll(/\{\w+\}/g, '[^/]+')}/?$`)
}

function validators(document: DoorDocument): Described['validatorOf'] {
  const ajv = new Ajv({ strict: true, allErrors: true, strictTypes: false, keywords: ['example'] })
  formats.default(ajv)
  ajv.addSchema({ $id: 'openapi', $defs: closed(document.components.schemas) })
  const known = new WeakMap<Schema, ValidateFunction>()
  return (schema) => {
    let validator = known.get(schema)
    if (validator === undefined) {
      validator = ajv.compile(closed(schema))
      known.set(schema, validator)
    }
    return validator
  }
}

/** OpenAPI 3.0 as JSON Schema, with objects that have no attributes beside those that they name. */
function closed<Node>(node: Node): Node {
  if (Array.isArray(node)) return node.map((item: unknown) => closed(item)) as Node
  if (typeof node !== 'object' || node === null) return node
  const copy = Object.fromEntries(
    Object.entries(node).map(([key, value]: [string, unknown]): [string, unknown] => [
      key,
      key === '$ref' && typeof value === 'string'
        ? value.replace('#/components/schemas/', 'openapi#/$defs/')
        : closed(value),
    ]),
  )
  if (
    copy['type'] === 'object' &&
    copy['properties'] !== undefined &&
    copy['additionalProperties'] === undefined
  )
    copy['additionalProperties'] = false
  return copy as Node
}
