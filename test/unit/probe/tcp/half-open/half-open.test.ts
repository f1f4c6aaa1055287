import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { createServer } from 'node:net'
import { constants } from 'node:os'
import { test, type TestContext } from 'node:test'
import { BATCH_READ_MS, HALF_OPEN_PORTS } from '../../../../../src/domain/limits.ts'
import type { ProbeTarget } from '../../../../../src/domain/target/probe-target.ts'
import { type BatchCalls, findBatchCalls } from '../../../../../src/probe/batch/batch-calls.ts'
import { NO_SLOT } from '../../../../../src/probe/batch/core.ts'
import { HostAddresses } from '../../../../../src/probe/socket-errors.ts'
import { SourcePorts } from '../../../../../src/probe/source-ports.ts'
import { HalfOpen } from '../../../../../src/probe/tcp/half-open/half-open.ts'
import { openRawSocket, sendRaw } from '../../../../../src/probe/raw-socket.ts'
import { OwnPorts } from '../../../../../src/probe/tcp/half-open/own-ports.ts'
import { AF_NETLINK, brokenKernels, SOCK_RAW, withSmallBuffers } from '../../../../support/broken-kernels.ts'
import { collectingKernel } from '../../../../support/collecting-kernel.ts'
import { blackHole, closedPort, listen, probeWithin, targetOf } from '../../../../support/probing.ts'
import { noHalfOpenCore, probeTcp, probeTcpByCore, runtime } from '../../../../support/probers.ts'
import { probeByCore } from '../../../../support/core-probe.ts'

const parts = { hostAddresses: new HostAddresses(), sourcePorts: new SourcePorts() }
const TARGET: ProbeTarget = {
  type: 'TCP',
  address: '127.0.0.1',
  family: 4,
  port: 1,
  timeoutMs: 1000,
  halfOpen: true,
}
const descriptors = (): number => readdirSync('/proc/self/fd').length

/** The calls of this host with some replaced; skips the test where half-open probes are not made by the batch. */
function real(t: TestContext): BatchCalls | undefined {
  const why = noHalfOpenCore()
  if (why !== false) t.skip(why)
  return why === false ? findBatchCalls() : undefined
}

const AF_INET6 = 10
const IPPROTO_TCP = 6

test('each call that fails, lies or has another structure leaves half-open probes on their other way', (t) => {
  const calls = real(t)
  if (calls === undefined) return
  const kernels: Readonly<Record<string, Partial<BatchCalls>>> = {
    ...brokenKernels(calls),
    'without netlink': {
      socket: (family, type, protocol) => (family === AF_NETLINK ? -1 : calls.socket(family, type, protocol)),
    },
    'that binds nothing': { bind: () => -1 },
    'that connects nothing': { connect: () => -1 },
    'that has no names': { getsockname: () => -1 },
    'that gives another name': {
      getsockname: (fd, address, bytes) => {
        const status = calls.getsockname(fd, address, bytes)
        address.fill(9)
        return status
      },
    },
    'that reports changes all the time': { recv: () => 16 },
    'that cannot listen to changes': { recv: () => -1, errno: () => 95 },
  }
  const before = descriptors()
  for (const [name, changed] of Object.entries(kernels)) {
    const halfOpen = new HalfOpen(parts, () => ({ ...calls, ...changed }))
    assert.equal(halfOpen.coreOf(TARGET), undefined, name)
    assert.equal(halfOpen.way?.by, 'connection', name)
    assert.equal(descriptors(), before, `a kernel ${name}: descriptors`)
  }
})

test('the descriptors that it says it holds are those that it has opened, with IPv6 and without', (t) => {
  const calls = real(t)
  if (calls === undefined) return
  const kernels: readonly Partial<BatchCalls>[] = [
    {},
    {
      socket: (family, type, protocol) => (family === AF_INET6 ? -1 : calls.socket(family, type, protocol)),
    },
  ]
  const before = descriptors()
  for (const kernel of kernels) {
    const halfOpen = new HalfOpen(parts, () => ({ ...calls, ...kernel }))
    assert.equal(halfOpen.descriptors, 0)
    assert.ok(halfOpen.coreOf(TARGET))
    assert.ok(halfOpen.descriptors > HALF_OPEN_PORTS)
    assert.equal(halfOpen.descriptors, descriptors() - before)
    halfOpen.close()
    assert.deepEqual([halfOpen.descriptors, descriptors()], [0, before])
  }
})

