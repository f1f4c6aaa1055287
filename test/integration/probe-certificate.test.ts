/** What a probe over TLS notes of the certificate that its target shows, on real connections. */
import assert from 'node:assert/strict'
import { createSecureServer } from 'node:http2'
import type { Server } from 'node:net'
import { afterEach, test, type TestContext } from 'node:test'
import { createServer, type TlsOptions, TLSSocket } from 'node:tls'
import type { ProbeTarget } from '../../src/domain/target/probe-target.ts'
import { selfSigned } from '../support/certificate.ts'
import { attempt, getFrom, listen, probeWithin, servingTls, targetOf, until } from '../support/probing.ts'
import { idleConnections, probers } from '../support/probers.ts'

const END = new Date('2031-05-06T07:08:09Z')
const CERTIFICATE = selfSigned('member.example', END)
const SHOWN = { notAfter: END.getTime(), subject: 'member.example', issuer: 'member.example' }
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'

const HTTP = getFrom('member.example')
const TLS = { verify: false } as const

/** Answers each chunk that it gets with `reply`; undefined = never. */
async function tlsListener(
  t: TestContext,
  reply: string | undefined,
  options: TlsOptions = {},
): Promise<Server> {
  const server = createServer({ ...CERTIFICATE, ...options }, (socket) => {
    socket.on('data', () => (reply === undefined ? undefined : socket.write(reply)))
  })
  return await servingTls(t, server)
}

const noted = async (target: ProbeTarget) => {
  const { reason, certificate } = await probeWithin(probers[target.type], target)
  if (certificate === undefined) return { reason }
  const { fingerprint: _, ...certified } = certificate
  return { reason, ...certified }
}

afterEach(() => idleConnections.closeAll())

test('every kind of probe over TLS notes the certificate, also where it does not verify it', async (t) => {
  const server = await tlsListener(t, OK)
  for (const kind of [
    { type: 'HTTPS', http: HTTP },
    { type: 'TLS-HELLO' },
    { type: 'HTTP', http: HTTP, tls: TLS },
    { type: 'TCP', tls: TLS },
  ] as const)
    assert.deepEqual(
      await noted(targetOf(server, kind)),
      { reason: 'PASSED', ...SHOWN },
      JSON.stringify(kind),
    )
  const behindHeader = await listen(t, (socket) => {
    socket.once('readable', () => {
      // Version 2, LOCAL: 16 bytes.
      socket.read(16)
      const stream = new TLSSocket(socket, { isServer: true, ...CERTIFICATE })
      stream.on('error', () => undefined).once('data', () => stream.end(OK))
    })
  })
  const target = targetOf(behindHeader, { type: 'HTTPS', http: HTTP, proxyProtocol: 2 })
  assert.deepEqual(await noted(target), { reason: 'PASSED', ...SHOWN })
})

test('HTTP/2 and gRPC over TLS note it too', async (t) => {
  const http2 = createSecureServer(CERTIFICATE)
  http2.on('session', (session) => {
    session.on('error', () => undefined)
    t.after(() => session.destroy())
  })
  http2.on('stream', (stream) => {
    stream.on('error', () => undefined)
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' })
    stream.end('ok')
  })
  const server = await servingTls(t, http2 as unknown as Server)
  const h2 = targetOf(server, { type: 'HTTPS', http: { ...HTTP, version: '2' } })
  assert.deepEqual(await noted(h2), { reason: 'PASSED', ...SHOWN })
  const grpc = targetOf(server, { type: 'HTTPS', grpc: { service: '', authority: 'x', metadata: [] } })
  const { reason, ...shown } = await noted(grpc)
  assert.notEqual(reason, 'PASSED')
  assert.deepEqual(shown, SHOWN)
})

test('it is noted when the probe fails after the handshake: refused, another status, silence', async (t) => {
  const refused = await tlsListener(t, OK)
  const verifying = targetOf(refused, { type: 'HTTPS', http: HTTP, tls: { verify: true } })
  assert.deepEqual(await noted(verifying), { reason: 'TLS_CERTIFICATE', ...SHOWN })
  const busy = await tlsListener(t, 'HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n')
  const failing = targetOf(busy, { type: 'HTTPS', http: HTTP })
  assert.deepEqual(await noted(failing), { reason: 'STATUS_MISMATCH', ...SHOWN })
  const silent = targetOf(await tlsListener(t, undefined), { type: 'HTTPS', http: HTTP, timeoutMs: 200 })
  assert.deepEqual(await noted(silent), { reason: 'RECV_TIMEOUT', ...SHOWN })
})

test('nothing is noted without a handshake: in plain text, before its end, and on a kept connection', async (t) => {
  const plain = await listen(t, (socket) => void socket.once('data', () => socket.end(OK)))
  assert.deepEqual(await noted(targetOf(plain, { type: 'HTTP', http: HTTP })), { reason: 'PASSED' })
  assert.deepEqual(await noted(targetOf(plain, { type: 'HTTPS', http: HTTP })), { reason: 'TLS_HANDSHAKE' })
  const mute = await listen(t, () => undefined)
  const waiting = attempt(probers['TLS-HELLO'], targetOf(mute, { type: 'TLS-HELLO' }))
  waiting.cancel('shutdown')
  assert.equal((await waiting.result).certificate, undefined)
  const server = await tlsListener(t, OK)
  const kept = targetOf(server, {
    type: 'HTTPS',
    http: HTTP,
    reuse: { freshEvery: 2, idleCloseIsFailure: false },
  })
  assert.deepEqual(await noted(kept), { reason: 'PASSED', ...SHOWN })
  await until(() => idleConnections.size === 1)
  assert.deepEqual(await noted(kept), { reason: 'PASSED' })
  assert.deepEqual(await noted(kept), { reason: 'PASSED', ...SHOWN })
})
