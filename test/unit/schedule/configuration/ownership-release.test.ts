/** What happens to shards between two heartbeats: lost, won again, released. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { HeldShard } from '../../../../src/domain/prober/check.ts'
import { createMetrics } from '../../../../src/runtime/metrics/metrics.ts'
import { Ownership } from '../../../../src/schedule/configuration/ownership.ts'
import { eventually } from '../../../support/configuration.ts'
import { keepingLog } from '../../../support/prober.ts'

/** Ownership over a database that the test moves; everything that happens is a line of `happened`. */
function withFakes(t: TestContext) {
  const database = {
    held: [] as readonly HeldShard[],
    liveProbers: 1,
    /** What the writing of results, and a release, wait for. */
    write: (): Promise<void> => Promise.resolve(),
    release: (): Promise<void> => Promise.resolve(),
  }
  const happened: string[] = []
  let beats = 0
  const named = (shards: Iterable<number>) => [...shards].join(',')
  const ownership = new Ownership({
    leaseMs: 60,
    isLoaded: () => true,
    log: keepingLog(),
    metrics: createMetrics('test'),
    store: {
      beat: () => {
        beats++
        return Promise.resolve({ ...database, nextExpiryMs: undefined, free: 0, isContactLong: true })
      },
      claim: () => Promise.resolve([]),
      release: async (ids) => {
        await database.release()
        happened.push(`released ${named(ids)}`)
      },
      removeProber: () => {
        happened.push('removed')
        return Promise.resolve()
      },
    },
    events: {
      onGained: (shards) =>
        void happened.push(`gained ${shards.map(({ id, epoch }) => `${id}@${epoch}`).join(',')}`),
      onLost: (shards) => void happened.push(`lost ${named(shards)}`),
      onRelease: async (shards) => {
        happened.push(`releasing ${named(shards)}`)
        await database.write()
        happened.push('written')
      },
    },
  })
  t.after(() => ownership.destroy())
  /** Waits until a heartbeat that began after this call has been dealt with. */
  const nextBeat = async (): Promise<void> => {
    const seen = beats
    await eventually('two more heartbeats', () => beats > seen + 1)
  }
  return { ownership, database, happened, nextBeat }
}

const shards = (count: number): readonly HeldShard[] =>
  Array.from({ length: count }, (_, id) => ({ id, epoch: 1 }))

test('a shard that was lost and won again between two heartbeats is lost first and then ours at its new epoch', async (t) => {
  const { ownership, database, happened, nextBeat } = withFakes(t)
  database.held = [
    { id: 3, epoch: 1 },
    { id: 4, epoch: 1 },
  ]
  ownership.start()
  await eventually('both are ours', () => ownership.held.size === 2)
  database.held = [
    { id: 3, epoch: 5 },
    { id: 4, epoch: 1 },
  ]
  await nextBeat()
  assert.deepEqual(happened, ['gained 3@1,4@1', 'lost 3', 'gained 3@5'])
  assert.deepEqual([ownership.epochOf(3), ownership.epochOf(4)], [5, 1])
})

test('what was lost has no epoch any more', async (t) => {
  const { ownership, database, happened, nextBeat } = withFakes(t)
  database.held = shards(2)
  ownership.start()
  await eventually('both are ours', () => ownership.held.size === 2)
  database.held = [{ id: 1, epoch: 1 }]
  await nextBeat()
  assert.equal(ownership.epochOf(0), undefined)
  assert.deepEqual(happened, ['gained 0@1,1@1', 'lost 0'])
})

test('surplus shards are written before they are released, and are ours until then', async (t) => {
  const { ownership, database, happened } = withFakes(t)
  let written = (): void => undefined
  database.write = () => new Promise((resolve) => (written = resolve))
  database.held = shards(256)
  ownership.start()
  await eventually('all are ours', () => ownership.held.size === 256)
  database.liveProbers = 2
  const releasing = () =>
    happened
      .find((line) => line.startsWith('releasing'))
      ?.split(' ')[1]
      ?.split(',') ?? []
  await eventually('some are being released', () => releasing().length > 0)
  await new Promise((resolve) => setImmediate(resolve))
  assert.ok(!happened.some((line) => line.startsWith('released')), 'nothing is released unwritten')
  assert.equal(ownership.held.size, 256)
  const gone = new Set(releasing().map(Number))
  database.held = shards(256).filter(({ id }) => !gone.has(id))
  database.write = () => new Promise(() => undefined)
  written()
  await eventually('they are released', () => ownership.held.size === 256 - gone.size)
  const order = happened.map((line) => line.split(' ')[0])
  assert.deepEqual(order.slice(0, 4), ['gained', 'releasing', 'written', 'released'])
  assert.ok(!order.includes('lost'))
})

for (const failing of ['write', 'release'] as const) {
  test(`when the ${failing} of surplus shards fails they stay ours, and what was stopped goes on`, async (t) => {
    const { ownership, database, happened } = withFakes(t)
    database.held = shards(256)
    ownership.start()
    await eventually('all are ours', () => ownership.held.size === 256)
    database[failing] = () => Promise.reject(new Error('away'))
    database.liveProbers = 2
    await eventually('it goes on', () => happened.filter((line) => line.startsWith('gained')).length === 2)
    const numbers = (prefix: string, line = '') => line.slice(prefix.length + 1).replaceAll('@1', '')
    const again = happened.filter((line) => line.startsWith('gained'))[1]
    const stopped = happened.find((line) => line.startsWith('releasing'))
    assert.equal(numbers('gained', again), numbers('releasing', stopped))
    assert.equal(ownership.held.size, 256)
  })
}

test('at the end everything is written, then released, then the lease ends; nothing is held', async (t) => {
  const { ownership, database, happened } = withFakes(t)
  database.held = shards(2)
  ownership.start()
  await eventually('both are ours', () => ownership.held.size === 2)
  await ownership.close()
  assert.deepEqual(happened.slice(1), ['releasing 0,1', 'written', 'released 0,1', 'removed'])
  assert.equal(ownership.held.size, 0)
})

test('an end that cannot write releases nothing: others take over when the lease has run out', async (t) => {
  const { ownership, database, happened } = withFakes(t)
  database.held = shards(2)
  ownership.start()
  await eventually('both are ours', () => ownership.held.size === 2)
  database.write = () => Promise.reject(new Error('away'))
  await assert.rejects(ownership.close(), /away/)
  assert.ok(!happened.some((line) => /^(released|removed)/.test(line)))
})
