/**
 * Kuma's document (openapi/kuma.yaml) and the service agree on requests: a body that it allows is taken, or refused by a rule between
 * fields; a body with one mistake is refused; and lists take every query that it allows. OPENAPI_SEED repeats a run.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { query } from '../../src/store/connection/database.ts'
import { type Api, type Json, startApi } from '../support/api.ts'
import {
  bodySchema,
  doorDocument,
  type DoorOperation,
  resolvedIn,
  validateDoorAnswer,
} from '../support/door-openapi.ts'
import { Kuma } from '../support/kuma.ts'
import { WHOLE_KUMA_OBJECTS } from '../support/kuma-objects.ts'
import type { Parameter, Schema } from '../support/openapi.ts'
import { allowed, type Hints, type Violation, violations } from '../support/openapi-requests.ts'
import { RUNS, sample, SEED } from '../support/openapi-world.ts'

const { document, operations } = doorDocument('kuma')

/** Writes of single objects, by the type that they take. */
const WRITES = operations.flatMap((described) => {
  const schema = described.operation.requestBody === undefined ? undefined : bodySchema('kuma', described)
  const { type } = (schema?.['properties'] ?? {}) as Readonly<Record<string, { enum?: readonly string[] }>>
  const [only] = type?.enum ?? []
  return schema === undefined || only === undefined ? [] : [{ ...described, schema, type: only }]
})

/** Where an object is put, and what its body says of that. */
function placed(path: string, type: string, made: Json): readonly [path: string, body: Json] {
  const isMesh = type === 'Mesh'
  const place = isMesh ? { type, name: 'made' } : { type, mesh: 'default', name: 'made' }
  const filled = path.replace('{mesh}', isMesh ? 'made' : 'default').replace('{name}', 'made')
  return [filled.slice(1), { ...made, ...place }]
}

const duration = fc.constantFrom('1s', '500ms', '1m30s', '2h', '.5s', '10s')
const HINTS: Hints = {
  address: fc.constantFrom('127.0.0.1', '10.0.0.1', '::1', 'backend.example'),
  serviceAddress: fc.constantFrom('10.0.0.9', 'fd00::2', 'app.example'),
  labels: fc.constantFrom({}, { team: 'a' }, { 'healthmonitor/probe': 'application' }),
  tags: fc.constantFrom(
    { 'kuma.io/service': 'backend' },
    { 'kuma.io/service': 'web', version: '1' },
    { 'kuma.io/service': 'web', 'kuma.io/protocol': 'http' },
  ),
  match: fc.constantFrom({ 'kuma.io/service': '*' }, { 'kuma.io/service': 'backend' }),
  matchLabels: fc.constantFrom({}, { team: 'a' }),
  dataplaneTags: fc.constantFrom({ 'kuma.io/service': 'backend' }, {}),
  interval: duration,
  timeout: duration,
  initialJitter: duration,
  intervalJitter: duration,
  noTrafficInterval: duration,
  send: fc.constantFrom('Zm9v', 'Zm9vYg==', ''),
  receive: fc.constantFrom(['YmFy'], ['YmFy', 'YmF6'], []),
  path: fc.constantFrom('/', '/health?x=1'),
  // Of headers, ports, inbounds and references.
  name: fc.constantFrom('x-name', 'backend', 'http'),
  key: fc.constantFrom('X-Name', 'Accept'),
  value: fc.constantFrom('v', 'text/plain; q=1'),
  // Few, so that an inbound replaces another one of its port.
  port: fc.constantFrom(80, 8080, 65_535),
  kind: fc.constantFrom('Mesh', 'MeshService', 'MeshSubset', 'Dataplane', 'MeshGateway'),
  serviceName: fc.constantFrom('', 'grpc.health.v1.Health'),
  authority: fc.constantFrom('', 'backend:80'),
  eventLogPath: fc.constantFrom('/tmp/events.log'),
  sectionName: fc.constantFrom('http'),
  appProtocol: fc.constantFrom('http', 'tcp'),
  targetPort: fc.constantFrom(8080, 'http'),
  backendRef: fc.constantFrom({ kind: 'MeshService', name: 'backend', port: 80 }),
}

