/** Lists take every query that openapi.yaml allows and refuse those that it forbids. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import type { DialectName } from '../../src/api/dialects.ts'
import { startApi } from '../support/api.ts'
import { type DescribedOperation, dialectOf, operations } from '../support/openapi.ts'
import { makeWorld, RUNS, sample, SEED, spellingOf } from '../support/openapi-world.ts'
import { answeredAtOnce } from '../support/probe-answers.ts'

/** Ours, with parameters and pages of its own in every dialect: test/integration/effective-members.test.ts. */
const OWN_PAGES = /\/effective-members$/

function listsOf(dialect: DialectName): readonly DescribedOperation[] {
  return operations.filter(
    ({ path, parameters }) =>
      dialectOf(path) === dialect && !OWN_PAGES.test(path) && parameters.some(({ name }) => name === 'limit'),
  )
}

test('a list takes every query that the document allows: elb', async (t) => {
  const world = await makeWorld(await startApi(t, { probes: answeredAtOnce() }))
  const lists = listsOf('elb')
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

const PAGING = /^(limit|marker|page_reverse|sort|sort_key|sort_dir|fields|(not-)?tags(-any)?)$/
/** Of the health of a pool; their values are tested with what they do. */
const WAIT = /^(wait_for|timeout)$/

test('a list takes every query that the document allows: octavia', async (t) => {
  const world = await makeWorld(await startApi(t, { probes: answeredAtOnce() }))
  let requests = 0
  for (const described of listsOf('octavia')) {
    const names = described.parameters
      .map(({ name }) => name)
      .filter((name) => !/^\w+_id$|^marker$/.test(name))
    const isWait = (name: string) => described.path.endsWith('/health') && WAIT.test(name)
    const filters = names.filter((name) => !PAGING.test(name) && !isWait(name))
    const values = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.integer().map(String),
      fc.uuid(),
      fc.constantFrom('true', 'ACTIVE', 'ERROR'),
    )
    const limit = fc.oneof(
      fc.integer({ min: -99, max: 999_999_999_999_999 }).map(String),
      fc.constant('infinite'),
    )
    const key = fc.constantFrom('id', ...filters)
    const query = fc.record(
      {
        limit,
        page_reverse: fc.constantFrom('True', 'False'),
        fields: fc.constantFrom('id', 'name', 'colour'),
        sort: fc
          .uniqueArray(
            fc.oneof(
              key,
              key.map((name) => `${name}:DESC`),
            ),
            { maxLength: 2 },
          )
          .map(String),
        sort_key: key,
        sort_dir: fc.constantFrom('asc', 'desc'),
        tags: values,
        'not-tags-any': values,
        filters: fc.uniqueArray(fc.tuple(key, values), { maxLength: 3, selector: ([name]) => name }),
      },
      { requiredKeys: ['filters'] },
    )
    for (const [turn, { filters: wanted, ...rest }] of sample(
      query,
      RUNS,
      described.operation.operationId,
    ).entries()) {
      const parameters = new URLSearchParams()
      for (const [name, value] of [...Object.entries(rest), ...wanted]) {
        if (names.includes(name)) parameters.append(name, value.replaceAll('\0', ''))
      }
      const path = `${spellingOf(world, described, turn)}?${parameters.toString()}`
      const answer = await world.api.request('GET', path)
      assert.equal(answer.status, 200, `${path} → ${JSON.stringify(answer.body)}`)
      requests++
    }
  }
  t.diagnostic(`seed ${SEED}, ${requests} queries`)
})

test('a list refuses the queries that the document forbids: octavia', async (t) => {
  const world = await makeWorld(await startApi(t, { probes: answeredAtOnce() }))
  const forbidden = [
    ...['x', '1.5', '1e3', ' ', '9'.repeat(16)].map((limit) => `limit=${encodeURIComponent(limit)}`),
    ...['x', randomUUID(), '0', '%00', "'"].map((marker) => `limit=1&marker=${marker}`),
    'sort_key=colour',
    'sort_key=name&sort_dir=up',
    'sort=name:up',
    'sort=a:b:c',
    'sort=colour',
    'colour=red',
    'name=a&name=b',
    'name=%00',
  ]
  for (const described of listsOf('octavia')) {
    const path = spellingOf(world, described, 0)
    for (const query of forbidden) {
      assert.equal((await world.api.request('GET', `${path}?${query}`)).status, 400, `${path}?${query}`)
    }
  }
})

test('a list refuses the queries that the document forbids: elb', async (t) => {
  const world = await makeWorld(await startApi(t, { probes: answeredAtOnce() }))
  for (const described of listsOf('elb')) {
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
