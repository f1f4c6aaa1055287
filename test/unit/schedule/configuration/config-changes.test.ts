import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { PoolChecks } from '../../../../src/domain/prober/check.ts'
import { CONFIG_POLL_MS } from '../../../../src/domain/limits.ts'
import { ConfigSync } from '../../../../src/schedule/configuration/config-sync.ts'
import { eventually } from '../../../support/configuration.ts'
import { digestsOf } from '../../../support/pool-digests.ts'
import { keepingLog } from '../../../support/prober.ts'

interface StoredPool {
  readonly shard: number
  configVersion: number
}

const sizeOf = (poolId: string) => ({ poolId, projectId: 'project', members: 1 })

/** A sync over pools that the test keeps; `isHeld` follows what the test says is held. */
function withFakes(t: TestContext) {
  const stored = new Map<string, StoredPool>()
  const held = new Set<number>()
  const asked: (readonly number[])[] = []
  /** Shards whose pools were read. */
  const compared: (readonly number[])[] = []
  const loaded: (readonly string[])[] = []
  const happened: string[] = []
  /** Looks at versions before each removal. */
  const looksAtRemoval: number[] = []
  /** What happens before a load reads, and what it waits for when it has read. */
  const gate: { before: () => void; open: Promise<void> | undefined } = {
    before: () => undefined,
    open: undefined,
  }
  const sync = new ConfigSync({
    store: {
      readDigests: (shards) => {
        asked.push([...shards])
        return Promise.resolve(digestsOf(stored))
      },
      readVersions: (shards) => {
        compared.push([...shards])
        const rows = [...stored].filter(([, { shard }]) => shards.includes(shard))
        return Promise.resolve(rows.map(([poolId, row]) => ({ poolId, ...row })))
      },
      loadPools: async (poolIds) => {
        loaded.push(poolIds)
        gate.before()
        const rows = poolIds.flatMap((poolId): PoolChecks[] => {
          const row = stored.get(poolId)
          return row === undefined ? [] : [{ poolId, ...row, checks: [] }]
        })
        await gate.open
        return rows
      },
      readSizes: (poolIds) => Promise.resolve(poolIds.map(sizeOf)),
      loadMembers: () => Promise.resolve(undefined),
    },
    isHeld: (shard) => held.has(shard),
    applyChecks: () => undefined,
    completePool: ({ poolId, configVersion }) => void happened.push(`apply ${poolId} ${configVersion}`),
    onLoaded: () => undefined,
    isAway: () => false,
    removePool: (poolId) => {
      looksAtRemoval.push(asked.length)
      happened.push(`remove ${poolId}`)
    },
    log: keepingLog(),
  })
  t.after(() => sync.destroy())
  const hold = (...shards: readonly number[]): void => {
    for (const shard of shards) held.add(shard)
    sync.addShards(shards)
  }
  const lose = (...shards: readonly number[]): void => {
    for (const shard of shards) held.delete(shard)
    sync.dropShards(new Set(shards))
  }
  const settled = (...lines: readonly string[]) =>
    eventually(lines.join(', '), () => lines.every((line) => happened.includes(line)))
  return { sync, stored, asked, compared, loaded, happened, looksAtRemoval, gate, hold, lose, settled }
}

test('a pool that is gone is removed, and one that stays is not', async (t) => {
  const { sync, stored, happened, hold, settled } = withFakes(t)
  stored.set('gone', { shard: 1, configVersion: 1 }).set('stays', { shard: 1, configVersion: 1 })
  hold(1)
  await settled('apply gone 1', 'apply stays 1')
  stored.delete('gone')
  sync.notify('1')
  await settled('remove gone')
  assert.ok(!happened.includes('remove stays'))
})

test('a look that finds nothing new reads no pool, and one that finds a change reads those of its shard', async (t) => {
  const { sync, stored, asked, compared, hold, settled } = withFakes(t)
  for (let shard = 1; shard <= 8; shard++) stored.set(`pool ${shard}`, { shard, configVersion: 1 })
  hold(...Array.from({ length: 8 }, (_, n) => n + 1))
  await settled(...Array.from(stored.keys(), (poolId) => `apply ${poolId} 1`))
  const looks = asked.length
  sync.notify('')
  await eventually(
    'a look after the notification, and the one of each second',
    () => asked.length > looks + 1,
  )
  assert.equal(compared.length, 1)
  stored.set('pool 3', { shard: 3, configVersion: 2 })
  await settled('apply pool 3 2')
  assert.deepEqual(compared.slice(1), [[3]])
})

test('a pool that goes after its version was read, and before its checks are, is removed', async (t) => {
  const { sync, stored, asked, happened, looksAtRemoval, hold, settled, gate } = withFakes(t)
  stored.set('pool', { shard: 1, configVersion: 1 })
  hold(1)
  await settled('apply pool 1')
  stored.set('pool', { shard: 1, configVersion: 2 })
  let looks = 0
  gate.before = () => {
    looks = asked.length
    stored.delete('pool')
  }
  sync.notify('1')
  await settled('remove pool')
  assert.deepEqual(looksAtRemoval, [looks], 'at once, not by the next look')
  assert.ok(!happened.includes('apply pool 2'))
})

