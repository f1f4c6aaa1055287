/** More packets than the UDP core reads: what its shared sockets then say, and do not say. */
import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { test, type TestContext } from 'node:test'
import { BATCH_READ_MS, UDP_LANE_MS } from '../../../../src/domain/limits.ts'
import type { ProbeTarget } from '../../../../src/domain/target/probe-target.ts'
import { type BatchCalls, findBatchCalls } from '../../../../src/probe/batch/batch-calls.ts'
import { HostAddresses } from '../../../../src/probe/socket-errors.ts'
import { makeBatchedUdp } from '../../../../src/probe/udp/batched-udp.ts'
import type { UdpCore } from '../../../../src/probe/udp/udp-core.ts'
import { withSmallBuffers } from '../../../support/broken-kernels.ts'
import { noUdpCore } from '../../../support/probers.ts'

const TARGET: ProbeTarget = { type: 'UDP-CONNECT', address: '127.0.0.1', family: 4, port: 1, timeoutMs: 1000 }
const hosts = new HostAddresses()

/** The calls of this host; skips the test where UDP probes are not made by the batch. */
function real(t: TestContext): BatchCalls | undefined {
  const why = noUdpCore()
  if (why !== false) t.skip(why)
  return why === false ? findBatchCalls() : undefined
}

/** A listener on loopback that answers each datagram, or none. */
async function listener(
  t: TestContext,
  answer: string | undefined,
  address = '127.0.0.1',
): Promise<ProbeTarget> {
  const family = address.includes(':') ? 6 : 4
  const socket = createSocket(`udp${family}`).bind(0, address)
  t.after(() => socket.close())
  await once(socket, 'listening')
  socket.on('message', (_, { port, address: from }) => {
    if (answer !== undefined) socket.send(answer, port, from)
  })
  return { ...TARGET, address, family, port: socket.address().port }
}

/** Starts one probe of each slot, waits until all have ended, those that are silent after `withinMs`, and returns their details. */
async function detailsOf(
  core: UdpCore,
  slots: readonly number[],
  withinMs = 150,
): Promise<readonly string[]> {
  const startMs = performance.now()
  core.start(Int32Array.from(slots), slots.length, startMs)
  while (core.ended.count < slots.length) {
    await new Promise((resolve) => setImmediate(resolve))
    const nowMs = performance.now()
    core.collect(nowMs)
    if (nowMs - startMs > withinMs) for (const slot of slots) core.expire(slot, nowMs)
  }
  const details = new Map(
    Array.from({ length: core.ended.count }, (_, i) => [core.ended.slotOf(i), core.resultOf(i).detail]),
  )
  core.ended.clear()
  return slots.map((slot) => details.get(slot) ?? 'none')
}

test('silence is no pass where the receive buffer had no room for what came', async (t) => {
  const calls = real(t)
  if (calls === undefined) return
  const udp = makeBatchedUdp(hosts, () => withSmallBuffers(calls))
  t.after(() => udp.close())
  const core = udp.coreOf(TARGET)
  assert.ok(core)
  const open = await listener(t, 'here')
  const slots = Array.from({ length: 60 }, (_, i) =>
    core.hold({ ...open, address: `127.0.0.${i + 1}`, port: 1 }),
  )
  const details = new Set(await detailsOf(core, slots))
  assert.equal(details.has('no reply, no port unreachable'), false)
  assert.equal(details.has('port unreachable'), true)
})

