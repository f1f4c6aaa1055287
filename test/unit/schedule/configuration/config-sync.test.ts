import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { PoolChecks } from '../../../../src/domain/prober/check.ts'
import {
  CONFIG_CHECKS_PER_LOAD,
  CONFIG_CHECKS_PER_SLICE,
  CONFIG_GIVEN_UP_MS,
} from '../../../../src/domain/limits.ts'
import { ConfigSync } from '../../../../src/schedule/configuration/config-sync.ts'
import { eventually } from '../../../support/configuration.ts'
import { digestsOf } from '../../../support/pool-digests.ts'
import { keepingLog } from '../../../support/prober.ts'
import { config as checkConfig } from '../../../support/scheduling.ts'

interface StoredPool {
  readonly shard: number
  readonly projectId: string
  configVersion: number
  members: number
}

/** A sync over pools in memory, and what it has made run. Applying a check takes `checkMs` of the fake clock. */
function withFakes(t: TestContext, pools: ReadonlyMap<string, StoredPool>, checkMs = 0.05) {
  let nowMs = 0
  let error: ((poolIds: readonly string[]) => Error | undefined) | undefined
  const held = new Set<number>()
  const running = new Map<string, { readonly shard: number; readonly members: Set<string> }>()
  const seen = {
    loads: [] as number[],
    slices: [] as number[],
    /** Milliseconds of applying between two rests. */
    stretches: [] as number[],
    order: [] as string[],
    loaded: 0,
    looks: 0,
  }
  let stretchMs = 0
  let onLoad: (poolIds: readonly string[]) => void = () => undefined
  const names = new Map<string, readonly string[]>()
  const memberIds = (poolId: string, { members }: StoredPool) => {
    const known = names.get(poolId)
    if (known?.length === members) return known
    const made = Array.from({ length: members }, (_, n) => `${poolId} ${String(n).padStart(6, '0')}`)
    names.set(poolId, made)
    return made
  }
  const checksOf = (poolId: string, pool: StoredPool, members: readonly string[]): PoolChecks => ({
    poolId,
    shard: pool.shard,
    configVersion: pool.configVersion,
    checks: members.map((memberId) => ({ config: checkConfig(memberId, { poolId, shard: pool.shard }) })),
  })
  const load = async (poolIds: readonly string[]) => {
    const failure = error?.(poolIds)
    await new Promise((resolve) => setImmediate(resolve))
    if (failure !== undefined) throw failure
    onLoad(poolIds)
  }
  const log = keepingLog()
  const sync = new ConfigSync({
    log,
    now: () => nowMs,
    rest: async (ms) => {
      nowMs += ms
      seen.stretches.push(stretchMs)
      stretchMs = 0
      await new Promise((resolve) => setImmediate(resolve))
    },
    isHeld: (shard) => held.has(shard),
    store: {
      readDigests: () => {
        seen.looks++
        return Promise.resolve(digestsOf(pools))
      },
      readVersions: (shards) => {
        return Promise.resolve(
          [...pools]
            .filter(([, { shard }]) => shards.includes(shard))
            .map(([poolId, { shard, configVersion }]) => ({ poolId, shard, configVersion })),
        )
      },
      readSizes: (poolIds) =>
        Promise.resolve(
          poolIds.flatMap((poolId) => {
            const pool = pools.get(poolId)
            return pool === undefined ? [] : [{ poolId, projectId: pool.projectId, members: pool.members }]
          }),
        ),
      loadPools: async (poolIds) => {
        await load(poolIds)
        const found = poolIds.flatMap((id) => {
          const pool = pools.get(id)
          return pool === undefined ? [] : [checksOf(id, pool, memberIds(id, pool))]
        })
        seen.loads.push(found.reduce((sum, { checks }) => sum + checks.length, 0))
        return found
      },
      loadMembers: async (poolId, after, limit) => {
        await load([poolId])
        const pool = pools.get(poolId)
        if (pool === undefined) return undefined
        const all = memberIds(poolId, pool)
        const from = after === undefined ? 0 : Number(after.slice(-6)) + 1
        const part = all.slice(from, from + limit)
        seen.loads.push(part.length)
        return {
          pool: checksOf(poolId, pool, part),
          lastMember: from + limit < all.length ? part.at(-1) : undefined,
        }
      },
    },
    applyChecks: ({ poolId, shard, checks }) => {
      nowMs += checks.length * checkMs
      stretchMs += checks.length * checkMs
      seen.slices.push(checks.length)
      const pool = running.get(poolId) ?? { shard, members: new Set<string>() }
      running.set(poolId, pool)
      for (const { config } of checks) pool.members.add(config.memberId)
    },
    completePool: ({ poolId }, members) => {
      seen.order.push(poolId)
      const pool = running.get(poolId)
      for (const id of pool?.members ?? []) if (!members.has(id)) pool?.members.delete(id)
    },
    removePool: (poolId) => void running.delete(poolId),
    onLoaded: () => void seen.loaded++,
    isAway: (cause) => cause instanceof Error && cause.message === 'away',
  })
  t.after(() => sync.destroy())
  return {
    sync,
    seen,
    log,
    running,
    now: () => nowMs,
    advance: (ms: number) => void (nowMs += ms),
    failBy: (by: typeof error) => void (error = by),
    onLoad: (by: typeof onLoad) => void (onLoad = by),
    size: () => [...running.values()].reduce((sum, { members }) => sum + members.size, 0),
    acquire: (...shards: number[]) => {
      for (const shard of shards) held.add(shard)
      sync.addShards(shards)
    },
    lose: (...shards: number[]) => {
      for (const shard of shards) held.delete(shard)
      sync.dropShards(new Set(shards))
      for (const [poolId, pool] of running) if (shards.includes(pool.shard)) running.delete(poolId)
    },
  }
}

