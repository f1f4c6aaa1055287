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
