/**
 * The document of the API as the tests read it: which operation a request is, and whether an answer is one that the
 * document promises. Answers are held to more than a client is asked to believe: an attribute that is not described is
 * an error here.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { Ajv, type ValidateFunction } from 'ajv'
import formats from 'ajv-formats'
import { parse } from 'yaml'
import { type DialectName, DIALECTS } from '../../src/api/dialects.ts'

export type Schema = { readonly [keyword: string]: unknown }
export type Method = 'get' | 'post' | 'put' | 'delete'
export const METHODS: readonly Method[] = ['get', 'post', 'put', 'delete']

interface Reference {
  readonly $ref: string
}
interface MediaTypes {
  readonly [mediaType: string]: {
    readonly schema: Schema
    readonly example?: unknown
    readonly examples?: unknown
  }
}
export interface Parameter {
  readonly name: string
  readonly in: 'path' | 'query' | 'header'
  readonly required?: boolean
  readonly schema: Schema
}
interface Header {
  readonly required?: boolean
  readonly schema: Schema
}
export interface Response {
  readonly description: string
  readonly headers?: Readonly<Record<string, Header | Reference>>
  readonly content?: MediaTypes
}
export interface Operation {
  readonly operationId: string
  readonly tags: readonly string[]
  /** Absent = that of the document; empty = no authentication. */
  readonly security?: readonly unknown[]
  readonly parameters?: readonly (Parameter | Reference)[]
  readonly requestBody?: { readonly required?: boolean; readonly content: MediaTypes }
  readonly responses: Readonly<Record<string, Response | Reference>>
}
export type PathItem = { readonly parameters?: readonly (Parameter | Reference)[] } & {
  readonly [method in Method]?: Operation
}
export interface Document {
  readonly info: { readonly version: string; readonly description: string }
  readonly paths: Readonly<Record<string, PathItem>>
  readonly components: {
    readonly schemas: Readonly<Record<string, Schema>>
    readonly responses: Readonly<Record<string, Response>>
  }
  readonly 'x-aliases': readonly {
    readonly path: string
    readonly same_as: string
    /** Only while this is the dialect of the bare path. */
    readonly dialect?: DialectName
  }[]
  /** `v1`: our own API. */
  readonly 'x-unrouted': Readonly<Record<DialectName | 'v1', Unrouted>>
}
interface Unrouted {
  readonly unknown_path: Reference
  readonly other_method: Reference
  /** What OPTIONS answers, where that is not `other_method`. */
  readonly options?: Reference
}

/** The document; tests run in the folder of the project. */
export const document = parse(readFileSync('openapi.yaml', 'utf8')) as Document

/** Resolves a reference into the document; any other value is returned as it is. */
export function resolved<Value>(value: Value | Reference): Value {
  if (typeof value !== 'object' || value === null || !('$ref' in value)) return value
  const found = value.$ref
    .split('/')
    .slice(1)
    .reduce<unknown>((node, key) => (node as Record<string, unknown>)[key], document)
  assert.ok(found !== undefined, `${value.$ref} does not exist`)
  return found as Value
}

export interface DescribedOperation {
  readonly path: string
  readonly method: Method
  readonly operation: Operation
  /** Of the path and of the operation. */
  readonly parameters: readonly Parameter[]
}

export const operations: readonly DescribedOperation[] = Object.entries(document.paths).flatMap(
  ([path, item]) =>
    METHODS.flatMap((method) => {
      const operation = item[method]
      if (operation === undefined) return []
      const parameters = [...(item.parameters ?? []), ...(operation.parameters ?? [])].map((each) =>
        resolved(each),
      )
      return [{ path, method, operation, parameters }]
    }),
)

/** Every spelling of a path of the document, itself included: the closure of `x-aliases`. */
export function spellings(path: string, defaultDialect: DialectName = 'elb'): readonly string[] {
  const aliases = document['x-aliases'].filter(({ dialect = defaultDialect }) => dialect === defaultDialect)
  const all = new Set([path])
  for (const known of all) {
    for (const alias of aliases) {
      if (known === alias.path || known.startsWith(`${alias.path}/`)) {
        all.add(`${alias.same_as}${known.slice(alias.path.length)}` || '/')
      }
    }
  }
  return [...all]
}