const stored = (members: number, shard = 0, projectId = 'p'): StoredPool => ({
  shard,
  projectId,
  configVersion: 1,
  members,
})

/** `count` pools of 263 members, over shards 0..127. */
const farm = (count: number): Map<string, StoredPool> =>
  new Map(Array.from({ length: count }, (_, n) => [`pool ${n}`, stored(263, n % 128)]))

test('four acquisitions of 50 000 checks in a row, lost again in the middle or at the end: no statement and no stretch of applying is long', async (t) => {
  const { sync, seen, acquire, lose, size } = withFakes(t, farm(190))
  const all = Array.from({ length: 128 }, (_, shard) => shard)
  for (const isCut of [false, true, false, false]) {
    const loaded = seen.loaded
    acquire(...all)
    assert.deepEqual(sync.loading.shards, 128)
    if (isCut) await eventually('half of it', () => size() > 20_000)
    else await eventually('all of it', () => seen.loaded > loaded)
    if (!isCut) {
      assert.equal(size(), 190 * 263)
      assert.deepEqual(sync.loading, { shards: 0, checks: 0 })
    }
    lose(...all)
    assert.equal(size(), 0)
    assert.deepEqual(sync.loading, { shards: 0, checks: 0 })
  }
  acquire(...all)
  await eventually('a fifth acquisition', () => size() === 190 * 263 && sync.loading.shards === 0)
  assert.ok(Math.max(...seen.loads) <= CONFIG_CHECKS_PER_LOAD, `${Math.max(...seen.loads)} in a statement`)
  assert.ok(Math.max(...seen.slices) <= CONFIG_CHECKS_PER_SLICE)
  // 5 ms, and the slice that goes beyond.
  assert.ok(Math.max(...seen.stretches) <= 5 + CONFIG_CHECKS_PER_SLICE * 0.05 + 0.001)
})

test('one large pool is loaded by parts too, and others are loaded between them', async (t) => {
  const large = 30 * CONFIG_CHECKS_PER_LOAD
  const pools = new Map([['large', stored(large)]])
  for (let n = 0; n < 20; n++) pools.set(`small ${n}`, stored(900, 1, `project ${n}`))
  const { seen, acquire, size, running } = withFakes(t, pools, 0.001)
  acquire(0, 1)
  await eventually('all of it', () => seen.loaded === 1, 60_000)
  assert.equal(size(), large + 20 * 900)
  assert.ok(Math.max(...seen.loads) <= CONFIG_CHECKS_PER_LOAD)
  assert.equal(seen.order.at(-1), 'large')
  assert.equal(running.get('large')?.members.size, large)
})

