import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { createServer, type Server, type TLSSocket } from 'node:tls'
import type { ProbeTarget } from '../../src/domain/target/probe-target.ts'
import { selfSigned } from '../support/certificate.ts'
import {
  blackHole,
  closedPort,
  getFrom,
  listen,
  probeWithin,
  servingTls,
  targetOf,
} from '../support/probing.ts'
import { probeHttps, probeTlsHello } from '../support/probers.ts'

const http = getFrom('a.example:8443')

async function listenTls(t: TestContext, onConnection: (socket: TLSSocket) => void): Promise<Server> {
  return await servingTls(t, createServer(selfSigned('test'), onConnection))
}

const https = (server: Parameters<typeof targetOf>[0]): ProbeTarget =>
  targetOf(server, { type: 'HTTPS', http, timeoutMs: 5000 })

test('an HTTPS probe passes with any certificate, names the host, and reports its phases in order', async (t) => {
  let servername: unknown
  const server = await listenTls(t, (socket) => {
    servername = socket.servername
    socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'))
  })
  const { reason, phases } = await probeWithin(probeHttps, https(server))
  assert.equal(reason, 'PASSED')
  assert.equal(servername, 'a.example')
  const { connectMs = -1, tlsMs = -1, firstByteMs = -1, totalMs } = phases
  assert.ok(0 < connectMs && connectMs < tlsMs && tlsMs < firstByteMs && firstByteMs <= totalMs)
})

test('a TLS-HELLO probe passes once the handshake is complete', async (t) => {
  const { reason, detail, phases } = await probeWithin(
    probeTlsHello,
    https(await listenTls(t, () => undefined)),
  )
  assert.equal(reason, 'PASSED')
  assert.equal(detail, 'handshake complete, TLSv1.3')
  assert.ok((phases.connectMs ?? 0) < (phases.tlsMs ?? 0))
})

test('an unexpected status over HTTPS is STATUS_MISMATCH, silence RECV_TIMEOUT', async (t) => {
  const busy = await listenTls(t, (socket) => socket.end('HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n'))
  assert.equal((await probeWithin(probeHttps, https(busy))).reason, 'STATUS_MISMATCH')
  const silent = await listenTls(t, () => undefined)
  assert.equal((await probeWithin(probeHttps, { ...https(silent), timeoutMs: 100 })).reason, 'RECV_TIMEOUT')
})

for (const [name, probe] of [
  ['HTTPS', probeHttps],
  ['TLS-HELLO', probeTlsHello],
] as const) {
  test(`${name}: faults before the end of the handshake have different reasons`, async (t) => {
    const plain = await listen(t, (socket) =>
      socket.once('data', () => socket.end('HTTP/1.1 400 Bad\r\n\r\n')),
    )
    assert.equal((await probeWithin(probe, https(plain))).reason, 'TLS_HANDSHAKE')
    const closing = await listen(t, (socket) => socket.end())
    assert.equal((await probeWithin(probe, https(closing))).reason, 'TLS_HANDSHAKE')
    const resetting = await listen(t, (socket) => socket.once('data', () => socket.resetAndDestroy()))
    assert.equal((await probeWithin(probe, https(resetting))).reason, 'TLS_HANDSHAKE')
    const silent = await listen(t, () => undefined)
    const late = await probeWithin(probe, { ...https(silent), timeoutMs: 100 })
    assert.equal(late.reason, 'TLS_TIMEOUT')
    assert.ok(late.phases.connectMs !== undefined)
    assert.equal(
      (await probeWithin(probe, { ...https(silent), port: await closedPort() })).reason,
      'CONNECT_REFUSED',
    )
    assert.equal(
      (await probeWithin(probe, { ...(await blackHole(t)), type: 'HTTPS', http })).reason,
      'CONNECT_TIMEOUT',
    )
  })
}
