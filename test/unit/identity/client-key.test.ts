import assert from 'node:assert/strict'
import { test } from 'node:test'
import { clientKey } from '../../../src/identity/client-key.ts'

test('the addresses of one IPv6 network are one client, each IPv4 address is one, and no address is nobody', () => {
  assert.equal(clientKey('2001:db8::1'), '20010db800000000/64')
  assert.equal(clientKey('2001:db8::ffff:1'), clientKey('2001:db8::1'))
  assert.notEqual(clientKey('2001:db8:0:1::1'), clientKey('2001:db8::1'))
  assert.equal(clientKey('192.0.2.1'), '192.0.2.1')
  assert.deepEqual([clientKey(undefined), clientKey('no address')], ['', ''])
})
