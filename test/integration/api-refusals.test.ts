/**
 * Every route of dialect elb against everything that a request can have wrong. What is generated here is refused with a
 * 4xx in elb's shape, and the configuration is the same before and after.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Answer, type Api, startApi } from '../support/api.ts'
import { contents } from '../support/api-objects.ts'
import {
  collectionOf,
  makeObjects,
  pathFor,
  PROJECT,
  shapesOf,
  UNKNOWN,
  WRONG,
} from '../support/api-shapes.ts'

const IN_PARALLEL = 8

interface Attempt {
  readonly method: string
  readonly path: string
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  readonly status?: number
}

/** Sends all, a few at once; asserts that each is refused in elb's shape. Answers how many there were. */
async function refuseAll(api: Api, attempts: readonly Attempt[]): Promise<number> {
  for (let i = 0; i < attempts.length; i += IN_PARALLEL) {
    const some = attempts.slice(i, i + IN_PARALLEL)
    await Promise.all(
      some.map(async (attempt) => {
        const { method, path, body, headers } = attempt
        assertRefusal(await api.request(method, path, body, headers), attempt)
      }),
    )
  }
  return attempts.length
}

function assertRefusal(answer: Answer, attempt: Attempt): void {
  const told = () =>
    `${JSON.stringify(attempt).slice(0, 400)} → ${answer.status} ${JSON.stringify(answer.body)}`
  assert.ok(answer.status >= 400 && answer.status < 500, told())
  if (attempt.status !== undefined) assert.equal(answer.status, attempt.status, told())
  if (attempt.method === 'HEAD') return
  assert.deepEqual(
    Object.keys(answer.body as object).sort(),
    ['error_code', 'error_msg', 'request_id'],
    told(),
  )
  assert.equal(answer.body.request_id, answer.headers['x-openstack-request-id'], told())
  assert.match(answer.body.error_code as string, /^(ELB|APIGW)\.\d{4}$/, told())
  assert.ok(
    (answer.body.error_msg as string).length > 0 && (answer.body.error_msg as string).length < 1000,
    told(),
  )
}

/** The routes as methods and patterns, without repetition. */
function patternsOf(api: Api): { method: string; pattern: string }[] {
  return api.routes.flatMap(({ method, paths }) =>
    paths.map((pattern) => ({ method: method.toUpperCase(), pattern })),
  )
}

const filled = (pattern: string, id: string, poolId: string) =>
  pattern
    .replace(':project_id', PROJECT)
    .replace(':quota_project', PROJECT)
    .replace(':pool_id', poolId)
    .replace(/:\w+/, id)

test('ids that do not exist are 404 on every route, whatever their form', async (t) => {
  const api = await startApi(t)
  const { pool } = await makeObjects(api)
  const before = await contents(api)
  const bodies: Record<string, unknown> = {
    loadbalancers: { loadbalancer: { name: 'x' } },
    listeners: { listener: { name: 'x' } },
    pools: { pool: { name: 'x' } },
    members: { member: { name: 'x' } },
    healthmonitors: { healthmonitor: { name: 'x' } },
    action: { action: 'create', tags: [{ key: 'a', value: 'b' }] },
  }
  const junk = [
    UNKNOWN,
    'x',
    '0',
    '%00',
    '%ff',
    '..%2f..',
    "'%20or%201=1",
    '%F0%9F%92%A5',
    'x'.repeat(300),
    UNKNOWN.toUpperCase(),
  ]
  const attempts = patternsOf(api)
    .filter(({ pattern, method }) => /:(id|pool_id|member_id)\b/.test(pattern) && method !== 'POST')
    .flatMap(({ method, pattern }) =>
      junk.flatMap((id) => {
        const kind = pattern.split('/').findLast((part) => part in bodies) ?? ''
        const body = method === 'PUT' ? bodies[kind] : undefined
        const paths = [filled(pattern, id, pool.id), filled(pattern, id, id)]
        return paths.map((path) => ({ method, path, body }))
      }),
    )
    .filter(
      // These name the pool that is there, and nothing else.
      ({ path }) =>
        !/\/(members|health|transitions|effective-members)$/.test(path) ||
        !path.includes(`pools/${pool.id}/`),
    )
  const tried = await refuseAll(api, attempts)
  assert.deepEqual(await contents(api), before)
  assert.deepEqual(api.errors, [])
  t.diagnostic(`${tried} requests refused`)
})

