import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PacedCore } from '../../../bench/paced-core.ts'
import { FakeCore } from '../../support/fake-core.ts'

const RATE = 2000
const DEADLINE_MS = 50
const SECONDS = 0.3
const PROBES = RATE * SECONDS

function targets(count: number) {
  return Array.from({ length: count }, (_, n) => ({
    type: 'TCP' as const,
    address: `127.1.0.${n}`,
    family: 4 as const,
    port: 1,
    timeoutMs: DEADLINE_MS,
  }))
}

const nothing = () => undefined

test('it makes as many probes a second as it is asked for, one of each target in turn', async () => {
  const core = new FakeCore()
  core.immediately = ['PASSED', 100]
  const { sent, results, seconds } = await new PacedCore(core, targets(250), {
    rate: RATE,
    deadlineMs: DEADLINE_MS,
  }).run(SECONDS, nothing)
  assert.equal(sent, PROBES)
  assert.deepEqual(results, { PASSED: PROBES })
  assert.ok(seconds > SECONDS * 0.9, `${seconds} s`)
  assert.deepEqual(
    core.batches.flat(),
    Array.from({ length: PROBES }, (_, n) => n % 250),
  )
})

test('a probe whose answer is lost has a result at its deadline, and none is left without one', async () => {
  const core = new FakeCore()
  const start = core.start.bind(core)
  let started = 0
  core.start = (slots, count) => {
    start(slots, count)
    // Of ten answers one is lost.
    for (const slot of slots.subarray(0, count)) if (started++ % 10 !== 0) core.answer(slot, 'PASSED')
  }
  const { sent, results } = await new PacedCore(core, targets(250), {
    rate: RATE,
    deadlineMs: DEADLINE_MS,
  }).run(SECONDS, nothing)
  assert.equal(sent, PROBES)
  assert.deepEqual(results, { PASSED: PROBES * 0.9, CONNECT_TIMEOUT: PROBES / 10 })
  assert.equal(core.inFlight, 0)
})

test('no target is probed while its probe is in flight, however few targets there are', async () => {
  // The core throws when it is.
  const core = new FakeCore()
  const { sent, results } = await new PacedCore(core, targets(8), {
    rate: RATE,
    deadlineMs: DEADLINE_MS,
  }).run(0.02, nothing)
  assert.equal(sent, 40)
  assert.deepEqual(results, { CONNECT_TIMEOUT: 40 })
})

test('a second result of a probe is an error: it would hide that another one is missing', async () => {
  const core = new FakeCore()
  core.immediately = ['PASSED', 100]
  core.onCollect = () => void core.ended.add(0, 'PASSED')
  const paced = new PacedCore(core, targets(250), { rate: RATE, deadlineMs: DEADLINE_MS })
  await assert.rejects(paced.run(SECONDS, nothing), /second result/)
})
