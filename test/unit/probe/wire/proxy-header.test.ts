import assert from 'node:assert/strict'
import { test } from 'node:test'
import { proxyHeader } from '../../../../src/probe/wire/proxy-header.ts'

test('version 1 names the real addresses of the connection', () => {
  const v4 = { localAddress: '192.0.2.1', localPort: 4711, remoteAddress: '192.0.2.9', remotePort: 80 }
  assert.equal(proxyHeader(1, v4).toString(), 'PROXY TCP4 192.0.2.1 192.0.2.9 4711 80\r\n')
  const v6 = { localAddress: 'fe80::1%eth0', localPort: 1, remoteAddress: '2001:db8::9', remotePort: 2 }
  assert.equal(proxyHeader(1, v6).toString(), 'PROXY TCP6 fe80::1 2001:db8::9 1 2\r\n')
})

test('version 1 of a connection that is gone says that the addresses are not known', () => {
  const gone = {
    localAddress: undefined,
    localPort: undefined,
    remoteAddress: undefined,
    remotePort: undefined,
  }
  assert.equal(proxyHeader(1, gone as never).toString(), 'PROXY UNKNOWN\r\n')
})

test('version 2 says LOCAL, without addresses', () => {
  const header = proxyHeader(2, {
    localAddress: '127.0.0.1',
    localPort: 1,
    remoteAddress: '127.0.0.1',
    remotePort: 2,
  })
  assert.equal(header.toString('hex'), '0d0a0d0a000d0a515549540a20000000')
})