test('a change is loaded while a whole share of shards is being loaded, before the rest of that share', async (t) => {
  const pools = farm(190)
  pools.set('changing', stored(5, 200, 'bystander'))
  const { sync, seen, acquire, onLoad } = withFakes(t, pools)
  acquire(200)
  await eventually('the first', () => seen.loaded === 1)
  let hasChanged = false
  // With the first statement of the share.
  onLoad(() => {
    if (hasChanged) return
    hasChanged = true
    const pool = pools.get('changing')
    if (pool !== undefined) pool.configVersion++
    sync.notify('200')
  })
  acquire(...Array.from({ length: 128 }, (_, shard) => shard))
  await eventually('all of it', () => seen.loaded === 2)
  const place = seen.order.lastIndexOf('changing')
  assert.ok(place > 0 && place < 60, `loaded after ${place} of 190 pools`)
})

test('a change of a pool that is being loaded by parts is loaded again, until what runs is what is stored', async (t) => {
  const pools = new Map([['large', stored(5 * CONFIG_CHECKS_PER_LOAD)]])
  const { sync, seen, acquire, onLoad, advance, size } = withFakes(t, pools)
  let parts = 0
  onLoad(() => {
    const pool = pools.get('large')
    if (++parts !== 3 || pool === undefined) return
    pool.configVersion++
    pool.members = 2 * CONFIG_CHECKS_PER_LOAD
  })
  acquire(0)
  await eventually('a first load', () => seen.loaded === 1)
  sync.notify('')
  await eventually('what is stored', () => {
    advance(10)
    return size() === 2 * CONFIG_CHECKS_PER_LOAD
  })
})

test('a pool that goes while it is loaded by parts ends, and others are loaded', async (t) => {
  const pools = new Map([['large', stored(5 * CONFIG_CHECKS_PER_LOAD)]])
  const { sync, seen, acquire, onLoad, advance, size } = withFakes(t, pools)
  let parts = 0
  onLoad(() => {
    if (++parts === 2) pools.delete('large')
  })
  acquire(0)
  await eventually('all that is there is loaded', () => seen.loaded === 1)
  assert.equal(size(), 0)
  pools.set('other', stored(3))
  sync.notify('')
  await eventually('another pool', () => {
    advance(10)
    return size() === 3
  })
})

test('a pool that is gone ends, and so does what is gone of a pool that stays', async (t) => {
  const pools = new Map([
    ['gone', stored(3)],
    ['stays', stored(3)],
  ])
  const { sync, seen, acquire, running, advance } = withFakes(t, pools)
  acquire(0)
  await eventually('both run', () => seen.loaded === 1)
  pools.delete('gone')
  const stays = pools.get('stays')
  if (stays !== undefined) Object.assign(stays, { members: 1, configVersion: 2 })
  sync.notify('0')
  await eventually('what is left', () => {
    advance(10)
    return running.size === 1 && running.get('stays')?.members.size === 1
  })
})

test('one pool that cannot be loaded keeps no other from being loaded, its shard counts as loaded, and it is logged once', async (t) => {
  const { sync, seen, acquire, failBy, running, log } = withFakes(t, farm(8), 0)
  let failures = 0
  failBy((poolIds) => (poolIds.includes('pool 3') ? new Error(`out of range ${failures++}`) : undefined))
  acquire(...Array.from({ length: 128 }, (_, shard) => shard))
  await eventually('all that can be loaded', () => seen.loaded === 1)
  assert.equal(running.size, 7)
  assert.equal(sync.isLoaded(3), true)
  assert.equal(failures, 2, 'with others, and alone')
  assert.deepEqual(
    log.lines.map(({ level, facts }) => [level, facts['pool_id']]),
    [['error', 'pool 3']],
  )
})

