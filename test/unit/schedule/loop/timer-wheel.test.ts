import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { ListNode } from '../../../../src/schedule/linked-list.ts'
import { TimerWheel, type WheelNode } from '../../../../src/schedule/loop/timer-wheel.ts'

class Timer implements WheelNode {
  previous: ListNode = this
  next: ListNode = this
  dueTick = 0
  readonly name: number

  constructor(name: number) {
    this.name = name
  }
}

const TICK_MS = 10
const SLOTS = 64
/** More than two turns of the wheel. */
const FAR_MS = TICK_MS * SLOTS * 2.5

type Action =
  | { readonly kind: 'schedule'; readonly name: number; readonly inMs: number }
  | { readonly kind: 'cancel'; readonly name: number }
  | { readonly kind: 'advance'; readonly byMs: number }

const name = fc.integer({ min: 0, max: 9 })
const action: fc.Arbitrary<Action> = fc.oneof(
  fc.record({ kind: fc.constant('schedule' as const), name, inMs: fc.integer({ min: -50, max: FAR_MS }) }),
  fc.record({ kind: fc.constant('cancel' as const), name }),
  fc.record({ kind: fc.constant('advance' as const), byMs: fc.integer({ min: 0, max: FAR_MS }) }),
)

test('a wheel fires what a sorted list would, in its order, whatever is added, moved and removed', () => {
  fc.assert(
    fc.property(fc.array(action, { maxLength: 100 }), (actions) => {
      let nowMs = 12_345
      let order = 0
      const wheel = new TimerWheel<Timer>(TICK_MS, SLOTS, nowMs)
      const timers = Array.from({ length: 10 }, (_, i) => new Timer(i))
      const list = new Map<number, { tick: number; order: number }>()
      for (const step of actions) {
        switch (step.kind) {
          case 'schedule': {
            const dueMs = nowMs + step.inMs
            wheel.schedule(timers[step.name]!, dueMs)
            const tick = Math.max(Math.floor(nowMs / TICK_MS) + 1, Math.ceil(dueMs / TICK_MS))
            list.set(step.name, { tick, order: order++ })
            break
          }
          case 'cancel':
            wheel.cancel(timers[step.name]!)
            list.delete(step.name)
            break
          case 'advance': {
            nowMs += step.byMs
            const due = [...list]
              .filter(([, at]) => at.tick <= Math.floor(nowMs / TICK_MS))
              .toSorted(([, a], [, b]) => a.tick - b.tick || a.order - b.order)
              .map(([each]) => each)
            for (const each of due) list.delete(each)
            const fired: number[] = []
            wheel.advance(nowMs, (timer) => fired.push(timer.name))
            assert.deepEqual(fired, due)
            break
          }
        }
        const next = wheel.nextMs(TICK_MS * SLOTS)
        const first = Math.min(...[...list.values()].map((at) => at.tick)) * TICK_MS
        if (first <= (Math.floor(nowMs / TICK_MS) + SLOTS) * TICK_MS) {
          assert.ok(next !== undefined && next <= first, 'nextMs is late')
        }
      }
    }),
    { numRuns: 500 },
  )
})

test('a callback may cancel its neighbours and schedule itself again without being called twice', () => {
  const wheel = new TimerWheel<Timer>(TICK_MS, SLOTS, 0)
  const [a, b] = [new Timer(1), new Timer(2)]
  wheel.schedule(a, 15)
  wheel.schedule(b, 15)
  const fired: number[] = []
  wheel.advance(20, (timer) => {
    fired.push(timer.name)
    wheel.cancel(b)
    wheel.schedule(a, 0)
  })
  assert.deepEqual(fired, [1])
  assert.ok(wheel.isScheduled(a) && !wheel.isScheduled(b))
  wheel.advance(30, (timer) => fired.push(timer.name))
  assert.deepEqual(fired, [1, 1])
})
