import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EchoChannel } from '../../../src/probe/icmp-echo.ts'
import { makeProbePing } from '../../../src/probe/ping.ts'
import { makeProbeUdpConnect } from '../../../src/probe/udp-connect.ts'
import { attempt, until } from '../../support/probing.ts'
import { FakeRawSocket } from '../../support/raw-socket.ts'

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

test('UDP-CONNECT on a shared socket is inconclusive when the raw socket that hears for it is lost', async () => {
  const raw = new FakeRawSocket()
  const probe = makeProbeUdpConnect(() => channel)
  const channel = new EchoChannel(6, () => raw)
  const { result } = attempt(probe, { ...target, echoFirst: false })
  await until(() => !raw.paused)
  raw.emit('close')
  assert.equal((await result).reason, 'PROBER_FAULT')
  assert.equal((await result).detail, 'icmp ECANCELED')
})
