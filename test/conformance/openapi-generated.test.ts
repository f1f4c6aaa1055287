/**
 * The service gives the verdict that openapi.yaml promises: what the document allows is done or refused by a rule between
 * objects, what it forbids is refused with 400, and nothing is ever a 5xx. The client of these tests holds each answer
 * against the document as well. OPENAPI_SEED repeats a run; OPENAPI_RUNS asks for more.
 */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Api, DEFAULT_PROJECT, startApi } from '../support/api.ts'
import {
  aListener,
  aLoadBalancer,
  aMonitor,
  aPool,
  contents,
  created,
  SUBNET,
} from '../support/api-objects.ts'
import {
  type DescribedOperation,
  operations,
  type Schema,
  spellings,
  validatorOf,
} from '../support/openapi.ts'
import { allowed, type Hints, violations } from '../support/openapi-requests.ts'

const SEED = Number(process.env['OPENAPI_SEED'] ?? 20_261_121)
/** Valid requests of each operation. */
const RUNS = Number(process.env['OPENAPI_RUNS'] ?? 20)

/** What a request that the document allows may still be refused for: rules between objects, as the document tells them. */
const RULES: readonly RegExp[] = [
  /^A pool of protocol \w+ takes health monitors of type/,
  /^Can only update type of the healthmonitor/,
  /^Only one health monitor per pool allowed/,
  /^Listener protocol \w+ and pool protocol \w+ are not compatible/,
  /^Load Balaner \S+ already has a listener with protocol_port/,
  /^Member with address \S+ and protocol_port \d+ already present/,
  /is in the list more than once\.$/,
  /^member \S+ could not be found\.$/,
  /both are null, this has at least one parameter\.$/,
  /listener\[default_tls_container_ref\] is null/,
  /'4789' is reserved for UDP listeners/,
  /^Invalid input for session_persistence\. Reason: 'cookie_name' (should be specified|is not allowed) for type/,
  /^Invalid input for session_persistence\.persistence_timeout\. Reason: '\d+' is too large - must be no larger than '60'/,
  /^Invalid input for expected_codes\. Reason: '[^']*\d{3}-\d{3}[^']*' is not a valid input/,
  /already has (a default pool|the default pool)/,
  /^A (loadbalancer|listener) has at most 20 tags/,
  /^Listener and pool must be on the same loadbalancer\.$/,
]

interface World {
  readonly api: Api
  /** A path with the ids of objects that exist. */
  readonly pathOf: (spelling: string, operationId?: string) => string
  readonly hints: Hints
  /** Attributes that a create needs anew each time, as objects of their own. */
  readonly fresh: (operation: DescribedOperation) => Promise<Readonly<Record<string, unknown>>>
}

async function makeWorld(api: Api): Promise<World> {
  const { id: loadBalancer } = await aLoadBalancer(api)
  const { id: listener } = await aListener(api, loadBalancer)
  const { id: pool } = await aPool(api, loadBalancer)
  const { id: monitor } = await aMonitor(api, pool)
  const target = { address: '127.0.0.9', protocol_port: 9, subnet_id: SUBNET }
  const { id: member } = await created(api, `pools/${pool}/members`, target)
  const ids: Readonly<Record<string, string>> = {
    loadbalancer_id: loadBalancer,
    listener_id: listener,
    pool_id: pool,
    healthmonitor_id: monitor,
    member_id: member,
    project_id: DEFAULT_PROJECT,
    quota_project_id: DEFAULT_PROJECT,
  }
  // Batches take members away that the other operations need.
  const others: Readonly<Record<string, string>> = {
    'elbChangeMembers.pool_id': (await aPool(api, loadBalancer)).id,
  }
  let protocol = 'UDP'
  const project = fc.constant(DEFAULT_PROJECT)
  const addresses = fc.oneof(
    fc.ipV4().map((text) => text.replace(/^\d+/, '127')),
    fc.constant('::1'),
  )
  return {
    api,
    pathOf: (spelling, operationId) =>
      spelling.replaceAll(
        /\{(\w+)\}/g,
        (_match, name: string) => others[`${operationId}.${name}`] ?? ids[name] ?? '',
      ),
    hints: {
      tenant_id: project,
      project_id: project,
      address: addresses,
      vip_address: addresses,
      default_pool_id: fc.constant(pool),
      loadbalancer_id: fc.constant(loadBalancer),
      listener_id: fc.constant(listener),
    },
    fresh: async ({ operation }) => {
      if (operation.operationId === 'elbCreateHealthMonitor') {
        protocol = protocol === 'UDP' ? 'HTTP' : 'UDP'
        return { pool_id: (await aPool(api, loadBalancer, { protocol })).id }
      }
      if (operation.operationId === 'elbCreatePool') {
        return { loadbalancer_id: (await aLoadBalancer(api)).id, listener_id: null }
      }
      return {}
    },
  }
}