test('a pool that was given up is tried again when it changes, and after a while; alone until it is loaded', async (t) => {
  const pools = farm(8)
  const { sync, seen, acquire, failBy, running, log, advance, now } = withFakes(t, pools, 0)
  const tries: number[] = []
  failBy((poolIds) => {
    if (!poolIds.includes('pool 3')) return undefined
    tries.push(poolIds.length)
    return new Error('out of range')
  })
  acquire(...Array.from({ length: 128 }, (_, shard) => shard))
  await eventually('it is given up', () => seen.loaded === 1 && tries.length === 2)
  const { looks } = seen
  sync.notify('')
  await eventually('some looks', () => {
    advance(300)
    return seen.looks > looks + 2
  })
  assert.equal(tries.length, 2, 'not while it is as it was')
  for (const [poolId, pool] of pools)
    if (['pool 2', 'pool 3', 'pool 4'].includes(poolId)) pool.configVersion++
  sync.notify('')
  await eventually('it has changed', () => {
    advance(300)
    return tries.length === 3
  })
  assert.ok(now() < CONFIG_GIVEN_UP_MS)
  failBy((poolIds) => void tries.push(poolIds.includes('pool 3') ? poolIds.length : 0))
  advance(CONFIG_GIVEN_UP_MS)
  sync.notify('')
  await eventually('it is loaded', () => {
    advance(300)
    return running.get('pool 3')?.members.size === 263
  })
  assert.ok(
    tries.slice(1).every((count) => count <= 1),
    tries.join(),
  )
  assert.equal(log.lines.length, 1, 'logged once')
})

test('a pool that was given up and is gone then ends', async (t) => {
  const pools = new Map([['large', stored(3 * CONFIG_CHECKS_PER_LOAD)]])
  const { sync, seen, acquire, failBy, running, advance } = withFakes(t, pools, 0)
  let parts = 0
  failBy(() => (++parts === 2 ? new Error('out of range') : undefined))
  acquire(0)
  await eventually('it is given up', () => seen.loaded === 1)
  assert.equal(running.get('large')?.members.size, CONFIG_CHECKS_PER_LOAD)
  pools.delete('large')
  sync.notify('0')
  await eventually('it ends', () => {
    advance(300)
    return running.size === 0
  })
})

test('while PostgreSQL is away no pool counts as faulty, and that is logged once', async (t) => {
  const { sync, acquire, failBy, seen, running, log, advance } = withFakes(t, farm(1), 0)
  let failures = 0
  failBy(() => {
    failures++
    return new Error('away')
  })
  acquire(0)
  await eventually('some tries', () => {
    advance(300)
    return failures > 3
  })
  assert.deepEqual([seen.loaded, sync.isLoaded(0)], [0, false])
  failBy(undefined)
  await eventually('it is loaded', () => {
    advance(300)
    return seen.loaded === 1
  })
  assert.equal(running.size, 1)
  assert.ok(log.lines.every(({ level }) => level !== 'error'))
})

test('a shard without pools is loaded as soon as it was looked at', async (t) => {
  const { sync, seen, acquire } = withFakes(t, new Map())
  acquire(1, 2)
  await eventually('it is known', () => seen.loaded === 1)
  assert.deepEqual([sync.isLoaded(1), sync.isLoaded(3)], [true, false])
})

test('pools of a project are loaded shard by shard, so that a statement looks into few checkpoints', async (t) => {
  const pools = new Map(Array.from({ length: 200 }, (_, n) => [`pool ${n}`, stored(20, (n * 7) % 8)]))
  const { seen, acquire } = withFakes(t, pools)
  acquire(0, 1, 2, 3, 4, 5, 6, 7)
  await eventually('all of it', () => seen.loaded === 1)
  const shards = seen.order.map((poolId) => pools.get(poolId)?.shard ?? -1)
  assert.deepEqual(
    shards,
    shards.toSorted((a, b) => a - b),
  )
  assert.equal(shards.length, 200)
})