/** Rules between fields, and of values in their place: no schema says them. */
const RULE = new RegExp(
  [
    'has to be defined',
    'has to contain at least one inbound interface or gateway',
    'inbound cannot be defined both with gateway',
    'servicePort has to differ',
    'tag has to exist',
    'must have at least one (element|defined)',
    'must have a positive value',
    'mandatory tag',
    'must consist of exactly one tag',
    'is not allowed',
    'must (not )?be set with kind',
    'either labels or name',
    'using name with kind Mesh',
    'is not supported',
    'can only be used with inbound policies',
    'port entries must be unique',
    'names of ports must be unique, and not the number of another',
    'cannot be empty',
    'in body is required',
    'in body should match',
    'kuma.io/service',
  ].join('|'),
)

/** In most cases enough for one that is taken. */
const TURNS = 3 * RUNS

/** Bodies of each write. They are made before anything is sent: connections that wait for long are closed. */
const MADE = WRITES.map((write) => ({
  ...write,
  bodies: sample(allowed(write.schema, HINTS), TURNS, write.operation.operationId),
}))

test('kuma: a body that the document allows is taken, or refused by a rule between fields', async (t) => {
  const api = await startApi(t)
  const kuma = new Kuma(api)
  const tally: Record<string, number> = {}
  for (const { path, method, schema, type, operation, bodies } of MADE) {
    const { operationId } = operation
    const accepts = doorDocument('kuma').validatorOf(schema)
    tally[operationId] = 0
    for (const made of bodies) {
      const [place, body] = placed(path, type, made)
      assert.ok(accepts(body), `${operationId}: the test made ${JSON.stringify(body)}`)
      const answer = await kuma.send(method.toUpperCase(), place, body)
      const { status } = answer
      const said = (await answer.json()) as Json
      validateDoorAnswer('kuma', { method, path: `/${place}`, status, body: said })
      if (answer.ok) tally[operationId]++
      else {
        const told = `${operationId}, seed ${SEED}: ${JSON.stringify(body)} → ${status} ${JSON.stringify(said)}`
        assert.ok(status === 400 && isRule(said), told)
      }
    }
    assert.ok(tally[operationId] > 0, `${operationId}: none of ${TURNS} was taken`)
  }
  assert.deepEqual(api.errors, [])
  t.diagnostic(`seed ${SEED}, ${TURNS} of each operation; taken: ${JSON.stringify(tally)}`)
})

test('kuma: an object that replaces another one is shown as if the other had never been', async (t) => {
  const api = await startApi(t)
  const kuma = new Kuma(api)
  // Each inbound is checked, so the service owns its health: of what a client sends, only that does not count.
  const to = [{ targetRef: { kind: 'Mesh' }, default: { tcp: {}, http: {} } }]
  await kuma.apply({ type: 'MeshHealthCheck', mesh: 'default', name: 'everything', spec: { to } })
  let replaced = 0
  for (const { path, type, bodies } of MADE.filter((write) => write.type !== 'Mesh')) {
    for (const made of bodies) {
      const [place, body] = placed(path, type, withoutGateway(made as Json))
      if (!(await kuma.send('PUT', place, body)).ok) continue
      const name = `alone-${replaced++}`
      const alone = place.replace(/made$/, name)
      assert.equal((await kuma.send('PUT', alone, { ...body, name })).status, 201)
      assert.deepEqual(await shownOf(kuma, place), await shownOf(kuma, alone), JSON.stringify(body))
      assert.equal((await kuma.send('DELETE', alone)).status, 200)
    }
  }
  assert.deepEqual(api.errors, [])
  t.diagnostic(`seed ${SEED}, ${replaced} objects`)
})

/** Of a proxy that has inbounds too: it is one or the other. */
function withoutGateway({ networking, ...rest }: Json): Json {
  if (networking?.inbound === undefined || networking.inbound.length === 0)
    return networking === undefined ? rest : { ...rest, networking }
  return { ...rest, networking: { ...networking, gateway: undefined } }
}

