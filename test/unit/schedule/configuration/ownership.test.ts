import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import type { Heartbeat, HeldShard } from '../../../../src/domain/prober/check.ts'
import { SHARDS_AT_FIRST, SHARDS_AT_ONCE } from '../../../../src/domain/limits.ts'
import { createMetrics } from '../../../../src/runtime/metrics/metrics.ts'
import { Ownership } from '../../../../src/schedule/configuration/ownership.ts'
import { eventually } from '../../../support/configuration.ts'
import { keepingLog } from '../../../support/prober.ts'

const LEASE_MS = 90

/** Ownership over a database that the test moves, with a clock that the test moves. */
function withFakes(t: TestContext) {
  const store = {
    owned: new Map<number, number>(),
    /** Shards without an owner. */
    free: [] as number[],
    liveProbers: 2,
    isContactLong: false,
    isAway: false,
    claims: [] as { count: number; foreignToo: boolean }[],
    released: [] as number[],
    beats: 0,
    contactMs: [] as number[],
  }
  const loaded = new Set<number>()
  const log = keepingLog()
  let nowMs = 0
  const seen = { lost: [] as number[], gained: [] as HeldShard[], released: [] as number[] }
  let release: () => Promise<void> = () => Promise.resolve()
  let beat: (heartbeat: Heartbeat) => Promise<Heartbeat> = (heartbeat) => Promise.resolve(heartbeat)
  const ownership = new Ownership({
    leaseMs: LEASE_MS,
    log,
    metrics: createMetrics('test'),
    now: () => nowMs,
    isLoaded: (shard) => loaded.has(shard),
    store: {
      beat: (contactMs) => {
        store.beats++
        store.contactMs.push(contactMs)
        if (store.isAway) return Promise.reject(new Error('away'))
        const held = [...store.owned].map(([id, epoch]) => ({ id, epoch }))
        const { liveProbers, isContactLong } = store
        return beat({ liveProbers, nextExpiryMs: undefined, held, free: store.free.length, isContactLong })
      },
      claim: (count, foreignToo) => {
        store.claims.push({ count, foreignToo })
        const taken = store.free.splice(0, count).map((id) => ({ id, epoch: 1 }))
        for (const { id, epoch } of taken) store.owned.set(id, epoch)
        return Promise.resolve(taken)
      },
      release: (ids) => {
        store.released.push(...ids)
        for (const id of ids) store.owned.delete(id)
        return Promise.resolve()
      },
      removeProber: () => Promise.resolve(),
    },
    events: {
      onGained: (shards) => void seen.gained.push(...shards),
      onLost: (shards) => void seen.lost.push(...shards),
      onRelease: async (shards) => {
        seen.released.push(...shards)
        await release()
      },
    },
  })
  t.after(() => ownership.destroy())
  return {
    store,
    ownership,
    seen,
    loaded,
    log,
    advance: (ms: number) => void (nowMs += ms),
    /** Everything that is held is loaded, after so long. */
    load: (tookMs: number) => {
      nowMs += tookMs
      for (const id of ownership.held.keys()) loaded.add(id)
      ownership.loaded()
    },
    releaseBy: (work: () => Promise<void>) => void (release = work),
    beatBy: (work: (heartbeat: Heartbeat) => Promise<Heartbeat>) => void (beat = work),
    nextBeat: async () => {
      const before = store.beats
      await eventually('a heartbeat', () => store.beats > before)
    },
  }
}

const shards = (count: number) => Array.from({ length: count }, (_, id) => id)

test('shards of a dead owner are claimed only when the database says that somebody has had contact for a lease', async (t) => {
  const { store, ownership, nextBeat } = withFakes(t)
  ownership.start()
  await eventually('a claim', () => store.claims.length > 0)
  assert.equal(store.claims.at(-1)?.foreignToo, false)
  store.isContactLong = true
  await nextBeat()
  await eventually('a claim of foreign shards', () => store.claims.at(-1)?.foreignToo === true)
})