test('a pool of a shard that was lost while it was read is not started', async (t) => {
  const { stored, happened, hold, lose, gate, loaded, settled } = withFakes(t)
  stored.set('lost', { shard: 1, configVersion: 1 }).set('ours', { shard: 2, configVersion: 1 })
  let open = (): void => undefined
  gate.open = new Promise((resolve) => (open = resolve))
  hold(1, 2)
  await eventually('both are being loaded', () => loaded.flat().length === 2)
  lose(1)
  open()
  await settled('apply ours 1')
  assert.ok(!happened.some((line) => line.startsWith('apply lost')), happened.join())
})

test('a pool of a shard that is being released, and is ours until it is written, is not started', async (t) => {
  const { sync, stored, happened, hold, gate, loaded, settled } = withFakes(t)
  stored.set('going', { shard: 1, configVersion: 1 }).set('ours', { shard: 2, configVersion: 1 })
  let open = (): void => undefined
  gate.open = new Promise((resolve) => (open = resolve))
  hold(1, 2)
  await eventually('both are being loaded', () => loaded.flat().length === 2)
  sync.dropShards(new Set([1]))
  open()
  await settled('apply ours 1')
  assert.ok(!happened.some((line) => line.startsWith('apply going')), happened.join())
})

test('a pool of a shard whose loss is not known here yet is not started either', async (t) => {
  const stored: PoolChecks = { poolId: 'pool', shard: 1, configVersion: 1, checks: [] }
  const applied: string[] = []
  let looks = 0
  const sync = new ConfigSync({
    store: {
      readDigests: () => Promise.resolve(digestsOf(new Map([['pool', stored]]))),
      readVersions: () => {
        looks++
        return Promise.resolve([stored])
      },
      loadPools: () => Promise.resolve([stored]),
      readSizes: (poolIds) => Promise.resolve(poolIds.map(sizeOf)),
      loadMembers: () => Promise.resolve(undefined),
    },
    isHeld: () => false,
    applyChecks: ({ poolId }) => void applied.push(poolId),
    completePool: ({ poolId }) => void applied.push(poolId),
    onLoaded: () => undefined,
    isAway: () => false,
    removePool: () => undefined,
    log: keepingLog(),
  })
  t.after(() => sync.destroy())
  sync.addShards([1])
  await eventually('it has looked twice', () => looks >= 2)
  assert.deepEqual(applied, [])
})

test('a shard that is lost and won again is loaded again, though no version has changed', async (t) => {
  const { stored, happened, hold, lose, settled } = withFakes(t)
  stored.set('pool', { shard: 1, configVersion: 1 })
  hold(1)
  await settled('apply pool 1')
  lose(1)
  hold(1)
  await eventually('it runs again', () => happened.length === 2)
  assert.deepEqual(happened, ['apply pool 1', 'apply pool 1'])
})

test('a notification makes it look at that shard alone, and only what differs is loaded', async (t) => {
  const { sync, stored, asked, loaded, hold, settled } = withFakes(t)
  stored.set('a', { shard: 1, configVersion: 1 }).set('b', { shard: 1, configVersion: 1 })
  stored.set('c', { shard: 2, configVersion: 1 })
  hold(1, 2)
  await settled('apply a 1', 'apply b 1', 'apply c 1')
  const row = stored.get('a') ?? assert.fail()
  row.configVersion = 2
  sync.notify('1')
  await settled('apply a 2')
  // The poll asks for every shard: this look was the notification's.
  assert.ok(
    asked.some((shards) => shards.length === 1 && shards[0] === 1),
    JSON.stringify(asked),
  )
  assert.deepEqual(loaded.at(-1), ['a'])
})

test('a notification of a shard of others is nothing, one that names none means all', async (t) => {
  const { sync, stored, asked, hold, settled } = withFakes(t)
  stored.set('a', { shard: 1, configVersion: 1 }).set('c', { shard: 2, configVersion: 1 })
  hold(1, 2)
  await settled('apply a 1', 'apply c 1')
  const before = asked.length
  sync.notify('77')
  const row = stored.get('c') ?? assert.fail()
  row.configVersion = 2
  sync.notify('')
  await settled('apply c 2')
  assert.ok(asked.slice(before).every((shards) => !shards.includes(77)))
})

test('without any notification a change is found by the poll', async (t) => {
  const { stored, hold, settled } = withFakes(t)
  stored.set('a', { shard: 1, configVersion: 1 })
  hold(1)
  await settled('apply a 1')
  const row = stored.get('a') ?? assert.fail()
  row.configVersion = 2
  const startedMs = performance.now()
  await settled('apply a 2')
  assert.ok(performance.now() - startedMs < 5 * CONFIG_POLL_MS)
})
