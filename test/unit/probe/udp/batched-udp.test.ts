import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { constants } from 'node:os'
import { test, type TestContext } from 'node:test'
import { UDP_BATCH_PAYLOAD_BYTES, UDP_BATCH_REPLY_BYTES } from '../../../../src/domain/limits.ts'
import type { ProbeTarget } from '../../../../src/domain/target/probe-target.ts'
import { type BatchCalls, findBatchCalls } from '../../../../src/probe/batch/batch-calls.ts'
import { NO_SLOT } from '../../../../src/probe/batch/core.ts'
import { HostAddresses } from '../../../../src/probe/socket-errors.ts'
import { makeBatchedUdp, makeBatchedUdpAfterEcho } from '../../../../src/probe/udp/batched-udp.ts'
import type { UdpCore } from '../../../../src/probe/udp/udp-core.ts'
import { brokenKernels } from '../../../support/broken-kernels.ts'
import { collectingKernel } from '../../../support/collecting-kernel.ts'
import { probeByCore } from '../../../support/core-probe.ts'
import { probeWithin, until } from '../../../support/probing.ts'
import { noUdpCore, probeUdpConnect } from '../../../support/probers.ts'

const TARGET: ProbeTarget = { type: 'UDP-CONNECT', address: '127.0.0.1', family: 4, port: 1, timeoutMs: 1000 }
const hosts = new HostAddresses()
const AF_INET6 = 10
const IP_RECVERR = 11
const descriptors = (): number => readdirSync('/proc/self/fd').length

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

/** Of raw sockets, which this core has none of. */
const OF_RAW = /raw socket|filter/

test('each call that fails, lies or has another structure leaves UDP to its prober', (t) => {
  const calls = real(t)
  if (calls === undefined) return
  const kernels: Readonly<Record<string, Partial<BatchCalls>>> = {
    ...Object.fromEntries(Object.entries(brokenKernels(calls)).filter(([name]) => !OF_RAW.test(name))),
    'that binds nothing': { bind: () => -1 },
    'that has no names': { getsockname: () => -1 },
    'that keeps no errors': {
      setsockopt: (...values) => (values[2] === IP_RECVERR ? -1 : calls.setsockopt(...values)),
    },
    'that only says that it keeps errors': {
      setsockopt: (...values) =>
        values[1] === 0 && values[2] === IP_RECVERR ? 0 : calls.setsockopt(...values),
    },
    'without epoll': { epoll_create1: () => -1 },
    'that looks at nothing': { epoll_ctl: () => -1 },
    'that reports nothing': { epoll_wait: () => 0 },
    'that reports another socket': {
      epoll_wait: (_epoll, events) => {
        events.fill(0x11)
        return 1
      },
    },
  }
  const before = descriptors()
  for (const [name, changed] of Object.entries(kernels)) {
    const udp = makeBatchedUdp(hosts, () => ({ ...calls, ...changed }))
    assert.equal(udp.coreOf(TARGET), undefined, name)
    assert.equal(udp.way?.by, 'prober', name)
    assert.equal(descriptors(), before, `a kernel ${name}: descriptors`)
  }
})

test('the descriptors that it says it holds are those that it has opened; without IPv6, that is left to the prober', (t) => {
  const calls = real(t)
  if (calls === undefined) return
  const before = descriptors()
  const withoutIpv6: Partial<BatchCalls> = {
    socket: (family, type, protocol) => (family === AF_INET6 ? -1 : calls.socket(family, type, protocol)),
  }
  for (const kernel of [{}, withoutIpv6]) {
    const udp = makeBatchedUdp(hosts, () => ({ ...calls, ...kernel }))
    const core = udp.coreOf(TARGET)
    assert.ok(core)
    assert.equal(udp.descriptors, descriptors() - before)
    const slot = core.hold({ ...TARGET, address: '::1', family: 6 })
    assert.equal(slot === NO_SLOT, kernel === withoutIpv6)
    udp.close()
    assert.deepEqual([udp.descriptors, descriptors()], [0, before])
  }
})

test('memory that the kernel has the address of is kept, whenever the collector runs', async (t) => {
  const calls = real(t)
  if (calls === undefined) return
  const udp = makeBatchedUdp(hosts, () => collectingKernel(calls))
  t.after(() => udp.close())
  const probe = probeByCore((target) => udp.coreOf(target), probeUdpConnect)
  const answering = [await listener(t, 'here'), await listener(t, 'here', '::1')]
  for (let round = 0; round < 3; round++) {
    for (const target of answering) assert.equal((await probeWithin(probe, target)).detail, 'got a reply')
    assert.equal((await probeWithin(probe, TARGET)).detail, 'port unreachable')
  }
  assert.equal(udp.way?.by, 'batch')
})

