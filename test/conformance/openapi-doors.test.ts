/**
 * The documents of doors are the service: every route is an operation and every operation a route; what a document allows is taken,
 * or refused by a rule between objects, and what it forbids is refused. The client of these tests holds each answer against the
 * document as well.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Validator } from '@seriousme/openapi-schema-validator'
import { DOORS } from '../../src/api/dialects.ts'
import type { ApiDependencies } from '../../src/api/http/context.ts'
import { type Api, type Json, startApi } from '../support/api.ts'
import { bodySchema, doorDocument, type DoorOperation, inlined } from '../support/door-openapi.ts'
import { ask, clusterBody, result } from '../support/greymatter.ts'
import type { Schema } from '../support/openapi.ts'
import { allowed, type Hints, violations } from '../support/openapi-requests.ts'
import { RUNS, sample, SEED } from '../support/openapi-world.ts'

const deps = { settings: {} } as ApiDependencies
const key = (method: string, path: string) =>
  `${method.toUpperCase()} ${path.replaceAll('\\', '').replaceAll(/:\w+|\{\w+\}/g, '{}')}`

for (const door of DOORS) {
  test(`${door.name}: every route is an operation of its document, every operation a route, and none is there twice`, () => {
    const served = door.routes(deps).flatMap(({ method, paths }) => paths.map((path) => key(method, path)))
    const described = doorDocument(door.name).operations.map(({ method, path }) => key(method, path))
    assert.deepEqual(served.toSorted(), described.toSorted())
    assert.equal(new Set(served).size, served.length)
  })

  test(`${door.name}: every operation has a rule, an id of its own and its refusals`, () => {
    const { operations } = doorDocument(door.name)
    const ruled = new Set(
      door.policy.flatMap((rule) => rule.operations.map(({ method, path }) => key(method, path))),
    )
    for (const { method, path, operation } of operations) {
      assert.ok(ruled.has(key(method, path)), `${method} ${path}`)
      // A list below something that is not there may be empty.
      const isList = /schemas\/\w+List'?"/.test(JSON.stringify(operation.responses['200']))
      const item = path.includes('{') && !isList ? ['404'] : []
      const body = operation.requestBody === undefined ? [] : ['413', '415']
      // Open ones are asked before there is a token; what is only refused has no 200.
      const always = operation.security?.length === 0 ? [] : ['400', '401', '403', '503']
      const done = '405' in operation.responses ? [] : ['200']
      const missing = [...done, ...always, ...(done.length === 0 ? [] : item), ...body].filter(
        (status) => !(status in operation.responses),
      )
      assert.deepEqual(missing, [], `${method} ${path}`)
    }
    const ids = operations.map(({ operation }) => operation.operationId)
    assert.equal(new Set(ids).size, ids.length)
  })

  test(`${door.name}: its document is valid against the schema of OpenAPI 3.0`, async () => {
    const { document } = doorDocument(door.name)
    const checked = await new Validator().validate(
      structuredClone(document) as unknown as Record<string, unknown>,
    )
    assert.deepEqual(checked, { valid: true })
  })
}

const { operations } = doorDocument('greymatter')

const withBody = operations.filter(({ operation }) => operation.requestBody !== undefined)

const CHECKER = {
  http: fc.record({
    path: fc.constantFrom('/', '/health?x=1', '', null),
    service_name: fc.constantFrom('a', ''),
  }),
  tcp: fc.record({ send: fc.constantFrom('Zm9v', '', null), receive: fc.constantFrom(['YmFy'], [], null) }),
}
const PLAIN_HINTS: Hints = {
  zone_key: fc.constant('default-zone'),
  host: fc.constantFrom('127.0.0.1', '127.0.0.2', '::1', 'catalog.internal'),
  health_checker: fc.oneof(
    CHECKER.http.map((http_health_check) => ({ http_health_check })),
    CHECKER.tcp.map((tcp_health_check) => ({ tcp_health_check, http_health_check: null })),
  ),
  circuit_breakers: fc.constantFrom(null, { max_requests: 7 }),
  outlier_detection: fc.constantFrom(null, {}),
}
const HINTS: Hints = { ...PLAIN_HINTS, objects: fc.array(applied(), { minLength: 1, maxLength: 3 }) }

/** A cluster or a zone with a key, as a file has them. */
function applied(): fc.Arbitrary<unknown> {
  const of = (schema: string, keys: Hints) =>
    allowed(inlined('greymatter', { $ref: `#/components/schemas/${schema}` }) as Schema, {
      ...PLAIN_HINTS,
      ...keys,
    })
  const key = fc.constantFrom('a', 'b-1', 'C')
  const withKey =
    (name: string) =>
    ([object, value]: [unknown, string]) => ({
      ...(object as object),
      [name]: value,
    })
  return fc.oneof(
    fc.tuple(of('ClusterSent', {}), key).map(withKey('cluster_key')),
    fc.tuple(of('ZoneSent', {}), key).map(withKey('zone_key')),
  )
}

