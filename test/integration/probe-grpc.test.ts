import assert from 'node:assert/strict'
import { createSecureServer, createServer, type Http2Server, type ServerHttp2Stream } from 'node:http2'
import type { Server } from 'node:net'
import { afterEach, test, type TestContext } from 'node:test'
import type { ProbeTarget } from '../../src/domain/target/probe-target.ts'
import { selfSigned } from '../support/certificate.ts'
import { listen, probeWithin, targetOf } from '../support/probing.ts'
import { idleConnections, probers } from '../support/probers.ts'

const SERVING = Buffer.from('00000000020801', 'hex')
const NOT_SERVING = Buffer.from('00000000020802', 'hex')

interface Seen {
  readonly headers: Record<string, unknown>
  readonly body: string
}

/** A gRPC health server: `answer` gets the call once its request has been read. */
async function serve(
  t: TestContext,
  answer: (stream: ServerHttp2Stream, seen: Seen) => void,
  secure = false,
): Promise<Server> {
  const http2 = (secure ? createSecureServer(selfSigned('test')) : createServer()) as Http2Server
  http2.on('session', (session) => {
    session.on('error', () => undefined)
    t.after(() => session.destroy())
  })
  http2.on('stream', (stream, headers) => {
    let body = Buffer.alloc(0)
    stream.on('error', () => undefined)
    stream.on('data', (chunk: Buffer) => (body = Buffer.concat([body, chunk])))
    stream.on('end', () => answer(stream, { headers, body: body.toString('hex') }))
  })
  await new Promise<void>((resolve) => http2.listen(0, '127.0.0.1', resolve))
  t.after(() => http2.close())
  return http2 as unknown as Server
}

function say(stream: ServerHttp2Stream, message: Buffer, grpcStatus: string | undefined, headers = {}): void {
  stream.respond(
    { ':status': 200, 'content-type': 'application/grpc', ...headers },
    { waitForTrailers: grpcStatus !== undefined },
  )
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': grpcStatus ?? '0' }))
  stream.end(message)
}

const target = (server: Server, more: Partial<ProbeTarget> = {}): ProbeTarget =>
  targetOf(server, {
    type: 'HTTP',
    grpc: { service: 'shop.Cart', authority: 'shop.example', metadata: [{ name: 'X-Token', value: 't0k' }] },
    timeoutMs: 5000,
    ...more,
  })

afterEach(() => idleConnections.closeAll())

for (const type of ['HTTP', 'HTTPS'] as const) {
  test(`a gRPC probe over ${type} asks Health/Check of the service, and passes on SERVING`, async (t) => {
    const calls: Seen[] = []
    const server = await serve(
      t,
      (stream, seen) => {
        calls.push(seen)
        say(stream, SERVING, '0')
      },
      type === 'HTTPS',
    )
    const { reason, detail } = await probeWithin(probers[type], target(server, { type }))
    assert.deepEqual([reason, detail], ['PASSED', 'SERVING'])
    const { headers, body } = calls[0] ?? assert.fail()
    assert.equal(body, `000000000b0a09${Buffer.from('shop.Cart').toString('hex')}`)
    assert.equal(headers[':path'], '/grpc.health.v1.Health/Check')
    assert.equal(headers[':authority'], 'shop.example')
    assert.equal(headers['te'], 'trailers')
    assert.equal(headers['grpc-timeout'], '5000m')
    assert.equal(headers['x-token'], 't0k')
  })
}

const ANSWERS: Readonly<Record<string, readonly [(stream: ServerHttp2Stream) => void, RegExp]>> = {
  'says NOT_SERVING': [(stream) => say(stream, NOT_SERVING, '0'), /^NOT_SERVING$/],
  'says nothing of its status': [(stream) => say(stream, Buffer.alloc(5), '0'), /^UNKNOWN$/],
  'gives a grpc-status': [(stream) => say(stream, SERVING, '5'), /^grpc-status 5$/],
  'gives a grpc-status at once': [
    (stream) =>
      stream.respond(
        { ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '12' },
        { endStream: true },
      ),
    /^grpc-status 12$/,
  ],
  'gives no grpc-status': [(stream) => say(stream, SERVING, undefined), /^no grpc-status$/],
  'is an HTTP error': [
    (stream) => {
      stream.respond({ ':status': 502 })
      stream.end('bad gateway')
    },
    /^HTTP status 502$/,
  ],
  'is a web page': [
    (stream) => {
      stream.respond({ ':status': 200, 'content-type': 'text/html' })
      stream.end('<html>')
    },
    /^the answer is not gRPC$/,
  ],
  'is compressed without being asked': [
    (stream) => say(stream, Buffer.from('01000000020801', 'hex'), '0'),
    /no HealthCheckResponse/,
  ],
  'is two messages': [
    (stream) => say(stream, Buffer.concat([SERVING, SERVING]), '0'),
    /no HealthCheckResponse/,
  ],
  'is cut off': [(stream) => say(stream, SERVING.subarray(0, 6), '0'), /no HealthCheckResponse/],
  'is garbage': [
    (stream) => say(stream, Buffer.from('0000000002ffff', 'hex'), '0'),
    /no HealthCheckResponse/,
  ],
  'is endless': [(stream) => say(stream, Buffer.alloc(10_000), '0'), /no HealthCheckResponse/],
}

for (const [what, [answer, detail]] of Object.entries(ANSWERS)) {
  test(`a gRPC answer that ${what} is GRPC_NOT_SERVING`, async (t) => {
    const server = await serve(t, answer)
    const result = await probeWithin(probers.HTTP, target(server))
    assert.equal(result.reason, 'GRPC_NOT_SERVING')
    assert.match(result.detail, detail)
  })
}

test('further fields of a health answer are no harm', async (t) => {
  const server = await serve(t, (stream) =>
    say(stream, Buffer.from('000000000d12026869080118051d000000ff', 'hex'), '0'),
  )
  assert.equal((await probeWithin(probers.HTTP, target(server))).detail, 'SERVING')
})

test('a gRPC call that is reset, never answered, or met by another protocol is no verdict of the service', async (t) => {
  const reset = await serve(t, (stream) => stream.close(2))
  assert.equal((await probeWithin(probers.HTTP, target(reset))).reason, 'RECV_CLOSED')
  const silent = await serve(t, () => undefined)
  assert.equal((await probeWithin(probers.HTTP, target(silent, { timeoutMs: 100 }))).reason, 'RECV_TIMEOUT')
  const other = await listen(t, (socket) => socket.write('SSH-2.0-x\r\n'))
  assert.equal((await probeWithin(probers.HTTP, target(other))).reason, 'RESPONSE_MALFORMED')
})

test('one connection serves the gRPC probes of a check', async (t) => {
  let sessions = 0
  const server = await serve(t, (stream) => say(stream, SERVING, '0'))
  server.on('session', () => sessions++)
  const kept = target(server, { reuse: { freshEvery: 100, idleCloseIsFailure: false } })
  for (let i = 0; i < 5; i++) assert.equal((await probeWithin(probers.HTTP, kept)).reason, 'PASSED')
  assert.equal(sessions, 1)
})
