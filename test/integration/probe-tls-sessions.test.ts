/** Probes that resume TLS sessions, on real connections: when they do, what they note then, and what targets see. */
import assert from 'node:assert/strict'
import { createSecureServer } from 'node:http2'
import type { Server, Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import {
  createSecureContext,
  createServer,
  type Server as TlsServer,
  type TlsOptions,
  TLSSocket,
} from 'node:tls'
import { TLS_RESUMED_MAX } from '../../src/domain/limits.ts'
import type { ProbeTarget } from '../../src/domain/target/probe-target.ts'
import { selfSigned } from '../support/certificate.ts'
import { getFrom, listen, probeWithin, servingTls, targetOf } from '../support/probing.ts'
import { probers, runtime } from '../support/probers.ts'

const CERTIFICATE = selfSigned('member.example')
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'
const UNAVAILABLE = 'HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n'
const TIMEOUT_MS = 5000
const WHOLE = 'whole'
const RESUMED = 'resumed'

/** A target of a monitor, as a prober has it: what it resumes may be kept. */
function announced(server: Server, more: Partial<ProbeTarget> = {}): ProbeTarget {
  const target = targetOf(server, {
    type: 'HTTPS',
    http: getFrom('member.example'),
    timeoutMs: TIMEOUT_MS,
    ...more,
  })
  runtime.prepare({ target, projectId: 'project' })
  return target
}

/** Answers each request with what `reply` returns, and notes each handshake. */
async function serving(
  t: TestContext,
  options: TlsOptions = {},
  reply: () => string = () => OK,
): Promise<{ readonly server: TlsServer; readonly handshakes: string[] }> {
  const handshakes: string[] = []
  const server = createServer({ ...CERTIFICATE, ...options }, (socket) => {
    handshakes.push(socket.isSessionReused() ? RESUMED : WHOLE)
    socket.on('data', () => socket.write(reply()))
  })
  return { server: await servingTls(t, server), handshakes }
}

const probe = async (target: ProbeTarget) => await probeWithin(probers[target.type], target)

for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
  test(`${version}: every tenth probe makes a whole handshake, the others resume and note no certificate`, async (t) => {
    const { server, handshakes } = await serving(t, { minVersion: version, maxVersion: version })
    const target = announced(server)
    const noted: boolean[] = []
    for (let n = 0; n < TLS_RESUMED_MAX + 3; n++) {
      const { reason, certificate } = await probe(target)
      assert.equal(reason, 'PASSED')
      noted.push(certificate !== undefined)
    }
    const expected = [WHOLE, ...Array<string>(TLS_RESUMED_MAX).fill(RESUMED), WHOLE, RESUMED]
    assert.deepEqual(handshakes, expected)
    assert.deepEqual(
      noted,
      expected.map((how) => how === WHOLE),
    )
  })
}

test('HTTP/2, and HTTP behind a PROXY header, resume too', async (t) => {
  const handshakes: string[] = []
  const server = createSecureServer({ ...CERTIFICATE, ALPNProtocols: ['h2'] })
  server.on('secureConnection', (socket: TLSSocket) =>
    handshakes.push(socket.isSessionReused() ? RESUMED : WHOLE),
  )
  server.on('stream', (stream) => {
    stream.on('error', () => undefined)
    stream.respond({ ':status': 200 })
    stream.end()
  })
  await servingTls(t, server)
  const overHttp2 = announced(server, { http: { ...getFrom('member.example'), version: '2' } })
  for (let n = 0; n < 2; n++) assert.equal((await probe(overHttp2)).reason, 'PASSED')
  assert.deepEqual(handshakes, [WHOLE, RESUMED])

  const below: string[] = []
  const secureContext = createSecureContext(CERTIFICATE)
  const behindHeader = await listen(t, (socket) => {
    socket.once('readable', () => {
      // Version 2, LOCAL: 16 bytes.
      socket.read(16)
      const stream = new TLSSocket(socket, { isServer: true, secureContext })
      stream
        .on('error', () => undefined)
        .once('data', () => {
          below.push(stream.isSessionReused() ? RESUMED : WHOLE)
          stream.end(OK)
        })
    })
  })
  const proxied = announced(behindHeader, { proxyProtocol: 2 })
  for (let n = 0; n < 2; n++) assert.equal((await probe(proxied)).reason, 'PASSED')
  assert.deepEqual(below, [WHOLE, RESUMED])
})

test('a certificate that was changed is noted within ten probes, also where the target still takes old sessions', async (t) => {
  const ticketKeys = Buffer.alloc(48, 1)
  const { server } = await serving(t, { ticketKeys })
  const target = announced(server)
  assert.equal((await probe(target)).certificate?.subject, 'member.example')
  server.setSecureContext({ ...selfSigned('renewed.example'), ticketKeys })
  const subjects: (string | undefined)[] = []
  for (let n = 0; n < TLS_RESUMED_MAX + 1; n++) subjects.push((await probe(target)).certificate?.subject)
  assert.deepEqual(subjects, [...Array<undefined>(TLS_RESUMED_MAX).fill(undefined), 'renewed.example'])
})

