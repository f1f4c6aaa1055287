import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  crc32c,
  readQuotedInit,
  readSctp,
  withChecksum,
  writeAbort,
  writeInit,
} from '../../../../src/probe/sctp/sctp-packet.ts'

const PORTS = { source: 50_000, destination: 3868 }
const TAG = 0xdeadbeef

test('the checksum is CRC32c: the values of RFC 7143 B.4 and the check value of the catalogue', () => {
  const vectors: readonly (readonly [Uint8Array, number])[] = [
    [Buffer.alloc(32), 0x8a9136aa],
    [Buffer.alloc(32, 0xff), 0x62a8ab43],
    [Uint8Array.from({ length: 32 }, (_, i) => i), 0x46dd794e],
    [Uint8Array.from({ length: 32 }, (_, i) => 31 - i), 0x113fdb5c],
    [Buffer.from('123456789'), 0xe3069283],
    [Buffer.alloc(0), 0],
  ]
  for (const [bytes, expected] of vectors) assert.equal(crc32c(bytes), expected)
})

test('an INIT is one chunk of 20 bytes with tag, window, streams and a checksum over zeroes, lowest byte first', () => {
  const packet = writeInit(PORTS, TAG)
  assert.equal(packet.length, 32)
  assert.equal(packet.toString('hex', 0, 8), 'c3500f1c00000000')
  assert.equal(packet.toString('hex', 12), '01000014deadbeef000005dc00010001deadbeef')
  const unsummed = Buffer.from(packet)
  unsummed.fill(0, 8, 12)
  assert.equal(packet.readUInt32LE(8), crc32c(unsummed))
})

test('an ABORT carries the tag of the target', () => {
  const packet = writeAbort(PORTS, 0x01020304)
  assert.equal(packet.toString('hex', 0, 8), 'c3500f1c01020304')
  assert.equal(packet.toString('hex', 12), '06000004')
})

/** What a target sends back: its ports are ours the other way round. */
function answer(type: number, tag: number, rest = '0a0b0c0d000005dc0001000100000001'): Buffer {
  const packet = Buffer.alloc(12)
  packet.writeUInt16BE(PORTS.destination, 0)
  packet.writeUInt16BE(PORTS.source, 2)
  packet.writeUInt32BE(tag, 4)
  const body = Buffer.from(rest, 'hex')
  const chunk = Buffer.from([type, 0, 0, 4 + body.length])
  return withChecksum(Buffer.concat([packet, chunk, body]))
}

function withIpv4(payload: Buffer, protocol = 132, options = 0): Buffer {
  const header = Buffer.alloc(20 + options)
  header.writeUInt8(0x40 | (header.length / 4), 0)
  header.writeUInt8(protocol, 9)
  header.set([127, 0, 0, 9], 16)
  return Buffer.concat([header, payload])
}

function withIpv6(payload: Buffer, nextHeader = 132): Buffer {
  const header = Buffer.alloc(40)
  header.writeUInt8(0x60, 0)
  header.writeUInt8(nextHeader, 6)
  header[39] = 1
  return Buffer.concat([header, payload])
}

test('INIT ACK and ABORT are read with the tag and the ports of our INIT, in both families', () => {
  const acknowledged = { kind: 'init-ack', tag: TAG, ports: PORTS, peerTag: 0x0a0b0c0d }
  assert.deepEqual(readSctp(4, withIpv4(answer(2, TAG))), acknowledged)
  assert.deepEqual(readSctp(4, withIpv4(answer(2, TAG), 132, 8)), acknowledged)
  assert.deepEqual(readSctp(6, answer(2, TAG)), acknowledged)
  const aborted = { kind: 'abort', tag: TAG, ports: PORTS }
  assert.deepEqual(readSctp(4, withIpv4(answer(6, TAG, ''))), aborted)
  assert.deepEqual(readSctp(6, answer(6, TAG, '')), aborted)
})

test('other packets of a raw SCTP socket are ignored: our own INIT, data, every piece of an answer', () => {
  assert.equal(readSctp(6, writeInit(PORTS, TAG)), undefined)
  assert.equal(readSctp(6, answer(0, TAG)), undefined)
  assert.equal(readSctp(6, answer(3, TAG)), undefined)
  const whole = answer(2, TAG)
  for (let length = 0; length < 20; length++) assert.equal(readSctp(6, whole.subarray(0, length)), undefined)
  for (let length = 0; length < 40; length++) readSctp(4, withIpv4(whole).subarray(0, length))
})

test('an ICMP error counts when it quotes enough of the INIT to hold its tag', () => {
  const init = writeInit(PORTS, TAG)
  const quoted = { kind: 'unreachable', tag: TAG, ports: PORTS }
  assert.deepEqual(readQuotedInit(4, withIpv4(init)), { ...quoted, destination: Buffer.from([127, 0, 0, 9]) })
  const loopback = Buffer.alloc(16)
  loopback[15] = 1
  assert.deepEqual(readQuotedInit(6, withIpv6(init)), { ...quoted, destination: loopback })
  assert.equal(readQuotedInit(4, withIpv4(init.subarray(0, 19))), undefined)
  assert.equal(readQuotedInit(4, withIpv4(init, 17)), undefined)
  assert.equal(readQuotedInit(6, withIpv6(init, 17)), undefined)
  assert.equal(readQuotedInit(6, withIpv6(writeAbort(PORTS, TAG))), undefined)
  assert.equal(readQuotedInit(4, Buffer.alloc(0)), undefined)
})