test('the duration of contact is reported, and begins anew after PostgreSQL was away for a lease', async (t) => {
  const { store, ownership, advance, nextBeat } = withFakes(t)
  ownership.start()
  await nextBeat()
  advance(60)
  await nextBeat()
  assert.equal(store.contactMs.at(-1), 60)
  advance(60)
  await nextBeat()
  assert.equal(store.contactMs.at(-1), 120)
  store.isAway = true
  await nextBeat()
  advance(LEASE_MS + 1)
  store.isAway = false
  await nextBeat()
  assert.equal(store.contactMs.at(-1), 0, 'contact was broken')
})

test('away and back: shards that no prober took are kept, and taken ones are reported as lost', async (t) => {
  const { store, ownership, seen, nextBeat } = withFakes(t)
  store.owned.set(3, 1).set(4, 1)
  ownership.start()
  await eventually('both are held', () => ownership.held.size === 2)
  store.isAway = true
  await nextBeat()
  await nextBeat()
  assert.equal(ownership.epochOf(3), 1, 'nothing is given up while PostgreSQL is away')
  store.owned.delete(4)
  store.isAway = false
  await eventually('4 is lost', () => seen.lost.length > 0)
  assert.deepEqual(seen.lost, [4])
  assert.equal(ownership.epochOf(3), 1)
})

test('a shard that was lost and regained between two heartbeats is lost, and gained with its new epoch', async (t) => {
  const { store, ownership, seen } = withFakes(t)
  store.owned.set(3, 1)
  ownership.start()
  await eventually('it is held', () => ownership.epochOf(3) === 1)
  store.owned.set(3, 3)
  await eventually('the new epoch', () => ownership.epochOf(3) === 3)
  assert.deepEqual(seen.lost, [3])
  assert.deepEqual(seen.gained.at(-1), { id: 3, epoch: 3 })
})

test('more is claimed only when what was gained is loaded: more at once after a quick step, less after a slow one', async (t) => {
  const { store, ownership, load, nextBeat } = withFakes(t)
  store.liveProbers = 1
  store.free = shards(256)
  ownership.start()
  await eventually('a first step', () => ownership.held.size === SHARDS_AT_FIRST)
  await nextBeat()
  await nextBeat()
  assert.equal(ownership.held.size, SHARDS_AT_FIRST, 'nothing more while it loads')
  const steps: number[] = []
  for (const tookMs of [10, 5000, 5000, 2000]) {
    const before = ownership.held.size
    load(tookMs)
    await eventually('another step', () => ownership.held.size > before)
    steps.push(ownership.held.size - before)
  }
  assert.deepEqual(steps, [64, 32, 16, 16])
  for (let n = 0; n < 20 && store.free.length > 0; n++) {
    load(2000)
    await new Promise((resolve) => setImmediate(resolve))
  }
  assert.equal(store.claims.at(-1)?.count, SHARDS_AT_ONCE.min)
})

test('what was lost before it was loaded says nothing of how quick loading is', async (t) => {
  const { store, ownership, advance, load, nextBeat } = withFakes(t)
  store.liveProbers = 1
  store.free = shards(256)
  ownership.start()
  await eventually('a first step', () => ownership.held.size === SHARDS_AT_FIRST)
  store.owned.clear()
  store.free.length = 0
  await eventually('all of it is lost', () => ownership.held.size === 0)
  advance(60_000)
  store.free = shards(256)
  await nextBeat()
  await eventually('another step', () => ownership.held.size === SHARDS_AT_FIRST)
  load(10)
  await eventually('a step twice as large', () => ownership.held.size === 3 * SHARDS_AT_FIRST)
})

test('that all is loaded, said again, says nothing of how quick loading is', async (t) => {
  const { store, ownership, load, nextBeat } = withFakes(t)
  store.liveProbers = 1
  store.free = shards(SHARDS_AT_FIRST)
  ownership.start()
  await eventually('a first step', () => ownership.held.size === SHARDS_AT_FIRST)
  load(10)
  await nextBeat()
  load(60_000)
  store.free = shards(256).slice(SHARDS_AT_FIRST)
  await eventually('a step twice as large', () => ownership.held.size > SHARDS_AT_FIRST)
  assert.equal(ownership.held.size, 3 * SHARDS_AT_FIRST)
})