/** A body whose object has these attributes too. */
function within(body: unknown, attributes: Readonly<Record<string, unknown>>): unknown {
  if (Object.keys(attributes).length === 0) return body
  const [[envelope, object] = ['', {}]] = Object.entries(body as Record<string, object>)
  return { [envelope]: { ...object, ...attributes } }
}

const withBody = operations.filter(({ operation }) => operation.requestBody !== undefined)

function bodySchema({ operation }: DescribedOperation): Schema {
  const schema = operation.requestBody?.content['application/json']?.schema
  assert.ok(schema !== undefined, operation.operationId)
  return schema
}

function sample<Value>(arbitrary: fc.Arbitrary<Value>, numRuns: number, salt: string): Value[] {
  const seed = Array.from(salt).reduce((hash, character) => (hash * 31 + character.charCodeAt(0)) | 0, SEED)
  return fc.sample(arbitrary, { numRuns, seed })
}

/** Any spelling of the path, in turn. */
function spellingOf(world: World, described: DescribedOperation, turn: number): string {
  const all = spellings(described.path)
  return world.pathOf(all[turn % all.length] ?? described.path, described.operation.operationId)
}

test('a body that the document allows is taken, or refused by a rule between objects', async (t) => {
  const world = await makeWorld(await startApi(t))
  const tally: Record<string, number> = {}
  for (const described of withBody) {
    const { operationId } = described.operation
    const schema = bodySchema(described)
    const accepts = validatorOf(schema, 'request')
    let taken = 0
    for (const [turn, made] of sample(allowed(schema, world.hints), RUNS, operationId).entries()) {
      const body = within(made, await world.fresh(described))
      assert.ok(
        accepts(body),
        `${operationId}: the test made ${JSON.stringify(body)}: ${JSON.stringify(accepts.errors)}`,
      )
      const answer = await world.api.request(described.method, spellingOf(world, described, turn), body)
      if (answer.status < 300) taken++
      else {
        const sentence = String(answer.body?.error_msg)
        assert.ok(
          [400, 404, 409].includes(answer.status) && RULES.some((rule) => rule.test(sentence)),
          `${operationId}, seed ${SEED}: ${JSON.stringify(body)} → ${answer.status} ${sentence}`,
        )
      }
    }
    tally[operationId] = taken
    assert.ok(taken > 0, `${operationId}: none of ${RUNS} was taken`)
  }
  t.diagnostic(`seed ${SEED}, ${RUNS} of each operation; taken: ${JSON.stringify(tally)}`)
})