test('only UDP without an echo before, with a datagram and a pattern that fit, is made by the batch', (t) => {
  const calls = real(t)
  if (calls === undefined) return
  const udp = makeBatchedUdp(hosts, () => calls)
  t.after(() => udp.close())
  assert.equal(udp.coreOf({ ...TARGET, echoFirst: true }), undefined)
  assert.equal(udp.coreOf({ ...TARGET, type: 'PING' }), undefined)
  assert.equal(udp.coreOf({ ...TARGET, address: '::ffff:127.0.0.1', family: 6 }), undefined)
  const core = udp.coreOf(TARGET)
  assert.ok(core)
  const takes = (payload: number, pattern: number): boolean =>
    core.hold({
      ...TARGET,
      udp: {
        payload: new Uint8Array(payload),
        requireReply: true,
        replyPattern: Array.from({ length: pattern }, () => null),
      },
    }) !== NO_SLOT
  assert.equal(takes(UDP_BATCH_PAYLOAD_BYTES, UDP_BATCH_REPLY_BYTES), true)
  assert.equal(takes(UDP_BATCH_PAYLOAD_BYTES + 1, 1), false)
  assert.equal(takes(1, UDP_BATCH_REPLY_BYTES + 1), false)
})

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

test('in one batch, each datagram to a closed port, an open or a silent one has its own end', async (t) => {
  const calls = real(t)
  if (calls === undefined) return
  const udp = makeBatchedUdp(hosts, () => calls)
  t.after(() => udp.close())
  const core = udp.coreOf(TARGET)
  assert.ok(core)
  const [open, silent] = [await listener(t, 'here'), await listener(t, undefined)]
  // An error about one datagram goes to whoever sends the next.
  const targets = Array.from({ length: 60 }, (_, i) => [TARGET, open, silent][i % 3] ?? TARGET)
  const details = await detailsOf(
    core,
    targets.map((target) => core.hold(target)),
  )
  for (const [i, detail] of details.entries())
    assert.equal(detail, ['port unreachable', 'got a reply', 'no reply, no port unreachable'][i % 3])
  assert.equal(core.inFlight, 0)
  // Twenty to one end have a socket each; all but the present one are closed.
  assert.equal(core.sockets <= 2, true, `${core.sockets} sockets`)
})

test('a socket never has the port of a target that is held', async (t) => {
  const calls = real(t)
  if (calls === undefined) return
  // The kernel chooses the port of the target again and again.
  const wanted = await listener(t, undefined)
  let isChosen = true
  let chosen = 0
  const getsockname: BatchCalls['getsockname'] = (fd, address, length) => {
    const status = calls.getsockname(fd, address, length)
    if (isChosen && chosen++ < 3) new DataView(address.buffer).setUint16(2, wanted.port)
    return status
  }
  isChosen = false
  const udp = makeBatchedUdp(hosts, () => ({ ...calls, getsockname }))
  t.after(() => udp.close())
  const core = udp.coreOf(TARGET)
  assert.ok(core)
  const slot = core.hold(wanted)
  isChosen = true
  const before = descriptors()
  assert.deepEqual(await detailsOf(core, [slot]), ['no reply, no port unreachable'])
  assert.equal(chosen, 4)
  assert.ok(descriptors() <= before + 1)
})

test('a target whose port one of our sockets has already is not probed from this host to itself', async (t) => {
  const calls = real(t)
  if (calls === undefined) return
  let port = 0
  const udp = makeBatchedUdp(hosts, () => ({
    ...calls,
    getsockname: (fd, address, length) => {
      const status = calls.getsockname(fd, address, length)
      port = new DataView(address.buffer, address.byteOffset).getUint16(2)
      return status
    },
  }))
  t.after(() => udp.close())
  const core = udp.coreOf(TARGET)
  assert.ok(core)
  const waiting = core.hold(await listener(t, undefined))
  core.start(Int32Array.of(waiting), 1, performance.now())
  const own = core.hold({ ...TARGET, port })
  core.start(Int32Array.of(own), 1, performance.now())
  assert.deepEqual([core.ended.count, core.resultOf(0).reason], [1, 'PROBER_NO_SOCKET'])
  core.drop(waiting)
})

