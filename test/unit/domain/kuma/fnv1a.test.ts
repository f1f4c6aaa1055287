import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fnv1a } from '../../../../src/domain/kuma/fnv1a.ts'

test('the digest is FNV-1a with 64 bits, by the vectors of its authors', () => {
  for (const [text, digest] of [
    ['', 'cbf29ce484222325'],
    ['a', 'af63dc4c8601ec8c'],
    ['foobar', '85944171f73967e8'],
  ] as const)
    assert.equal(fnv1a(text), digest)
})

test('it is what its definition gives, of texts of any length and beyond ASCII', () => {
  const defined = (text: string): string => {
    let hash = 0xcb_f2_9c_e4_84_22_23_25n
    for (const byte of new TextEncoder().encode(text))
      hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x1_00_00_00_01_b3n)
    return hash.toString(16).padStart(16, '0')
  }
  for (let length = 0; length < 300; length++) {
    const text = Array.from({ length }, (_, i) =>
      String.fromCodePoint(32 + ((i * 7919 + length) % 70_000)),
    ).join('')
    assert.equal(fnv1a(text), defined(text))
  }
})