test('a method that a path does not have is 405 on every route', async (t) => {
  const api = await startApi(t)
  const { lb, pool } = await makeObjects(api)
  const before = await contents(api)
  const patterns = patternsOf(api)
  const paths = new Set(patterns.map(({ pattern }) => pattern))
  const attempts = [...paths].flatMap((pattern) => {
    const has = new Set(patterns.filter((route) => route.pattern === pattern).map(({ method }) => method))
    const path = filled(pattern, lb.id, pool.id)
    return ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'PROPFIND']
      .filter((method) => !has.has(method) && !(method === 'HEAD' && has.has('GET')))
      .flatMap((method) => [path, `/elb${path}`].map((on) => ({ method, path: on, status: 405 })))
  })
  const tried = await refuseAll(api, attempts)
  assert.deepEqual(await contents(api), before)
  t.diagnostic(`${tried} requests refused`)
})

test('a body that is no JSON object of its kind is refused on every route that reads one', async (t) => {
  const api = await startApi(t)
  const objects = await makeObjects(api)
  const before = await contents(api)
  const json = { 'content-type': 'application/json' }
  const nested = `{"x":${'['.repeat(40)}${']'.repeat(40)}}`
  const attempts = patternsOf(api)
    .filter(({ method }) => method === 'POST' || method === 'PUT')
    // A report of traffic is the request itself.
    .filter(({ pattern }) => !pattern.endsWith('/traffic'))
    .flatMap(({ method, pattern }): Attempt[] => {
      const path = pathFor(pattern, objects)
      const text = (body: unknown, status?: number): Attempt => ({
        method,
        path,
        body,
        headers: json,
        ...(status === undefined ? {} : { status }),
      })
      return [
        ...['{', 'x', '{"a":}', 'null', '1', '"x"', '[]', '{}', '[{}]', '{"__proto__":{}}', nested].map(
          (body) => text(body, 400),
        ),
        // A probe is asked for with a body or without.
        ...(pattern.endsWith('/probe') ? [] : [text('', 400)]),
        ...['{"a":"\\u0000"}', '{"a":"\\ud800"}', '{"\\u0000":1}', '{"\\udfff":1}'].map((body) =>
          text(body, 400),
        ),
        text(Buffer.from([0x22, 0xc3, 0x28, 0x22]), 400),
        text(Buffer.from('{}', 'utf16le'), 400),
        { method, path, body: '{}', headers: { 'content-type': 'text/plain' }, status: 415 },
        {
          method,
          path,
          body: 'a=b',
          headers: { 'content-type': 'application/x-www-form-urlencoded' },
          status: 415,
        },
        { method, path, body: '{}', headers: { host: 'example.org' }, status: 400 },
        text(`{"x":"${'x'.repeat(4 * 1024 * 1024)}"}`, 413),
      ]
    })
  const tried = await refuseAll(api, attempts)
  assert.deepEqual(await contents(api), before)
  assert.deepEqual(api.errors, [])
  t.diagnostic(`${tried} requests refused`)
})

test('every attribute refuses what it cannot be, at create and at update', async (t) => {
  const api = await startApi(t)
  const objects = await makeObjects(api)
  const before = await contents(api)
  const attempts = Object.entries(shapesOf(objects)).flatMap(([route, { envelope, right, kinds }]) => {
    const [method = '', pattern = ''] = route.split(' ')
    const path = pathFor(`/v2.0/lbaas/${pattern}`, objects)
    const send = (attributes: object) => ({
      method: method.toUpperCase(),
      path,
      body: { [envelope]: attributes },
    })
    return [
      ...Object.entries(kinds).flatMap(([attribute, kind]) =>
        (WRONG[kind] as readonly unknown[])
          // Attributes that may be cleared say so in their own tests.
          .filter((value) => value !== null || attribute in right)
          .map((value) => send({ ...right, [attribute]: value })),
      ),
      ...['\u0000', '\ud800'].map((name) => send({ ...right, name })),
      ...['foo', 'constructor', 'x'.repeat(5000), '', 'admin_state_up '].map((name) =>
        send({ ...right, [name]: 1 }),
      ),
      send({ ...right, id: UNKNOWN }),
      send({ ...right, tenant_id: 'other' }),
      ...Object.keys(right).map((attribute) => send({ ...right, [attribute]: undefined })),
    ]
  })
  const tried = await refuseAll(api, attempts)
  assert.deepEqual(await contents(api), before)
  assert.deepEqual(api.errors, [])
  t.diagnostic(`${tried} requests refused`)
})

