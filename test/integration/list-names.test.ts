/** Lists of objects whose names are outside of ASCII and of the basic plane: their order, their pages, and what finds them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { query } from '../../src/store/connection/database.ts'
import { type Api, type Json, startApi } from '../support/api.ts'
import { aLoadBalancer, aPool } from '../support/api-objects.ts'

/** U+FFFD is after U+1D11E in UTF-16, and before it in bytes. */
const NAMES = [
  'a',
  'B',
  'ä',
  'a\u0308',
  'é',
  '字',
  '\ue000',
  '\ufffd',
  '𝄞',
  '🐘',
  '\u{10ffff}',
  '~',
  ' ',
  '%_\\',
]

async function withPools(api: Api): Promise<void> {
  const { id } = await aLoadBalancer(api)
  for (const name of NAMES) await aPool(api, id, { name })
}

/** The names on all pages, by the links from one to the next. */
async function walked(api: Api, path: string): Promise<readonly string[]> {
  const found: string[] = []
  let next: string | undefined = path
  for (let pages = 0; next !== undefined; pages++) {
    assert.ok(pages <= NAMES.length, `the pages do not end: ${path}`)
    const { status, body }: Json = await api.request('GET', next)
    assert.equal(status, 200, JSON.stringify(body))
    found.push(...body.pools.map(({ name }: Json) => name))
    next = body.pools_links?.find(({ rel }: Json) => rel === 'next')?.href.slice(api.url.length)
  }
  return found
}

for (const [dialect, base, sorted] of [
  ['elb', '/v2.0/lbaas', (direction: string) => `sort_key=name&sort_dir=${direction}`],
  ['octavia', '/load-balancer/v2.0/lbaas', (direction: string) => `sort=name:${direction}`],
] as const) {
  test(`${dialect}: pages by name show each object once, in the order of the database, whatever its name`, async (t) => {
    const api = await startApi(t)
    await withPools(api)
    const stored = await query<{ name: string }>(api.db, 'select name from pool order by name')
    const ascending = stored.map(({ name }) => name)
    for (const limit of [1, 3, 100]) {
      assert.deepEqual(await walked(api, `${base}/pools?limit=${limit}&${sorted('asc')}`), ascending)
      assert.deepEqual(
        await walked(api, `${base}/pools?limit=${limit}&${sorted('desc')}`),
        ascending.toReversed(),
      )
    }
  })

  test(`${dialect}: a filter by name finds that name and no other`, async (t) => {
    const api = await startApi(t)
    await withPools(api)
    for (const name of NAMES) {
      const { body } = await api.request('GET', `${base}/pools?name=${encodeURIComponent(name)}`)
      assert.deepEqual(
        body.pools.map((pool: Json) => pool.name),
        [name],
      )
    }
  })
}

test('the search of the overview finds a part of such a name, and its length is counted in characters', async (t) => {
  const api = await startApi(t)
  await withPools(api)
  for (const name of ['ä', '字', '𝄞', '🐘', '\ue000', '%_\\']) {
    const { body } = await api.request('GET', `/v1/overview/pools?search=${encodeURIComponent(name)}`)
    assert.deepEqual(
      body.pools.map((pool: Json) => pool.name),
      [name],
    )
  }
  const search = async (text: string) =>
    (await api.request('GET', `/v1/overview/pools?search=${encodeURIComponent(text)}`)).status
  assert.deepEqual([await search('𝄞'.repeat(255)), await search('𝄞'.repeat(256))], [200, 400])
})
