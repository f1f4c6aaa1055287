import assert from 'node:assert/strict'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { after, test, type TestContext } from 'node:test'
import type { ProbeTarget, UdpExchange } from '../../src/domain/target/probe-target.ts'
import { listenApart } from '../support/ports.ts'
import { attempt, openSockets, probeWithin, until } from '../support/probing.ts'
import { closeEchoChannels, closeUdp, echoAvailability, probers, probeUdpByCore } from '../support/probers.ts'

after(closeEchoChannels)
after(closeUdp)
const probeUdp = probers['UDP-CONNECT']

/** Milliseconds after which a probe of a listener that stays silent ends. */
const SILENCE_MS = 200
/** The same where something answers at once: a test that waits that long has failed. */
const ANSWER_MS = 5000

/** A listener that answers each datagram with what `respond` makes of it; undefined = nothing. */
async function listener(
  t: TestContext,
  respond: (payload: Buffer) => string | undefined,
  address = '127.0.0.1',
): Promise<{ readonly socket: Socket; readonly target: (udp: UdpExchange) => ProbeTarget }> {
  const family = address.includes(':') ? 6 : 4
  const socket = createSocket(family === 6 ? 'udp6' : 'udp4')
  socket.on('message', (payload, { port, address: from }) => {
    const reply = respond(payload)
    if (reply !== undefined) socket.send(Buffer.from(reply, 'latin1'), port, from)
  })
  const port = await listenApart(async (free) => {
    socket.bind(free, address)
    await once(socket, 'listening')
  })
  let open = true
  socket.on('close', () => (open = false))
  t.after(() => open && socket.close())
  return {
    socket,
    target: (udp) => ({ type: 'UDP-CONNECT', address, family, port, timeoutMs: ANSWER_MS, udp }),
  }
}

for (const [way, probe] of [
  ['by its prober', probeUdp],
  ['by the batch', probeUdpByCore],
] as const) {
  for (const address of ['127.0.0.1', '::1']) {
    test(`${way}: the payload goes to ${address} as it is, and a reply that begins with the pattern passes`, async (t) => {
      const { target } = await listener(
        t,
        (payload) => (payload.equals(Buffer.from([0, 1, 2])) ? 'A-Zrest' : undefined),
        address,
      )
      const udp = { payload: Buffer.from([0, 1, 2]), requireReply: true, replyPattern: [0x41, null, 0x5a] }
      const { reason, phases } = await probeWithin(probe, target(udp))
      assert.equal(reason, 'PASSED')
      assert.ok(phases.firstByteMs !== undefined)
    })
  }

  test(`${way}: another reply fails, one that is too short for the pattern too, and none of its bytes are shown`, async (t) => {
    for (const reply of ['secret', 'A', '']) {
      const { target } = await listener(t, () => reply)
      const result = await probeWithin(probe, target({ requireReply: true, replyPattern: [0x41, null] }))
      assert.equal(result.reason, 'BODY_MISMATCH')
      assert.doesNotMatch(result.detail, /secret/)
    }
  })

  test(`${way}: of a reply that may be shorter than the pattern, what is there is compared; too short and too long fail`, async (t) => {
    const passes = async (reply: string, lengths: Partial<UdpExchange>) => {
      const { target } = await listener(t, () => reply)
      const udp = { requireReply: true, replyPattern: [0x41, null, 0x43], ...lengths }
      return (await probeWithin(probe, target(udp))).reason === 'PASSED'
    }
    assert.deepEqual(
      [
        await passes('', { minReplyBytes: 0 }),
        await passes('A', { minReplyBytes: 1 }),
        await passes('', { minReplyBytes: 1 }),
        await passes('AB', { minReplyBytes: 0 }),
        await passes('B', { minReplyBytes: 0 }),
        await passes('ABC', { maxReplyBytes: 3 }),
        await passes('ABCD', { maxReplyBytes: 3 }),
        await passes('ABD', { minReplyBytes: 0 }),
      ],
      [true, true, false, true, false, true, false, false],
    )
  })

  test(`${way}: silence fails where a reply is required, and passes where none is`, async (t) => {
    const { target } = await listener(t, () => undefined)
    const reasonOf = async (requireReply: boolean) =>
      (await probeWithin(probe, { ...target({ requireReply }), timeoutMs: SILENCE_MS })).reason
    assert.equal(await reasonOf(true), 'RECV_TIMEOUT')
    assert.equal(await reasonOf(false), 'PASSED')
  })

  test(`${way}: a closed port is ICMP_UNREACHABLE, whether a reply is required or not`, async (t) => {
    const { socket, target } = await listener(t, () => undefined)
    socket.close()
    for (const requireReply of [true, false]) {
      assert.equal((await probeWithin(probe, target({ requireReply }))).reason, 'ICMP_UNREACHABLE')
    }
  })

  test(`${way}: a datagram that is larger than a network can carry is the fault of the prober`, async (t) => {
    const { target } = await listener(t, () => undefined)
    const result = await probeWithin(probe, target({ requireReply: true, payload: Buffer.alloc(70_000) }))
    assert.equal(result.outcome, 'inconclusive')
  })
}

test('no socket is left, however the probe ends', async (t) => {
  const { target } = await listener(t, (payload) => (payload.length === 1 ? 'x' : undefined))
  const before = openSockets()
  for (let i = 0; i < 20; i++) {
    const udp = { requireReply: true, payload: Buffer.alloc((i % 2) + 1) }
    const { result, cancel } = attempt(probeUdp, target(udp))
    if (i % 4 === 3) cancel('shutdown')
    else setTimeout(cancel, 20, 'timeout')
    await result
  }
  await until(() => openSockets() <= before)
})

for (const [way, probe] of [
  ['by its prober', probeUdp],
  ['by the batch', probeUdpByCore],
] as const) {
  test(`${way}: with an echo first, where this process may send one, the phases follow each other`, async (t) => {
    const { target } = await listener(t, () => 'x')
    const { reason, detail, phases } = await probeWithin(probe, {
      ...target({ requireReply: true }),
      echoFirst: true,
    })
    assert.equal(reason, 'PASSED')
    if (!echoAvailability(4).available) return assert.match(detail, /echo skipped/)
    const { echoMs = 9e9, firstByteMs = 0, totalMs } = phases
    assert.ok(echoMs > 0 && echoMs <= firstByteMs && firstByteMs <= totalMs)
  })
}