test('answers that were lost on one socket leave silence on another one a pass', async (t) => {
  const calls = real(t)
  if (calls === undefined) return
  const udp = makeBatchedUdp(hosts, () => withSmallBuffers(calls))
  t.after(() => udp.close())
  const core = udp.coreOf(TARGET)
  assert.ok(core)
  const closed = Int32Array.from({ length: 60 }, (_, i) =>
    core.hold({ ...TARGET, address: `127.0.0.${i + 1}`, port: 1 }),
  )
  const silent = core.hold(await listener(t, undefined))
  const startMs = performance.now()
  core.start(closed, closed.length, startMs)
  // The first socket takes no more: this goes on the next one.
  const laterMs = startMs + UDP_LANE_MS + 1
  core.start(Int32Array.of(silent), 1, laterMs)
  core.collect(laterMs)
  core.ended.clear()
  core.expire(silent, laterMs + 1000)
  assert.deepEqual([core.ended.count, core.resultOf(0).reason], [1, 'PASSED'])
  for (const slot of closed) core.expire(slot, laterMs + 1000)
  assert.ok(core.ended.count > 1, 'some errors had no room')
  assert.equal(core.resultOf(1).reason, 'PROBER_OVERLOAD')
})

test('lost answers of a closed socket say nothing of the next one, which may have its descriptor', async (t) => {
  const calls = real(t)
  if (calls === undefined) return
  const opened: number[] = []
  const small = withSmallBuffers(calls)
  const udp = makeBatchedUdp(hosts, () => ({
    ...small,
    socket: (...values) => {
      const fd = calls.socket(...values)
      opened.push(fd)
      return fd
    },
  }))
  t.after(() => udp.close())
  const core = udp.coreOf(TARGET)
  assert.ok(core)
  const closed = Int32Array.from({ length: 60 }, (_, i) =>
    core.hold({ ...TARGET, address: `127.0.0.${i + 1}`, port: 1 }),
  )
  const silent = core.hold(await listener(t, undefined))
  // Of the trial.
  const startMs = performance.now() + 2 * UDP_LANE_MS
  core.start(closed, closed.length, startMs)
  const [flooded] = opened.slice(-1)
  const laterMs = startMs + UDP_LANE_MS + 1
  core.collect(laterMs)
  for (const slot of closed) core.expire(slot, laterMs)
  core.ended.clear()
  // At the same moment: it is closed as soon as it is not the present one any more.
  core.start(Int32Array.of(silent), 1, laterMs)
  assert.equal(opened.at(-1), flooded, 'the descriptor is used again')
  core.expire(silent, laterMs + 1000)
  assert.deepEqual([core.ended.count, core.resultOf(0).reason], [1, 'PASSED'])
})

test('a flood holds a look for some milliseconds only, other sockets are read too, and silence meanwhile is no pass', async (t) => {
  const calls = real(t)
  if (calls === undefined) return
  const flood = { isOn: false, fd: -1, reads: 0, clockMs: 0 }
  const udp = makeBatchedUdp(hosts, () => ({
    ...calls,
    recvmmsg: (...values) => {
      if (!flood.isOn || values[0] !== flood.fd) return calls.recvmmsg(...values)
      flood.reads += 1
      return values[2]
    },
    socket: (...values) => {
      const fd = calls.socket(...values)
      if (flood.fd < 0 && flood.isOn) flood.fd = fd
      return fd
    },
  }))
  t.after(() => udp.close())
  const core = udp.coreOf(TARGET)
  assert.ok(core)
  const [silent, closed] = [core.hold(await listener(t, undefined)), core.hold(TARGET)]
  const answering = core.hold({ ...TARGET, port: 1, address: '127.0.0.2' })
  const startMs = performance.now() + 2 * UDP_LANE_MS
  flood.isOn = true
  core.start(Int32Array.of(silent, closed), 2, startMs)
  const laterMs = startMs + UDP_LANE_MS + 1
  core.start(Int32Array.of(answering), 1, laterMs)
  const clock = t.mock.method(performance, 'now', () => (flood.clockMs += 1))
  core.collect(laterMs)
  clock.mock.restore()
  assert.deepEqual([core.ended.count, core.resultOf(0).detail], [1, 'port unreachable'])
  core.ended.clear()
  core.expire(silent, laterMs + 1000)
  assert.equal(core.resultOf(0).reason, 'PROBER_OVERLOAD')
  assert.ok(flood.reads > 0 && flood.reads <= 2 * BATCH_READ_MS, `${flood.reads} reads`)
})