test('a body with any one mistake is refused with 400 and changes nothing', async (t) => {
  const world = await makeWorld(await startApi(t))
  const before = await contents(world.api)
  let requests = 0
  for (const described of withBody) {
    const { operationId } = described.operation
    const schema = bodySchema(described)
    const accepts = validatorOf(schema, 'request')
    const mistakes = violations(schema)
    const bases = sample(allowed(schema, world.hints), mistakes.length, operationId)
    for (const [turn, { what, applied }] of mistakes.entries()) {
      const body = JSON.parse(JSON.stringify(applied(bases[turn])) ?? 'null') as unknown
      assert.ok(!accepts(body), `${operationId}: ${what} is no mistake: ${JSON.stringify(body)}`)
      const answer = await world.api.request(described.method, spellingOf(world, described, turn), body)
      const told = `${operationId}, ${what}: ${JSON.stringify(body).slice(0, 600)} → ${answer.status} ${JSON.stringify(answer.body)}`
      assert.equal(answer.status, 400, told)
      requests++
    }
  }
  assert.deepEqual(await contents(world.api), before)
  assert.deepEqual(world.api.errors, [])
  t.diagnostic(`seed ${SEED}, ${requests} requests, each with one mistake`)
})

test('what is no body of JSON is refused, by every operation that takes one', async (t) => {
  const world = await makeWorld(await startApi(t))
  const before = await contents(world.api)
  const bodies: readonly (readonly [body: string, status: number, headers?: Record<string, string>])[] = [
    ['', 400],
    ['{', 400],
    ['[]', 400],
    ['null', 400],
    ['"x"', 400],
    ['{}', 400],
    ['{"a":"\\u0000"}', 400],
    ['{"a":"\\ud800"}', 400],
    [`${'['.repeat(200)}${']'.repeat(200)}`, 400],
    ['<x/>', 415, { 'content-type': 'application/xml' }],
    ['a=b', 415, { 'content-type': 'application/x-www-form-urlencoded' }],
    [' '.repeat(4 * 1024 * 1024 + 1), 413],
  ]
  for (const [turn, described] of withBody.entries()) {
    for (const [body, status, headers] of bodies) {
      const answer = await world.api.request(
        described.method,
        spellingOf(world, described, turn),
        body,
        headers,
      )
      assert.equal(answer.status, status, `${described.operation.operationId}: ${body.slice(0, 40)}`)
    }
  }
  assert.deepEqual(await contents(world.api), before)
})

test('a list takes every query that the document allows', async (t) => {
  const world = await makeWorld(await startApi(t))
  const lists = operations.filter(({ parameters }) => parameters.some(({ name }) => name === 'limit'))
  let requests = 0
  for (const described of lists) {
    const filters = described.parameters.filter(
      ({ in: place, schema }) => place === 'query' && schema['type'] === 'array',
    )
    const filter = filters.filter(({ name }) => !['sort_key', 'sort_dir', 'fields'].includes(name))
    const values = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.integer().map(String),
      fc.uuid(),
      fc.constantFrom('true', 'ACTIVE'),
    )
    const query = fc.record({
      limit: fc.option(fc.integer({ min: 0, max: 999_999_999_999_999 }), { nil: undefined }),
      page_reverse: fc.option(fc.constantFrom('true', 'True', 'false', 'maybe'), { nil: undefined }),
      fields: fc.option(fc.constantFrom('id', 'name', 'colour'), { nil: undefined }),
      filters: fc.array(fc.tuple(fc.constantFrom(...filter.map(({ name }) => name), 'colour'), values), {
        maxLength: 3,
      }),
      sorted: fc.boolean(),
    })
    for (const [turn, wanted] of sample(query, RUNS, described.operation.operationId).entries()) {
      const parameters = new URLSearchParams()
      for (const name of ['limit', 'page_reverse', 'fields'] as const) {
        if (wanted[name] !== undefined) parameters.append(name, String(wanted[name]))
      }
      for (const [name, value] of wanted.filters) parameters.append(name, value.replaceAll('\0', ''))
      if (wanted.sorted && filters.some(({ name }) => name === 'sort_key')) {
        parameters.append('sort_key', 'name')
        parameters.append('sort_dir', 'desc')
      }
      const path = `${spellingOf(world, described, turn)}?${parameters.toString()}`
      const answer = await world.api.request('GET', path)
      assert.equal(answer.status, 200, `${path} → ${JSON.stringify(answer.body)}`)
      requests++
    }
  }
  t.diagnostic(`seed ${SEED}, ${requests} queries`)
})

