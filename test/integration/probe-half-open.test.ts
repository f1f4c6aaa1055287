/** Half-open TCP probes mean the same whichever way they go: by the batch, by system calls, on `net.Socket`. */
import assert from 'node:assert/strict'
import type { AddressInfo } from 'node:net'
import { after, test, type TestContext } from 'node:test'
import type { ProbeTarget } from '../../src/domain/target/probe-target.ts'
import type { Probe } from '../../src/probe/probe.ts'
import { openRawSocket, type RawSocket, sendRaw } from '../../src/probe/raw-socket.ts'
import {
  attempt,
  blackHole,
  closedPort,
  listen,
  probeWithin,
  targetOf,
  until,
  wakableBlackHole,
} from '../support/probing.ts'
import {
  closeHalfOpen,
  noHalfOpenCore,
  probeTcp,
  probeTcpByCore,
  probeTcpByNode,
  runtime,
} from '../support/probers.ts'

after(closeHalfOpen)

const WAYS: Readonly<Record<string, Probe>> = {
  'by the batch': probeTcpByCore,
  'by system calls': probeTcp,
  'on net.Socket': probeTcpByNode,
}

const HALF = { halfOpen: true } as const

function needsCore(t: TestContext): boolean {
  const why = noHalfOpenCore()
  if (why !== false) t.skip(why)
  return why === false
}

/** One probe by every way: all give the same outcome, reason and detail. */
async function alike(target: ProbeTarget): Promise<readonly [reason: string, detail: string]> {
  const seen: [string, string][] = []
  for (const probe of Object.values(WAYS)) {
    const { reason, detail } = await probeWithin(probe, { ...target, ...HALF })
    seen.push([reason, detail])
  }
  for (const each of seen) assert.deepEqual(each, seen[0])
  return seen[0] ?? assert.fail('no way')
}

test('half-open probes go by the batch on Linux, where raw sockets may be opened', (t) => {
  if (!needsCore(t)) return
  assert.deepEqual(runtime.halfOpen.way, { by: 'raw socket' })
})

for (const address of ['127.0.0.1', '::1']) {
  test(`every way passes for a listener on ${address} and is refused by a closed port`, async (t) => {
    if (!needsCore(t)) return
    const server = await listen(t, () => undefined, address)
    assert.deepEqual(await alike(targetOf(server)), ['PASSED', 'connected'])
    const closed = { ...targetOf(server), port: await closedPort(address) }
    assert.deepEqual(await alike(closed), ['CONNECT_REFUSED', 'connect ECONNREFUSED'])
  })

  test(`a listener on ${address} never accepts a probe of the batch`, async (t) => {
    if (!needsCore(t)) return
    let connections = 0
    const server = await listen(t, () => connections++, address)
    for (let i = 0; i < 20; i++) {
      const { reason, phases } = await probeWithin(probeTcpByCore, targetOf(server, HALF))
      assert.equal(reason, 'PASSED')
      assert.ok((phases.connectMs ?? 0) > 0)
      assert.equal(phases.connectMs, phases.totalMs)
    }
    assert.equal((await probeWithin(probeTcp, targetOf(server))).reason, 'PASSED')
    await until(() => connections > 0)
    assert.equal(connections, 1, 'the whole handshake alone was accepted')
  })
}

test('every way times out against a black hole, and says it alike', async (t) => {
  if (!needsCore(t)) return
  assert.deepEqual(await alike(await blackHole(t)), ['CONNECT_TIMEOUT', 'no answer to SYN within 200 ms'])
})

test('every way is inconclusive where the source address is not of this host', async (t) => {
  if (!needsCore(t)) return
  const server4 = await listen(t, () => undefined)
  const server6 = await listen(t, () => undefined, '::1')
  const foreign = ['PROBER_NO_SOCKET', 'bind EADDRNOTAVAIL']
  assert.deepEqual(await alike(targetOf(server4, { sourceAddress: '203.0.113.1' })), foreign)
  assert.deepEqual(await alike(targetOf(server6, { sourceAddress: '2001:db8::1' })), foreign)
})

test('by the batch: a target that answers the second SYN only passes, and the wait for it counts', async (t) => {
  if (!needsCore(t)) return
  const { target, wake } = await wakableBlackHole(t)
  const { result, calls } = attempt(probeTcpByCore, { ...target, ...HALF })
  wake()
  const { reason, phases } = await result
  assert.equal(reason, 'PASSED')
  assert.ok((phases.connectMs ?? 0) > 900, `took ${phases.connectMs} ms`)
  assert.equal(calls(), 1)
})

test('by the batch: a shutdown is inconclusive, and a second cancel does nothing', async (t) => {
  if (!needsCore(t)) return
  const { result, cancel, calls } = attempt(probeTcpByCore, { ...(await blackHole(t)), ...HALF })
  cancel('shutdown')
  cancel('timeout')
  assert.equal((await result).reason, 'PROBER_STOPPING')
  assert.equal(calls(), 1)
})

/** Packets of TCP that arrive on loopback, from and to a port. */
function sniff(t: TestContext, port: number): Segment[] {
  const seen: Segment[] = []
  const socket: RawSocket = openRawSocket(4, 6)
  t.after(() => socket.close())
  socket.on('message', (packet) => {
    const segment = segmentOf(packet)
    if (segment.from === port || segment.to === port) seen.push(segment)
  })
  return seen
}