test('where a limit of open files is reached, the log says so, and all descriptors are given back', (t) => {
  const calls = real(t)
  if (calls === undefined) return
  const { EMFILE, ENFILE } = constants.errno
  const before = descriptors()
  // While the first port is held, the last one, and at each of the sockets beside them.
  for (const room of [0, HALF_OPEN_PORTS - 1, HALF_OPEN_PORTS, HALF_OPEN_PORTS + 1, HALF_OPEN_PORTS + 2]) {
    for (const [errno, who] of [
      [EMFILE, /this process .*limit of open files/],
      [ENFILE, /this host .*limit of open files/],
    ] as const) {
      let isFull = false
      const socket: BatchCalls['socket'] = (family, type, protocol) => {
        isFull = descriptors() - before >= room
        return isFull ? -1 : calls.socket(family, type, protocol)
      }
      const full = { ...calls, socket, errno: () => (isFull ? errno : calls.errno()) }
      const halfOpen = new HalfOpen(parts, () => full)
      assert.equal(halfOpen.coreOf(TARGET), undefined)
      const { way } = halfOpen
      assert.match(way?.by === 'connection' ? way.why : '', who, `room for ${room}`)
      assert.equal(descriptors(), before)
    }
  }
})

test('without the right to open raw sockets, without koffi and without ports, the log can say why', (t) => {
  const calls = real(t)
  if (calls === undefined) return
  let isRefused = false
  const withoutRight: Partial<BatchCalls> = {
    socket: (family, type, protocol) => {
      isRefused = (type & 0xf) === SOCK_RAW && family !== AF_NETLINK
      return isRefused ? -1 : calls.socket(family, type, protocol)
    },
    errno: () => (isRefused ? constants.errno.EPERM : calls.errno()),
  }
  const ways = {
    rights: new HalfOpen(parts, () => ({ ...calls, ...withoutRight })),
    koffi: new HalfOpen(parts, () => undefined),
    descriptors: new HalfOpen(parts, () => calls),
    ports: new HalfOpen(
      {
        ...parts,
        sourcePorts: new (class extends SourcePorts {
          override range(): readonly [number, number] {
            return [1024, 65_535]
          }
        })(),
      },
      () => calls,
    ),
  }
  ways.descriptors.isAllowed = false
  const told: string[] = []
  for (const halfOpen of Object.values(ways)) {
    halfOpen.onOpened = (way) => void told.push(way.by === 'connection' ? way.why : way.by)
    halfOpen.coreOf(TARGET)
    halfOpen.coreOf(TARGET)
  }
  assert.match(told[0] ?? '', /CAP_NET_RAW/)
  assert.match(told[1] ?? '', /koffi/)
  assert.match(told[2] ?? '', /limit of open files/)
  assert.match(told[3] ?? '', /outside net\.ipv4\.ip_local_port_range, from 49152 on/)
  assert.equal(told.length, 4)
})

test('a source port of ours cannot be taken, by the next prober neither, until it is given back', async (t) => {
  const calls = real(t)
  if (calls === undefined) return
  const range = parts.sourcePorts.range()
  const [mine, other] = [OwnPorts.reserve(calls, range), OwnPorts.reserve(calls, range)]
  assert.ok(mine instanceof OwnPorts && other instanceof OwnPorts)
  assert.ok(Math.abs(mine.first - other.first) >= HALF_OPEN_PORTS)
  for (const { first } of [mine, other]) assert.ok(first > range[1] || first + HALF_OPEN_PORTS <= range[0])
  const bind = async (port: number, host: string): Promise<string> =>
    await new Promise((resolve) => {
      const server = createServer()
      server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? ''))
      server.listen(port, host, () => server.close(() => resolve('bound')))
    })
  for (const host of ['127.0.0.1', '::1', '0.0.0.0'])
    for (const port of [mine.first, mine.first + HALF_OPEN_PORTS - 1])
      assert.equal(await bind(port, host), 'EADDRINUSE')
  mine.close()
  assert.equal(await bind(mine.first, '127.0.0.1'), 'bound')
  // One port of the block is taken: the whole block is left.
  const taken = createServer().listen(mine.first + 100, '127.0.0.1')
  await new Promise((resolve) => taken.once('listening', resolve))
  const third = OwnPorts.reserve(calls, range)
  assert.ok(third instanceof OwnPorts && third.first !== mine.first && third.first !== other.first)
  taken.close()
  third.close()
  other.close()
})

test('memory that the kernel has the address of is kept, whenever the collector runs', async (t) => {
  const calls = real(t)
  if (calls === undefined) return
  const halfOpen = new HalfOpen(parts, () => collectingKernel(calls))
  t.after(() => halfOpen.close())
  const probe = probeByCore((target) => halfOpen.coreOf(target), probeTcp)
  const servers = [await listen(t, () => undefined), await listen(t, () => undefined, '::1')]
  const closed = await closedPort()
  for (let round = 0; round < 5; round++) {
    for (const server of servers)
      assert.equal((await probeWithin(probe, targetOf(server, { halfOpen: true }))).reason, 'PASSED')
    assert.equal((await probeWithin(probe, { ...TARGET, port: closed })).reason, 'CONNECT_REFUSED')
  }
  assert.equal(halfOpen.way?.by, 'raw socket')
})

