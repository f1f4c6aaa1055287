import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  BFD_STATES,
  type ControlPacket,
  CONTROL_PACKET_BYTES,
  type MalformedPacket,
  readControlPacket,
  writeControlPacket,
} from '../../../../src/domain/bfd/packet.ts'
import { seededRandom } from '../../../support/random.ts'

const PACKET: ControlPacket = {
  state: 'Up',
  diagnostic: 3,
  isPoll: true,
  isFinal: false,
  isDemand: false,
  multiplier: 5,
  myDiscriminator: 0x01020304,
  yourDiscriminator: 0xfffefdfc,
  desiredMinTxUs: 300_000,
  requiredMinRxUs: 200_000,
}

function written(packet: ControlPacket): Uint8Array {
  const bytes = new Uint8Array(CONTROL_PACKET_BYTES)
  writeControlPacket(packet, new DataView(bytes.buffer))
  return bytes
}

const read = (bytes: Uint8Array) => readControlPacket(new DataView(bytes.buffer, 0, bytes.length))

test('a control packet has the bytes of RFC 5880 section 4.1', () => {
  assert.equal(
    Buffer.from(written(PACKET)).toString('hex'),
    ['23', 'e0', '05', '18', '01020304', 'fffefdfc', '000493e0', '00030d40', '00000000'].join(''),
  )
})

test('what is written is what is read', (t) => {
  const below = seededRandom(t, 'bfd packets')
  for (let i = 0; i < 500; i++) {
    const packet: ControlPacket = {
      state: BFD_STATES[below(4)] ?? 'Down',
      diagnostic: below(32),
      isPoll: below(2) === 1,
      isFinal: below(2) === 1,
      isDemand: below(2) === 1,
      multiplier: 1 + below(255),
      myDiscriminator: 1 + below(2 ** 32 - 1),
      yourDiscriminator: 1 + below(2 ** 32 - 1),
      desiredMinTxUs: below(2 ** 32),
      requiredMinRxUs: below(2 ** 32),
    }
    assert.deepEqual(read(written(packet)), packet)
  }
})

/** A packet with other bytes at one place. */
const MALFORMED: readonly (readonly [
  what: string,
  at: number,
  bytes: readonly number[],
  why: MalformedPacket,
])[] = [
  ['another version', 0, [0x43], 'VERSION'],
  ['a length that is too small', 3, [23], 'LENGTH'],
  ['a length beyond the datagram', 3, [25], 'LENGTH'],
  ['authentication, and a length without it', 1, [0xc4], 'LENGTH'],
  ['a multiplier of 0', 2, [0], 'MULTIPLIER'],
  ['the multipoint bit', 1, [0xc1], 'MULTIPOINT'],
  ['no discriminator of its sender', 4, [0, 0, 0, 0], 'MY_DISCRIMINATOR'],
  ['Up without our discriminator', 8, [0, 0, 0, 0], 'YOUR_DISCRIMINATOR'],
]

for (const [what, at, bytes, why] of MALFORMED) {
  test(`a packet is discarded with ${what}`, () => {
    const packet = written(PACKET)
    packet.set(bytes, at)
    assert.equal(read(packet), why)
  })
}

test('a packet that is authenticated is discarded, and one that is too short', () => {
  const packet = new Uint8Array(26)
  packet.set(written(PACKET))
  packet.set([0xc4], 1)
  packet.set([26], 3)
  assert.equal(read(packet), 'AUTHENTICATION')
  for (let length = 0; length < CONTROL_PACKET_BYTES; length++)
    assert.equal(read(written(PACKET).slice(0, length)), 'LENGTH')
})

test('Down and AdminDown may come without our discriminator, and bytes after the packet are ignored', () => {
  for (const state of ['Down', 'AdminDown'] as const) {
    const packet = { ...PACKET, state, yourDiscriminator: 0 }
    const bytes = new Uint8Array(40)
    bytes.set(written(packet))
    assert.deepEqual(read(bytes), packet)
  }
})