/** An object without its name and times. What is known of the health of a proxy outlasts a write of it. */
async function shownOf(kuma: Kuma, path: string): Promise<Json> {
  const { name: _, creationTime: __, modificationTime: ___, kri: ____, ...rest } = await kuma.get(path)
  const isHealth = (key: string) => key === 'health' || key === 'state'
  return JSON.parse(JSON.stringify(rest, (key, value: unknown) => (isHealth(key) ? undefined : value)))
}

/** Whether everything that is found wrong is a rule. */
function isRule({ causes }: Json): boolean {
  const found = (causes ?? []) as readonly { readonly message: string }[]
  return found.length > 0 && found.every(({ message }) => RULE.test(message))
}

/** Fields that the service says itself: what a client sends of them does not count. */
const IGNORED = /\bspec\.(state|identities)\b/

type Place = readonly (string | number)[]

/** The mistakes at every place of a body, also in the first item of each list. */
function mistakesIn(schema: Schema, body: Json): readonly Violation[] {
  return [...violations(schema, 'elb'), ...listsIn(schema, []).flatMap(mistakesOfItem(body))]
}

interface ListOf {
  readonly place: Place
  readonly items: Schema
}

function listsIn(schema: Schema, place: Place): readonly ListOf[] {
  if (schema['type'] === 'array') {
    const items = schema['items'] as Schema
    return [{ place, items }, ...listsIn(items, [...place, 0])]
  }
  return Object.entries((schema['properties'] ?? {}) as Readonly<Record<string, Schema>>).flatMap(
    ([name, each]) => listsIn(each, [...place, name]),
  )
}

function mistakesOfItem(body: Json): (list: ListOf) => readonly Violation[] {
  return ({ place, items }) => {
    const item = place.reduce((node, key) => node?.[key], body)?.[0]
    if (item === undefined) return []
    return violations(items, 'elb').map(({ what, applied }) => ({
      what: `${place.join('.')}.0.${what}`,
      applied: () => withItem(body, place, applied(item)),
    }))
  }
}

/** A copy of the body whose list at a place has only this item. */
function withItem(body: Json, place: Place, item: unknown): Json {
  const copy = structuredClone(body)
  const list = place.reduce((node, key) => node[key], copy) as unknown[]
  list[0] = item
  return copy
}

/** Version 1 reads null as a field that is absent. */
const takesNull = (type: string, what: string) => what.endsWith(': null') && !type.startsWith('Mesh')

test('kuma: a body with any one mistake is refused, and changes nothing', async (t) => {
  const api = await startApi(t)
  const kuma = new Kuma(api)
  let requests = 0
  for (const { path, method, schema, type, operation } of WRITES) {
    const [place, whole] = placed(path, type, WHOLE_KUMA_OBJECTS[type])
    const taken = await kuma.send(method.toUpperCase(), place, whole)
    assert.ok(taken.ok, `${type}: ${await taken.text()}`)
    const before = await stored(api)
    const accepts = doorDocument('kuma').validatorOf(schema)
    for (const { what, applied } of mistakesIn(schema, whole)) {
      if (IGNORED.test(what) || takesNull(type, what) || (type === 'Mesh' && /: (null|missing)$/.test(what)))
        continue
      const body = JSON.parse(JSON.stringify(applied(whole)) ?? 'null') as Json
      // A number where a text may be as well.
      if (accepts(body)) continue
      const answer = await kuma.send(method.toUpperCase(), place, body)
      const told = `${operation.operationId}, ${what}: ${JSON.stringify(body).slice(0, 600)} → ${answer.status} ${await answer.text()}`
      assert.equal(answer.status, 400, told)
      requests++
    }
    assert.deepEqual(await stored(api), before, type)
  }
  assert.deepEqual(api.errors, [])
  assert.ok(requests > 300, `only ${requests}`)
  t.diagnostic(`${requests} requests, each with one mistake`)
})

async function stored({ db }: Api): Promise<unknown> {
  return await query(
    db,
    `select (select json_agg(m order by m.name) from kuma_mesh m) as meshes,
       (select json_agg(r order by r.type, r.name) from kuma_resource r) as objects,
       (select json_agg(p.config_version order by p.name) from pool p) as pools`,
  )
}

