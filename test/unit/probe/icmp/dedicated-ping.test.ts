/** PING on a socket for each probe, as while the shared one is flooded. */
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { constants } from 'node:os'
import { test, type TestContext } from 'node:test'
import { HOST_DROPS_LOOK_MS } from '../../../../src/domain/limits.ts'
import type { ProbeTarget } from '../../../../src/domain/target/probe-target.ts'
import { type BatchCalls, findBatchCalls } from '../../../../src/probe/batch/batch-calls.ts'
import { HostDrops, type PacketCounts } from '../../../../src/probe/batch/host-drops.ts'
import { NO_SLOT } from '../../../../src/probe/batch/core.ts'
import type { EchoCore } from '../../../../src/probe/icmp/echo-core.ts'
import { makeBatchedPing } from '../../../../src/probe/icmp/batched-ping.ts'
import { HostAddresses } from '../../../../src/probe/socket-errors.ts'
import { brokenKernels, withSmallBuffers } from '../../../support/broken-kernels.ts'
import { collectingKernel } from '../../../support/collecting-kernel.ts'
import { probeByCore } from '../../../support/core-probe.ts'
import { probeWithin, until } from '../../../support/probing.ts'
import { noPingCore, probePing } from '../../../support/probers.ts'

const TARGET: ProbeTarget = { type: 'PING', address: '127.0.0.1', family: 4, port: 0, timeoutMs: 1000 }
const TARGET6: ProbeTarget = { ...TARGET, address: '::1', family: 6 }
const hosts = new HostAddresses()
const AF_INET6 = 10
const descriptors = (): number => readdirSync('/proc/self/fd').length

/** The calls of this host; skips the test where PING is not made by the batch. */
function real(t: TestContext): BatchCalls | undefined {
  const why = noPingCore()
  if (why !== false) t.skip(why)
  return why === false ? findBatchCalls() : undefined
}

function coreWith(t: TestContext, calls: BatchCalls, drops = new HostDrops()): EchoCore {
  const ping = makeBatchedPing(hosts, () => calls, drops)
  t.after(() => ping.close())
  const core = ping.coreOf(TARGET)
  assert.ok(core, ping.way?.by === 'prober' ? ping.way.why : '')
  return core
}

/** Of a shared socket and of its filter, which these sockets do without. */
const OF_SHARED = /drops|filter of ICMP|only says that it takes a filter/

test('each call that fails, lies or has another structure leaves no core, and no descriptor open', (t) => {
  const calls = real(t)
  if (calls === undefined) return
  const before = descriptors()
  const kernels: Readonly<Record<string, Partial<BatchCalls>>> = {
    ...Object.fromEntries(Object.entries(brokenKernels(calls)).filter(([name]) => !OF_SHARED.test(name))),
    'without epoll': { epoll_create1: () => -1 },
    'that looks at nothing': { epoll_ctl: () => -1 },
    'that reports nothing': { epoll_wait: () => 0 },
    'that connects nothing': { connect: () => -1 },
  }
  for (const [name, changed] of Object.entries(kernels)) {
    const ping = makeBatchedPing(hosts, () => ({ ...calls, ...changed }), new HostDrops())
    assert.equal(ping.coreOf(TARGET), undefined, name)
    assert.equal(descriptors(), before, `a kernel ${name}: descriptors`)
  }
})

test('each probe in flight has a socket, which is closed when the probe ends, whichever way', async (t) => {
  const calls = real(t)
  if (calls === undefined) return
  const ping = makeBatchedPing(hosts, () => calls, new HostDrops())
  const before = descriptors()
  const core = ping.coreOf(TARGET)
  assert.ok(core)
  const held = core.families.length
  assert.deepEqual([ping.descriptors, descriptors() - before], [held, held])
  const several = { ...TARGET, echoCount: 3 }
  const slots = Int32Array.from([TARGET, TARGET6, several, TARGET, TARGET], (target) => core.hold(target))
  const startMs = performance.now()
  core.start(slots, slots.length, startMs)
  assert.equal(descriptors() - before, held + slots.length)
  const [, , , expired = NO_SLOT, dropped = NO_SLOT] = slots
  core.expire(expired, startMs + 1000)
  core.drop(dropped)
  assert.equal(descriptors() - before, held + 3)
  await until(() => {
    core.collect(performance.now())
    return core.ended.count === slots.length - 1
  })
  const reasons = Array.from({ length: core.ended.count }, (_, i) => core.resultOf(i).reason)
  assert.deepEqual(reasons.sort(), ['ICMP_TIMEOUT', 'PASSED', 'PASSED', 'PASSED'])
  assert.deepEqual([core.inFlight, descriptors() - before], [0, held])
  core.start(slots, 2, performance.now())
  ping.close()
  assert.equal(descriptors(), before)
})

test('without IPv6, its targets have no slot', (t) => {
  const calls = real(t)
  if (calls === undefined) return
  const core = coreWith(t, {
    ...calls,
    socket: (family, type, protocol) => (family === AF_INET6 ? -1 : calls.socket(family, type, protocol)),
  })
  assert.deepEqual(core.families, [4])
  assert.equal(core.hold(TARGET6), NO_SLOT)
})