/** Where each dialect is mounted. */
export const MOUNTS = Object.fromEntries(DIALECTS.map(({ name, prefix }) => [name, prefix])) as Readonly<
  Record<DialectName, string>
>
export const DIALECT_NAMES: readonly DialectName[] = DIALECTS.map(({ name }) => name)

/** The dialect that a path of the document is in; undefined = outside of all. */
export function dialectOf(path: string): DialectName | undefined {
  return DIALECT_NAMES.find((dialect) => path === MOUNTS[dialect] || path.startsWith(`${MOUNTS[dialect]}/`))
}

interface Spelling {
  readonly pattern: RegExp
  readonly parameters: number
  readonly path: string
}

// Fixed words win over parameters, as in a router that knows the longer name first.
function spellingsOf(defaultDialect: DialectName): readonly Spelling[] {
  return Object.keys(document.paths)
    .flatMap((path) =>
      spellings(path, defaultDialect).map((spelling) => ({
        pattern: new RegExp(`^${spelling.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '[^/]+')}$`),
        parameters: spelling.split('{').length - 1,
        path,
      })),
    )
    .toSorted((a, b) => a.parameters - b.parameters)
}

const SPELLINGS = Object.fromEntries(DIALECT_NAMES.map((name) => [name, spellingsOf(name)])) as Readonly<
  Record<DialectName, readonly Spelling[]>
>

export interface Answer {
  /** In any case. */
  readonly method: string
  /** As requested, with the query string. */
  readonly path: string
  readonly status: number
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  /** Parsed, or the text when it is no JSON; undefined or '' when there was none. */
  readonly body: unknown
  /** Of the bare path; elb when absent. */
  readonly defaultDialect?: DialectName
}

/** Throws an AssertionError when an answer of the service is not one that openapi.yaml describes for the request. */
export function validateAnswer(answer: Answer): void {
  const url = new URL(answer.path.replaceAll(/\/{2,}/g, '/'), 'http://localhost')
  const request = `${answer.method} ${answer.path} → ${answer.status}`
  const response = describedResponse(answer, url.pathname, request)
  validateHeaders(response, answer.headers, request)
  const empty = answer.body === undefined || answer.body === ''
  if (response.content === undefined) {
    assert.ok(empty, `${request}: a body where openapi.yaml describes none`)
    return
  }
  if (answer.method.toUpperCase() === 'HEAD') return
  const mediaType = String(answer.headers['content-type'] ?? '').split(';')[0] ?? ''
  const media = response.content[mediaType]
  assert.ok(media !== undefined, `${request}: content type '${mediaType}' is not described`)
  const partial = url.searchParams.getAll('fields').some((field) => field !== '')
  assertValid(validatorOf(media.schema, partial ? 'partial answer' : 'answer'), answer.body, request)
}

function describedResponse(answer: Answer, pathname: string, request: string): Response {
  const { defaultDialect = 'elb' } = answer
  const clean = pathname.length > 1 && pathname.endsWith('/') ? pathname.slice(0, -1) : pathname
  const paths = SPELLINGS[defaultDialect].filter(({ pattern }) => pattern.test(clean)).map(({ path }) => path)
  const dialect = isOurOwn(clean) ? 'v1' : (dialectOf(clean) ?? defaultDialect)
  const word = answer.method.toLowerCase()
  // Octavia has no HEAD.
  const asked = word === 'head' && dialect !== 'octavia' ? 'get' : word
  const method = METHODS.find((known) => known === asked)
  const operation = paths
    .map((path) => method && document.paths[path]?.[method])
    .find((found) => found !== undefined)
  if (operation !== undefined) {
    const response = operation.responses[String(answer.status)]
    assert.ok(response !== undefined, `${request}: this status is not described for ${operation.operationId}`)
    return resolved(response)
  }
  const unrouted = document['x-unrouted'][dialect]
  if (word === 'options' && paths.length > 0 && answer.status === 200 && unrouted.options !== undefined)
    return resolved<Response>(unrouted.options)
  const expected = paths.length === 0 ? 404 : 405
  // A request may be refused for its Host, its project or its token before anybody looks for its path.
  if (answer.status !== expected) return earlyRefusal(dialect, answer.status, request)
  return resolved<Response>(paths.length === 0 ? unrouted.unknown_path : unrouted.other_method)
}