test('two that start together share the work: none takes what the other will need', async (t) => {
  const one = withFakes(t)
  const two = withFakes(t)
  const free = shards(256)
  one.store.free = two.store.free = free
  one.ownership.start()
  two.ownership.start()
  const rounds = async (most: number, isDone: () => boolean) => {
    for (let n = 0; n < most && !isDone(); n++) {
      await new Promise((resolve) => setTimeout(resolve, 20))
      one.load(10)
      two.load(10)
    }
  }
  await rounds(1000, () => one.ownership.held.size + two.ownership.held.size === 256)
  // Neither takes from the other afterwards, or gives back.
  await rounds(5, () => false)
  assert.deepEqual([one.ownership.held.size, two.ownership.held.size], [128, 128])
  assert.deepEqual([one.store.released, two.store.released], [[], []])
})

test('the heartbeat waits neither for loading nor for releasing', async (t) => {
  const { store, ownership, seen, load, nextBeat, releaseBy } = withFakes(t)
  store.liveProbers = 1
  store.free = shards(256)
  ownership.start()
  await eventually('a step', () => ownership.held.size > 0)
  await nextBeat()
  await nextBeat()
  let finish: () => void = () => undefined
  releaseBy(() => new Promise((resolve) => (finish = resolve)))
  store.free = []
  store.liveProbers = 64
  load(10)
  await eventually('releasing', () => seen.released.length > 0)
  await nextBeat()
  await nextBeat()
  assert.deepEqual(seen.lost, [], 'what is being released is not lost')
  finish()
  await eventually('it is released', () => store.released.length > 0)
})

test('what is not loaded yet is released first, by steps, and only while others take it', async (t) => {
  const { store, ownership, loaded, seen, nextBeat } = withFakes(t)
  for (const id of shards(160)) {
    store.owned.set(id, 1)
    if (id !== 7) loaded.add(id)
  }
  ownership.start()
  await eventually('a step', () => store.released.length > 0)
  assert.equal(seen.released[0], 7)
  assert.equal(store.released.length, SHARDS_AT_FIRST)
  store.free = [...store.released]
  await nextBeat()
  await nextBeat()
  assert.equal(store.released.length, SHARDS_AT_FIRST, 'nobody has taken them yet')
  store.free = []
  await eventually('the rest', () => ownership.held.size === 128)
  assert.deepEqual(seen.lost, [])
})

test('what could not be written stays ours: its checks go on', async (t) => {
  const { store, ownership, seen, loaded, releaseBy } = withFakes(t)
  for (const id of shards(129)) {
    store.owned.set(id, 5)
    loaded.add(id)
  }
  releaseBy(() => Promise.reject(new Error('PostgreSQL is slow')))
  ownership.start()
  await eventually('the checks go on', () => seen.gained.length > 129)
  assert.deepEqual(seen.gained.at(-1), { id: seen.released[0], epoch: 5 })
  assert.equal(ownership.held.size, 129)
  assert.deepEqual(store.released, [])
})

test('a heartbeat that was answered before a claim does not undo it', async (t) => {
  const { store, ownership, seen, beatBy, load } = withFakes(t)
  store.liveProbers = 1
  store.free = shards(64)
  ownership.start()
  await eventually('a first step', () => ownership.held.size > 0)
  let answer: () => void = () => undefined
  let isHeldBack = false
  beatBy(async (heartbeat) => {
    await new Promise<void>((resolve) => (answer = resolve))
    isHeldBack = false
    return heartbeat
  })
  const before = store.beats
  await eventually('a heartbeat under way', () => store.beats > before)
  isHeldBack = true
  const held = ownership.held.size
  load(10)
  await eventually('a claim', () => ownership.held.size > held)
  beatBy((heartbeat) => Promise.resolve(heartbeat))
  answer()
  await eventually('its answer', () => !isHeldBack)
  await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(seen.lost, [])
  assert.ok(ownership.held.size > held)
})

test('claims that get nothing are not tried more often the longer they get nothing', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { store, ownership } = withFakes(t)
  const claimsIn = async (ms: number): Promise<number> => {
    const before = store.claims.length
    for (let passedMs = 0; passedMs < ms; passedMs += 10) {
      t.mock.timers.tick(10)
      await turn()
    }
    return store.claims.length - before
  }
  ownership.start()
  const atFirst = await claimsIn(1000)
  assert.ok(atFirst > 0)
  await claimsIn(3000)
  assert.ok((await claimsIn(1000)) <= atFirst + 1)
})
