import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EventSequencer } from '../../../src/notify/sequencer.ts'

const log = { info: () => undefined, warn: () => undefined }

test('the clock is observed once a second, also while there are always events to move', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  let observed = 0
  let moved = 0
  const sequencer = new EventSequencer({
    log,
    sequence: () => Promise.resolve(++moved),
    observeClock: () => Promise.resolve(void observed++),
  })
  sequencer.start()
  const passes = async (count: number) => {
    const until = moved + count
    while (moved < until) await new Promise((resolve) => setTimeout(resolve, 5))
  }
  await passes(2)
  assert.equal(observed, 1)
  t.mock.timers.tick(1000)
  await passes(3)
  assert.equal(observed, 2)
  await sequencer.close()
})

test('an outbox that cannot be moved is said once, and tried again', async () => {
  const said: string[] = []
  let isAway = true
  const sequencer = new EventSequencer({
    log: { info: (_, message) => void said.push(message), warn: (_, message) => void said.push(message) },
    sequence: () => (isAway ? Promise.reject(new Error('away')) : Promise.resolve(undefined)),
    observeClock: () => Promise.resolve(),
  })
  const pass = async () => {
    sequencer.notify()
    await new Promise((resolve) => setImmediate(resolve))
  }
  await pass()
  await pass()
  isAway = false
  await pass()
  await sequencer.close()
  assert.deepEqual(said, [
    'events cannot get their positions; they wait in the outbox',
    'events get their positions again',
  ])
})
