import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isInRange, parseAddress, parseCidr } from '../../../../src/domain/address/ip-address.ts'
import { VIP_RANGE_DEFAULT } from '../../../../src/domain/limits.ts'
import { shownVipAddress, vipRangeOf } from '../../../../src/domain/address/vip-range.ts'

test('places of a range begin behind its network and end before its broadcast', () => {
  for (const [text, size, first, last] of [
    [VIP_RANGE_DEFAULT, 131_070, '198.18.0.1', '198.19.255.254'],
    ['10.0.0.0/30', 2, '10.0.0.1', '10.0.0.2'],
    ['10.0.0.4/31', 2, '10.0.0.4', '10.0.0.5'],
    ['10.0.0.7/32', 1, '10.0.0.7', '10.0.0.7'],
    ['0.0.0.0/0', 2 ** 32 - 2, '0.0.0.1', '255.255.255.254'],
    ['2001:db8::/126', 3, '2001:db8::1', '2001:db8::3'],
    ['2001:db8::/64', 2 ** 32 - 1, '2001:db8::1', '2001:db8::ffff:ffff'],
    ['2001:db8::5/128', 1, '2001:db8::5', '2001:db8::5'],
  ] as const) {
    const range = vipRangeOf(parseCidr(text))
    assert.deepEqual([range.text, range.size], [text, size])
    assert.deepEqual([range.addressAt(0), range.addressAt(size - 1)], [first, last], text)
  }
})

test('every place is an address of its own within the range', () => {
  for (const text of ['192.0.2.0/23', 'fd00::/118']) {
    const cidr = parseCidr(text)
    const range = vipRangeOf(cidr)
    const addresses = Array.from({ length: range.size }, (_, place) => range.addressAt(place))
    assert.equal(new Set(addresses).size, range.size)
    for (const address of addresses) {
      assert.ok(isInRange(parseAddress(address) ?? assert.fail(address), cidr), address)
    }
  }
})

test('what somebody named is shown, else what was made up, else nothing', () => {
  assert.equal(shownVipAddress({ vipAddress: '10.0.0.1', madeVipAddress: '198.18.0.1' }), '10.0.0.1')
  assert.equal(shownVipAddress({ vipAddress: null, madeVipAddress: '198.18.0.1' }), '198.18.0.1')
  assert.equal(shownVipAddress({ vipAddress: null, madeVipAddress: null }), null)
})