interface Segment {
  readonly source: string
  readonly from: number
  readonly to: number
  readonly flags: number
  readonly sequence: number
}

function segmentOf(packet: Buffer): Segment {
  const tcp = packet.subarray(((packet[0] ?? 0) & 0x0f) * 4)
  return {
    source: packet.subarray(12, 16).join('.'),
    from: tcp.readUInt16BE(0),
    to: tcp.readUInt16BE(2),
    flags: tcp.readUInt8(13),
    sequence: tcp.readUInt32BE(4),
  }
}

const SYN = 0x02
const RST = 0x04
const ACK = 0x10
const SYN_ACK = 0x12

test('by the batch: the exchange is SYN, SYN-ACK, RST, from the source address and a port of ours', async (t) => {
  if (!needsCore(t)) return
  const server = await listen(t, () => undefined)
  const { port } = server.address() as AddressInfo
  const seen = sniff(t, port)
  const target = targetOf(server, { ...HALF, sourceAddress: '127.0.0.7' })
  assert.equal((await probeWithin(probeTcpByCore, target)).reason, 'PASSED')
  await until(() => seen.some(({ flags }) => flags === RST))
  assert.deepEqual(
    seen.map(({ flags }) => flags),
    [SYN, SYN_ACK, RST],
  )
  const [syn, , reset] = seen
  assert.equal(syn?.source, '127.0.0.7')
  assert.equal(reset?.sequence, ((syn?.sequence ?? 0) + 1) >>> 0)
  const [first, last] = runtime.sourcePorts.range()
  assert.ok(syn && (syn.from < first || syn.from > last), `port ${syn?.from} is one that the kernel chooses`)
})

test('by the batch: ports and numbers of probes are not those of the probe before', async (t) => {
  if (!needsCore(t)) return
  const server = await listen(t, () => undefined)
  const seen = sniff(t, (server.address() as AddressInfo).port)
  const syns = (): Segment[] => seen.filter(({ flags }) => flags === SYN)
  for (let i = 1; i <= 30; i++) {
    await probeWithin(probeTcpByCore, targetOf(server, HALF))
    await until(() => syns().length === i)
  }
  assert.ok(new Set(syns().map(({ from }) => from)).size > 15)
  assert.equal(new Set(syns().map(({ sequence }) => sequence)).size, 30)
})

/** A TCP header without data: from whoever sends it, by a raw socket, whose kernel adds the IP header. */
function header(from: number, to: number, flags: number, acknowledged: number): Buffer {
  const packet = Buffer.alloc(20)
  packet.writeUInt16BE(from, 0)
  packet.writeUInt16BE(to, 2)
  packet.writeUInt32BE(acknowledged >>> 0, 8)
  packet.writeUInt8(5 << 4, 12)
  packet.writeUInt8(flags, 13)
  return packet
}

test('by the batch: an answer with another number, port or address, or a reset of nothing, is none', async (t) => {
  if (!needsCore(t)) return
  const target = { ...(await blackHole(t)), ...HALF, timeoutMs: 5000 }
  const seen = sniff(t, target.port)
  const forger = openRawSocket(4, 6)
  t.after(() => forger.close())
  const silent = attempt(probeTcpByCore, target)
  await until(() => seen.some(({ flags }) => flags === SYN))
  const { from: port, sequence } = seen.find(({ flags }) => flags === SYN) ?? assert.fail('no SYN')
  const right = sequence + 1
  const forged: readonly Buffer[] = [
    header(target.port, port, SYN_ACK, right + 1),
    header(target.port, port, SYN_ACK, 0),
    header(target.port + 1, port, SYN_ACK, right),
    header(target.port, port ^ 1, SYN_ACK, right),
    header(target.port, port, RST, right),
    header(target.port, port, ACK, right),
  ]
  const { received } = runtime.halfOpen.counts
  for (const packet of forged) assert.equal(sendRaw(forger, packet, '127.0.0.1'), undefined)
  // The same answer at another address of this host, which leaves from there.
  assert.equal(sendRaw(forger, header(target.port, port, SYN_ACK, right), '127.0.0.9'), undefined)
  // The last of all forged answers that the filter lets through: what came before it was read before.
  await until(() => runtime.halfOpen.counts.received >= received + forged.length - 1)
  assert.equal(silent.calls(), 0)
  assert.equal(sendRaw(forger, header(target.port, port, RST | ACK, right), '127.0.0.1'), undefined)
  assert.equal((await silent.result).reason, 'CONNECT_REFUSED')
})

test('by the batch: no other packet of this host is copied', async (t) => {
  if (!needsCore(t)) return
  const core = runtime.coreOf({ ...(await blackHole(t)), ...HALF })
  const counts = (): number => runtime.halfOpen.counts.received
  const server = await listen(t, (socket) => socket.end('hello'))
  const silent = attempt(probeTcpByCore, { ...(await blackHole(t)), ...HALF })
  const before = counts()
  for (let i = 0; i < 50; i++) await probeWithin(probeTcpByNode, targetOf(server))
  assert.equal(counts(), before)
  silent.cancel('timeout')
  assert.equal((await silent.result).reason, 'CONNECT_TIMEOUT')
  assert.equal(core?.inFlight, 0)
})