test('kuma: what is no object is refused by every write', async (t) => {
  const api = await startApi(t)
  const kuma = new Kuma(api)
  const before = await stored(api)
  const texts = ['', '{', '[]', 'null', '"x"', '7', '{"a":"\\ud800"}', `${'['.repeat(200)}${']'.repeat(200)}`]
  for (const { path, type } of WRITES)
    for (const text of texts) {
      const [place] = placed(path, type, {})
      const { status } = await kuma.send('PUT', place, text)
      const isTaken = type === 'Mesh' && text.startsWith('{"a"')
      assert.ok(status === 400 || isTaken, `${type} ${text.slice(0, 40)}: ${status}`)
    }
  for (const text of [
    ...texts,
    '{}',
    '{"objects":{}}',
    '{"objects":[]}',
    '{"objects":[7]}',
    '{"objects":[{}]}',
  ])
    assert.equal((await kuma.send('PUT', '_apply', text)).status, 400, text)
  assert.deepEqual(((await stored(api)) as Json)[0].objects, (before as Json)[0].objects)
  assert.deepEqual(api.errors, [])
})

const LISTS = operations.filter(
  ({ operation, method }) =>
    method === 'get' && (operation.parameters ?? []).some((each) => parameterOf(each).name === 'size'),
)

function parameterOf(reference: unknown): Parameter {
  return resolvedIn<Parameter>(document, reference as Parameter)
}

function pathOf({ path }: DoorOperation): string {
  return path.replace('{mesh}', 'default').slice(1)
}

test('kuma: a list takes every query that the document allows', async (t) => {
  const api = await startApi(t)
  const kuma = new Kuma(api)
  const objects = Object.entries(WHOLE_KUMA_OBJECTS).map(([type, body]) => placed('/x', type, body)[1])
  assert.equal((await kuma.send('PUT', '_apply', { objects })).status, 200)
  const word = fc
    .oneof(fc.string({ unit: 'binary' }), fc.constantFrom('true', 'false', 'made', 'team:a', '%'))
    .map((text) => text.replaceAll('\0', ''))
  let requests = 0
  for (const described of LISTS) {
    const names = (described.operation.parameters ?? []).map((each) => parameterOf(each).name)
    const pair = fc
      .tuple(fc.constantFrom(...names), word, fc.integer({ min: 0, max: 1000 }))
      .map(([name, text, number]): [string, string] => [
        name.replace('KEY', text === '' ? 'team' : text),
        name === 'size' || name === 'offset' ? String(number) : text,
      ])
    const queries = sample(fc.array(pair, { maxLength: 5 }), RUNS, described.operation.operationId)
    for (const wanted of queries) {
      const parameters = new URLSearchParams()
      for (const [name, value] of wanted) if (!parameters.has(name)) parameters.append(name, value)
      const path = `${pathOf(described)}?${parameters.toString()}`
      const answer = await kuma.send('GET', path)
      const body = (await answer.json()) as Json
      assert.equal(answer.status, 200, `${path} → ${JSON.stringify(body)}`)
      validateDoorAnswer('kuma', { method: 'get', path: `/${path}`, status: 200, body })
      requests++
    }
  }
  assert.deepEqual(api.errors, [])
  t.diagnostic(`seed ${SEED}, ${requests} queries of ${LISTS.length} lists`)
})

test('kuma: a list refuses the queries that the document forbids', async (t) => {
  const kuma = new Kuma(await startApi(t))
  const numbers = ['x', '-1', '1.5', '1e3', ' ', '', '9'.repeat(16)]
  for (const described of LISTS) {
    const isFiltered = (described.operation.parameters ?? []).some((each) =>
      parameterOf(each).name.startsWith('filter'),
    )
    const forbidden = [
      ...numbers.map((size) => `size=${encodeURIComponent(size)}`),
      'size=1001',
      ...numbers.map((offset) => `offset=${encodeURIComponent(offset)}`),
      ...(isFiltered ? ['filter[name]=x', 'filter[labels]=x', 'filter[labels.]=x'] : []),
    ]
    for (const each of forbidden) {
      const path = `${pathOf(described)}?${each}`
      const answer = await kuma.send('GET', path)
      assert.equal(answer.status, 400, `${path} → ${await answer.text()}`)
    }
  }
})
