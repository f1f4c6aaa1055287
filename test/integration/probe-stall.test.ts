/** An event loop that stands still makes no failures: what lies in the socket is heard before a deadline counts. */
import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { createMetrics } from '../../src/runtime/metrics/metrics.ts'
import { Scheduler } from '../../src/schedule/loop/scheduler.ts'
import { TickDriver } from '../../src/schedule/loop/tick-driver.ts'
import { config, pool } from '../support/scheduling.ts'
import { until } from '../support/probing.ts'
import { probers } from '../support/probers.ts'

const TIMEOUT_MS = 500
const STALL_MS = 600

/** A server of another process, that goes on while this one stands still: answers HTTP after some milliseconds. */
async function slowServer(t: TestContext): Promise<number> {
  const child = fork(fileURLToPath(new URL('../support/slow-server.js', import.meta.url)))
  t.after(() => child.kill('SIGKILL'))
  const [port] = (await once(child, 'message')) as [number]
  return port
}

const none = (): void => undefined

/**
 * A socket that is ready in every turn of the event loop. Where `shallStall` says so, its event stands still: after the poll
 * that found it, before the tick of the same turn, which is when a deadline is seen expired and nothing was heard since.
 */
async function alwaysReady(t: TestContext, shallStall: () => boolean): Promise<void> {
  const socket = createSocket('udp4')
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  const { port } = socket.address()
  socket.on('message', () => {
    if (shallStall()) for (const endMs = performance.now() + STALL_MS; performance.now() < endMs; );
    socket.send('x', port, '127.0.0.1')
  })
  socket.send('x', port, '127.0.0.1')
  t.after(() => socket.close())
}

test('an answer that came in time passes although the event loop stood still beyond the deadline', async (t) => {
  const port = await slowServer(t)
  const reasons: string[] = []
  let started = 0
  let stalls = 0
  let isBeforePoll = false
  const metrics = createMetrics('test')
  const scheduler: Scheduler = new Scheduler({
    probers,
    denies: () => undefined,
    budget: 10,
    events: { onVerdict: none, onWorthCheckpoint: none, onStaleChange: none },
    metrics: {
      ...metrics,
      probeStarted: () => void started++,
      probeEnded: (_, { reason }) => void reasons.push(reason),
    },
    log: { debug: none, info: none, warn: none, error: none },
    wake: (inMs) => driver.wake(inMs),
  })
  const driver: TickDriver = new TickDriver({
    tick: () => {
      isBeforePoll = false
      scheduler.tick()
    },
    sleepMs: () => scheduler.sleepMs(),
    noticeTime: () => {
      isBeforePoll = true
      scheduler.noticeTime()
    },
  })
  t.after(() => {
    driver.stop()
    scheduler.stop()
  })
  await alwaysReady(t, () => {
    if (!isBeforePoll || started === reasons.length || stalls === started) return false
    stalls = started
    return true
  })
  const base = config('m')
  const expectedCodes = [{ from: 200, to: 200 }]
  const http = { method: 'GET', path: '/', version: '1.1', host: 'x', expectedCodes } as const
  const target = {
    type: 'HTTP',
    address: '127.0.0.1',
    family: 4,
    port,
    timeoutMs: TIMEOUT_MS,
    http,
  } as const
  scheduler.applyPool(pool({ ...base, target, policy: { ...base.policy, intervals: { online: 100 } } }))
  await until(() => reasons.length === 4, 20_000)
  assert.ok(stalls > 2, `${stalls} probes met a stall`)
  assert.deepEqual(new Set(reasons), new Set(['PASSED']))
})
