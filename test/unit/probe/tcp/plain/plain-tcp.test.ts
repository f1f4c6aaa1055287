import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { constants } from 'node:os'
import { test, type TestContext } from 'node:test'
import { CONNECTS_PER_LOOK, IDLE_KERNEL_SOCKETS_MS } from '../../../../../src/domain/limits.ts'
import type { ProbeResult } from '../../../../../src/domain/result/probe-result.ts'
import type { ProbeTarget } from '../../../../../src/domain/target/probe-target.ts'
import { type BatchCore, NO_SLOT } from '../../../../../src/probe/batch/core.ts'
import { HostAddresses } from '../../../../../src/probe/socket-errors.ts'
import { CONNECTED_TO_ITSELF, SourcePorts } from '../../../../../src/probe/source-ports.ts'
import { KernelSockets } from '../../../../../src/probe/tcp/kernel-sockets.ts'
import { findLibc, type Libc } from '../../../../../src/probe/tcp/libc.ts'
import { makePlainTcp } from '../../../../../src/probe/tcp/plain/plain-tcp.ts'
import { makeProbeTcp } from '../../../../../src/probe/tcp/tcp.ts'
import { NodeSockets } from '../../../../../src/probe/wire/node-sockets.ts'
import { probeByCore } from '../../../../support/core-probe.ts'
import { blackHole, closedPort, listen, probeWithin, targetOf, until } from '../../../../support/probing.ts'

const parts = { hostAddresses: new HostAddresses(), sourcePorts: new SourcePorts() }
const TARGET: ProbeTarget = { type: 'TCP', address: '127.0.0.1', family: 4, port: 1, timeoutMs: 1000 }
const { EMFILE, ENFILE, ENOBUFS, ENOMEM, EADDRNOTAVAIL, EPERM, EACCES, ENETUNREACH, EIO } = constants.errno
const IP_BIND_ADDRESS_NO_PORT = 24
const descriptors = (): number => readdirSync('/proc/self/fd').length

/** The calls of this host; skips the test where there are none. */
function real(t: TestContext): Libc | undefined {
  const libc = findLibc()
  if (libc === undefined) t.skip('no system calls here')
  return libc
}

const isDissolution = (address: Uint8Array): boolean => address[0] === 0 && address[1] === 0

/** A core over these calls, with a function that starts one probe and one that says how those that have ended did. */
function opened(t: TestContext, libc: Libc, more: Partial<typeof parts> = {}) {
  const plain = makePlainTcp({ ...parts, ...more }, () => libc)
  t.after(() => plain.close())
  const core = plain.coreOf(TARGET) ?? assert.fail(JSON.stringify(plain.way))
  const start = (slot: number, nowMs: number): void => core.start(Int32Array.of(slot), 1, nowMs)
  return { plain, core, start, results: () => resultsOf(core) }
}

function resultsOf(core: BatchCore): readonly ProbeResult[] {
  const results = Array.from({ length: core.ended.count }, (_, i) => core.resultOf(i))
  core.ended.clear()
  return results
}

test('each call that fails, lies or cannot be called leaves TCP probes on their other ways', (t) => {
  const libc = real(t)
  if (libc === undefined) return
  const kernels: Readonly<Record<string, Partial<Libc>>> = {
    'without epoll': { epoll_create1: () => -1 },
    'that watches nothing': { epoll_ctl: () => -1 },
    'that reports nothing': { epoll_wait: () => 0 },
    'that reports another socket': {
      epoll_wait: (epoll, events, count, timeoutMs) => {
        const ended = libc.epoll_wait(epoll, events, count, timeoutMs)
        events.fill(0x7f)
        return ended
      },
    },
    'that makes no socket': { socket: () => -1 },
    'that binds nothing': { bind: () => -1 },
    'that connects nothing': { connect: () => -1 },
    'that says of every address that it is connected': { connect: () => 0 },
    'that dissolves nothing': {
      connect: (fd, address, bytes) => (isDissolution(address) ? -1 : libc.connect(fd, address, bytes)),
    },
    'without TCP_INFO': { getsockopt: () => -1, errno: () => 92 },
    'that has no names': { getsockname: () => -1 },
    'that reads no address': { inet_pton: () => 0 },
    'whose function cannot be called': {
      getsockname: () => {
        throw new TypeError('Unexpected Number value for argument 2, expected void *')
      },
    },
  }
  const before = descriptors()
  for (const [name, changed] of Object.entries(kernels)) {
    const plain = makePlainTcp(parts, () => ({ ...libc, ...changed }))
    assert.equal(plain.coreOf(TARGET), undefined, name)
    assert.equal(plain.way?.by, 'prober', name)
    assert.equal(descriptors(), before, `a kernel ${name}: descriptors`)
  }
  const without = makePlainTcp(parts, () => undefined)
  assert.equal(without.coreOf(TARGET), undefined)
  assert.deepEqual(without.way, { by: 'prober', why: 'koffi cannot be used here' })
})

