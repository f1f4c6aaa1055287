import assert from 'node:assert/strict'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { after, test, type TestContext } from 'node:test'
import type { ProbeTarget } from '../../src/domain/target/probe-target.ts'
import { EchoChannel } from '../../src/probe/icmp/icmp-echo.ts'
import { makeProbePing } from '../../src/probe/icmp/ping.ts'
import type { Probe } from '../../src/probe/probe.ts'
import { makeProbeUdpConnect } from '../../src/probe/udp/udp-connect.ts'
import { listenApart } from '../support/ports.ts'
import { attempt, openSockets, probeWithin, until } from '../support/probing.ts'
import {
  closeEchoChannels,
  echoAvailability,
  closeUdp,
  probePing,
  probeUdpByCore,
  probeUdpConnect,
  udpSockets,
} from '../support/probers.ts'

after(closeEchoChannels)
after(closeUdp)

/** Milliseconds after which a probe of a listener that stays silent ends. */
const SILENCE_MS = 200
/** The same where something answers at once: a test that waits that long has failed. */
const ANSWER_MS = 5000

/** A listener, and a target that is given the time of an answer. */
async function udpListener(
  t: TestContext,
  address: string,
): Promise<{ socket: Socket; target: ProbeTarget }> {
  const family = address.includes(':') ? 6 : 4
  const socket = createSocket(family === 6 ? 'udp6' : 'udp4')
  const port = await listenApart(async (free) => {
    socket.bind(free, address)
    await once(socket, 'listening')
  })
  let open = true
  socket.on('close', () => (open = false))
  t.after(() => {
    if (open) socket.close()
  })
  return {
    socket,
    target: { type: 'UDP-CONNECT', address, family, port, timeoutMs: ANSWER_MS },
  }
}

const withoutRight = new EchoChannel(4, () => {
  throw new Error('Operation not permitted')
})

/** All ways a datagram can go: shared sockets need the right to open a raw one; where there is no core, others are used. */
const WAYS: Readonly<Record<string, Probe>> = {
  'shared sockets': probeUdpConnect,
  'own sockets': makeProbeUdpConnect(() => withoutRight),
  'by the batch': probeUdpByCore,
}

