/** Preset kuma on the wire: HTTP/2 with prior knowledge on plain connections, h2 below TLS, and its headers. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import {
  createSecureServer,
  createServer,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2'
import type { AddressInfo, Server, Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import type { MonitorOptions } from '../../src/domain/options/monitor-options.ts'
import { probeTarget } from '../../src/domain/target/monitor-target.ts'
import type { ProbeResult } from '../../src/domain/result/probe-result.ts'
import { selfSigned } from '../support/certificate.ts'
import { listen, probeWithin } from '../support/probing.ts'
import { probers } from '../support/probers.ts'

async function http2Listener(
  t: TestContext,
  isSecure: boolean,
): Promise<{ server: Server; asked: IncomingHttpHeaders[] }> {
  const asked: IncomingHttpHeaders[] = []
  const server: Server = isSecure ? createSecureServer(selfSigned('member.example')) : createServer()
  server.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    asked.push(headers)
    stream.respond({ ':status': 200 })
    stream.end()
  })
  const sockets = new Set<Socket>()
  server.on(isSecure ? 'secureConnection' : 'connection', (socket: Socket) => sockets.add(socket))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { server, asked }
}

async function probed(type: 'HTTP' | 'HTTPS', server: Server, options: MonitorOptions): Promise<ProbeResult> {
  const { port } = server.address() as AddressInfo
  const plain = {
    type,
    profile: 'elb',
    timeoutSeconds: 5,
    monitorPort: null,
    domainName: null,
    urlPath: '/ready',
    httpMethod: 'GET',
    httpVersion: null,
    expectedCodes: '200',
  } as const
  const member = { address: '127.0.0.1', protocolPort: port, monitorAddress: null, monitorPort: null }
  const { reuse: _, ...target } = probeTarget({ ...plain, options }, member)
  return await probeWithin(probers[type], target)
}

for (const [type, scheme] of [
  ['HTTP', 'http'],
  ['HTTPS', 'https'],
] as const) {
  test(`preset kuma asks ${type} in HTTP/2, and names the member`, async (t) => {
    const { server, asked } = await http2Listener(t, type === 'HTTPS')
    assert.equal((await probed(type, server, { preset: 'kuma' })).reason, 'PASSED')
    const { ':scheme': sent, ':path': path, ':authority': authority } = asked[0] ?? {}
    assert.deepEqual(
      [sent, path, authority],
      [scheme, '/ready', `127.0.0.1:${(server.address() as AddressInfo).port}`],
    )
  })
}

test('over HTTP/2 too, the own User-Agent and Accept yield, and a header without a value is empty', async (t) => {
  const { server, asked } = await http2Listener(t, false)
  const headers = [
    { name: 'User-Agent', value: 'kuma-health' },
    { name: 'Accept', value: 'text/plain' },
    { name: 'X-Empty' },
  ] as const
  assert.equal((await probed('HTTP', server, { preset: 'kuma', http: { headers } })).reason, 'PASSED')
  const { 'user-agent': agent, accept, 'x-empty': empty } = asked[0] ?? {}
  assert.deepEqual([agent, accept, empty], ['kuma-health', 'text/plain', ''])
})

test('a monitor of preset kuma that names HTTP/1.1 keeps it', async (t) => {
  const lines: string[] = []
  const server = await listen(t, (socket) => {
    socket.once('data', (bytes: Buffer) => {
      lines.push(bytes.toString('latin1').split('\r\n')[0] ?? '')
      socket.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
    })
  })
  assert.equal((await probed('HTTP', server, { preset: 'kuma', http: { version: '1.1' } })).reason, 'PASSED')
  assert.deepEqual(lines, ['GET /ready HTTP/1.1'])
})
