import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { LEASE_EVERY_MS, NOTIFIER_LEASE_MS, NOTIFIER_SESSION_MS } from '../../../src/domain/limits.ts'
import { Lease, type Session } from '../../../src/notify/lease.ts'

const QUIET = { info: () => undefined, warn: () => undefined }

/** A session that gives the lease as long as `answer` says so; `end` as PostgreSQL would. */
function aLease(t: TestContext, answer: () => Promise<boolean> = () => Promise.resolve(true)) {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const signals: AbortSignal[] = []
  const clock = { ms: 0 }
  const opened: { end: () => void }[] = []
  const lease = new Lease({
    open: (onEnd) => {
      opened.push({ end: onEnd })
      let end = () => undefined as void
      const ended = new Promise<never>((_, reject) => {
        end = () => reject(new Error('the session has ended'))
      })
      ended.catch(() => undefined)
      const session: Session = {
        take: () => Promise.race([answer(), ended]),
        renew: async () => {
          if (!(await Promise.race([answer(), ended]))) throw new Error('gone')
        },
        end: () => Promise.resolve(end()),
        destroy: end,
      }
      return Promise.resolve(session)
    },
    onTaken: (signal) => signals.push(signal),
    log: QUIET,
    now: () => clock.ms,
  })
  t.after(() => lease.close())
  lease.start()
  return { lease, signals, clock, opened, look: () => looked(t, clock) }
}

/** The next look has ended. */
async function looked(t: TestContext, clock: { ms: number }): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve))
  clock.ms += LEASE_EVERY_MS
  t.mock.timers.tick(LEASE_EVERY_MS)
  await new Promise((resolve) => setImmediate(resolve))
}

test('a session that ends ends the term at once, and a new session begins another one', async (t) => {
  const { lease, signals, opened, look } = aLease(t)
  await look()
  assert.deepEqual([lease.isHeld, signals.length, signals[0]?.aborted], [true, 1, false])
  opened[0]?.end()
  assert.deepEqual([lease.isHeld, signals[0]?.aborted], [false, true])
  await look()
  assert.deepEqual([lease.isHeld, signals.length, opened.length, signals[1]?.aborted], [true, 2, 2, false])
})

test('a holder that was frozen does not act when it wakes up, before it has looked', async (t) => {
  const { lease, clock, look } = aLease(t)
  await look()
  assert.equal(lease.isHeld, true)
  clock.ms += NOTIFIER_LEASE_MS
  assert.equal(lease.isHeld, false)
})

test('a holder stops before PostgreSQL ends its session', () => {
  assert.ok(NOTIFIER_LEASE_MS + LEASE_EVERY_MS < NOTIFIER_SESSION_MS)
})

test('a session that does not answer ends the term within the lease', async (t) => {
  let isSilent = false
  const { lease, signals, look } = aLease(t, () =>
    isSilent ? new Promise<boolean>(() => undefined) : Promise.resolve(true),
  )
  await look()
  isSilent = true
  for (let ms = 0; ms <= NOTIFIER_LEASE_MS; ms += LEASE_EVERY_MS) await look()
  assert.deepEqual([lease.isHeld, signals[0]?.aborted], [false, true])
})

test('while another process has the lease it is asked for again, and taken when it is free', async (t) => {
  let isFree = false
  const { lease, signals, look, opened } = aLease(t, () => Promise.resolve(isFree))
  await look()
  await look()
  assert.deepEqual([lease.isHeld, signals.length, opened.length], [false, 0, 1])
  isFree = true
  await look()
  assert.deepEqual([lease.isHeld, signals.length], [true, 1])
})
