import assert from 'node:assert/strict'
import { test } from 'node:test'
import { clientAddress } from '../../../../src/api/http/client-address.ts'
import { parseCidrList } from '../../../../src/domain/address/ip-address.ts'

function client(peer: string, forwarded = '', proxies = ''): string | undefined {
  const request = { socket: { remoteAddress: peer } }
  const ctx = { req: request, get: () => forwarded } as unknown as Parameters<typeof clientAddress>[0]
  return clientAddress(ctx, parseCidrList(proxies))
}

test('the client is the peer, whatever it says of itself, unless it is a trusted proxy', () => {
  assert.equal(client('203.0.113.9'), '203.0.113.9')
  assert.equal(client('::ffff:203.0.113.9'), '203.0.113.9')
  assert.equal(client('203.0.113.9', '10.0.0.1'), '203.0.113.9')
  assert.equal(client('203.0.113.9', '10.0.0.1', '10.0.0.0/8'), '203.0.113.9')
})

test('behind trusted proxies it is the last address that is not one of them', () => {
  assert.equal(client('10.0.0.1', '198.51.100.7', '10.0.0.0/8'), '198.51.100.7')
  assert.equal(
    client('10.0.0.1', '1.2.3.4, 198.51.100.7, 10.0.0.2', '10.0.0.0/8'),
    '198.51.100.7',
    'the first is its own claim',
  )
  assert.equal(client('10.0.0.1', '10.0.0.3', '10.0.0.0/8'), '10.0.0.3', 'everybody is a proxy')
  assert.equal(client('10.0.0.1', 'nonsense', '10.0.0.0/8'), '10.0.0.1')
  assert.equal(client('::ffff:10.0.0.1', '2001:DB8::1', '10.0.0.0/8'), '2001:db8::1')
})