test('what is more than a connection is not made by this core', (t) => {
  const libc = real(t)
  if (libc === undefined) return
  const { plain } = opened(t, libc)
  const others: readonly Partial<ProbeTarget>[] = [
    { type: 'HTTP' },
    { tls: { verify: false } },
    { tcp: { receive: [] } },
    { proxyProtocol: 1 },
    { family: 6, address: '::ffff:127.0.0.1' },
  ]
  for (const other of others)
    assert.equal(plain.coreOf({ ...TARGET, ...other }), undefined, JSON.stringify(other))
  for (const same of [{ halfOpen: true }, { close: 'fin' }, { sourceAddress: '127.0.0.1' }] as const)
    assert.notEqual(plain.coreOf({ ...TARGET, ...same }), undefined, JSON.stringify(same))
})

test('a fault of this host has the same reason and the same words as by the way of one at a time', async (t) => {
  const libc = real(t)
  if (libc === undefined) return
  let broken: 'socket' | 'connect' | undefined
  let errno = 0
  const breaking: Libc = {
    ...libc,
    socket: (...values) => (broken === 'socket' ? -1 : libc.socket(...values)),
    connect: (fd, address, bytes) =>
      broken === 'connect' && !isDissolution(address) ? -1 : libc.connect(fd, address, bytes),
    errno: () => (broken === undefined ? libc.errno() : errno),
  }
  const kernelSockets = KernelSockets.open(breaking, parts.sourcePorts) ?? assert.fail('no sockets')
  t.after(() => kernelSockets.close())
  const probeTcp = makeProbeTcp({ ...parts, nodeSockets: new NodeSockets(), kernelSockets })
  const server = await listen(t, () => undefined)
  // One of loopback, and one for which this host may have no network.
  for (const address of ['127.0.0.1', '192.0.2.1']) {
    const target = { ...targetOf(server), address }
    for (const call of ['socket', 'connect'] as const) {
      for (const number of [EMFILE, ENFILE, ENOBUFS, ENOMEM, EADDRNOTAVAIL, EPERM, EACCES, ENETUNREACH, 0]) {
        // A core of its own for each: it has no socket that it could use again.
        broken = undefined
        const { plain } = opened(t, breaking)
        kernelSockets.capacity = 0
        broken = call
        errno = number
        const asOne = await probeWithin(probeTcp, target)
        const byBatch = await probeWithin(
          probeByCore((each) => plain.coreOf(each), probeTcp),
          target,
        )
        const name = `${call} ${number || EIO}`
        assert.equal(byBatch.detail, asOne.detail, name)
        assert.equal(byBatch.reason, asOne.reason, name)
        plain.close()
      }
    }
  }
})

test('an answer that came in time counts at its deadline, and no answer is a timeout', async (t) => {
  const libc = real(t)
  if (libc === undefined) return
  const server = await listen(t, () => undefined)
  const { core, start, results } = opened(t, libc)
  const answered = core.hold(targetOf(server))
  const silent = core.hold(await blackHole(t))
  start(answered, 1000)
  start(silent, 1000)
  core.expire(answered, 1200)
  core.expire(silent, 1200)
  assert.deepEqual(
    results().map(({ reason, detail }) => [reason, detail]),
    [
      ['PASSED', 'connected'],
      ['CONNECT_TIMEOUT', 'no answer to SYN within 200 ms'],
    ],
  )
  assert.equal(core.inFlight, 0)
  core.expire(silent, 1300)
  core.drop(silent)
  assert.equal(core.ended.count, 0)
})

test('a connection to itself is a refusal', async (t) => {
  const libc = real(t)
  if (libc === undefined) return
  const everyPort = new (class extends SourcePorts {
    override includes(): boolean {
      return true
    }
  })()
  let peer = new Uint8Array()
  // The kernel that chooses the port of the target as its own.
  const choosing: Libc = {
    ...libc,
    getsockname: (fd, address, bytes) => {
      const status = libc.getsockname(fd, address, bytes)
      if (peer.length > 0) address.set(peer)
      return status
    },
  }
  const { core, start, results } = opened(t, choosing, { sourcePorts: everyPort })
  const server = await listen(t, () => undefined)
  const target = targetOf(server)
  const slot = core.hold(target)
  start(slot, 0)
  core.collect(0)
  assert.equal(results()[0]?.reason, 'PASSED')
  peer = Uint8Array.of(2, 0, target.port >> 8, target.port & 255, 127, 0, 0, 1)
  start(slot, 0)
  core.collect(0)
  const [given] = results()
  assert.deepEqual([given?.reason, given?.detail], ['CONNECT_REFUSED', CONNECTED_TO_ITSELF])
})

