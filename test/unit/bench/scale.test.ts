import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  limitsOf,
  loadsOf,
  massFailureOf,
  type Measured,
  type Samples,
  type Size,
} from '../../../bench/scale-model.ts'
import { samplesOf } from '../../../bench/scale-samples.ts'
import { takeover } from '../../../bench/scale-takeover.ts'

/** 9 000 members of 2 sites with 4 shards each, so 1 125 checks per shard: two parts of a message. */
const SIZE: Size = {
  members: 9000,
  sites: 2,
  probers: 6,
  intervalSeconds: 10,
  shards: 4,
  changesPerSecond: 5,
}
const SAMPLES: Samples = {
  snapshotBytes: 30,
  snapshotPackUs: 10,
  snapshotUnpackUs: 5,
  checkpointBytes: 100,
  checkpointRowBytes: 200,
  verdictBytes: 80,
}
const MEASURED: Measured = { probeUs: 20, proberBytes: 2000, verdictsPerSecond: 1000 }

test('loads in steady state are those that one reckons by hand', () => {
  const loads = loadsOf(SIZE, SAMPLES, MEASURED)
  assert.equal(loads.probesPerSecond, 900)
  assert.equal(loads.proberCores, 0.018)
  assert.equal(loads.membersPerProber, 1500)
  // Three probers of a site share four shards: one has two.
  assert.equal(loads.unevenness, 1.5)
  assert.equal(loads.proberBytes, 4_500_000)
  assert.deepEqual(loads.messagesPerSecond, {
    snapshots: (8 / 45) * 2,
    checkpoints: (8 / 30) * 2,
    verdicts: 5,
    heartbeats: 6,
  })
  assert.deepEqual(loads.bytesPerSecond, { snapshots: 6000, checkpoints: 30_000, verdicts: 400 })
  assert.deepEqual(loads.rowsPerSecond, { checkpoints: 8 / 30, verdicts: 20, heartbeats: 12 })
  assert.equal(loads.checkpointRowBytesPerSecond, 60_000)
  assert.equal(loads.relayCores, 0.002)
})

test('a site that fails sends the verdicts of its shards in messages, and takes as long as a relay needs for them', () => {
  assert.deepEqual(massFailureOf(SIZE, SAMPLES, MEASURED), {
    verdicts: 4500,
    messages: 4 * 3,
    bytes: 360_000,
    rows: 18_000,
    seconds: 4.5,
  })
})

test('what reaches its limit with the fewest members comes first, and rows that do not grow with members stay', () => {
  const size = { ...SIZE, members: 1_000_000, changesPerSecond: 100 }
  const loads = loadsOf(size, SAMPLES, { ...MEASURED, probeUs: 200 })
  const limits = limitsOf(size, loads, massFailureOf(size, SAMPLES, MEASURED))
  assert.deepEqual([limits[0]?.what, limits[0]?.membersAtLimit], ['the core of the busiest prober', 200_000])
  assert.equal(limits.find(({ what }) => what.startsWith('cores'))?.membersAtLimit, 500_000)
  assert.deepEqual(
    limits.map(({ membersAtLimit }) => membersAtLimit),
    limits.map(({ membersAtLimit }) => membersAtLimit).toSorted((a, b) => a - b),
  )
  const rows = limits.find(({ what }) => what.startsWith('rows'))
  const fixed = 8 / 30 + 12
  assert.equal(rows?.membersAtLimit, (1_000_000 * (5000 - fixed)) / 400)
})

test('samples are made of real messages: none is empty, and a check takes less than it would unpacked', async () => {
  const samples = await samplesOf(1500, 50)
  for (const [name, value] of Object.entries(samples)) assert.ok(value > 0, `${name} ${value}`)
  assert.ok(samples.snapshotBytes < 200, `${samples.snapshotBytes}`)
  assert.ok(samples.checkpointBytes < samples.checkpointRowBytes)
})

test('shards of a prober that was killed have owners after its lease, and are loaded after that', async () => {
  const given = { probers: 3, leaseMs: 3000, loadMs: 20 }
  const { ownedMs, loadedMs } = await takeover(given)
  // The last heartbeat was a third of the lease ago at most.
  assert.ok(ownedMs >= 2000 && ownedMs <= 4000, `${ownedMs}`)
  assert.ok(loadedMs >= ownedMs && loadedMs <= ownedMs + 86 * 20, `${loadedMs}`)
  assert.deepEqual(await takeover(given), { ownedMs, loadedMs }, 'in virtual time it is the same each time')
})