const EARLY: Readonly<Record<number, string>> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  405: 'MethodNotAllowed',
  406: 'NotAcceptable',
  415: 'UnsupportedMediaType',
  503: 'ServiceUnavailable',
}

/** Below `/v1`, which is no dialect. */
function isOurOwn(path: string): boolean {
  return path === '/v1' || path.startsWith('/v1/')
}

function earlyRefusal(dialect: DialectName | 'v1', status: number, request: string): Response {
  if (dialect === 'v1') return resolved<Response>(document['x-unrouted'].v1.unknown_path)
  const name = `${dialect.charAt(0).toUpperCase()}${dialect.slice(1)}${EARLY[status]}`
  const response = document.components.responses[name]
  assert.ok(response !== undefined, `${request}: openapi.yaml describes no such path and method`)
  return response
}

function validateHeaders(response: Response, headers: Answer['headers'], request: string): void {
  for (const [name, reference] of Object.entries(response.headers ?? {})) {
    const header = resolved(reference)
    const value = headers[name.toLowerCase()]
    if (value === undefined) {
      assert.ok(header.required !== true, `${request}: header ${name} is missing`)
      continue
    }
    const parsed = header.schema['type'] === 'integer' ? Number(value) : value
    assertValid(validatorOf(header.schema, 'answer'), parsed, `${request}: header ${name}`)
  }
}

function assertValid(validate: ValidateFunction, value: unknown, where: string): void {
  if (validate(value)) return
  const problems = (validate.errors ?? []).map((error) => {
    const extra = Object.values(error.params as Record<string, unknown>).map((param) => JSON.stringify(param))
    return `${error.instancePath || 'the body'} ${error.message} (${extra.join(', ')})`
  })
  assert.fail(
    `${where} is not as openapi.yaml describes it: ${problems.join('; ')}\n${JSON.stringify(value)}`,
  )
}

/**
 * How strictly a schema is read. `request`: as it is written. `answer`: attributes that are not described are errors.
 * `partial answer`: the same, and nothing is required (`fields`).
 */
export type Reading = 'request' | 'answer' | 'partial answer'

const readings = new Map<Reading, Ajv>()
const validators = new Map<Reading, WeakMap<Schema, ValidateFunction>>()

/** The validator of a schema of the document, compiled when it is first asked for. */
export function validatorOf(schema: Schema, reading: Reading): ValidateFunction {
  let known = validators.get(reading)
  if (known === undefined) validators.set(reading, (known = new WeakMap()))
  let validator = known.get(schema)
  if (validator === undefined) {
    validator = ajvOf(reading).compile(asJsonSchema(schema, reading))
    known.set(schema, validator)
  }
  return validator
}

function ajvOf(reading: Reading): Ajv {
  let ajv = readings.get(reading)
  if (ajv === undefined) {
    ajv = new Ajv({ strict: true, allErrors: true, keywords: ['example'] })
    formats.default(ajv)
    ajv.addSchema({ $id: 'openapi', $defs: asJsonSchema(document.components.schemas, reading) })
    readings.set(reading, ajv)
  }
  return ajv
}

/** OpenAPI 3.0 says in its own dialect what ajv reads, but for the place of definitions. */
function asJsonSchema<Node>(node: Node, reading: Reading): Node {
  if (Array.isArray(node)) return node.map((item: unknown) => asJsonSchema(item, reading)) as Node
  if (typeof node !== 'object' || node === null) return node
  const entries = Object.entries(node)
    .filter(([key, value]) => key !== 'required' || reading !== 'partial answer' || !Array.isArray(value))
    .map(([key, value]: [string, unknown]): [string, unknown] => [
      key,
      key === '$ref' && typeof value === 'string'
        ? value.replace('#/components/schemas/', 'openapi#/$defs/')
        : asJsonSchema(value, reading),
    ])
  const copy = Object.fromEntries(entries)
  const closed = reading === 'request' || copy['additionalProperties'] !== undefined
  if (!closed && copy['type'] === 'object' && copy['properties'] !== undefined)
    copy['additionalProperties'] = false
  return copy as Node
}
