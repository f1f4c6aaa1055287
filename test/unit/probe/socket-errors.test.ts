import assert from 'node:assert/strict'
import { test } from 'node:test'
import { REASONS } from '../../../src/domain/reasons.ts'
import { hostHasNetworkFor, reasonOfSocketError } from '../../../src/probe/socket-errors.ts'

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
  assert.equal(reasonOfSocketError(undefined, destination), 'PROBER_FAULT')
  assert.equal(REASONS.PROBER_FAULT.outcome, 'inconclusive')
})

test('this host has a network for its own loopback', () => {
  assert.equal(hostHasNetworkFor({ address: '127.0.0.1', family: 4 }), true)
})
