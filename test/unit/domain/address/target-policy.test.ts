import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  makeTargetPolicy,
  parseCidrList,
  type TargetPolicyOptions,
} from '../../../../src/domain/address/target-policy.ts'

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
    'fd00:ec2::254',
    '100.100.100.200',
    '192.0.0.192',
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

/** Every way that is known to write an IPv4 address into an IPv6 one, by name. */
const SPELLINGS: Readonly<Record<string, (bytes: readonly number[]) => string>> = {
  mapped: (bytes) => `::ffff:${bytes.join('.')}`,
  'mapped, in groups': (bytes) => `::ffff:${groups(bytes)}`,
  'mapped, in full': (bytes) => `0:0:0:0:0:FFFF:${groups(bytes)}`,
  compatible: (bytes) => `::${bytes.join('.')}`,
  translated: (bytes) => `::ffff:0:${groups(bytes)}`,
  NAT64: (bytes) => `64:ff9b::${bytes.join('.')}`,
  'NAT64, local /96': (bytes) => `64:ff9b:1::${groups(bytes)}`,
  'NAT64, local /96 behind a subnet': (bytes) => `64:ff9b:1:1:2:3:${groups(bytes)}`,
  'NAT64, local /64': ([a = 0, b = 0, c = 0, d = 0]) =>
    `64:ff9b:1:0:${hex(0, a)}:${hex(b, c)}:${hex(d, 0)}:0`,
  'NAT64, local /56': ([a = 0, b = 0, c = 0, d = 0]) =>
    `64:ff9b:1:${hex(0, a)}:${hex(0, b)}:${hex(c, d)}:0:0`,
  'NAT64, local /48': ([a = 0, b = 0, c = 0, d = 0]) =>
    `64:ff9b:1:${hex(a, b)}:${hex(0, c)}:${hex(d, 0)}:0:0`,
  '6to4': (bytes) => `2002:${groups(bytes)}::1`,
  'Teredo, client': (bytes) => `2001:0:102:304:8000:abcd:${groups(bytes.map((byte) => byte ^ 0xff))}`,
  'Teredo, server': (bytes) => `2001:0:${groups(bytes)}:8000:abcd:f0f0:f0f0`,
  ISATAP: (bytes) => `2001:db8::5efe:${groups(bytes)}`,
  'ISATAP, universal': (bytes) => `2001:db8::200:5efe:${bytes.join('.')}`,
  'ISATAP in 6to4': (bytes) => `2002:102:304::5efe:${groups(bytes)}`,
}

function hex(high: number, low: number): string {
  return ((high << 8) | low).toString(16)
}

function groups([a = 0, b = 0, c = 0, d = 0]: readonly number[]): string {
  return `${hex(a, b)}:${hex(c, d)}`
}

/** Numbers that look random and are the same in every run (xorshift32). */
function numbersFrom(seed: number): () => number {
  let state = seed
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return state >>> 0
  }
}

test('every spelling of a denied IPv4 address is denied, whatever the lists allow', () => {
  const next = numbersFrom(20_261_130)
  const denied: readonly (readonly [string, readonly number[]])[] = [
    ['169.254.0.0/16', [169, 254]],
    ['100.100.100.200', [100, 100, 100, 200]],
    ['192.0.0.192', [192, 0, 0, 192]],
    ['224.0.0.0/4', [233]],
    ['the deny list', [10, 66]],
    ['loopback', [127]],
    ['our own listener', [10, 9, 9, 9]],
  ]
  const lists = {
    none: { deny: '10.66.0.0/16' },
    everything: { deny: '10.66.0.0/16', allow: '0.0.0.0/0,::/0' },
    'the outer ranges': {
      deny: '10.66.0.0/16',
      allow: '::/96,::ffff:0:0:0/96,64:ff9b::/32,64:ff9b:1::/48,2002::/16,2001::/16,10.0.0.0/8',
    },
  }
  for (const [setup, each] of Object.entries(lists)) {
    const denies = policy(each, { ownListeners: [{ address: '0.0.0.0', port: 80 }] })
    for (const [what, prefix] of denied) {
      for (let round = 0; round < 50; round++) {
        const bytes = [...prefix, ...[0, 0, 0, 0].map(() => next() & 0xff)].slice(0, 4)
        assert.ok(denies(bytes.join('.'), 80), `${what}: ${bytes.join('.')} (${setup})`)
        for (const [name, spell] of Object.entries(SPELLINGS)) {
          assert.ok(denies(spell(bytes), 80), `${what}: ${name} ${spell(bytes)} (${setup})`)
        }
      }
    }
  }
})

test('no spelling of an IPv4 address gets in where the allow list has only others', () => {
  const next = numbersFrom(7)
  const denies = policy({ allow: '10.0.0.0/8' })
  for (let round = 0; round < 200; round++) {
    const bytes = [11 + (next() % 80), next() & 0xff, next() & 0xff, next() & 0xff]
    for (const spell of Object.values(SPELLINGS)) assert.ok(denies(spell(bytes), 80), spell(bytes))
  }
})

test('what carries an allowed IPv4 address is allowed where it leads there, and where its own address is', () => {
  const allows = policy({ allow: '10.0.0.0/8' })
  for (const name of ['mapped', 'translated', 'NAT64', 'NAT64, local /96', '6to4']) {
    assert.equal(allows(SPELLINGS[name]?.([10, 1, 2, 3]) ?? '', 80), undefined, name)
  }
  for (const name of ['ISATAP', 'Teredo, client']) {
    const address = SPELLINGS[name]?.([10, 1, 2, 3]) ?? ''
    assert.match(allows(address, 80) ?? '', /HM_PROBE_ALLOW/, `${name}: any IPv6 host may be called so`)
    assert.equal(policy({ allow: '2001::/16' })(address, 80), undefined, name)
  }
  for (const name of ['NAT64, local /64', 'NAT64, local /56', 'NAT64, local /48']) {
    assert.equal(policy()(SPELLINGS[name]?.([203, 0, 113, 7]) ?? '', 80), undefined, name)
  }
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
