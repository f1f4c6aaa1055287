/**
 * The service gives the verdict that openapi.yaml promises: what the document allows is done or refused by a rule between
 * objects, what it forbids is refused with 400, and nothing is ever a 5xx. The client of these tests holds each answer
 * against the document as well. OPENAPI_SEED repeats a run; OPENAPI_RUNS asks for more.
 */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { DEFAULT_PROJECT, startApi } from '../support/api.ts'
import { contents } from '../support/api-objects.ts'
import { dialectOf, operations, validatorOf } from '../support/openapi.ts'
import { allowed, violations } from '../support/openapi-requests.ts'
import {
  bodySchema,
  isRule,
  makeWorld,
  RECURRENCE_HINTS,
  RUNS,
  sample,
  SEED,
  sentenceOf,
  spellingOf,
  withBody,
  within,
} from '../support/openapi-world.ts'
import { answeredAtOnce } from '../support/probe-answers.ts'

test('a body that the document allows is taken, or refused by a rule between objects', async (t) => {
  const world = await makeWorld(await startApi(t, { probes: answeredAtOnce() }))
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
        const sentence = sentenceOf(answer.body)
        assert.ok(
          [400, 404, 409].includes(answer.status) && isRule(described.path, sentence),
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
  const world = await makeWorld(await startApi(t, { probes: answeredAtOnce() }))
  const before = await contents(world.api)
  let requests = 0
  for (const described of withBody) {
    const { operationId } = described.operation
    const schema = bodySchema(described)
    const accepts = validatorOf(schema, 'request')
    const mistakes = violations(schema, dialectOf(described.path) ?? 'elb')
    const bases = sample(allowed(schema, world.hints), mistakes.length, operationId)
    for (const [turn, { what, applied }] of mistakes.entries()) {
      const body = JSON.parse(JSON.stringify(applied(bases[turn])) ?? 'null') as unknown
      assert.ok(!accepts(body), `${operationId}: ${what} is no mistake: ${JSON.stringify(body)}`)
      const answer = await world.api.request(described.method, spellingOf(world, described, turn), body)
      const told = `${operationId}, ${what}: ${JSON.stringify(body).slice(0, 600)} → ${answer.status} ${JSON.stringify(answer.body)}`
      // To octavia a parent that is null is one that nobody has.
      const isMissingParent =
        /octaviaCreate.*, \w+\.\w+_id: null/.test(told) && /\bNone not found\.$/.test(sentenceOf(answer.body))
      assert.equal(answer.status, isMissingParent ? 404 : 400, told)
      requests++
    }
  }
  assert.deepEqual(await contents(world.api), before)
  assert.deepEqual(world.api.errors, [])
  t.diagnostic(`seed ${SEED}, ${requests} requests, each with one mistake`)
})

test('what is no body of JSON is refused, by every operation that takes one', async (t) => {
  const world = await makeWorld(await startApi(t, { probes: answeredAtOnce() }))
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
      if (body === '' && described.operation.requestBody?.required !== true) continue
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

test('an unknown id is 404 on every path, whatever it looks like', async (t) => {
  const { api } = await makeWorld(await startApi(t, { probes: answeredAtOnce() }))
  const before = await contents(api)
  const own = fc.constant(DEFAULT_PROJECT)
  const hints = {
    ...RECURRENCE_HINTS,
    project_id: own,
    tenant_id: own,
    address: fc.constant('127.0.0.1'),
    allowed_cidrs: fc.constant(['127.0.0.0/8']),
    monitor_address: fc.constant('127.0.0.1'),
    persistence_granularity: fc.constant('255.255.255.0'),
  }
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
      const ruled = answer.status === 400 && isRule(path, sentenceOf(answer.body))
      assert.ok(
        answer.status === 404 || ruled,
        `${method} ${asked} → ${answer.status} ${JSON.stringify(answer.body)}`,
      )
    }
  }
  assert.deepEqual(await contents(api), before)
})

/** What octavia answers to methods that a path does not have (docs/peers/octavia.md 2); elb says 405. */
function unroutedStatus(path: string, method: string, described: ReadonlySet<string>): number {
  if (dialectOf(path) !== 'octavia') return 405
  if (method === 'options') return 200
  const isCollection = described.has(`post ${path}`)
  if (isCollection) return method === 'put' || method === 'delete' ? 400 : 405
  return method === 'post' && described.has(`put ${path}`) ? 400 : 405
}

test('every path refuses methods that it does not have, with 405 but where octavia says otherwise, and unknown paths are 404', async (t) => {
  const world = await makeWorld(await startApi(t, { probes: answeredAtOnce() }))
  const before = await contents(world.api)
  const described = new Set(operations.map(({ path, method }) => `${method} ${path}`))
  // A project may be called so.
  for (const method of ['put', 'delete', 'post']) {
    described.add(`${method} /load-balancer/v2.0/lbaas/quotas/defaults`)
  }
  for (const each of new Map(operations.map((operation) => [operation.path, operation])).values()) {
    for (const method of ['get', 'post', 'put', 'delete', 'patch', 'options']) {
      if (described.has(`${method} ${each.path}`)) continue
      const path = world.pathOf(each.path)
      const answer = await world.api.request(method.toUpperCase(), path)
      assert.equal(answer.status, unroutedStatus(each.path, method, described), `${method} ${path}`)
    }
    for (const unknown of ['/colour', '/%00', '/..%2f']) {
      const answer = await world.api.request('GET', `${world.pathOf(each.path)}${unknown}/x/y/z`)
      assert.equal(answer.status, 404, `${each.path}${unknown}`)
    }
  }
  assert.deepEqual(await contents(world.api), before)
})