test('only what ends with the SYN-ACK is made by the batch', (t) => {
  if (real(t) === undefined) return
  const others: readonly Partial<ProbeTarget>[] = [
    { type: 'HTTP' },
    { close: 'fin' },
    { tls: { verify: false } },
    { tcp: { receive: [] } },
    { proxyProtocol: 1 },
    { family: 6, address: '::ffff:127.0.0.1' },
  ]
  const { halfOpen: _, ...whole } = TARGET
  assert.equal(runtime.halfOpen.coreOf(whole), undefined)
  for (const other of others)
    assert.equal(runtime.halfOpen.coreOf({ ...TARGET, ...other }), undefined, JSON.stringify(other))
  assert.notEqual(runtime.halfOpen.coreOf(TARGET), undefined)
})

test('a hundred probes of one target at a time have a port each, and all end', async (t) => {
  if (real(t) === undefined) return
  const server = await listen(t, () => undefined)
  const target = targetOf(server, { halfOpen: true })
  const results = await Promise.all(Array.from({ length: 100 }, () => probeWithin(probeTcpByCore, target)))
  for (const { reason } of results) assert.equal(reason, 'PASSED')
  const core = runtime.coreOf(TARGET)
  assert.equal(core?.inFlight, 0)
})

test('slots are given again, and as many as there are targets', (t) => {
  if (real(t) === undefined) return
  const core = runtime.coreOf(TARGET)
  assert.ok(core)
  const slots = Array.from({ length: 3000 }, () => core.hold(TARGET))
  assert.equal(new Set(slots).size, 3000)
  for (const slot of slots) core.release(slot)
  const again = Array.from({ length: 3000 }, () => core.hold(TARGET))
  assert.deepEqual(new Set(again), new Set(slots))
  for (const slot of again) core.release(slot)
  assert.equal(core.hold({ ...TARGET, address: 'no address' }), NO_SLOT)
})

test('answers that the receive buffer had no room for make no failure', async (t) => {
  const calls = real(t)
  if (calls === undefined) return
  const server = await listen(t, () => undefined)
  const halfOpen = new HalfOpen(parts, () => withSmallBuffers(calls))
  t.after(() => halfOpen.close())
  const target = targetOf(server, { halfOpen: true })
  const core = halfOpen.coreOf(target)
  assert.ok(core)
  const slots = Int32Array.from({ length: 200 }, () => core.hold(target))
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
  const silent = core.hold({ ...target, address: '192.0.2.1', sourceAddress: '127.0.0.1' })
  core.start(Int32Array.of(silent), 1, startMs + 1000)
  core.expire(silent, startMs + 1500)
  assert.notEqual(core.resultOf(0).reason, 'PROBER_OVERLOAD')
})

test('packets with a wrong checksum, which anybody can send, hide no failure', async (t) => {
  const calls = real(t)
  if (calls === undefined) return
  const halfOpen = new HalfOpen(parts, () => calls)
  t.after(() => halfOpen.close())
  const core = halfOpen.coreOf(TARGET)
  assert.ok(core)
  const silent = core.hold({ ...(await blackHole(t)), halfOpen: true })
  const startMs = performance.now()
  core.start(Int32Array.of(silent), 1, startMs)
  const socket = openRawSocket(6, IPPROTO_TCP)
  t.after(() => socket.close())
  for (let i = 0; i < 10; i++) assert.equal(sendRaw(socket, Buffer.alloc(20, 0x55), '::1'), undefined)
  core.collect(startMs + 1)
  core.expire(silent, startMs + 1000)
  assert.equal(core.resultOf(0).reason, 'CONNECT_TIMEOUT')
})

test('a flood of answers holds a look for some milliseconds only, and what times out meanwhile is no failure', async (t) => {
  const calls = real(t)
  if (calls === undefined) return
  const flood = { isOn: false, reads: 0, clockMs: 0 }
  const halfOpen = new HalfOpen(parts, () => ({
    ...calls,
    recvmmsg: (...values) => {
      if (!flood.isOn) return calls.recvmmsg(...values)
      flood.reads += 1
      return values[2]
    },
  }))
  t.after(() => halfOpen.close())
  const core = halfOpen.coreOf(TARGET)
  assert.ok(core)
  const closed = core.hold({ ...TARGET, port: await closedPort() })
  const probe = (startMs: number, isFlooded: boolean): string => {
    flood.isOn = isFlooded
    core.ended.clear()
    core.start(Int32Array.of(closed), 1, startMs)
    core.collect(startMs)
    if (core.ended.count === 0) core.expire(closed, startMs + 1000)
    return core.resultOf(0).reason
  }
  // A clock on which each read takes a millisecond.
  const clock = t.mock.method(performance, 'now', () => (flood.clockMs += 1))
  assert.equal(probe(10_000, true), 'PROBER_OVERLOAD')
  // Answers and errors, of IPv4 and of IPv6.
  assert.ok(flood.reads > 0 && flood.reads <= 4 * BATCH_READ_MS, `${flood.reads} reads`)
  assert.equal(probe(20_000, false), 'CONNECT_REFUSED', 'a later one is judged as ever')
  clock.mock.restore()
})
