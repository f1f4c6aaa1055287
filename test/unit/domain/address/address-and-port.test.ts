import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addressAndPort, bracketed } from '../../../../src/domain/address/address-and-port.ts'

test('only IPv6 addresses are in brackets', () => {
  assert.deepEqual(['10.0.0.1', '::1', 'db.example'].map(bracketed), ['10.0.0.1', '[::1]', 'db.example'])
  assert.equal(addressAndPort('10.0.0.1', 80), '10.0.0.1:80')
  assert.equal(addressAndPort('2001:db8::1', 443), '[2001:db8::1]:443')
})