/** What no schema says: rules between objects, and between the attributes of one. */
const RULE =
  /already used|multiple instances|duplicate metadata key|is there twice|keys? cannot be changed|_key cannot be/

/** An object for each write, with the checksum that it has now. */
async function prepared(
  api: Api,
  { method, path }: DoorOperation,
  body: Json,
): Promise<readonly [string, Json]> {
  if (path === '/v1.0/_apply') return ['/_apply', body]
  const isZone = path.startsWith('/v1.0/zone')
  const collection = isZone ? '/zone' : '/cluster'
  if (!path.includes('{')) {
    // Of those that were made before: names are unique.
    const isObject = typeof body === 'object' && body !== null && !Array.isArray(body)
    return [
      collection,
      isObject && typeof body.cluster_key === 'string' ? { ...body, cluster_key: '' } : body,
    ]
  }
  const named = isZone ? '/zone/default-zone' : '/cluster/catalog-service'
  const { checksum } = await result(api, 'GET', named)
  const rest = path.replace(/^\/v1\.0\/\w+\/\{\w+\}/, '')
  if (method === 'post') return [`${named}${rest}?checksum=${checksum}`, body]
  const keys = isZone
    ? { zone_key: 'default-zone' }
    : { cluster_key: 'catalog-service', zone_key: 'default-zone' }
  return [named, { ...body, ...keys, checksum }]
}

test('greymatter: a body that the document allows is taken, or refused by a rule between objects', async (t) => {
  const api = await startApi(t)
  await result(api, 'POST', '/cluster', { body: clusterBody() })
  for (const described of withBody) {
    const { operationId } = described.operation
    let taken = 0
    for (const made of sample(allowed(bodySchema('greymatter', described), HINTS), RUNS, operationId)) {
      const [path, body] = await prepared(api, described, made)
      const answer = await ask(api, described.method.toUpperCase(), path, { body })
      const told = `${operationId}, seed ${SEED}: ${JSON.stringify(body)} → ${answer.status} ${JSON.stringify(answer.body)}`
      if (answer.status === 200) taken++
      else assert.ok([400, 409].includes(answer.status) && RULE.test(told), told)
    }
    assert.ok(taken > 0, `${operationId}: none of ${RUNS} was taken`)
  }
})

test('greymatter: a body with any one mistake is refused, and changes nothing', async (t) => {
  const api = await startApi(t)
  await result(api, 'POST', '/cluster', { body: clusterBody() })
  const stored = async () => [await result(api, 'GET', '/cluster'), await result(api, 'GET', '/zone')]
  const before = await stored()
  let refusals = 0
  for (const described of withBody) {
    const schema = bodySchema('greymatter', described)
    const mistakes = violations(schema, 'elb')
    const bases = sample(allowed(schema, HINTS), mistakes.length, described.operation.operationId)
    for (const [turn, { what, applied }] of mistakes.entries()) {
      const broken = JSON.parse(JSON.stringify(applied(bases[turn])) ?? 'null') as Json
      const { checksum } = await result(
        api,
        'GET',
        described.path.includes('/zone') ? '/zone/default-zone' : '/cluster/catalog-service',
      )
      const [path] = await prepared(api, described, {})
      const isSeen =
        described.method === 'put' &&
        typeof broken === 'object' &&
        broken !== null &&
        !what.startsWith('checksum')
      const body = isSeen && !Array.isArray(broken) ? { ...broken, checksum } : broken
      const { status } = await ask(api, described.method.toUpperCase(), path, { body })
      assert.ok(
        [400, 409].includes(status),
        `${described.operation.operationId}, ${what}: ${JSON.stringify(body)} → ${status}`,
      )
      refusals++
    }
  }
  assert.ok(refusals > 100, `only ${refusals}`)
  assert.deepEqual(await stored(), before)
})
