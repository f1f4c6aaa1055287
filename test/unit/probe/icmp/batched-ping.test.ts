import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { constants } from 'node:os'
import { test, type TestContext } from 'node:test'
import { BATCH_READ_MS, ECHO_PACE_MS } from '../../../../src/domain/limits.ts'
import type { ProbeTarget } from '../../../../src/domain/target/probe-target.ts'
import { type BatchCalls, findBatchCalls } from '../../../../src/probe/batch/batch-calls.ts'
import { NO_SLOT } from '../../../../src/probe/batch/core.ts'
import { makeBatchedPing } from '../../../../src/probe/icmp/batched-ping.ts'
import {
  ECHO_REPLY,
  ECHO_REQUEST,
  ICMP_PROTOCOL,
  internetChecksum,
  withoutIpHeader,
} from '../../../../src/probe/icmp/icmp-packet.ts'
import { openRawSocket, sendRaw } from '../../../../src/probe/raw-socket.ts'
import { HostAddresses } from '../../../../src/probe/socket-errors.ts'
import { brokenKernels, SOCK_RAW, withSmallBuffers } from '../../../support/broken-kernels.ts'
import { collectingKernel } from '../../../support/collecting-kernel.ts'
import { probeByCore } from '../../../support/core-probe.ts'
import { probeWithin, until } from '../../../support/probing.ts'
import { noPingCore, probePing, probePingByCore, runtime } from '../../../support/probers.ts'

const TARGET: ProbeTarget = { type: 'PING', address: '127.0.0.1', family: 4, port: 0, timeoutMs: 1000 }
const hosts = new HostAddresses()
const AF_INET6 = 10
const descriptors = (): number => readdirSync('/proc/self/fd').length

/** The calls of this host; skips the test where PING is not made by the batch. */
function real(t: TestContext): BatchCalls | undefined {
  const why = noPingCore()
  if (why !== false) t.skip(why)
  return why === false ? findBatchCalls() : undefined
}

