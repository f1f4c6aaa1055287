/** PING means the same by the batch as by its prober, and what leaves and what is received is what it should be. */
import assert from 'node:assert/strict'
import { after, test, type TestContext } from 'node:test'
import type { ProbeTarget } from '../../src/domain/target/probe-target.ts'
import { internetChecksum } from '../../src/probe/icmp/icmp-packet.ts'
import { openRawSocket } from '../../src/probe/raw-socket.ts'
import { attempt, probeWithin, until } from '../support/probing.ts'
import {
  closeEchoChannels,
  closePing,
  noPingCore,
  probePing,
  probePingByCore,
  runtime,
} from '../support/probers.ts'

after(closeEchoChannels)
after(closePing)

const TARGET: ProbeTarget = { type: 'PING', address: '127.0.0.1', family: 4, port: 0, timeoutMs: 1000 }

function needsCore(t: TestContext): boolean {
  const why = noPingCore()
  if (why !== false) t.skip(why)
  return why === false
}

test('PING goes by the batch on Linux, where raw sockets may be opened', (t) => {
  if (!needsCore(t)) return
  assert.deepEqual(runtime.ping.way, { by: 'batch' })
})

for (const [address, family] of [
  ['127.0.0.1', 4],
  ['127.9.9.9', 4],
  ['::1', 6],
] as const) {
  for (const [echoCount, detail] of [
    [1, 'echo answered'],
    [3, '3 echoes answered'],
  ] as const) {
    test(`both ways pass for ${echoCount} of ${address}, with the same detail and phases`, async (t) => {
      if (!needsCore(t)) return
      for (const probe of [probePingByCore, probePing]) {
        const {
          reason,
          detail: said,
          phases,
        } = await probeWithin(probe, { ...TARGET, address, family, echoCount })
        assert.deepEqual([reason, said], ['PASSED', detail])
        assert.deepEqual(Object.keys(phases), ['echoMs', 'totalMs'])
        assert.ok(phases.totalMs > 0 && phases.totalMs < 1000)
        assert.equal(phases.echoMs, phases.totalMs)
      }
    })
  }
}

test('by the batch: a shutdown is inconclusive, and a second cancel does nothing', async (t) => {
  if (!needsCore(t)) return
  const { result, cancel, calls } = attempt(probePingByCore, TARGET)
  cancel('shutdown')
  cancel('timeout')
  assert.equal((await result).reason, 'PROBER_STOPPING')
  assert.equal(calls(), 1)
})

/** ICMP messages that arrive on loopback at this address, with their source. */
function sniff(t: TestContext, destination: string): { readonly source: string; readonly icmp: Buffer }[] {
  const seen: { source: string; icmp: Buffer }[] = []
  const socket = openRawSocket(4, 1)
  t.after(() => socket.close())
  socket.on('message', (packet, source) => {
    if (packet.subarray(16, 20).join('.') === destination)
      seen.push({ source, icmp: Buffer.from(packet.subarray(20)) })
  })
  return seen
}

test('by the batch: each echo has a right checksum, our identifier, a new number and a new word', async (t) => {
  if (!needsCore(t)) return
  const seen = sniff(t, '127.0.0.77')
  for (let i = 1; i <= 20; i++) {
    const target = { ...TARGET, address: '127.0.0.77', sourceAddress: '127.0.0.7' }
    assert.equal((await probeWithin(probePingByCore, target)).reason, 'PASSED')
    await until(() => seen.length === i)
  }
  for (const { source, icmp } of seen) {
    assert.deepEqual([icmp[0], icmp[1], icmp.length, source], [8, 0, 16, '127.0.0.7'])
    assert.equal(internetChecksum(icmp), 0)
  }
  const distinct = (from: number, to: number): number =>
    new Set(seen.map(({ icmp }) => icmp.subarray(from, to).toString('hex'))).size
  assert.deepEqual([distinct(4, 6), distinct(6, 8), distinct(8, 12), distinct(12, 16)], [1, 20, 1, 20])
})

test('by the batch: no other packet of this host is copied', async (t) => {
  if (!needsCore(t)) return
  const core = runtime.ping.coreOf(TARGET)
  assert.ok(core)
  const slot = core.hold(TARGET)
  const before = core.received
  for (let i = 0; i < 20; i++) {
    for (const target of [TARGET, { ...TARGET, address: '::1', family: 6 } as const])
      assert.equal((await probeWithin(probePing, target)).reason, 'PASSED')
  }
  // What was copied meanwhile is read with the answer of this one.
  core.start(Int32Array.of(slot), 1, performance.now())
  await until(() => {
    core.collect(performance.now())
    return core.ended.count === 1
  })
  assert.equal(core.ended.reasonOf(0), 'PASSED')
  core.ended.clear()
  core.release(slot)
  assert.equal(core.received, before + 1)
})
