/** UDP on a socket for each probe, as while the shared ones are flooded. */
import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { test, type TestContext } from 'node:test'
import { HOST_DROPS_LOOK_MS } from '../../../../src/domain/limits.ts'
import type { ProbeTarget } from '../../../../src/domain/target/probe-target.ts'
import { type BatchCalls, findBatchCalls } from '../../../../src/probe/batch/batch-calls.ts'
import { HostDrops, type PacketCounts } from '../../../../src/probe/batch/host-drops.ts'
import { HostAddresses } from '../../../../src/probe/socket-errors.ts'
import { makeBatchedUdp, makeBatchedUdpAfterEcho } from '../../../../src/probe/udp/batched-udp.ts'
import type { UdpCore } from '../../../../src/probe/udp/udp-core.ts'
import { brokenKernels } from '../../../support/broken-kernels.ts'
import { probeByCore } from '../../../support/core-probe.ts'
import { probeWithin, until } from '../../../support/probing.ts'
import { noUdpCore, probeUdpConnect } from '../../../support/probers.ts'

const TARGET: ProbeTarget = { type: 'UDP-CONNECT', address: '127.0.0.1', family: 4, port: 1, timeoutMs: 300 }
const hosts = new HostAddresses()
const descriptors = (): number => readdirSync('/proc/self/fd').length

/** The calls of this host; skips the test where UDP probes are not made by the batch. */
function real(t: TestContext): BatchCalls | undefined {
  const why = noUdpCore()
  if (why !== false) t.skip(why)
  return why === false ? findBatchCalls() : undefined
}

function coreWith(t: TestContext, calls: BatchCalls, drops = new HostDrops()): UdpCore {
  const udp = makeBatchedUdp(hosts, () => calls, drops)
  t.after(() => udp.close())
  const core = udp.coreOf(TARGET)
  assert.ok(core, udp.way?.by === 'prober' ? udp.way.why : '')
  return core
}

/** A listener that answers each datagram, or none; `from` has the ports that they came from. */
async function listener(
  t: TestContext,
  answer: string | undefined,
  address = '127.0.0.1',
): Promise<{ readonly target: ProbeTarget; readonly from: number[] }> {
  const family = address.includes(':') ? 6 : 4
  const socket = createSocket(`udp${family}`).bind(0, address)
  t.after(() => socket.close())
  await once(socket, 'listening')
  const from: number[] = []
  socket.on('message', (_, sender) => {
    from.push(sender.port)
    if (answer !== undefined) socket.send(answer, sender.port, sender.address)
  })
  return { target: { ...TARGET, address, family, port: socket.address().port }, from }
}

/** Of raw sockets, which this core has none of. */
const OF_RAW = /raw socket|filter/

test('each call that fails, lies or has another structure leaves no core, and no descriptor open', (t) => {
  const calls = real(t)
  if (calls === undefined) return
  const before = descriptors()
  const kernels: Readonly<Record<string, Partial<BatchCalls>>> = {
    ...Object.fromEntries(Object.entries(brokenKernels(calls)).filter(([name]) => !OF_RAW.test(name))),
    'without epoll': { epoll_create1: () => -1 },
    'that connects nothing': { connect: () => -1 },
  }
  for (const [name, changed] of Object.entries(kernels)) {
    const udp = makeBatchedUdp(hosts, () => ({ ...calls, ...changed }), new HostDrops())
    assert.equal(udp.coreOf(TARGET), undefined, name)
    assert.equal(descriptors(), before, `a kernel ${name}: descriptors`)
  }
})

test('each probe in flight has a socket, which is closed when the probe ends, whichever way', async (t) => {
  const calls = real(t)
  if (calls === undefined) return
  const silent = await listener(t, undefined)
  const open = await listener(t, 'here', '::1')
  const core = coreWith(t, calls)
  const before = descriptors()
  assert.equal(core.descriptors, 1)
  const slots = Int32Array.from([silent.target, silent.target, open.target, TARGET], (target) =>
    core.hold(target),
  )
  const [expired = -1, dropped = -1] = slots
  core.start(slots, slots.length, performance.now())
  assert.equal(descriptors() - before, slots.length)
  await until(() => {
    core.collect(performance.now())
    return core.ended.count === 2
  })
  assert.equal(descriptors() - before, 2)
  core.expire(expired, performance.now())
  core.drop(dropped)
  const details = Array.from({ length: core.ended.count }, (_, i) => core.resultOf(i).detail)
  assert.deepEqual(details.sort(), ['got a reply', 'no reply, no port unreachable', 'port unreachable'])
  assert.deepEqual([core.inFlight, core.descriptors, descriptors() - before], [0, 1, 0])
})

