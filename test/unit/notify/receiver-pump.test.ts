/** When a pump gives its receiver events: only while the lease holds at that moment. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ServiceEvent } from '../../../src/domain/event/event.ts'
import { ReceiverPump } from '../../../src/notify/receiver-pump.ts'
import { until } from '../../support/probing.ts'

const EVENT: ServiceEvent = {
  position: 1,
  type: 'member.status',
  at: new Date(0),
  projectId: 'p',
  from: null,
  to: 'ONLINE',
  data: {},
}

test('a process that wakes up after its lease gives its receiver nothing and blames nobody', async (t) => {
  const lease = { isHeld: true }
  const delivered: number[] = []
  const warnings: string[] = []
  const reads: number[] = []
  const pump = new ReceiverPump(
    {
      name: 'receiver',
      deliver: (events) => Promise.resolve(void delivered.push(...events.map(({ position }) => position))),
      close: () => Promise.resolve(),
    },
    {
      source: {
        // The process is frozen while it reads: another one takes the lease.
        read: (after) => {
          lease.isHeld = false
          reads.push(after)
          return Promise.resolve([EVENT])
        },
        purgedTo: () => Promise.resolve(0),
        position: () => Promise.resolve(0),
        advance: () => assert.fail('nothing was delivered'),
      },
      mayDeliver: () => lease.isHeld,
      log: { info: () => undefined, warn: (_, message) => void warnings.push(message) },
    },
  )
  const term = new AbortController()
  t.after(() => term.abort())
  pump.start(term.signal)
  await until(() => reads.length === 1)
  pump.notify()
  await until(() => reads.length >= 2)
  assert.deepEqual([delivered, warnings], [[], []])
  term.abort()
  await pump.close()
})

test('a gap in the events is logged once, however often the receiver is tried again, and a later one again', async (t) => {
  const gaps: unknown[] = []
  const state = { position: 0, purgedTo: 5, refuses: true, tries: 0 }
  const pump = new ReceiverPump(
    {
      name: 'receiver',
      deliver: () => {
        state.tries += 1
        // Retention goes on while the receiver is away.
        state.purgedTo += 1
        return state.refuses ? Promise.reject(new Error('away')) : Promise.resolve()
      },
      close: () => Promise.resolve(),
    },
    {
      source: {
        read: (after) => Promise.resolve(after < 100 ? [{ ...EVENT, position: 100 }] : []),
        purgedTo: () => Promise.resolve(state.purgedTo),
        position: () => Promise.resolve(state.position),
        advance: (_, position) => Promise.resolve(void (state.position = position)),
      },
      mayDeliver: () => true,
      log: {
        info: () => undefined,
        warn: (what, message) => void (message.startsWith('events were deleted') && gaps.push(what)),
      },
    },
  )
  const term = new AbortController()
  t.after(() => term.abort())
  pump.start(term.signal)
  await until(() => state.tries >= 3)
  assert.deepEqual(gaps, [{ receiver: 'receiver', from: 0, to: 5 }])
  state.refuses = false
  await until(() => state.position === 100)
  term.abort()
  await pump.close()
  state.purgedTo = 200
  const next = new AbortController()
  t.after(() => next.abort())
  pump.start(next.signal)
  await until(() => gaps.length === 2)
  assert.deepEqual(gaps[1], { receiver: 'receiver', from: 100, to: 200 })
  next.abort()
  await pump.close()
})

test('events that nobody wants are passed over without being read, and what is wanted later is read from there', async (t) => {
  const state = {
    position: 0,
    newest: 7 as number | undefined,
    delivered: [] as number[],
    reads: [] as number[],
  }
  const pump = new ReceiverPump(
    {
      name: 'receiver',
      passOver: () => Promise.resolve(state.newest),
      deliver: (events) =>
        Promise.resolve(void state.delivered.push(...events.map(({ position }) => position))),
      close: () => Promise.resolve(),
    },
    {
      source: {
        read: (after) => {
          state.reads.push(after)
          return Promise.resolve(after < 8 ? [{ ...EVENT, position: 8 }] : [])
        },
        purgedTo: () => Promise.resolve(0),
        position: () => Promise.resolve(state.position),
        advance: (_, position) => Promise.resolve(void (state.position = position)),
      },
      mayDeliver: () => true,
      log: { info: () => undefined, warn: () => undefined },
    },
  )
  const term = new AbortController()
  t.after(() => term.abort())
  pump.start(term.signal)
  await until(() => state.position === 7)
  assert.deepEqual([state.reads, state.delivered], [[], []])
  state.newest = undefined
  pump.notify()
  await until(() => state.position === 8)
  assert.deepEqual([state.reads[0], state.delivered], [7, [8]])
  term.abort()
  await pump.close()
})
