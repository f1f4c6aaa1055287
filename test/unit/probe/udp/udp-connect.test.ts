import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { test } from 'node:test'
import { EchoChannel } from '../../../../src/probe/icmp/icmp-echo.ts'
import { makeProbePing } from '../../../../src/probe/icmp/ping.ts'
import { makeProbeUdpConnect } from '../../../../src/probe/udp/udp-connect.ts'
import { attempt, until } from '../../../support/probing.ts'
import { FakeRawSocket } from '../../../support/raw-socket.ts'

const target = {
  type: 'UDP-CONNECT',
  address: '::1',
  family: 6,
  port: 9,
  timeoutMs: 50,
  echoFirst: true,
} as const

for (const [name, make] of [
  ['UDP-CONNECT', makeProbeUdpConnect],
  ['PING', makeProbePing],
] as const) {
  test(`${name} without an echo reply at the deadline is ICMP_TIMEOUT, and the reply is no longer awaited`, async () => {
    const socket = new FakeRawSocket()
    const { result, cancel, calls } = attempt(
      make(() => new EchoChannel(6, () => socket)),
      target,
    )
    assert.equal(socket.sent.length, 1)
    cancel('timeout')
    assert.equal((await result).reason, 'ICMP_TIMEOUT')
    assert.equal(socket.paused, true)
    socket.emit('message', socket.replyTo(0), '::1')
    assert.equal(calls(), 1)
  })

  test(`${name} whose echo this host does not permit is inconclusive`, async () => {
    const socket = new FakeRawSocket()
    socket.sendError = new Error('Operation not permitted')
    const { result } = attempt(
      make(() => new EchoChannel(6, () => socket)),
      target,
    )
    assert.equal((await result).reason, 'PROBER_FORBIDDEN')
    assert.equal((await result).detail, 'echo EPERM')
  })
}

test('UDP-CONNECT whose datagram was not sent at the deadline does not pass', async () => {
  const { result, cancel } = attempt(
    makeProbeUdpConnect(() => new EchoChannel(6, () => new FakeRawSocket())),
    {
      ...target,
      echoFirst: false,
    },
  )
  cancel('timeout')
  assert.equal((await result).reason, 'PROBER_OVERLOAD')
})

test('UDP-CONNECT on a shared socket is inconclusive when its raw ICMP socket is lost', async () => {
  const raw = new FakeRawSocket()
  const probe = makeProbeUdpConnect(() => channel)
  const channel = new EchoChannel(6, () => raw)
  const { result } = attempt(probe, { ...target, echoFirst: false })
  await until(() => !raw.paused)
  raw.emit('close')
  assert.equal((await result).reason, 'PROBER_FAULT')
  assert.equal((await result).detail, 'icmp ECANCELED')
})

/** ICMPv6 "address unreachable" that quotes a datagram from ::1 to ::1. */
function hostUnreachable(sourcePort: number, port: number): Buffer {
  const packet = Buffer.alloc(8 + 40 + 8)
  packet[0] = 1
  packet[1] = 3
  const quoted = packet.subarray(8)
  quoted[6] = 17
  quoted[23] = 1
  quoted[39] = 1
  quoted.writeUInt16BE(sourcePort, 40)
  quoted.writeUInt16BE(port, 42)
  return packet
}

for (const [what, reply, expected] of [
  ['silent fails', undefined, 'ICMP_UNREACHABLE'],
  ['replies all the same passes', 'here', 'PASSED'],
] as const) {
  test(`UDP-CONNECT whose target is reported as unreachable and ${what}`, async (t) => {
    const listener = createSocket('udp6').bind(0, '::1')
    t.after(() => listener.close())
    await once(listener, 'listening')
    const { port } = listener.address()
    const raw = new FakeRawSocket()
    const channel = new EchoChannel(6, () => raw)
    const { result, cancel, calls } = attempt(
      makeProbeUdpConnect(() => channel),
      { ...target, port, echoFirst: false },
    )
    const [, sender] = (await once(listener, 'message')) as [Buffer, { port: number }]
    await until(() => !raw.paused)
    raw.emit('message', hostUnreachable(sender.port, port), '::1')
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)))
    assert.equal(calls(), 0)
    if (reply === undefined) cancel('timeout')
    else listener.send(reply, sender.port, '::1')
    assert.equal((await result).reason, expected)
  })
}