test('where no more sockets can be opened, a probe is inconclusive', (t) => {
  const calls = real(t)
  if (calls === undefined) return
  let isFull = false
  const core = coreWith(t, {
    ...calls,
    socket: (...values) => (isFull ? -1 : calls.socket(...values)),
    errno: () => (isFull ? constants.errno.EMFILE : calls.errno()),
  })
  isFull = true
  core.start(Int32Array.of(core.hold(TARGET)), 1, performance.now())
  const { reason, detail } = core.resultOf(0)
  assert.deepEqual([reason, detail], ['PROBER_NO_SOCKET', 'echo EMFILE'])
})

test('memory that the kernel has the address of is kept, whenever the collector runs', async (t) => {
  const calls = real(t)
  if (calls === undefined) return
  const core = coreWith(t, collectingKernel(calls))
  const probe = probeByCore(() => core, probePing)
  for (let round = 0; round < 3; round++)
    for (const target of [
      TARGET,
      TARGET6,
      { ...TARGET, echoCount: 3 },
      { ...TARGET, sourceAddress: '127.0.0.7' },
    ])
      assert.equal((await probeWithin(probe, target)).reason, 'PASSED')
})

test('a socket receives the reply to its echo and nothing else, however much arrives, and the shared one loses answers', (t) => {
  const calls = real(t)
  if (calls === undefined) return
  const small = withSmallBuffers(calls)
  const shared = makeBatchedPing(hosts, () => small)
  t.after(() => shared.close())
  const flooded = shared.coreOf(TARGET)
  assert.ok(flooded)
  for (const target of [TARGET, TARGET6]) {
    const core = coreWith(t, small)
    const slot = core.hold(target)
    const slots = Int32Array.from({ length: 100 }, () => flooded.hold(target))
    const startMs = performance.now()
    core.start(Int32Array.of(slot), 1, startMs)
    const before = core.received
    // Requests and replies of the same two addresses.
    flooded.start(slots, slots.length, startMs)
    flooded.collect(startMs)
    for (const each of slots) flooded.expire(each, startMs + 500)
    const reasons = Array.from({ length: flooded.ended.count }, (_, i) => flooded.resultOf(i).reason)
    assert.ok(reasons.includes('PROBER_OVERLOAD'))
    flooded.ended.clear()
    core.collect(startMs)
    assert.deepEqual([core.ended.count, core.resultOf(0).reason], [1, 'PASSED'])
    assert.equal(core.received - before, 1)
    // Silence is a failure.
    core.ended.clear()
    core.start(Int32Array.of(slot), 1, startMs + 1000)
    core.expire(slot, startMs + 1500)
    assert.equal(core.resultOf(0).reason, 'ICMP_TIMEOUT')
    core.ended.clear()
  }
})

test('hundreds of probes at a time each have their own answer', async (t) => {
  const calls = real(t)
  if (calls === undefined) return
  const core = coreWith(t, calls)
  const probe = probeByCore(() => core, probePing)
  const addresses = Array.from({ length: 300 }, (_, i) => `127.0.0.${1 + (i % 20)}`)
  const results = await Promise.all(
    addresses.map(
      async (address) =>
        await probeWithin(probe, { ...TARGET, address, echoCount: 1 + (address.length % 2) }),
    ),
  )
  for (const { reason } of results) assert.equal(reason, 'PASSED')
})

test('a deadline is no failure where the host dropped packets meanwhile', (t) => {
  const calls = real(t)
  if (calls === undefined) return
  let queue: PacketCounts = { taken: 0, dropped: 0 }
  let isDeaf = false
  const deaf: BatchCalls = { ...calls, recvmmsg: (...values) => (isDeaf ? -1 : calls.recvmmsg(...values)) }
  const core = coreWith(t, deaf, new HostDrops(() => [queue]))
  isDeaf = true
  const slot = core.hold(TARGET)
  const probe = (startMs: number, dropped: number): string => {
    core.start(Int32Array.of(slot), 1, startMs)
    queue = { taken: queue.taken + 1000, dropped: queue.dropped + dropped }
    core.collect(startMs + HOST_DROPS_LOOK_MS)
    core.expire(slot, startMs + 500)
    const { reason } = core.resultOf(0)
    core.ended.clear()
    return reason
  }
  assert.equal(probe(1_000_000, 0), 'ICMP_TIMEOUT')
  assert.equal(probe(1_001_000, 100), 'PROBER_OVERLOAD')
  assert.equal(probe(1_002_000, 0), 'ICMP_TIMEOUT')
})

test('one look reads all sockets that have an answer, or says that some are left', (t) => {
  const calls = real(t)
  if (calls === undefined) return
  const core = coreWith(t, calls)
  const slots = Int32Array.from({ length: 400 }, (_, i) =>
    core.hold({ ...TARGET, address: `127.0.1.${i % 200}` }),
  )
  // A clock that stands still: the look is never too long.
  const clock = t.mock.method(performance, 'now', () => 1000)
  core.start(slots, slots.length, 1000)
  core.collect(1010)
  assert.equal(core.ended.count, slots.length)
  core.ended.clear()
  // A clock on which each look is too long after its first sockets.
  let clockMs = 2000
  clock.mock.mockImplementation(() => (clockMs += 10))
  core.start(slots, slots.length, 2000)
  core.collect(2010)
  const answered = core.ended.count
  assert.ok(answered > 0 && answered < slots.length, `${answered} answered`)
  for (const slot of slots) core.expire(slot, 2500)
  const reasons = Array.from({ length: core.ended.count }, (_, i) => core.resultOf(i).reason)
  assert.deepEqual(new Set(reasons), new Set(['PASSED', 'PROBER_OVERLOAD']))
  clock.mock.restore()
})
