import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HeldShard } from '../../../src/domain/check.ts'
import { createMetrics } from '../../../src/runtime/metrics.ts'
import { Ownership } from '../../../src/schedule/ownership.ts'
import { eventually } from '../../support/configuration.ts'
import { keepingLog } from '../../support/prober.ts'

interface FakeStore {
  held: HeldShard[]
  claims: { count: number; foreignToo: boolean }[]
  isAway: boolean
}

/** Ownership over a store that the test moves, with a clock that the test moves. */
function withFakes() {
  const store: FakeStore = { held: [], claims: [], isAway: false }
  let nowMs = 0
  const lost: number[] = []
  const ownership = new Ownership({
    leaseMs: 90,
    log: keepingLog(),
    metrics: createMetrics('test'),
    now: () => nowMs,
    store: {
      beat: () =>
        store.isAway
          ? Promise.reject(new Error('away'))
          : Promise.resolve({ liveProbers: 2, nextExpiryMs: undefined, held: store.held }),
      claim: (count, foreignToo) => {
        store.claims.push({ count, foreignToo })
        return Promise.resolve([])
      },
      release: () => Promise.resolve(),
      removeProber: () => Promise.resolve(),
    },
    events: {
      onGained: () => undefined,
      onLost: (shards) => void lost.push(...shards),
      onSurrender: () => Promise.resolve(),
    },
  })
  return { store, ownership, lost, advance: (ms: number) => void (nowMs += ms) }
}

test('foreign shards are claimed only after an unbroken contact of one lease, also after PostgreSQL was away', async (t) => {
  const { store, ownership, advance } = withFakes()
  t.after(() => ownership.destroy())
  const nextClaim = async () => {
    const before = store.claims.length
    await eventually('a claim', () => store.claims.length > before)
    return store.claims.at(-1)?.foreignToo
  }
  ownership.start()
  assert.equal(await nextClaim(), false)
  advance(60)
  assert.equal(await nextClaim(), false)
  advance(60)
  assert.equal(await nextClaim(), true)
  store.isAway = true
  advance(500)
  await new Promise((resolve) => setTimeout(resolve, 100))
  store.isAway = false
  assert.equal(await nextClaim(), false, 'contact was broken')
})

test('away and back: what nobody took is kept, and what was taken is told as lost', async (t) => {
  const { store, ownership, lost } = withFakes()
  t.after(() => ownership.destroy())
  store.held = [
    { id: 3, epoch: 1 },
    { id: 4, epoch: 1 },
  ]
  ownership.start()
  await eventually('both are held', () => ownership.held.size === 2)
  store.isAway = true
  await new Promise((resolve) => setTimeout(resolve, 100))
  assert.equal(ownership.epochOf(3), 1, 'nothing is given up while PostgreSQL is away')
  store.held = [{ id: 3, epoch: 1 }]
  store.isAway = false
  await eventually('4 is lost', () => lost.length > 0)
  assert.deepEqual(lost, [4])
  assert.equal(ownership.epochOf(3), 1)
})