test('sockets wait for the next probe, as many as may, and not for long; the descriptors are those it says', async (t) => {
  const libc = real(t)
  if (libc === undefined) return
  const server = await listen(t, (socket) => socket.on('error', () => undefined))
  const before = descriptors()
  const { plain, core } = opened(t, libc)
  const opening = descriptors() - before
  assert.equal(plain.descriptors, opening)
  const slots = Int32Array.from({ length: 3 * CONNECTS_PER_LOOK }, () => core.hold(targetOf(server)))
  const round = (nowMs: number): void => {
    core.start(slots, slots.length, nowMs)
    core.collect(nowMs)
    assert.equal(resultsOf(core).length, slots.length)
  }
  round(0)
  // Those that are near have ended when the next ones start.
  assert.equal(plain.descriptors, CONNECTS_PER_LOOK + 1)
  plain.allowIdle(5)
  round(10)
  assert.equal(plain.descriptors, 6)
  core.collect(10 + IDLE_KERNEL_SOCKETS_MS - 1)
  assert.equal(plain.descriptors, 6)
  core.collect(10 + IDLE_KERNEL_SOCKETS_MS)
  assert.equal(plain.descriptors, 1)
  round(2000)
  for (const slot of slots) core.release(slot)
  // No target is left that would need one.
  assert.equal(plain.descriptors, 1)
  plain.close()
  assert.equal(plain.descriptors, 0)
})

test('a socket that was bound, or that ended in order, serves no other probe', async (t) => {
  const libc = real(t)
  if (libc === undefined) return
  let seen: string[] = []
  const server = await listen(t, (socket) => {
    seen.push(socket.remoteAddress ?? '')
    socket.resume()
  })
  const withoutOption: Libc = {
    ...libc,
    setsockopt: (...values) => (values[2] === IP_BIND_ADDRESS_NO_PORT ? -1 : libc.setsockopt(...values)),
  }
  for (const calls of [libc, withoutOption]) {
    for (const more of [{ sourceAddress: '127.0.0.9' }, { close: 'fin' }] as const) {
      const { plain, core, start, results } = opened(t, calls)
      for (const target of [targetOf(server, more), targetOf(server)]) {
        const idle = plain.descriptors
        const before = seen.length
        start(core.hold(target), 0)
        await until(() => seen.length > before)
        core.collect(0)
        assert.equal(results()[0]?.reason, 'PASSED')
        assert.equal(
          plain.descriptors - idle,
          target.close === 'fin' || target.sourceAddress !== undefined ? 0 : 1,
        )
      }
      assert.deepEqual(seen, [
        ('sourceAddress' in more ? more.sourceAddress : undefined) ?? '127.0.0.1',
        '127.0.0.1',
      ])
      seen = []
      plain.close()
    }
  }
})

test('slots are given again, and as many as there are targets, all of which can be in flight', async (t) => {
  const libc = real(t)
  if (libc === undefined) return
  const port = await closedPort()
  const { core } = opened(t, libc)
  const slots = Int32Array.from({ length: 3000 }, () => core.hold({ ...TARGET, port }))
  assert.equal(new Set(slots).size, slots.length)
  for (let from = 0; from < slots.length; from += 500) {
    core.start(slots.subarray(from, from + 500), 500, 0)
    core.collect(0)
    for (const { reason } of resultsOf(core)) assert.equal(reason, 'CONNECT_REFUSED')
  }
  assert.equal(core.inFlight, 0)
  for (const slot of slots) core.release(slot)
  const again = slots.map(() => core.hold(TARGET))
  assert.deepEqual(new Set(again), new Set(slots))
  for (const address of ['no address', '::1%eth0']) assert.equal(core.hold({ ...TARGET, address }), NO_SLOT)
  assert.equal(core.hold({ ...TARGET, sourceAddress: 'no address' }), NO_SLOT)
})

test('a core that is closed ends its probes without results, gives all descriptors back, and knows nothing of targets', async (t) => {
  const libc = real(t)
  if (libc === undefined) return
  const target = await blackHole(t)
  const before = descriptors()
  const { plain, core, start, results } = opened(t, libc)
  const slot = core.hold(target)
  start(slot, 0)
  assert.equal(core.inFlight, 1)
  plain.close()
  assert.equal(core.inFlight, 0)
  assert.equal(descriptors(), before)
  start(slot, 10)
  const [given] = results()
  assert.equal(given?.outcome, 'inconclusive')
  assert.equal(plain.coreOf(TARGET), undefined)
  assert.equal(core.hold(TARGET), NO_SLOT)
})
