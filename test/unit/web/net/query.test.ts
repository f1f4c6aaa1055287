import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pathWith } from '../../../../src/web/net/query.ts'

test('what is absent or empty is left out, and without parameters there is no question mark', () => {
  assert.equal(pathWith('v1/overview', {}), 'v1/overview')
  assert.equal(pathWith('v1/overview', { project_id: undefined, search: '', type: [] }), 'v1/overview')
  assert.equal(pathWith('v1/pools', { limit: 100, marker: undefined, page: 0 }), 'v1/pools?limit=100&page=0')
})

test('a value arrives as it was, whatever is in it; one with several stands once for each', () => {
  const search = 'a&b=c #?/é+ %'
  const path = pathWith('v1/pools', { search, type: ['prober.lost', 'prober.left'] })
  const { searchParams, hash } = new URL(path, 'http://service/')
  assert.deepEqual(
    [searchParams.get('search'), searchParams.getAll('type'), hash],
    [search, ['prober.lost', 'prober.left'], ''],
  )
})