test('a list refuses the queries that the document forbids', async (t) => {
  const world = await makeWorld(await startApi(t))
  for (const described of operations.filter(({ parameters }) =>
    parameters.some(({ name }) => name === 'limit'),
  )) {
    const path = spellingOf(world, described, 0)
    for (const limit of ['-1', 'x', '1.5', '1e3', ' ', '9'.repeat(16)]) {
      const answer = await world.api.request('GET', `${path}?limit=${encodeURIComponent(limit)}`)
      assert.equal(answer.status, 400, `${path} limit ${limit}`)
    }
    for (const marker of ['x', randomUUID(), '0', '\0', "'"]) {
      const answer = await world.api.request('GET', `${path}?limit=1&marker=${encodeURIComponent(marker)}`)
      assert.equal(answer.status, marker === '\0' ? 400 : 404, `${path} marker ${marker}`)
    }
    if (!described.parameters.some(({ name }) => name === 'sort_key')) continue
    for (const query of ['sort_key=name', 'sort_key=colour&sort_dir=asc', 'sort_key=name&sort_dir=up']) {
      assert.equal((await world.api.request('GET', `${path}?${query}`)).status, 400, query)
    }
  }
})

test('an id that nobody has is 404 on every path, whatever it looks like', async (t) => {
  const { api } = await makeWorld(await startApi(t))
  const before = await contents(api)
  const own = fc.constant(DEFAULT_PROJECT)
  const hints = { project_id: own, tenant_id: own, address: fc.constant('127.0.0.1') }
  const examples: Readonly<Record<string, unknown>> = Object.fromEntries(
    withBody.map((each) => [
      each.operation.operationId,
      sample(allowed(bodySchema(each), hints), 1, 'unknown')[0],
    ]),
  )
  for (const { path, method, operation } of operations) {
    if (!/\{(?!project_id|quota_project_id)/.test(path)) continue
    for (const id of [randomUUID(), 'x', '%00', '..%2f', "'%20or%201=1", 'a'.repeat(300)]) {
      const asked = path.replaceAll(/\{(?:quota_)?project_id\}/g, DEFAULT_PROJECT).replaceAll(/\{\w+\}/g, id)
      const body = examples[operation.operationId]
      const answer = await api.request(method, asked, body)
      const ruled = answer.status === 400 && RULES.some((rule) => rule.test(String(answer.body.error_msg)))
      assert.ok(
        answer.status === 404 || ruled,
        `${method} ${asked} → ${answer.status} ${JSON.stringify(answer.body)}`,
      )
    }
  }
  assert.deepEqual(await contents(api), before)
})

test('every path answers methods that it does not have with 405, and unknown paths are 404', async (t) => {
  const world = await makeWorld(await startApi(t))
  const before = await contents(world.api)
  const described = new Set(operations.map(({ path, method }) => `${method} ${path}`))
  for (const each of new Map(operations.map((operation) => [operation.path, operation])).values()) {
    for (const method of ['get', 'post', 'put', 'delete', 'patch', 'options']) {
      if (described.has(`${method} ${each.path}`)) continue
      const path = world.pathOf(each.path)
      const answer = await world.api.request(method.toUpperCase(), path)
      assert.equal(answer.status, 405, `${method} ${path}`)
    }
    for (const unknown of ['/colour', '/%00', '/..%2f']) {
      const answer = await world.api.request('GET', `${world.pathOf(each.path)}${unknown}/x/y/z`)
      assert.equal(answer.status, 404, `${each.path}${unknown}`)
    }
  }
  assert.deepEqual(await contents(world.api), before)
})
