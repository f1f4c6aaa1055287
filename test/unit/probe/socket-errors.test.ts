import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HOST_ADDRESSES_CACHE_MS } from '../../../src/domain/limits.ts'
import { REASONS } from '../../../src/domain/result/reasons.ts'
import { HostAddresses, reasonOfSocketError } from '../../../src/probe/socket-errors.ts'

const destination = { address: '203.0.113.1', family: 4 } as const
const reason = (code: string, hasNetwork = true) => reasonOfSocketError(code, destination, () => hasNetwork)

test('the faults of this host are inconclusive', () => {
  const table = {
    EMFILE: 'PROBER_NO_SOCKET',
    ENFILE: 'PROBER_NO_SOCKET',
    ENOBUFS: 'PROBER_NO_SOCKET',
    EADDRNOTAVAIL: 'PROBER_NO_SOCKET',
    EACCES: 'PROBER_FORBIDDEN',
    EPERM: 'PROBER_FORBIDDEN',
    ENETDOWN: 'PROBER_OFFLINE',
    EAFNOSUPPORT: 'PROBER_OFFLINE',
  } as const
  for (const [code, expected] of Object.entries(table)) {
    assert.equal(reason(code), expected, code)
    assert.equal(REASONS[expected].outcome, 'inconclusive')
  }
})

test('what the target or the network says is a failure', () => {
  assert.equal(reason('ECONNREFUSED'), 'CONNECT_REFUSED')
  assert.equal(reason('ECONNRESET'), 'CONNECT_RESET')
  assert.equal(reason('ETIMEDOUT'), 'CONNECT_TIMEOUT')
  assert.equal(reason('EHOSTUNREACH'), 'CONNECT_UNREACHABLE')
  assert.equal(reason('ENETUNREACH'), 'CONNECT_UNREACHABLE')
})

test('an unreachable target is inconclusive when this host has no network of the family', () => {
  for (const code of ['EHOSTUNREACH', 'ENETUNREACH', 'EADDRNOTAVAIL']) {
    assert.equal(reason(code, false), 'PROBER_OFFLINE', code)
  }
  assert.equal(reason('ECONNREFUSED', false), 'CONNECT_REFUSED')
})

test('an error that the table does not know is inconclusive', () => {
  assert.equal(reason('EWHATEVER'), 'PROBER_FAULT')
  assert.equal(new HostAddresses().reasonOf(undefined, destination), 'PROBER_FAULT')
  assert.equal(REASONS.PROBER_FAULT.outcome, 'inconclusive')
})

test('this host has a network for its own loopback', () => {
  assert.equal(new HostAddresses().hasNetworkFor({ address: '127.0.0.1', family: 4 }), true)
})

test('a host whose interfaces cannot be read has the network that it had', () => {
  const anywhere = { address: '192.0.2.1', family: 4 } as const
  const nextLook = performance.now() + 10 * HOST_ADDRESSES_CACHE_MS
  const fails = (): never => {
    throw Object.assign(new Error('uv_interface_addresses returned EMFILE'), { code: 'ERR_SYSTEM_ERROR' })
  }
  const address = {
    address: '10.0.0.2',
    netmask: '255.0.0.0',
    family: 'IPv4',
    mac: '',
    internal: false,
  } as const
  const host = new HostAddresses()
  const up = () => ({ eth0: [{ ...address, cidr: null }] })
  assert.equal(host.hasNetworkFor(anywhere, up, nextLook), true)
  assert.equal(host.hasNetworkFor(anywhere, fails, nextLook + 2 * HOST_ADDRESSES_CACHE_MS), true)
  assert.equal(
    host.hasNetworkFor(anywhere, () => ({}), nextLook + 4 * HOST_ADDRESSES_CACHE_MS),
    false,
  )
  assert.equal(host.hasNetworkFor(anywhere, fails, nextLook + 6 * HOST_ADDRESSES_CACHE_MS), false)
})
