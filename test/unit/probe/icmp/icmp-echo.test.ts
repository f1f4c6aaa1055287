import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type IpAddress, parseAddress } from '../../../../src/domain/address/ip-address.ts'
import { EchoChannel, type EchoOutcome } from '../../../../src/probe/icmp/icmp-echo.ts'
import { FakeRawSocket } from '../../../support/raw-socket.ts'

function address(text: string): IpAddress {
  const parsed = parseAddress(text)
  assert.ok(parsed)
  return parsed
}

/** Outcomes are reported in the next turn of the event loop. */
const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

function channelOn(socket: FakeRawSocket): EchoChannel {
  return new EchoChannel(6, () => socket)
}

test('a reply counts only from the address that was probed, and the true one is still waited for', async () => {
  const socket = new FakeRawSocket()
  const outcomes: EchoOutcome[] = []
  channelOn(socket).send(address('2001:db8::1'), (outcome) => outcomes.push(outcome))
  socket.emit('message', socket.replyTo(0), '2001:db8::2')
  await nextTurn()
  assert.deepEqual(outcomes, [])
  socket.emit('message', socket.replyTo(0), '2001:db8:0:0::1')
  socket.emit('message', socket.replyTo(0), '2001:db8::1')
  await nextTurn()
  assert.deepEqual(outcomes, [{ kind: 'reply', sequence: 1 }])
})

test('all replies that have arrived are read in one turn', async () => {
  const socket = new FakeRawSocket()
  const channel = channelOn(socket)
  let replies = 0
  for (let i = 0; i < 50; i++) channel.send(address(`2001:db8::${i}`), () => replies++)
  for (let i = 1; i < 50; i++) socket.arrived.push({ packet: socket.replyTo(i), source: `2001:db8::${i}` })
  socket.emit('message', socket.replyTo(0), '2001:db8::')
  assert.equal(replies, 0)
  await nextTurn()
  assert.equal(replies, 50)
})

test('the socket is paused while nothing is awaited', () => {
  const socket = new FakeRawSocket()
  const channel = channelOn(socket)
  assert.equal(socket.paused, true)
  const stop = channel.send(address('::1'), () => undefined)
  const stopOther = channel.send(address('::1'), () => undefined)
  stop()
  stop()
  assert.equal(socket.paused, false)
  stopOther()
  assert.equal(socket.paused, true)
})

test('a packet that cannot be sent is an error with its errno, after send returned', async () => {
  const socket = new FakeRawSocket()
  socket.sendError = new Error('Network is unreachable')
  let outcome: EchoOutcome | undefined
  channelOn(socket).send(address('::1'), (given) => (outcome = given))
  assert.equal(outcome, undefined)
  await nextTurn()
  assert.deepEqual(outcome, { kind: 'error', errno: 'ENETUNREACH' })
})

test('a socket that is lost ends what was awaited', async () => {
  const socket = new FakeRawSocket()
  const channel = channelOn(socket)
  const outcomes: EchoOutcome[] = []
  channel.send(address('::1'), (outcome) => outcomes.push(outcome))
  socket.close()
  await nextTurn()
  assert.deepEqual(outcomes, [{ kind: 'error', errno: 'ECANCELED' }])
  assert.equal(channel.isOpen, false)
})

test('an absent package and a missing right have different reasons', () => {
  const failing = (error: Error) =>
    new EchoChannel(4, () => {
      throw error
    }).availability
  assert.deepEqual(failing(new Error('Operation not permitted')), {
    available: false,
    why: 'no right to open a raw socket (CAP_NET_RAW)',
    reason: 'PROBER_FORBIDDEN',
  })
  const absent = failing(Object.assign(new Error('Cannot find module'), { code: 'MODULE_NOT_FOUND' }))
  assert.equal(absent.available, false)
  assert.match(JSON.stringify(absent), /net-ping is not installed.*PROBER_UNSUPPORTED/)
  assert.match(JSON.stringify(failing(new Error('Too many open files'))), /PROBER_NO_SOCKET/)
})

/** ICMPv6 "port unreachable" that quotes a UDP datagram of ours. */
function portUnreachable(source: string, sourcePort: number): Buffer {
  const packet = Buffer.alloc(8 + 40 + 8)
  packet.writeUInt8(1, 0)
  packet.writeUInt8(4, 1)
  const quoted = packet.subarray(8)
  quoted.writeUInt8(17, 6)
  quoted.set(address(source).bytes, 8)
  quoted.set(address('2001:db8::9').bytes, 24)
  quoted.writeUInt16BE(sourcePort, 40)
  quoted.writeUInt16BE(53, 42)
  return packet
}

test('sockets with one port and different source addresses each get only the errors of their own datagrams', async () => {
  const socket = new FakeRawSocket()
  const channel = channelOn(socket)
  const heard: string[] = []
  const hearOf = (port: number, source?: string) =>
    channel.watchPort(port, source, () => heard.push(`${source ?? 'any'} ${port}`))
  const stopFirst = hearOf(4000, '2001:db8::1')
  hearOf(4000, '2001:db8::2')
  hearOf(5000)
  for (const [source, port] of [
    ['2001:db8::1', 4000],
    ['2001:db8::2', 4000],
    ['2001:db8::3', 4000],
    ['2001:db8::3', 5000],
  ] as const) {
    socket.emit('message', portUnreachable(source, port), '2001:db8::9')
  }
  await nextTurn()
  assert.deepEqual(heard.splice(0), ['2001:db8::1 4000', '2001:db8::2 4000', 'any 5000'])
  stopFirst()
  hearOf(4000, '2001:db8::1')
  stopFirst()
  socket.emit('message', portUnreachable('2001:db8::1', 4000), '2001:db8::9')
  await nextTurn()
  assert.deepEqual(heard, ['2001:db8::1 4000'], 'who stopped before takes nobody else out')
})