for (const [way, probe] of Object.entries(WAYS)) {
  for (const address of ['127.0.0.1', '127.9.9.9', '::1']) {
    test(`${way}: silence of a bound port on ${address} passes at the deadline, and one datagram was sent`, async (t) => {
      const { socket, target } = await udpListener(t, address)
      const payloads: string[] = []
      socket.on('message', (payload) => payloads.push(payload.toString()))
      const result = await probeWithin(probe, { ...target, timeoutMs: SILENCE_MS })
      assert.equal(result.reason, 'PASSED')
      assert.equal(result.detail, 'no reply, no port unreachable')
      assert.ok(result.phases.totalMs >= SILENCE_MS - 10)
      assert.deepEqual(payloads, ['healthmonitor/1 health check\n'])
    })

    test(`${way}: a reply from ${address} passes at once`, async (t) => {
      const { socket, target } = await udpListener(t, address)
      socket.on('message', (_, { port, address: from }) => socket.send('hello', port, from))
      const { result } = attempt(probe, target)
      assert.equal((await result).detail, 'got a reply')
      assert.ok((await result).phases.firstByteMs !== undefined)
    })

    test(`${way}: a closed port on ${address} is ICMP_UNREACHABLE`, async (t) => {
      const { socket, target } = await udpListener(t, address)
      socket.close()
      const { result } = attempt(probe, target)
      assert.equal((await result).reason, 'ICMP_UNREACHABLE')
      assert.equal((await result).detail, 'port unreachable')
    })
  }

  test(`${way}: with a reply required, silence is RECV_TIMEOUT`, async (t) => {
    const { target } = await udpListener(t, '127.0.0.1')
    const result = await probeWithin(probe, {
      ...target,
      timeoutMs: SILENCE_MS,
      udp: { requireReply: true },
    })
    assert.equal(result.reason, 'RECV_TIMEOUT')
  })

  test(`${way}: a reply must begin as it is expected to, and what is sent can be chosen`, async (t) => {
    const { socket, target } = await udpListener(t, '127.0.0.1')
    socket.on('message', (asked, { port, address: from }) =>
      socket.send(`re: ${asked.toString()}`, port, from),
    )
    const udp = { payload: Buffer.from('ask'), requireReply: true, replyPattern: [0x72, null, 0x3a] }
    assert.equal((await probeWithin(probe, { ...target, udp })).reason, 'PASSED')
    const other = { ...udp, replyPattern: [0x72, null, 0x3b] }
    assert.equal((await probeWithin(probe, { ...target, udp: other })).reason, 'BODY_MISMATCH')
  })

  test(`${way}: a datagram leaves from the source address that the target names`, async (t) => {
    const { socket, target } = await udpListener(t, '127.0.0.1')
    let seen = ''
    socket.on('message', (_, { address: from }) => (seen = from))
    await probeWithin(probe, { ...target, timeoutMs: SILENCE_MS, sourceAddress: '127.0.0.7' })
    assert.equal(seen, '127.0.0.7')
  })

  test(`${way}: each of many probes at one time gets the answer of its own target`, async (t) => {
    const before = openSockets()
    const listeners = await Promise.all(Array.from({ length: 30 }, () => udpListener(t, '127.0.0.1')))
    for (const { socket } of listeners.slice(0, 10)) socket.close()
    for (const { socket } of listeners.slice(10, 20))
      socket.on('message', (_, { port, address: from }) => socket.send('hello', port, from))
    const results = await Promise.all(
      listeners.map(({ target }, i) =>
        probeWithin(probe, { ...target, timeoutMs: i < 20 ? ANSWER_MS : SILENCE_MS }),
      ),
    )
    assert.deepEqual(
      results.map(({ detail }) => detail),
      [
        ...Array.from({ length: 10 }, () => 'port unreachable'),
        ...Array.from({ length: 10 }, () => 'got a reply'),
        ...Array.from({ length: 10 }, () => 'no reply, no port unreachable'),
      ],
    )
    await until(() => openSockets() <= before + 20)
    assert.deepEqual(udpSockets(), { shared: 0, own: 0 })
  })
}

for (const address of ['127.0.0.1', '127.9.9.9', '::1']) {
  for (const [way, probe] of [
    ['shared sockets', probeUdpConnect],
    ['by the batch', probeUdpByCore],
  ] as const) {
    test(`${way}: with the right to send ICMP, ${address} answers the echo first; without, the step is skipped visibly`, async (t) => {
      const { target } = await udpListener(t, address)
      const result = await probeWithin(probe, { ...target, timeoutMs: SILENCE_MS, echoFirst: true })
      assert.equal(result.reason, 'PASSED')
      if (echoAvailability(target.family).available) assert.ok(result.phases.echoMs !== undefined)
      else assert.match(result.detail, /echo skipped/)
    })
  }

  test(`with the right to send ICMP, PING of ${address} passes; without, it is inconclusive`, async () => {
    const family = address.includes(':') ? 6 : 4
    const { result } = attempt(probePing, { type: 'PING', address, family, port: 0, timeoutMs: ANSWER_MS })
    const availability = echoAvailability(family)
    assert.equal((await result).reason, availability.available ? 'PASSED' : availability.reason)
  })
}

test('without the right the datagram still decides, and the detail says that the echo was skipped', async (t) => {
  const { socket, target } = await udpListener(t, '127.0.0.1')
  const probe = makeProbeUdpConnect(() => withoutRight)
  const open = await probeWithin(probe, { ...target, timeoutMs: SILENCE_MS, echoFirst: true })
  assert.equal(open.detail, 'no reply, no port unreachable; echo skipped')
  socket.close()
  const closed = await probeWithin(probe, { ...target, echoFirst: true })
  assert.equal(closed.detail, 'port unreachable; echo skipped')
})