test('each call that fails, lies or has another structure leaves PING to its prober', (t) => {
  const calls = real(t)
  if (calls === undefined) return
  const before = descriptors()
  for (const [name, changed] of Object.entries(brokenKernels(calls))) {
    const ping = makeBatchedPing(hosts, () => ({ ...calls, ...changed }))
    assert.equal(ping.coreOf(TARGET), undefined, name)
    assert.equal(ping.way?.by, 'prober', name)
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
  for (const [kernel, held] of [
    [{}, 2],
    [withoutIpv6, 1],
  ] as const) {
    const ping = makeBatchedPing(hosts, () => ({ ...calls, ...kernel }))
    assert.equal(ping.descriptors, 0)
    const core = ping.coreOf(TARGET)
    assert.ok(core)
    assert.deepEqual([ping.descriptors, descriptors() - before], [held, held])
    assert.equal(core.hold({ ...TARGET, address: '::1', family: 6 }) === NO_SLOT, held === 1)
    ping.close()
    assert.deepEqual([ping.descriptors, descriptors()], [0, before])
    assert.equal(ping.coreOf(TARGET), undefined)
  }
})

test('without the right to open raw sockets, without koffi and at a limit of open files, the log can say why', (t) => {
  const calls = real(t)
  if (calls === undefined) return
  const failing = (errno: number): BatchCalls => ({
    ...calls,
    socket: (family, type, protocol) =>
      (type & 0xf) === SOCK_RAW ? -1 : calls.socket(family, type, protocol),
    errno: () => errno,
  })
  const { EPERM, EMFILE, ENFILE } = constants.errno
  const ways = [
    makeBatchedPing(hosts, () => failing(EPERM)),
    makeBatchedPing(hosts, () => failing(EMFILE)),
    makeBatchedPing(hosts, () => failing(ENFILE)),
    makeBatchedPing(hosts, () => undefined),
  ]
  const told: string[] = []
  for (const ping of ways) {
    ping.onOpened = (way) => void told.push(way.by === 'prober' ? way.why : way.by)
    ping.coreOf(TARGET)
    ping.coreOf(TARGET)
  }
  assert.equal(told.length, ways.length)
  for (const [i, words] of [/CAP_NET_RAW/, /this process .*EMFILE/, /this host .*ENFILE/, /koffi/].entries())
    assert.match(told[i] ?? '', words)
})

test('memory that the kernel has the address of is kept, whenever the collector runs', async (t) => {
  const calls = real(t)
  if (calls === undefined) return
  const ping = makeBatchedPing(hosts, () => collectingKernel(calls))
  t.after(() => ping.close())
  const probe = probeByCore((target) => ping.coreOf(target), probePing)
  const targets: readonly ProbeTarget[] = [
    TARGET,
    { ...TARGET, address: '::1', family: 6 },
    { ...TARGET, echoCount: 3 },
    { ...TARGET, sourceAddress: '127.0.0.7' },
  ]
  for (let round = 0; round < 5; round++)
    for (const target of targets) assert.equal((await probeWithin(probe, target)).reason, 'PASSED')
  assert.equal(ping.way?.by, 'batch')
})

test('only PING is made by the batch, and several echoes only where there is time for them', (t) => {
  if (real(t) === undefined) return
  assert.equal(runtime.ping.coreOf({ ...TARGET, type: 'UDP-CONNECT', echoFirst: true }), undefined)
  const core = runtime.ping.coreOf(TARGET)
  assert.ok(core)
  const slotOf = (more: Partial<ProbeTarget>): number => {
    const slot = core.hold({ ...TARGET, ...more })
    if (slot !== NO_SLOT) core.release(slot)
    return slot
  }
  assert.notEqual(slotOf({ timeoutMs: 1 }), NO_SLOT)
  assert.notEqual(slotOf({ echoCount: 4, timeoutMs: 4 * ECHO_PACE_MS }), NO_SLOT)
  assert.equal(slotOf({ echoCount: 4, timeoutMs: 4 * ECHO_PACE_MS - 1 }), NO_SLOT)
  assert.equal(slotOf({ address: 'no address' }), NO_SLOT)
  assert.equal(slotOf({ sourceAddress: 'no address' }), NO_SLOT)
})

test('hundreds of probes at a time, of few targets and of many, each have their own answer', async (t) => {
  if (real(t) === undefined) return
  const addresses = Array.from({ length: 400 }, (_, i) => `127.0.0.${1 + (i % 20)}`)
  const results = await Promise.all(
    addresses.map(async (address) => await probeWithin(probePingByCore, { ...TARGET, address })),
  )
  for (const { reason } of results) assert.equal(reason, 'PASSED')
  assert.equal(runtime.ping.coreOf(TARGET)?.inFlight, 0)
})

test('answers that the receive buffer had no room for make no failure', (t) => {
  const calls = real(t)
  if (calls === undefined) return
  const ping = makeBatchedPing(hosts, () => withSmallBuffers(calls))
  t.after(() => ping.close())
  const core = ping.coreOf(TARGET)
  assert.ok(core)
  const slots = Int32Array.from({ length: 200 }, () => core.hold(TARGET))
  const startMs = performance.now()
  core.start(slots, slots.length, startMs)
  core.collect(startMs)
  const answered = core.ended.count
  assert.ok(answered > 0 && answered < slots.length, `${answered} of ${slots.length} were answered`)
  for (const slot of slots) core.expire(slot, startMs + 500)
  const reasons = Array.from({ length: core.ended.count }, (_, i) => core.resultOf(i).reason)
  assert.equal(reasons.length, slots.length)
  assert.deepEqual(new Set(reasons), new Set(['PASSED', 'PROBER_OVERLOAD']))
  // Later ones are judged as ever.
  core.ended.clear()
  const [later = NO_SLOT] = slots
  core.start(Int32Array.of(later), 1, startMs + 1000)
  core.expire(later, startMs + 1500)
  assert.equal(core.resultOf(0).reason, 'ICMP_TIMEOUT')
})

test('answers that were lost in one family leave the judgement of the other as it is', (t) => {
  const calls = real(t)
  if (calls === undefined) return
  const ping = makeBatchedPing(hosts, () => withSmallBuffers(calls))
  t.after(() => ping.close())
  const core = ping.coreOf(TARGET)
  const other = core?.hold({ ...TARGET, address: '::1', family: 6 })
  assert.ok(core !== undefined && other !== undefined && other !== NO_SLOT)
  const slots = Int32Array.from({ length: 200 }, () => core.hold(TARGET))
  const startMs = performance.now()
  core.start(slots, slots.length, startMs)
  core.collect(startMs)
  core.ended.clear()
  // Its answer is there, and is not read.
  core.start(Int32Array.of(other), 1, startMs)
  core.expire(other, startMs + 500)
  assert.equal(core.resultOf(0).reason, 'ICMP_TIMEOUT')
  for (const slot of slots) core.expire(slot, startMs + 500)
  assert.equal(core.resultOf(1).reason, 'PROBER_OVERLOAD')
})

test('a flood of answers holds a look for some milliseconds only, and what times out meanwhile is no failure', (t) => {
  const calls = real(t)
  if (calls === undefined) return
  const flood = { isOn: false, reads: 0, clockMs: 0 }
  const ping = makeBatchedPing(hosts, () => ({
    ...calls,
    recvmmsg: (...values) => {
      if (!flood.isOn) return calls.recvmmsg(...values)
      flood.reads += 1
      return values[2]
    },
  }))
  t.after(() => ping.close())
  const core = ping.coreOf(TARGET)
  assert.ok(core)
  const slot = core.hold(TARGET)
  const probe = (startMs: number, isFlooded: boolean): string => {
    flood.isOn = isFlooded
    core.ended.clear()
    core.start(Int32Array.of(slot), 1, startMs)
    core.collect(startMs)
    core.expire(slot, startMs + 1000)
    return core.resultOf(0).reason
  }
  // A clock on which each read takes a millisecond.
  const clock = t.mock.method(performance, 'now', () => (flood.clockMs += 1))
  assert.equal(probe(10_000, true), 'PROBER_OVERLOAD')
  assert.ok(flood.reads > 0 && flood.reads <= 2 * BATCH_READ_MS, `${flood.reads} reads`)
  assert.equal(probe(20_000, false), 'PASSED', 'a later one is judged as ever')
  clock.mock.restore()
})

test('a reply without the token of this process, which only targets know, takes no room', async (t) => {
  const calls = real(t)
  if (calls === undefined) return
  const ping = makeBatchedPing(hosts, () => calls)
  t.after(() => ping.close())
  const core = ping.coreOf(TARGET)
  assert.ok(core)
  const socket = openRawSocket(4, ICMP_PROTOCOL[4])
  t.after(() => socket.close())
  const requests: Buffer[] = []
  socket.on('message', (packet) => {
    const request = withoutIpHeader(4, packet)
    if (request?.[0] === ECHO_REQUEST[4]) requests.push(Buffer.from(request))
  })
  const slot = core.hold(TARGET)
  core.start(Int32Array.of(slot), 1, performance.now())
  await until(() => requests.length > 0)
  core.collect(performance.now())
  const [request = Buffer.alloc(0)] = requests
  const receivedOf = (changedAt: number | undefined): number => {
    const reply = Buffer.from(request)
    reply[0] = ECHO_REPLY[4]
    if (changedAt !== undefined) reply[changedAt] = (reply[changedAt] ?? 0) ^ 0x01
    reply.writeUInt16BE(0, 2)
    reply.writeUInt16BE(internetChecksum(reply), 2)
    const before = core.received
    core.start(Int32Array.of(slot), 1, performance.now())
    assert.equal(sendRaw(socket, reply, TARGET.address), undefined)
    core.collect(performance.now())
    return core.received - before
  }
  // The answer to the probe is one of them.
  assert.equal(receivedOf(undefined), 2)
  const [identifierAt, tokenAt, tokenEnd] = [4, 8, 11]
  for (const at of [identifierAt, tokenAt, tokenEnd]) assert.equal(receivedOf(at), 1, `byte ${at}`)
})
