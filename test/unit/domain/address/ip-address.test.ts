import assert from 'node:assert/strict'
import { isIP } from 'node:net'
import { test } from 'node:test'
import fc from 'fast-check'
import { DomainError } from '../../../../src/domain/errors.ts'
import { parseAddress, parseCidr, parseCidrList } from '../../../../src/domain/address/ip-address.ts'

const spelling = fc.oneof(
  fc.ipV4(),
  fc.ipV4Extended(),
  fc.ipV6(),
  fc.string({ unit: fc.constantFrom(...'0123456789abcfF:.'.split('')), maxLength: 46 }),
  fc
    .array(
      fc.constantFrom('', '0', '00', '1', '01', '127', '255', '256', 'ff', 'fffff', '::', ':', '1.2.3.4'),
      { maxLength: 9 },
    )
    .map((parts) => parts.join(':')),
)

test('parseAddress accepts exactly what node:net does, zones excepted', () => {
  fc.assert(
    fc.property(spelling, (text) => {
      assert.equal(parseAddress(text)?.family ?? 0, text.includes('%') ? 0 : isIP(text), text)
    }),
    { numRuns: 5000 },
  )
})

test('the canonical form parses to the same bytes, and is the same for each spelling of them', () => {
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (text) => {
      const address = parseAddress(text)
      assert.ok(address)
      assert.deepEqual(parseAddress(address.canonical), address)
    }),
    { numRuns: 2000 },
  )
  const spellings = {
    '2001:DB8:0:0:0:0:0:1': '2001:db8::1',
    '2001:db8:0:1:1:1:1:1': '2001:db8:0:1:1:1:1:1',
    '2001:0:0:1:0:0:0:1': '2001:0:0:1::1',
    '2001:db8:0:0:1:0:0:1': '2001:db8::1:0:0:1',
    '0:0:0:0:0:0:0:0': '::',
    '::0001': '::1',
    '::FFFF:7f00:1': '::ffff:127.0.0.1',
    '64:ff9b::10.0.0.1': '64:ff9b::a00:1',
    '1::': '1::',
  }
  for (const [text, canonical] of Object.entries(spellings))
    assert.equal(parseAddress(text)?.canonical, canonical)
})

test('spellings that people and C libraries read differently are refused', () => {
  for (const text of [
    '127.1',
    '0177.0.0.1',
    '0x7f.0.0.1',
    '0x7f000001',
    '2130706433',
    '127.0.0.01',
    '127.0.0.1 ',
    ' 127.0.0.1',
    '127.0.0.1\n',
    '127.0.0.1\0',
    '1.2.3.4.',
    '[::1]',
    '::1%lo',
    'fe80::1%eth0',
    '1:2:3:4:5:6:7::8',
    ':::',
    '1::2::3',
    '١٢٧.0.0.1',
    'localhost',
    '',
  ]) {
    assert.equal(parseAddress(text), undefined, JSON.stringify(text))
  }
})

test('a list of ranges is separated by commas or white space', () => {
  const list = parseCidrList(' 10.0.0.0/8, 192.168.0.1\n fd00::/8 ::/0')
  assert.deepEqual(
    list.map(({ address, prefix }) => `${address.canonical}/${prefix}`),
    ['10.0.0.0/8', '192.168.0.1/32', 'fd00::/8', '::/0'],
  )
  assert.deepEqual(parseCidrList(' '), [])
})

test('a range with bits behind its prefix, a bad prefix or a bad address is refused', () => {
  for (const text of [
    '10.0.0.1/8',
    '10.0.0.0/33',
    '10.0.0.0/',
    '10.0.0.0/08',
    '10.0.0.0/-1',
    '::/129',
    'fd00::1/64',
    '10/8',
    'x',
  ]) {
    assert.throws(
      () => parseCidr(text),
      (error) => error instanceof DomainError && error.code === 'INVALID_FIELD',
      text,
    )
  }
})
