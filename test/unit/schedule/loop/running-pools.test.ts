import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Check } from '../../../../src/schedule/loop/check.ts'
import { RunningPools } from '../../../../src/schedule/loop/running-pools.ts'
import { pool } from '../../../support/scheduling.ts'

function withPools(...ids: readonly (readonly [poolId: string, shard: number])[]) {
  const pools = new RunningPools()
  for (const [poolId, shard] of ids) {
    const taken = pools.take({ ...pool(), poolId, shard })
    taken.checks.set('m', { name: poolId } as unknown as Check)
  }
  const names = (checks: Iterable<unknown>) => [...checks].map((check) => (check as { name: string }).name)
  return {
    pools,
    running: () => names(pools.checks()),
    ofShard: (shard: number) => [...pools.ofShard(shard)].map(({ poolId }) => poolId),
    release: () => {
      const left: string[] = []
      for (const [check, of] of pools.leaving()) {
        left.push(...names([check]))
        of.checks.clear()
      }
      return left.toSorted()
    },
  }
}

test('a pool that is let go is gone for every caller at once; its checks wait for their release', () => {
  const { pools, running, ofShard, release } = withPools(['a', 7], ['b', 7], ['c', 8])
  pools.drop(pools.get('a') ?? assert.fail())
  assert.equal(pools.get('a'), undefined)
  assert.deepEqual([running(), ofShard(7), ofShard(8)], [['b', 'c'], ['b'], ['c']])
  assert.equal(pools.hasLeaving, true)
  assert.deepEqual([release(), pools.hasLeaving, release()], [['a'], false, []])
})

test('the pools of a shard that is let go are gone at once, and it has none', () => {
  const { pools, running, ofShard, release } = withPools(['a', 7], ['b', 7], ['c', 8])
  pools.dropShard(7)
  assert.deepEqual([running(), ofShard(7), ofShard(8)], [['c'], [], ['c']])
  pools.dropShard(7)
  assert.deepEqual(release(), ['a', 'b'], 'each once')
})

test('a pool that comes back before its checks are released is another one, and stays', () => {
  const { pools, running, ofShard, release } = withPools(['a', 7])
  const old = pools.get('a')
  pools.dropShard(7)
  const fresh = pools.take({ ...pool(), poolId: 'a', shard: 7 })
  assert.notEqual(fresh, old)
  assert.equal(pools.take({ ...pool(), poolId: 'a', shard: 7 }), fresh)
  assert.deepEqual([running(), ofShard(7), release()], [[], ['a'], ['a']])
  assert.equal(pools.get('a'), fresh)
})
