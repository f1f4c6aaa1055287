import assert from 'node:assert/strict'
import { test } from 'node:test'
import { InTurn } from '../../../../src/domain/share/in-turn.ts'

test('the oldest of each key is taken in turn, and a key that may not be served keeps its place', () => {
  const queue = new InTurn<string>()
  for (const item of ['a1', 'a2', 'a3', 'b1', 'c1', 'c2']) queue.add(item.charAt(0), item)
  assert.deepEqual([queue.count('a'), queue.count('b'), queue.count('none')], [3, 1, 0])
  const notA = (key: string) => key !== 'a'
  assert.deepEqual([queue.next(notA), queue.next(), queue.next(), queue.next()], ['b1', 'a1', 'c1', 'a2'])
  assert.equal(
    queue.next(() => false),
    undefined,
  )
  assert.deepEqual([queue.next(), queue.isEmpty, queue.next()], ['c2', false, 'a3'])
  assert.deepEqual([queue.isEmpty, queue.next()], [true, undefined])
})

test('what is taken out is not served, and what was not there is said not to have been', () => {
  const queue = new InTurn<string>()
  for (const item of ['a1', 'a2', 'b1']) queue.add(item.charAt(0), item)
  assert.equal(queue.remove('a', 'a1'), true)
  assert.equal(queue.remove('a', 'a1'), false, 'it is gone')
  assert.equal(queue.remove('b', 'a2'), false, 'it waits for another key')
  assert.equal(queue.remove('none', 'a2'), false, 'nothing waits for that key')
  assert.equal(queue.remove('b', 'b1'), true)
  assert.deepEqual([queue.count('a'), queue.count('b')], [1, 0])
  assert.deepEqual([queue.next(), queue.next()], ['a2', undefined])
})
