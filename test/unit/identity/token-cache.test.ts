import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TokenCache, tokenKey } from '../../../src/identity/token-cache.ts'

test('what is known of a token ends on its millisecond, and at once when it may not be kept', () => {
  let now = 1000
  const cache = new TokenCache<string>({ max: 10, now: () => now })
  cache.set('a', 'known', 500)
  cache.set('b', 'never', 0)
  cache.set('c', 'already over', -5)
  cache.set('d', 'not a number', Number.NaN)
  now = 1499
  assert.equal(cache.get('a'), 'known')
  now = 1500
  assert.equal(cache.get('a'), undefined)
  for (const key of ['b', 'c', 'd']) assert.equal(cache.get(key), undefined)
  assert.equal(cache.size, 0)
})

test('a full cache forgets its oldest, and a renewed entry is not old', () => {
  const cache = new TokenCache<number>({ max: 3, now: () => 0 })
  for (const [i, key] of ['a', 'b', 'c'].entries()) cache.set(key, i, 100)
  cache.set('a', 9, 100)
  cache.set('d', 3, 100)
  assert.deepEqual(
    ['a', 'b', 'c', 'd'].map((key) => cache.get(key)),
    [9, undefined, 2, 3],
  )
  for (let i = 0; i < 1000; i += 1) cache.set(`x${i}`, i, 100)
  assert.equal(cache.size, 3)
})

test('what may not be kept takes no place, and what was known of it is forgotten', () => {
  const cache = new TokenCache<number>({ max: 2, now: () => 0 })
  cache.set('a', 1, 100)
  cache.set('b', 2, 100)
  cache.set('b', 3, 0)
  assert.equal(cache.size, 1)
  assert.equal(cache.get('b'), undefined)
  cache.set('c', 4, 1)
  cache.set('d', 5, Number.NaN)
  assert.deepEqual([cache.get('a'), cache.get('c')], [1, 4])
})

test('a renewed entry is the youngest, also when there was room', () => {
  const cache = new TokenCache<number>({ max: 3, now: () => 0 })
  for (const key of ['a', 'b', 'a', 'c', 'd']) cache.set(key, 1, 100)
  assert.deepEqual(
    ['a', 'b', 'c', 'd'].map((key) => cache.get(key) !== undefined),
    [true, false, true, true],
  )
})

test('the key of a token does not hold the token', () => {
  const token = 'gAAAAABn-a-token'
  assert.equal(tokenKey(token), tokenKey(token))
  assert.equal(tokenKey(token).length, 44)
  assert.ok(!tokenKey(token).includes('gAAAA'))
})
