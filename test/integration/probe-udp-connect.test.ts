import assert from 'node:assert/strict'
import { createSocket, type Socket } from 'node:dgram'
import { after, test, type TestContext } from 'node:test'
import type { ProbeTarget } from '../../src/domain/results.ts'
import { closeEchoChannels, EchoChannel, echoAvailability } from '../../src/probe/icmp-echo.ts'
import { makeProbePing, probePing } from '../../src/probe/ping.ts'
import { makeProbeUdpConnect, probeUdpConnect } from '../../src/probe/udp-connect.ts'
import { attempt, openSockets, probeWithin, until } from '../support/probing.ts'

after(closeEchoChannels)

async function udpListener(
  t: TestContext,
  address: string,
): Promise<{ socket: Socket; target: ProbeTarget }> {
  const family = address.includes(':') ? 6 : 4
  const socket = createSocket(family === 6 ? 'udp6' : 'udp4')
  await new Promise<void>((resolve) => socket.bind(0, address, resolve))
  let open = true
  socket.on('close', () => (open = false))
  t.after(() => {
    if (open) socket.close()
  })
  return {
    socket,
    target: { type: 'UDP-CONNECT', address, family, port: socket.address().port, timeoutMs: 200 },
  }
}

const withoutRight = new EchoChannel(4, () => {
  throw new Error('Operation not permitted')
})

for (const address of ['127.0.0.1', '127.9.9.9', '::1']) {
  test(`silence of a bound port on ${address} passes at the deadline, and one datagram was sent`, async (t) => {
    const { socket, target } = await udpListener(t, address)
    const payloads: string[] = []
    socket.on('message', (payload) => payloads.push(payload.toString()))
    const result = await probeWithin(probeUdpConnect, target)
    assert.equal(result.reason, 'PASSED')
    assert.equal(result.detail, 'no reply, no port unreachable')
    assert.ok(result.phases.totalMs >= 190)
    assert.deepEqual(payloads, ['healthmonitor/1 health check\n'])
  })

  test(`a reply from ${address} passes at once`, async (t) => {
    const { socket, target } = await udpListener(t, address)
    socket.on('message', (_, { port, address: from }) => socket.send('hello', port, from))
    const { result } = attempt(probeUdpConnect, target)
    assert.equal((await result).detail, 'got a reply')
    assert.ok((await result).phases.firstByteMs !== undefined)
  })

  test(`a closed port on ${address} is ICMP_UNREACHABLE`, async (t) => {
    const { socket, target } = await udpListener(t, address)
    socket.close()
    const { result } = attempt(probeUdpConnect, target)
    assert.equal((await result).reason, 'ICMP_UNREACHABLE')
    assert.equal((await result).detail, 'port unreachable')
  })

  test(`with the right to send ICMP, ${address} answers the echo first; without, the step is skipped visibly`, async (t) => {
    const { target } = await udpListener(t, address)
    const result = await probeWithin(probeUdpConnect, { ...target, echoFirst: true })
    assert.equal(result.reason, 'PASSED')
    if (echoAvailability(target.family).available) assert.ok(result.phases.echoMs !== undefined)
    else assert.match(result.detail, /echo skipped/)
  })

  test(`with the right to send ICMP, PING of ${address} passes; without, it is inconclusive`, async () => {
    const family = address.includes(':') ? 6 : 4
    const { result } = attempt(probePing, { type: 'PING', address, family, port: 0, timeoutMs: 200 })
    const availability = echoAvailability(family)
    assert.equal((await result).reason, availability.available ? 'PASSED' : availability.reason)
  })
}

test('without the right the datagram still decides, and the detail says that the echo was skipped', async (t) => {
  const { socket, target } = await udpListener(t, '127.0.0.1')
  const probe = makeProbeUdpConnect(() => withoutRight)
  const open = await probeWithin(probe, { ...target, echoFirst: true })
  assert.equal(open.detail, 'no reply, no port unreachable; echo skipped')
  socket.close()
  const closed = await probeWithin(probe, { ...target, echoFirst: true })
  assert.equal(closed.detail, 'port unreachable; echo skipped')
})

test('without the right a PING is inconclusive', async () => {
  const target = { type: 'PING', address: '127.0.0.1', family: 4, port: 0, timeoutMs: 200 } as const
  const { result } = attempt(
    makeProbePing(() => withoutRight),
    target,
  )
  assert.equal((await result).reason, 'PROBER_FORBIDDEN')
})

test('a shutdown is inconclusive, and no socket is left', async (t) => {
  const { target } = await udpListener(t, '127.0.0.1')
  const before = openSockets()
  const early = attempt(probeUdpConnect, target)
  early.cancel('shutdown')
  assert.equal((await early.result).reason, 'PROBER_STOPPING')
  const late = attempt(probeUdpConnect, target)
  await new Promise((resolve) => setTimeout(resolve, 20))
  late.cancel('shutdown')
  late.cancel('timeout')
  assert.equal((await late.result).reason, 'PROBER_STOPPING')
  await until(() => openSockets() === before)
  assert.equal(late.calls(), 1)
})
