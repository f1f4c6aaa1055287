/** The parameter `filters` of Grey Matter's lists, generated: what the document allows finds what it should, what is none is refused. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Json, startApi } from '../support/api.ts'
import { ask, clusterBody, result } from '../support/greymatter.ts'
import { RUNS, sample, SEED } from '../support/openapi-world.ts'

const NAMES = ['catalog', 'é', '𝄞', 'a b', '%_\\', "'; drop table pool; --"]
const KEYS = ['a', 'a-b', 'B']
const ZONES = ['default-zone', 'z2']
const OTHERS = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.constantFrom('', 'toString', '__proto__'),
)

const withoutNul = (value: fc.Arbitrary<string>) => value.filter((text) => !text.includes('\0'))
const text = (known: readonly string[]) =>
  fc.option(withoutNul(fc.oneof(fc.constantFrom(...known, ''), OTHERS)), { nil: null })
const FILTER = fc.record(
  {
    cluster_key: text(KEYS),
    zone_key: text(ZONES),
    name: text(NAMES),
    org_key: text(['default-project']),
    proxy_key: OTHERS,
  },
  { requiredKeys: [] },
)

/** What the document says: one of them matches with all that it has; an empty text, and null, is any. */
function matches(object: Json, filters: readonly Json[], attributes: readonly string[]): boolean {
  const isAny = (value: unknown) => value === undefined || value === null || value === ''
  return (
    filters.length === 0 ||
    filters.some((filter) =>
      [...attributes, 'org_key'].every((name) => {
        const value = (name === 'org_key' ? 'default-project' : object[name]) as unknown
        return isAny(filter[name]) || filter[name] === value
      }),
    )
  )
}

test('a list takes every filter that the document allows, and finds exactly what matches', async (t) => {
  const api = await startApi(t)
  await result(api, 'POST', '/zone', { body: { zone_key: 'z2', name: 'second' } })
  for (const [i, name] of NAMES.entries()) {
    const zone_key = ZONES[i % 2]
    await result(api, 'POST', '/cluster', {
      body: clusterBody({ cluster_key: KEYS[i] ?? `k${i}`, name, zone_key, health_checks: [] }),
    })
  }
  for (const [kind, attributes] of [
    ['cluster', ['cluster_key', 'zone_key', 'name']],
    ['zone', ['zone_key', 'name']],
  ] as const) {
    const all = await result(api, 'GET', `/${kind}`)
    assert.ok(all.length >= 2)
    let found = 0
    for (const filters of sample(fc.array(FILTER, { maxLength: 4 }), RUNS * 10, kind)) {
      const query = encodeURIComponent(JSON.stringify(filters))
      const listed = await result(api, 'GET', `/${kind}?filters=${query}`)
      const expected = all.filter((object: Json) => matches(object, filters, attributes))
      assert.deepEqual(listed, expected, `seed ${SEED}: ${JSON.stringify(filters)}`)
      found += listed.length
    }
    assert.ok(found > 0)
  }
})

test('what is no list of objects with texts is refused, and is no error of the service', async (t) => {
  const api = await startApi(t)
  const wrong = fc.oneof(
    fc
      .jsonValue()
      .filter((value) => !Array.isArray(value))
      .map((value) => JSON.stringify(value)),
    fc.constantFrom(
      '[1]',
      '[null]',
      '[[]]',
      '["name"]',
      '[{"name":7}]',
      '[{"org_key":{}}]',
      '[{"name":"a\\u0000"}]',
    ),
    fc.string({ unit: 'binary' }).filter((value) => value !== '' && !isJson(value)),
  )
  for (const kind of ['cluster', 'zone'])
    for (const filters of sample(wrong, RUNS * 5, kind)) {
      const { status, body } = await ask(api, 'GET', `/${kind}?filters=${encodeURIComponent(filters)}`)
      assert.equal(status, 400, `seed ${SEED}: ${filters} → ${JSON.stringify(body)}`)
      assert.equal(body.error.code, 'BadParameterErrorCode')
    }
})

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