test('a socket receives from its target alone: who sends to its port from elsewhere neither answers nor takes room', async (t) => {
  const calls = real(t)
  if (calls === undefined) return
  for (const address of ['127.0.0.1', '::1']) {
    const { target, from } = await listener(t, undefined, address)
    const core = coreWith(t, calls)
    const slot = core.hold({ ...target, udp: { payload: new Uint8Array(1), requireReply: true } })
    const startMs = performance.now()
    core.start(Int32Array.of(slot), 1, startMs)
    await until(() => from.length === 1)
    const [port = 0] = from
    const hostile = createSocket(target.family === 4 ? 'udp4' : 'udp6')
    t.after(() => hostile.close())
    // The kernel reports to a connected socket that nobody takes what it sends.
    hostile.connect(port, address)
    await once(hostile, 'connect')
    const refused = once(hostile, 'error')
    hostile.send('flood')
    await refused
    core.collect(startMs + 10)
    assert.equal(core.ended.count, 0)
    core.expire(slot, startMs + 300)
    assert.equal(core.resultOf(0).reason, 'RECV_TIMEOUT')
  }
})

test('from a source address of its own, and with an echo before, an answer comes back', async (t) => {
  const calls = real(t)
  if (calls === undefined) return
  const { target } = await listener(t, 'here')
  const core = coreWith(t, calls)
  const from = await probeWithin(
    probeByCore(() => core, probeUdpConnect),
    { ...target, sourceAddress: '127.0.0.7' },
  )
  assert.equal(from.detail, 'got a reply')
  const udp = makeBatchedUdpAfterEcho(hosts, () => calls, new HostDrops())
  t.after(() => udp.close())
  const first = { ...target, echoFirst: true }
  if (udp.coreOf(first) === undefined) return t.skip(udp.way?.by === 'prober' ? udp.way.why : '')
  const after = await probeWithin(
    probeByCore((each) => udp.coreOf(each), probeUdpConnect),
    first,
  )
  assert.equal(after.detail, 'got a reply')
  assert.ok((after.phases.echoMs ?? 0) > 0)
})

test('silence is no pass where the host dropped packets meanwhile', async (t) => {
  const calls = real(t)
  if (calls === undefined) return
  let queue: PacketCounts = { taken: 0, dropped: 0 }
  const core = coreWith(t, calls, new HostDrops(() => [queue]))
  const slot = core.hold((await listener(t, undefined)).target)
  const probe = (startMs: number, dropped: number): string => {
    core.start(Int32Array.of(slot), 1, startMs)
    queue = { taken: queue.taken + 1000, dropped: queue.dropped + dropped }
    core.collect(startMs + HOST_DROPS_LOOK_MS)
    core.expire(slot, startMs + 300)
    const { reason } = core.resultOf(0)
    core.ended.clear()
    return reason
  }
  assert.equal(probe(1_000_000, 0), 'PASSED')
  assert.equal(probe(1_001_000, 100), 'PROBER_OVERLOAD')
  assert.equal(probe(1_002_000, 0), 'PASSED')
})

test('one look reads all sockets that have something', (t) => {
  const calls = real(t)
  if (calls === undefined) return
  const core = coreWith(t, calls)
  const slots = Int32Array.from({ length: 300 }, (_, i) =>
    core.hold({ ...TARGET, address: `127.0.1.${1 + (i % 250)}` }),
  )
  core.start(slots, slots.length, 1000)
  core.collect(1010)
  const details = Array.from({ length: core.ended.count }, (_, i) => core.resultOf(i).detail)
  assert.deepEqual([details.length, new Set(details)], [slots.length, new Set(['port unreachable'])])
})
