import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  internetChecksum,
  readEchoMessage,
  writeEchoRequest,
} from '../../../../src/probe/icmp/icmp-packet.ts'

const identity = { identifier: 0x1234, token: Buffer.from('8 bytes!') }
const ipv4Header = (destination: readonly number[]): Buffer => {
  const header = Buffer.alloc(20)
  header[0] = 0x45
  Buffer.from(destination).copy(header, 16)
  return header
}
const ipv6Header = (destination: Buffer): Buffer => Buffer.concat([Buffer.alloc(24, 0x60), destination])

function reply(family: 4 | 6, sequence: number, of = identity): Buffer {
  const packet = writeEchoRequest(family, of, sequence)
  packet[0] = family === 4 ? 0 : 129
  return family === 4 ? Buffer.concat([ipv4Header([127, 0, 0, 1]), packet]) : packet
}

for (const family of [4, 6] as const) {
  test(`an IPv${family} echo reply with our identifier and token is ours, and no other packet is`, () => {
    assert.deepEqual(readEchoMessage(family, identity, reply(family, 7)), { kind: 'reply', sequence: 7 })
    assert.equal(
      readEchoMessage(family, identity, reply(family, 7, { ...identity, identifier: 1 })),
      undefined,
    )
    assert.equal(
      readEchoMessage(family, identity, reply(family, 7, { ...identity, token: Buffer.alloc(8) })),
      undefined,
    )
    const request = writeEchoRequest(family, identity, 7)
    const overheard = family === 4 ? Buffer.concat([ipv4Header([127, 0, 0, 1]), request]) : request
    assert.equal(readEchoMessage(family, identity, overheard), undefined, 'our own request, seen on loopback')
  })

  test(`an IPv${family} destination unreachable names the echo and where it went`, () => {
    const destination = Buffer.alloc(family === 4 ? 4 : 16, 9)
    const quoted = Buffer.concat([
      family === 4 ? ipv4Header([...destination]) : ipv6Header(destination),
      writeEchoRequest(family, identity, 300),
    ])
    const icmp = Buffer.concat([Buffer.from([family === 4 ? 3 : 1, 1, 0, 0, 0, 0, 0, 0]), quoted])
    const packet = family === 4 ? Buffer.concat([ipv4Header([127, 0, 0, 1]), icmp]) : icmp
    assert.deepEqual(readEchoMessage(family, identity, packet), {
      kind: 'unreachable',
      sequence: 300,
      destination,
    })
  })

  test(`no IPv${family} packet makes the reader throw`, () => {
    fc.assert(
      fc.property(fc.constantFrom(0, 3, 1, 129), fc.uint8Array({ maxLength: 80 }), (type, bytes) => {
        const packet = Buffer.from(bytes)
        if (family === 6 && packet.length > 0) packet[0] = type
        if (family === 4 && packet.length > 20) {
          packet[0] = 0x45
          packet[20] = type
        }
        readEchoMessage(family, identity, packet)
      }),
    )
  })
}

test('the checksum over a packet with its checksum is zero', () => {
  fc.assert(
    fc.property(fc.nat({ max: 0xffff }), fc.nat({ max: 0xffff }), (identifier, sequence) => {
      assert.equal(internetChecksum(writeEchoRequest(4, { ...identity, identifier }, sequence)), 0)
    }),
  )
})
