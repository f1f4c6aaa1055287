import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  makeTargetPolicy,
  parseCidrList,
  type TargetPolicyOptions,
} from '../../../src/domain/target-policy.ts'

interface Lists {
  readonly allow?: string
  readonly deny?: string
}

function policy(lists: Lists = {}, more: Partial<TargetPolicyOptions> = {}) {
  return makeTargetPolicy({
    allow: parseCidrList(lists.allow ?? ''),
    deny: parseCidrList(lists.deny ?? ''),
    loopbackAllowed: false,
    ownListeners: [],
    localAddresses: ['10.9.9.9', 'fd00::9'],
    ...more,
  })
}

const open = policy({ allow: '0.0.0.0/0,::/0,127.0.0.0/8,::1' }, { loopbackAllowed: true })

test('some addresses are denied whatever the lists say', () => {
  for (const address of [
    '0.0.0.0',
    '0.1.2.3',
    '169.254.169.254',
    '224.0.0.1',
    '239.255.255.255',
    '255.255.255.255',
    '::',
    'fe80::1',
    'febf::1',
    'ff02::1',
  ]) {
    assert.ok(open(address, 80), address)
  }
})

test('addresses that carry a denied IPv4 address are denied', () => {
  for (const address of [
    '::ffff:169.254.169.254',
    '::ffff:a9fe:a9fe',
    '64:ff9b::169.254.169.254',
    '2002:a9fe:a9fe::1',
    '::169.254.169.254',
    '::ffff:0.0.0.0',
  ]) {
    assert.ok(open(address, 80), address)
  }
  assert.ok(policy({ deny: '10.0.0.0/8' })('2002:a00:1::1', 80))
  assert.ok(policy()('::ffff:127.0.0.1', 80), 'loopback is seen through the mapping')
})

test('an address that is not one, or not in its plain spelling, is denied', () => {
  for (const address of ['127.1', '0177.0.0.1', '[::1]', 'fe80::1%eth0', 'example.org', ''])
    assert.ok(open(address, 80), address)
})

test('without lists, unicast addresses are allowed and loopback is not', () => {
  for (const address of ['10.0.0.1', '203.0.113.9', '2001:db8::1', '::ffff:10.0.0.1']) {
    assert.equal(policy()(address, 80), undefined, address)
  }
  for (const address of ['127.0.0.1', '127.255.0.1', '::1']) {
    assert.match(policy()(address, 80) ?? '', /loopback/)
    assert.equal(policy({}, { loopbackAllowed: true })(address, 80), undefined)
  }
})

test('deny wins over allow, and an allow list that is not empty lets only its ranges through', () => {
  const both = policy({ allow: '10.0.0.0/8', deny: '10.1.0.0/16' })
  assert.equal(both('10.2.0.1', 80), undefined)
  assert.match(both('10.1.0.1', 80) ?? '', /HM_PROBE_DENY/)
  assert.match(both('203.0.113.1', 80) ?? '', /HM_PROBE_ALLOW/)
  assert.match(both('2001:db8::1', 80) ?? '', /HM_PROBE_ALLOW/)
  assert.equal(both('::ffff:10.2.0.1', 80), undefined)
})

test('loopback needs an entry of its own: "every network" does not include it', () => {
  assert.ok(policy({ allow: '0.0.0.0/0' })('127.0.0.1', 80))
  assert.equal(policy({ allow: '0.0.0.0/0,127.0.0.0/8' })('127.0.0.1', 80), undefined)
  assert.equal(policy({ allow: '127.0.0.2' })('127.0.0.2', 80), undefined)
  assert.ok(policy({ allow: '127.0.0.2' })('127.0.0.3', 80))
  assert.ok(
    policy({ allow: '10.0.0.0/8' }, { loopbackAllowed: true })('127.0.0.1', 80),
    'the allow list still decides',
  )
})

test('our own listeners are denied on their port only', () => {
  const own = policy({}, { loopbackAllowed: true, ownListeners: [{ address: '127.0.0.1', port: 9876 }] })
  assert.match(own('127.0.0.1', 9876) ?? '', /this service/)
  assert.match(own('::ffff:127.0.0.1', 9876) ?? '', /this service/)
  assert.equal(own('127.0.0.1', 9875), undefined)
  assert.equal(own('127.0.0.2', 9876), undefined)
  assert.equal(own('127.0.0.1', 0), undefined)
})

test('a listener of ours on a wildcard address is denied on each address of this host', () => {
  const v4 = policy({}, { loopbackAllowed: true, ownListeners: [{ address: '0.0.0.0', port: 80 }] })
  for (const address of ['127.0.0.1', '127.3.2.1', '10.9.9.9']) assert.ok(v4(address, 80), address)
  for (const address of ['10.9.9.8', '::1', 'fd00::9']) assert.equal(v4(address, 80), undefined, address)
  const v6 = policy({}, { loopbackAllowed: true, ownListeners: [{ address: '::', port: 80 }] })
  for (const address of ['127.0.0.1', '10.9.9.9', '::1', 'fd00::9', 'FD00:0::9'])
    assert.ok(v6(address, 80), address)
})

test('a range in the IPv4-mapped form holds for the IPv4 addresses as which they are probed', () => {
  const denies = policy({ deny: '::ffff:10.0.0.0/104' })
  assert.notEqual(denies('10.1.2.3', 80), undefined)
  assert.notEqual(denies('::ffff:10.1.2.3', 80), undefined)
  assert.equal(denies('11.1.2.3', 80), undefined)
  const allows = policy({ allow: '::ffff:10.0.0.0/104' })
  assert.equal(allows('10.1.2.3', 80), undefined)
  assert.equal(allows('::ffff:10.1.2.3', 80), undefined)
  assert.notEqual(allows('11.1.2.3', 80), undefined)
})