test('without the right a PING is inconclusive', async () => {
  const target = { type: 'PING', address: '127.0.0.1', family: 4, port: 0, timeoutMs: ANSWER_MS } as const
  const { result } = attempt(
    makeProbePing(() => withoutRight),
    target,
  )
  assert.equal((await result).reason, 'PROBER_FORBIDDEN')
})

test('a shutdown is inconclusive, and no socket is left', async (t) => {
  const { socket, target } = await udpListener(t, '127.0.0.1')
  let received = 0
  socket.on('message', () => received++)
  const before = openSockets()
  const early = attempt(probeUdpConnect, target)
  early.cancel('shutdown')
  assert.equal((await early.result).reason, 'PROBER_STOPPING')
  const late = attempt(probeUdpConnect, target)
  await until(() => received > 0)
  late.cancel('shutdown')
  late.cancel('timeout')
  assert.equal((await late.result).reason, 'PROBER_STOPPING')
  await until(() => openSockets() === before)
  assert.equal(late.calls(), 1)
})

test('where a raw socket can be had, probes that wait for silence share sockets', async (t) => {
  const { socket, target } = await udpListener(t, '0.0.0.0')
  // As large as the kernel allows: none of the datagrams may be dropped here.
  socket.setRecvBufferSize(1 << 20)
  let received = 0
  socket.on('message', () => received++)
  const attempts = Array.from({ length: 300 }, (_, i) =>
    attempt(probeUdpConnect, { ...target, address: `127.1.${i >> 8}.${i & 255}` }),
  )
  const expected = echoAvailability(4).available ? { shared: 1, own: 0 } : { shared: 0, own: 300 }
  await until(() => received === attempts.length)
  assert.deepEqual(udpSockets(), expected)
  for (const { cancel } of attempts) cancel('timeout')
  for (const { result } of attempts) assert.equal((await result).reason, 'PASSED')
  assert.deepEqual(udpSockets(), { shared: 0, own: 0 })
})

for (const [way, probe] of [
  ['shared sockets', probeUdpConnect],
  ['by the batch', probeUdpByCore],
] as const) {
  test(`${way}: two probes of one target at one time each have their own answer`, async (t) => {
    const { socket, target } = await udpListener(t, '127.0.0.1')
    let asked = 0
    socket.on('message', (_, { port, address }) => {
      if (++asked === 1) socket.send('hello', port, address)
    })
    // Both wait: which of them is answered is the listener's choice.
    const silenced = { ...target, timeoutMs: 1000 }
    const results = await Promise.all([probeWithin(probe, silenced), probeWithin(probe, silenced)])
    assert.deepEqual(results.map(({ detail }) => detail).toSorted(), [
      'got a reply',
      'no reply, no port unreachable',
    ])
  })
}

for (const [way, probe] of [
  ['shared sockets', probeUdpConnect],
  ['by the batch', probeUdpByCore],
] as const) {
  test(`${way}: an answer that comes after its probe has ended does not pass the next one`, async (t) => {
    const { socket, target } = await udpListener(t, '127.0.0.1')
    const senders: number[] = []
    socket.on('message', (_, { port }) => senders.push(port))
    const first = attempt(probe, target)
    // Keeps the lane of the first probe open.
    const other = attempt(probe, { ...target, address: '127.0.0.8' })
    await until(() => senders.length > 0)
    first.cancel('timeout')
    await first.result
    const second = attempt(probe, target)
    await until(() => senders.length === 2)
    socket.send('late', senders[0] ?? 0, '127.0.0.1')
    await new Promise((resolve) => setTimeout(resolve, 20))
    assert.equal(second.calls(), 0)
    for (const { cancel } of [second, other]) cancel('timeout')
    assert.equal((await second.result).detail, 'no reply, no port unreachable')
  })
}
