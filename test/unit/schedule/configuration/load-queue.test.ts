import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CONFIG_CHECKS_PER_LOAD, CONFIG_POOLS_PER_LOAD } from '../../../../src/domain/limits.ts'
import { LoadQueue, type WaitingPool } from '../../../../src/schedule/configuration/load-queue.ts'

const pool = (poolId: string, projectId: string, members = 1, shard = 0): WaitingPool => ({
  poolId,
  projectId,
  members,
  shard,
  configVersion: 1,
})
const ids = (pools: readonly WaitingPool[]) => pools.map(({ poolId }) => poolId)

test('a turn has pools of at most so many members together, and a larger pool comes alone', () => {
  const queue = new LoadQueue()
  const half = CONFIG_CHECKS_PER_LOAD / 2
  for (const each of [
    pool('a', 'p', half),
    pool('b', 'p', half),
    pool('c', 'p', 1),
    pool('large', 'p', 10 * CONFIG_CHECKS_PER_LOAD),
    pool('d', 'p', 1),
  ])
    queue.add(each, false)
  const turns = Array.from({ length: 5 }, () => ids(queue.take()))
  assert.deepEqual(turns, [['a', 'b'], ['c'], ['large'], ['d'], []])
})

test('pools without members are bounded by their number', () => {
  const queue = new LoadQueue()
  for (let n = 0; n < CONFIG_POOLS_PER_LOAD + 1; n++) queue.add(pool(`${n}`, 'p', 0), false)
  assert.deepEqual([queue.take().length, queue.take().length], [CONFIG_POOLS_PER_LOAD, 1])
})

test("projects take turns: one with many pools does not keep the next one's waiting", () => {
  const queue = new LoadQueue()
  for (let n = 0; n < 50; n++) queue.add(pool(`attacker ${n}`, 'attacker', CONFIG_CHECKS_PER_LOAD), false)
  queue.add(pool('bystander', 'bystander', 5), false)
  assert.deepEqual(ids(queue.take()), ['attacker 0'])
  assert.deepEqual(ids(queue.take()), ['bystander'])
})

test('a pool that runs and has changed comes before new ones of its project; one that waits keeps its place', () => {
  const queue = new LoadQueue()
  queue.add(pool('new', 'p', CONFIG_CHECKS_PER_LOAD), false)
  queue.add(pool('changed', 'p', CONFIG_CHECKS_PER_LOAD), true)
  queue.add({ ...pool('new', 'p', CONFIG_CHECKS_PER_LOAD), configVersion: 2 }, true)
  assert.deepEqual([queue.pools, queue.members], [2, 2 * CONFIG_CHECKS_PER_LOAD])
  assert.deepEqual(ids(queue.take()), ['changed'])
  assert.deepEqual(queue.take(), [{ ...pool('new', 'p', CONFIG_CHECKS_PER_LOAD), configVersion: 2 }])
})

test('pools that could not be loaded together are loaded one by one, after the others', () => {
  const queue = new LoadQueue()
  for (const id of ['a', 'b', 'c']) queue.add(pool(id, 'p'), false)
  const turn = queue.take()
  queue.add(pool('d', 'p'), false)
  queue.putBack(turn)
  assert.deepEqual(
    Array.from({ length: 5 }, () => ids(queue.take())),
    [['d'], ['a'], ['b'], ['c'], []],
  )
})

test('a pool that failed is loaded alone until it has been loaded, however often it waits', () => {
  const queue = new LoadQueue()
  queue.putBack([pool('a', 'p')])
  const next = () => {
    queue.add(pool('a', 'p'), false)
    queue.add(pool('b', 'q'), false)
    return [ids(queue.take()), ids(queue.take())]
  }
  assert.deepEqual(next(), [['a'], ['b']])
  assert.deepEqual(next(), [['a'], ['b']])
  queue.noteLoaded('a')
  assert.deepEqual(next(), [['a', 'b'], []])
  queue.putBack([pool('a', 'p', 1, 7)])
  queue.take()
  queue.dropShards(new Set([7]))
  assert.deepEqual(next(), [['a', 'b'], []], 'its shard was lost meanwhile')
})

test('what waits is counted by shard, and goes with its shard', () => {
  const queue = new LoadQueue()
  queue.add(pool('a', 'p', 3, 1), false)
  queue.add(pool('b', 'q', 4, 2), true)
  queue.add(pool('c', 'q', 5, 2), false)
  assert.deepEqual([queue.countOf(1), queue.countOf(2), queue.members], [1, 2, 12])
  queue.dropShards(new Set([2]))
  assert.deepEqual([queue.countOf(1), queue.countOf(2), queue.members, queue.pools], [1, 0, 3, 1])
  queue.remove('a')
  assert.deepEqual([queue.countOf(1), queue.members, queue.take()], [0, 0, []])
})
