import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { EventSequencer } from '../../../src/notify/sequencer.ts'
import type { Sequenced } from '../../../src/store/event/events.ts'

const log = { info: () => undefined, warn: () => undefined }

test('the clock is observed once a second, also while there are always events to move', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  let observed = 0
  let moved = 0
  const sequencer = new EventSequencer({
    log,
    sequence: () => Promise.resolve({ last: ++moved }),
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

/** A sequencer that gets these answers, then `none`; `looked` counts its looks, `until` waits for so many. */
function sequencerOf(t: TestContext, ...answers: readonly Sequenced[]) {
  let looked = 0
  const sequencer = new EventSequencer({
    log,
    sequence: () => Promise.resolve(answers[looked++] ?? 'none'),
    observeClock: () => Promise.resolve(),
  })
  t.after(() => sequencer.close())
  return {
    sequencer,
    looked: () => looked,
    until: async (count: number) => {
      while (looked < count) await new Promise((resolve) => setTimeout(resolve, 5))
    },
  }
}

test('while another process gives positions the outbox is looked at again, and once more when rows were moved', async (t) => {
  const { sequencer, looked, until } = sequencerOf(t, 'busy', 'busy', { last: 7 }, 'none')
  sequencer.notify()
  await until(4)
  await sequencer.close()
  assert.equal(looked(), 4)
})

test('a process does not look where another one gives positions soon, and looks where it no longer does', async (t) => {
  const { sequencer, looked, until } = sequencerOf(t, { last: 7 }, 'none', { last: 9 }, 'none')
  sequencer.notify()
  await until(2)
  sequencer.noteGiven(7)
  sequencer.notify()
  await until(3)
  await until(4)
  // Its own positions are no reason to stand by; these are.
  sequencer.noteGiven(9)
  sequencer.noteGiven(12)
  for (let last = 13; last < 20; last++) {
    sequencer.notify()
    await new Promise((resolve) => setTimeout(resolve, 20))
    sequencer.noteGiven(last)
  }
  assert.equal(looked(), 4)
  sequencer.notify()
  await until(5)
})

test('a process that stands by does it without standing by from when the other one is gone', async (t) => {
  const { sequencer, looked, until } = sequencerOf(t, 'busy', { last: 1 }, 'none', { last: 2 })
  sequencer.notify()
  await until(3)
  sequencer.notify()
  // Shorter than any pause.
  for (let turns = 0; turns < 100 && looked() < 4; turns++)
    await new Promise((resolve) => setImmediate(resolve))
  assert.equal(looked(), 4)
})

test('an outbox that cannot be moved is said once, and tried again', async () => {
  const said: string[] = []
  let isAway = true
  const sequencer = new EventSequencer({
    log: { info: (_, message) => void said.push(message), warn: (_, message) => void said.push(message) },
    sequence: () => (isAway ? Promise.reject(new Error('away')) : Promise.resolve('none')),
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

test('what cannot be written of the clock holds up no event: the outbox is still looked at once a second', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const said: string[] = []
  let isBroken = true
  let looked = 0
  const sequencer = new EventSequencer({
    log: { info: (_, message) => void said.push(message), warn: (_, message) => void said.push(message) },
    sequence: () => {
      looked++
      return Promise.resolve('none')
    },
    observeClock: () =>
      isBroken ? Promise.reject(new Error('a row that cannot be read')) : Promise.resolve(),
  })
  sequencer.start()
  const second = async () => {
    t.mock.timers.tick(1000)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  await second()
  await second()
  const before = looked
  await second()
  assert.equal(looked, before + 1)
  isBroken = false
  await second()
  await sequencer.close()
  assert.deepEqual(said, [
    'events that time alone causes cannot be written; they come later',
    'events that time alone causes are written again',
  ])
})