test('another project sees and changes nothing on any route', async (t) => {
  const api = await startApi(t)
  const objects = await makeObjects(api)
  const before = await contents(api)
  const shapes = shapesOf(objects)
  const attempts = patternsOf(api)
    .filter(({ pattern }) => /:(id|pool_id)\b/.test(pattern))
    .map(({ method, pattern }) => {
      const path = pathFor(pattern, objects).replace(PROJECT, 'other')
      const shape = shapes[`${method.toLowerCase()} ${collectionOf(pattern)}`]
      const body = shape === undefined ? bodyOfOthers(method, pattern) : { [shape.envelope]: shape.right }
      return { method, path, body, headers: { 'x-project-id': 'other' }, status: 404 }
    })
  const tried = await refuseAll(api, attempts)
  assert.deepEqual(await contents(api), before)
  t.diagnostic(`${tried} requests refused`)
})

test('no generated body makes a 5xx', async (t) => {
  const api = await startApi(t)
  const objects = await makeObjects(api)
  const shapes = Object.entries(shapesOf(objects))
  let tried = 0
  const attempt = fc.constantFrom(...shapes).chain(([route, shape]) =>
    fc.record({
      route: fc.constant(route),
      envelope: fc.constant(shape.envelope),
      right: fc.constant(shape.right),
      attributes: fc.dictionary(
        fc.constantFrom(...Object.keys(shape.kinds), 'id', 'x'),
        fc.jsonValue({ maxDepth: 3 }),
      ),
    }),
  )
  await fc.assert(
    fc.asyncProperty(attempt, async ({ route, envelope, right, attributes }) => {
      tried++
      const [method = '', pattern = ''] = route.split(' ')
      const path = pathFor(`/v2.0/lbaas/${pattern}`, objects)
      const answer = await api.request(method.toUpperCase(), path, {
        [envelope]: { ...right, ...attributes },
      })
      assert.ok(answer.status < 500, JSON.stringify(answer.body))
      if (answer.status >= 400) assertRefusal(answer, { method, path })
    }),
    { numRuns: 600 },
  )
  assert.deepEqual(api.errors, [])
  t.diagnostic(`${tried} requests tried`)
})

test('no generated query string makes a 5xx', async (t) => {
  const api = await startApi(t)
  await makeObjects(api)
  let tried = 0
  const lists = ['loadbalancers', 'listeners', 'pools', 'healthmonitors', 'members', 'quotas']
  const keys =
    'id name limit marker page_reverse sort_key sort_dir fields admin_state_up delay protocol_port created_at updated_at type member_address loadbalancer_id operating_status weight address'
  const value = fc.oneof(
    fc.constantFrom(
      '',
      '1',
      '0',
      '-1',
      'true',
      'asc',
      'desc',
      'name',
      'id',
      UNKNOWN,
      '2026-13-45',
      '2026-02-30T10:00:00',
      '2026-01-01T00:00:00+23:59',
      '99999999999999999999',
      'null',
      '%',
    ),
    fc.string({ unit: 'binary', maxLength: 20 }),
  )
  const parameters = fc.array(fc.tuple(fc.constantFrom(...keys.split(' ')), value), { maxLength: 6 })
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...lists), parameters, async (list, pairs) => {
      tried++
      const path = `/v2.0/lbaas/${list}?${new URLSearchParams(pairs).toString()}`
      const answer = await api.request('GET', path)
      assert.ok(answer.status < 500, `${path} ${JSON.stringify(answer.body)}`)
      if (answer.status >= 400) assertRefusal(answer, { method: 'GET', path })
    }),
    { numRuns: 800 },
  )
  assert.deepEqual(api.errors, [])
  t.diagnostic(`${tried} requests tried`)
})

/** Bodies of the routes that have no shape above: batch, v3 listener, tags. */
function bodyOfOthers(method: string, pattern: string): unknown {
  if (pattern.endsWith('/probe')) return { probe: { counted: true } }
  if (method === 'POST') return { action: 'create', tags: [{ key: 'a', value: 'b' }] }
  if (method !== 'PUT') return undefined
  if (pattern.endsWith('/maintenance')) return { maintenance: {} }
  return pattern.startsWith('/v3') ? { listener: {} } : { members: [] }
}