test('a certificate that has ended is looked at with every probe', async (t) => {
  const { server, handshakes } = await serving(t, selfSigned('old.example', new Date('2026-01-01T00:00:00Z')))
  const target = announced(server)
  for (let n = 0; n < 3; n++) assert.equal((await probe(target)).reason, 'PASSED')
  assert.deepEqual(handshakes, [WHOLE, WHOLE, WHOLE])
})

test('after a failure the next probe makes a whole handshake', async (t) => {
  let reply = OK
  const { server, handshakes } = await serving(t, {}, () => reply)
  const target = announced(server)
  assert.equal((await probe(target)).reason, 'PASSED')
  reply = UNAVAILABLE
  assert.equal((await probe(target)).reason, 'STATUS_MISMATCH')
  assert.equal((await probe(target)).reason, 'STATUS_MISMATCH')
  assert.deepEqual(handshakes, [WHOLE, RESUMED, WHOLE], 'an answer is a result: no second try')
})

test('a target that ends a connection on which it is offered a session passes, by a whole handshake in the same probe', async (t) => {
  for (const endsAt of ['the hello', 'the request'] as const) {
    const handshakes: string[] = []
    const connections: Socket[] = []
    const tls = createServer(CERTIFICATE, (socket) => {
      const isResumed = socket.isSessionReused()
      handshakes.push(isResumed ? RESUMED : WHOLE)
      socket.on('error', () => undefined)
      socket.on('data', () => (isResumed && endsAt === 'the request' ? socket.destroy() : socket.write(OK)))
    })
    const server = await listen(t, (socket) => {
      connections.push(socket)
      if (connections.length === 2 && endsAt === 'the hello') socket.once('data', () => socket.destroy())
      else tls.emit('connection', socket)
    })
    const target = announced(server)
    assert.equal((await probe(target)).reason, 'PASSED')
    assert.equal((await probe(target)).reason, 'PASSED', endsAt)
    assert.equal(connections.length, 3)
    assert.equal((await probe(target)).reason, 'PASSED')
    const expected = endsAt === 'the hello' ? [WHOLE, WHOLE, WHOLE] : [WHOLE, RESUMED, WHOLE, WHOLE]
    assert.deepEqual(handshakes, expected, 'and it is offered no session for a time')
  }
})

test('a probe that resumes and gets no answer ends at its deadline, and the next makes a whole handshake', async (t) => {
  let isSilent = false
  const handshakes: string[] = []
  const server = await servingTls(
    t,
    createServer(CERTIFICATE, (socket) => {
      handshakes.push(socket.isSessionReused() ? RESUMED : WHOLE)
      socket.on('data', () => (isSilent ? undefined : socket.write(OK)))
    }),
  )
  const target = announced(server, { timeoutMs: 300 })
  assert.equal((await probe(target)).reason, 'PASSED')
  isSilent = true
  assert.equal((await probe(target)).reason, 'RECV_TIMEOUT')
  isSilent = false
  assert.equal((await probe(target)).reason, 'PASSED')
  assert.deepEqual(handshakes, [WHOLE, RESUMED, WHOLE])
})

test('a target that takes no session gets whole handshakes and passes', async (t) => {
  let keys = 0
  const { server, handshakes } = await serving(t)
  const target = announced(server)
  for (let n = 0; n < 4; n++) {
    assert.equal((await probe(target)).reason, 'PASSED')
    server.setTicketKeys(Buffer.alloc(48, ++keys))
  }
  assert.deepEqual(handshakes, [WHOLE, WHOLE, WHOLE, WHOLE])
})

test('a target that closes its connection with its answer is resumed as others are', async (t) => {
  const handshakes: string[] = []
  const server = await servingTls(
    t,
    createServer(CERTIFICATE, (socket) => {
      handshakes.push(socket.isSessionReused() ? RESUMED : WHOLE)
      socket.on('data', () => socket.end('HTTP/1.0 200 OK\r\n\r\nuntil the end'))
    }),
  )
  const target = announced(server)
  for (let n = 0; n < 3; n++) {
    const { reason } = await probe(target)
    assert.equal(reason, 'PASSED')
  }
  assert.deepEqual(handshakes, [WHOLE, RESUMED, RESUMED])
})

test('where the certificate is verified, or a monitor says so, each probe makes a whole handshake', async (t) => {
  const { server, handshakes } = await serving(t)
  for (const tls of [
    { verify: true, serverName: 'member.example' },
    { verify: false, resume: false },
  ]) {
    const target = announced(server, { tls })
    for (let n = 0; n < 2; n++)
      assert.equal((await probe(target)).reason, tls.verify ? 'TLS_CERTIFICATE' : 'PASSED')
  }
  assert.ok(handshakes.every((how) => how === WHOLE))
})