test('where no more sockets can be opened, a probe is inconclusive', (t) => {
  const calls = real(t)
  if (calls === undefined) return
  let isFull = false
  const udp = makeBatchedUdp(hosts, () => ({
    ...calls,
    socket: (...values) => (isFull ? -1 : calls.socket(...values)),
    errno: () => (isFull ? constants.errno.EMFILE : calls.errno()),
  }))
  t.after(() => udp.close())
  const core = udp.coreOf(TARGET)
  assert.ok(core)
  isFull = true
  // The socket of the trial has its time over.
  core.start(Int32Array.of(core.hold(TARGET)), 1, performance.now() + 2000)
  const { reason, detail } = core.resultOf(0)
  assert.deepEqual([reason, detail], ['PROBER_NO_SOCKET', 'bind EMFILE'])
})

test('a reply and silence are different passes, each with its phases', async (t) => {
  const calls = real(t)
  if (calls === undefined) return
  const udp = makeBatchedUdp(hosts, () => calls)
  t.after(() => udp.close())
  const core = udp.coreOf(TARGET)
  assert.ok(core)
  const slot = core.hold(await listener(t, 'here'))
  /** Whether it passed in other words than the one before, and its phases. */
  const probeOnce = async (isRead: boolean): Promise<readonly [boolean, readonly string[]]> => {
    const startMs = performance.now()
    core.start(Int32Array.of(slot), 1, startMs)
    if (isRead) {
      await until(() => {
        core.collect(performance.now())
        return core.ended.count === 1
      })
    } else core.expire(slot, startMs + 1000)
    const isOther = core.ended.areOther[0] === 1
    const { reason, phases } = core.resultOf(0)
    assert.equal(reason, 'PASSED')
    core.ended.clear()
    assert.deepEqual(Object.keys(core.phasesOf(1500, slot)), Object.keys(phases))
    return [isOther, Object.keys(phases)]
  }
  assert.deepEqual(await probeOnce(true), [true, ['firstByteMs', 'totalMs']])
  assert.deepEqual(await probeOnce(true), [false, ['firstByteMs', 'totalMs']])
  assert.deepEqual(await probeOnce(false), [true, ['totalMs']])
  assert.deepEqual(await probeOnce(false), [false, ['totalMs']])
})

test('with an echo before, too, each call that fails or lies leaves the probe to its prober', (t) => {
  const calls = real(t)
  if (calls === undefined) return
  const first = { ...TARGET, echoFirst: true }
  const works = makeBatchedUdpAfterEcho(hosts, () => calls)
  if (works.coreOf(first) === undefined) return t.skip(works.way?.by === 'prober' ? works.way.why : '')
  assert.equal(works.coreOf(TARGET), undefined)
  works.close()
  const before = descriptors()
  const kernels = { ...brokenKernels(calls), 'without epoll': { epoll_create1: () => -1 } }
  for (const [name, changed] of Object.entries(kernels)) {
    const udp = makeBatchedUdpAfterEcho(hosts, () => ({ ...calls, ...changed }))
    assert.equal(udp.coreOf(first), undefined, name)
    assert.equal(descriptors(), before, `a kernel ${name}: descriptors`)
  }
})

test('with an echo before, a deadline or a drop ends the step that is under way, and a slot can be held again', async (t) => {
  const calls = real(t)
  if (calls === undefined) return
  const udp = makeBatchedUdpAfterEcho(hosts, () => calls)
  t.after(() => udp.close())
  const silent = { ...(await listener(t, undefined)), echoFirst: true }
  const core = udp.coreOf(silent)
  if (core === undefined) return t.skip(udp.way?.by === 'prober' ? udp.way.why : '')
  assert.equal(core.hold({ ...silent, timeoutMs: 1 }), NO_SLOT)
  assert.equal(core.hold({ ...silent, address: 'no address' }), NO_SLOT)
  const slot = core.hold(silent)
  // The echo is not read before its deadline.
  core.start(Int32Array.of(slot), 1, 0)
  core.expire(slot, 1000)
  assert.deepEqual([core.ended.count, core.resultOf(0).reason], [1, 'ICMP_TIMEOUT'])
  core.ended.clear()
  core.start(Int32Array.of(slot), 1, 2000)
  await until(() => {
    core.collect(2010)
    return core.udp.inFlight === 1
  })
  assert.equal(core.echo.inFlight, 0)
  core.drop(slot)
  assert.equal(core.inFlight, 0)
  core.start(Int32Array.of(slot), 1, 5000)
  await until(() => {
    core.collect(5010)
    return core.udp.inFlight === 1
  })
  core.expire(slot, 6000)
  const { reason, phases } = core.resultOf(0)
  assert.equal(reason, 'PASSED')
  assert.equal(phases.totalMs, 1000)
  assert.ok((phases.echoMs ?? 0) > 0)
  assert.deepEqual(core.phasesOf(1_000_000, slot), phases)
  core.ended.clear()
  core.release(slot)
  assert.equal(core.hold(silent), slot)
})
