import assert from 'node:assert/strict'
import { createSecureServer, createServer, type Http2Server, type ServerHttp2Stream } from 'node:http2'
import type { Server, Socket } from 'node:net'
import { afterEach, test, type TestContext } from 'node:test'
import {
  OPTION_BODY_MAX,
  OPTION_HEADER_VALUE_MAX,
  URL_PATH_MAX,
  USER_AGENT,
} from '../../src/domain/limits.ts'
import type { HttpRequest, ProbeTarget } from '../../src/domain/target/probe-target.ts'
import { encodeHeaders } from '../../src/probe/http2/hpack.ts'
import {
  ACK,
  END_HEADERS,
  END_STREAM,
  FRAME,
  PADDED,
  SETTINGS_ACK,
  writeFrame,
} from '../../src/probe/http2/http2-frames.ts'
import { selfSigned } from '../support/certificate.ts'
import { listen, openSockets, probeWithin, targetOf, until } from '../support/probing.ts'
import { idleConnections, probers } from '../support/probers.ts'

const ask: HttpRequest = {
  method: 'GET',
  path: '/health',
  version: '2',
  host: 'a.example:81',
  expectedCodes: [{ from: 200, to: 204 }],
}

const target = (server: Parameters<typeof targetOf>[0], more: Partial<ProbeTarget> = {}): ProbeTarget =>
  targetOf(server, { type: 'HTTP', http: ask, timeoutMs: 5000, ...more })

const reuse = { freshEvery: 100, idleCloseIsFailure: false }

async function serve(
  t: TestContext,
  onStream: (stream: ServerHttp2Stream, headers: Record<string, unknown>) => void,
  secure = false,
): Promise<{ readonly server: Server; readonly sessions: () => number }> {
  let sessions = 0
  const http2 = (secure ? createSecureServer(selfSigned('test')) : createServer()) as Http2Server
  http2.on('session', (session) => {
    sessions++
    session.on('error', () => undefined)
    t.after(() => session.destroy())
  })
  http2.on('stream', (stream, headers) => {
    stream.on('error', () => undefined)
    onStream(stream, headers)
  })
  await new Promise<void>((resolve) => http2.listen(0, '127.0.0.1', resolve))
  t.after(() => http2.close())
  return { server: http2 as unknown as Server, sessions: () => sessions }
}

afterEach(() => idleConnections.closeAll())

for (const type of ['HTTP', 'HTTPS'] as const) {
  test(`HTTP/2 for ${type}: the request arrives as it was configured, and its status is judged`, async (t) => {
    const seen: Record<string, unknown>[] = []
    const { server } = await serve(
      t,
      (stream, headers) => {
        seen.push(headers)
        stream.respond({ ':status': seen.length === 1 ? 204 : 503 })
        stream.end('not now')
      },
      type === 'HTTPS',
    )
    const http = { ...ask, headers: [{ name: 'X-Probe', value: 'yes', action: 'append' }] } as const
    const passed = await probeWithin(probers[type], target(server, { type, http }))
    assert.equal(passed.detail, 'got 204')
    assert.ok(passed.phases.firstByteMs !== undefined)
    const failed = await probeWithin(probers[type], target(server, { type, http }))
    assert.equal(failed.reason, 'STATUS_MISMATCH')
    assert.equal(failed.detail, 'got 503, expected 200-204')
    const { ':method': method, ':path': path, ':authority': authority, ':scheme': scheme } = seen[0] ?? {}
    assert.deepEqual(
      [method, path, authority, scheme],
      ['GET', '/health', 'a.example:81', type === 'HTTPS' ? 'https' : 'http'],
    )
    assert.equal(seen[0]?.['user-agent'], USER_AGENT)
    assert.equal(seen[0]?.['x-probe'], 'yes')
  })
}

test('HTTP/2 sends a body, and looks for the expected one', async (t) => {
  let got = ''
  const { server } = await serve(t, (stream) => {
    stream.on('data', (chunk: Buffer) => (got += chunk.toString()))
    stream.on('end', () => {
      stream.respond({ ':status': 200 })
      stream.write('x'.repeat(30_000))
      stream.end('all is well')
    })
  })
  const body = Buffer.from('y'.repeat(40_000))
  const http = { ...ask, method: 'POST', body, expectBody: [Buffer.from('all'), Buffer.from('well')] }
  assert.equal((await probeWithin(probers.HTTP, target(server, { http }))).reason, 'PASSED')
  assert.equal(got, body.toString())
  const narrow = { ...http, searchedBodyBytes: 1024 }
  assert.equal((await probeWithin(probers.HTTP, target(server, { http: narrow }))).reason, 'BODY_MISMATCH')
  const huge = { ...ask, method: 'POST', body: Buffer.alloc(70_000) }
  assert.equal((await probeWithin(probers.HTTP, target(server, { http: huge }))).reason, 'PROBER_UNSUPPORTED')
})

test('HTTP/2 holds the answer to the service that it has to come from', async (t) => {
  const { server } = await serve(t, (stream) => {
    stream.respond({ ':status': 200, 'x-envoy-upstream-healthchecked-cluster': 'shop-v2' })
    stream.end()
  })
  for (const [serviceName, reason] of [
    ['shop', 'PASSED'],
    ['bank', 'IDENTITY_MISMATCH'],
  ] as const) {
    const http = { ...ask, serviceName }
    assert.equal((await probeWithin(probers.HTTP, target(server, { http }))).reason, reason)
  }
})

test('an HTTP/2 connection serves many probes, with large bodies too', async (t) => {
  const { server, sessions } = await serve(t, (stream) => {
    stream.respond({ ':status': 200, 'x-filler': 'z'.repeat(200) })
    stream.end('x'.repeat(50_000))
  })
  const kept = target(server, { reuse })
  for (let i = 0; i < 30; i++) assert.equal((await probeWithin(probers.HTTP, kept)).reason, 'PASSED')
  assert.equal(sessions(), 1)
})

test('HTTP/2 with a body is kept as long as the target lets it be sent', async (t) => {
  const { server, sessions } = await serve(t, (stream) => {
    stream.resume()
    stream.on('end', () => {
      stream.respond({ ':status': 200 })
      stream.end()
    })
  })
  const http = { ...ask, method: 'POST', body: Buffer.alloc(20_000) }
  const kept = target(server, { http, reuse })
  for (let i = 0; i < 12; i++) assert.equal((await probeWithin(probers.HTTP, kept)).reason, 'PASSED')
  assert.ok(sessions() < 12)
})

test('a graceful GOAWAY lets the probe end, and the next one comes on a new connection', async (t) => {
  const { server, sessions } = await serve(t, (stream) => {
    stream.session?.goaway(0)
    stream.respond({ ':status': 200 })
    stream.end()
  })
  const kept = target(server, { reuse })
  for (let i = 0; i < 3; i++) assert.equal((await probeWithin(probers.HTTP, kept)).reason, 'PASSED')
  assert.equal(sessions(), 3)
})

test('a GOAWAY between two probes is no failure', async (t) => {
  let session: ServerHttp2Stream['session']
  const { server, sessions } = await serve(t, (stream) => {
    ;({ session } = stream)
    stream.respond({ ':status': 200 })
    stream.end()
  })
  const kept = target(server, { reuse })
  assert.equal((await probeWithin(probers.HTTP, kept)).reason, 'PASSED')
  session?.goaway(0)
  await until(() => idleConnections.size === 0)
  assert.equal((await probeWithin(probers.HTTP, kept)).reason, 'PASSED')
  assert.equal(sessions(), 2)
})

const EMPTY = Buffer.alloc(0)
const SETTINGS = writeFrame(FRAME.SETTINGS, 0, 0, EMPTY)
const word = (...values: readonly number[]): Buffer => {
  const bytes = Buffer.alloc(values.length * 4)
  values.forEach((value, index) => bytes.writeUInt32BE(value, index * 4))
  return bytes
}
const head = (status: string, flags = END_HEADERS | END_STREAM): Buffer =>
  writeFrame(FRAME.HEADERS, flags, 1, encodeHeaders([{ name: ':status', value: status }]))
const part = (flags: number, text: string): Buffer => writeFrame(FRAME.DATA, flags, 1, Buffer.from(text))

/** Answers the client's preface with these bytes. */
const saying =
  (...frames: readonly Buffer[]) =>
  (socket: Socket): void => {
    socket.once('data', () => socket.write(Buffer.concat(frames)))
  }

const MISBEHAVIOURS: readonly (readonly [string, readonly Buffer[], string, RegExp])[] = [
  [
    'an HTTP/1 answer',
    [Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')],
    'RESPONSE_MALFORMED',
    /no SETTINGS/,
  ],
  ['another frame first', [head('200')], 'RESPONSE_MALFORMED', /no SETTINGS/],
  ['an acknowledgement first', [SETTINGS_ACK], 'RESPONSE_MALFORMED', /no SETTINGS/],
  ['SETTINGS and silence', [SETTINGS], 'RECV_TIMEOUT', /waiting for the response head/],
  ['half a header block', [SETTINGS, head('200', 0)], 'RECV_TIMEOUT', /reading the response head/],
  [
    'a header block broken off',
    [SETTINGS, head('200', 0), writeFrame(FRAME.PING, 0, 0, Buffer.alloc(8))],
    'RESPONSE_MALFORMED',
    /broken off/,
  ],
  [
    'a header block with a dynamic index',
    [SETTINGS, writeFrame(FRAME.HEADERS, END_HEADERS, 1, Buffer.from([0xbe]))],
    'RESPONSE_MALFORMED',
    /cannot be read/,
  ],
  [
    'headers without a status',
    [SETTINGS, writeFrame(FRAME.HEADERS, END_HEADERS, 1, encodeHeaders([{ name: 'x', value: 'y' }]))],
    'RESPONSE_MALFORMED',
    /without a status/,
  ],
  [
    'a body without a head',
    [SETTINGS, part(END_STREAM, 'x')],
    'RESPONSE_MALFORMED',
    /before the response head/,
  ],
  [
    'GOAWAY with an error',
    [SETTINGS, writeFrame(FRAME.GOAWAY, 0, 0, word(0, 11))],
    'RECV_CLOSED',
    /GOAWAY with error 11/,
  ],
  [
    'a reset stream',
    [SETTINGS, writeFrame(FRAME.RST_STREAM, 0, 1, word(2))],
    'RECV_CLOSED',
    /reset with error 2/,
  ],
  [
    'a frame that is too long',
    [SETTINGS, Buffer.from('7fffff010400000001', 'hex')],
    'RESPONSE_MALFORMED',
    /8388607/,
  ],
  ['a push', [SETTINGS, writeFrame(FRAME.PUSH_PROMISE, 4, 1, word(2))], 'RESPONSE_MALFORMED', /push/],
  [
    'a flood of frames',
    [SETTINGS, Buffer.concat(Array.from({ length: 5000 }, () => SETTINGS_ACK))],
    'RESPONSE_MALFORMED',
    /too many frames/,
  ],
  [
    'an endless head',
    [SETTINGS, head('200', 0), ...[1, 2].map(() => writeFrame(FRAME.CONTINUATION, 0, 1, Buffer.alloc(9000)))],
    'RESPONSE_MALFORMED',
    /exceeds/,
  ],
  [
    'padding longer than its frame',
    [SETTINGS, head('200', END_HEADERS), writeFrame(FRAME.DATA, PADDED, 1, Buffer.from([9, 0]))],
    'RESPONSE_MALFORMED',
    /padding/,
  ],
  ['a body that never ends', [SETTINGS, head('200', END_HEADERS), part(0, 'x')], 'PASSED', /got 200/],
  ['interim responses first', [SETTINGS, head('103', END_HEADERS), head('200')], 'PASSED', /got 200/],
  [
    'an unknown frame and trailers',
    [
      SETTINGS,
      writeFrame(99, 0, 1, Buffer.from('?')),
      head('200', END_HEADERS),
      writeFrame(FRAME.HEADERS, END_HEADERS | END_STREAM, 1, encodeHeaders([{ name: 'x', value: 'y' }])),
    ],
    'PASSED',
    /got 200/,
  ],
]

for (const [what, frames, reason, detail] of MISBEHAVIOURS) {
  test(`an HTTP/2 target with ${what} is ${reason}, however its bytes are cut`, async (t) => {
    const whole = await listen(t, saying(...frames))
    const result = await probeWithin(probers.HTTP, target(whole, { timeoutMs: 150 }))
    assert.equal(result.reason, reason)
    assert.match(result.detail, detail)
    const bytes = Buffer.concat(frames)
    if (bytes.length > 1000) return
    const slow = await listen(t, (socket) => {
      socket.setNoDelay(true)
      socket.once('data', () => {
        let at = 0
        const next = (): void => {
          if (at < bytes.length && socket.writable)
            socket.write(bytes.subarray(at, ++at), () => setImmediate(next))
        }
        next()
      })
    })
    assert.equal((await probeWithin(probers.HTTP, target(slow, { timeoutMs: 300 }))).reason, reason)
  })
}

test('PING and SETTINGS are answered, between two probes too', async (t) => {
  let got = EMPTY
  let peer: Socket | undefined
  const server = await listen(t, (socket) => {
    peer = socket
    socket.on('data', (chunk: Buffer) => (got = Buffer.concat([got, chunk])))
    saying(SETTINGS, head('200'))(socket)
  })
  const before = openSockets()
  const kept = target(server, { reuse })
  assert.equal((await probeWithin(probers.HTTP, kept)).reason, 'PASSED')
  await until(() => got.includes(SETTINGS_ACK))
  peer?.write(writeFrame(FRAME.PING, 0, 0, Buffer.from('12345678')))
  await until(() => got.includes(writeFrame(FRAME.PING, ACK, 0, Buffer.from('12345678'))))
  assert.equal(idleConnections.size, 1)
  peer?.write(writeFrame(FRAME.GOAWAY, 0, 0, word(0, 0)))
  await until(() => idleConnections.size === 0)
  peer?.destroy()
  await until(() => openSockets() <= before)
})

test('a request whose stream the target refuses is repeated once when the connection was a kept one', async (t) => {
  let connections = 0
  const server = await listen(t, (socket) => {
    connections++
    saying(SETTINGS, head('200'))(socket)
    socket.on('data', (chunk: Buffer) => {
      const frame = writeFrame(FRAME.RST_STREAM, 0, 3, word(7))
      if (chunk.readUInt32BE(0) >>> 8 < 1000 && chunk[3] === FRAME.HEADERS) socket.write(frame)
    })
  })
  const kept = target(server, { reuse })
  assert.equal((await probeWithin(probers.HTTP, kept)).reason, 'PASSED')
  assert.equal((await probeWithin(probers.HTTP, kept)).reason, 'PASSED')
  assert.equal(connections, 2)
})

test('HTTPS that does not agree on h2 is sent no request', async (t) => {
  const { createServer: createTlsServer } = await import('node:tls')
  const server = createTlsServer({ ...selfSigned('test') }, (socket) => socket.on('error', () => undefined))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  const result = await probeWithin(probers.HTTPS, target(server, { type: 'HTTPS' }))
  assert.equal(result.reason, 'RESPONSE_MALFORMED')
  assert.match(result.detail, /ALPN/)
})

test('the largest request that options can ask for is sent, also to a target whose windows are narrow', async (t) => {
  const heard: [number, number][] = []
  const http2 = createServer({ settings: { initialWindowSize: 16 } })
  http2.on('session', (session) => t.after(() => session.destroy()))
  http2.on('stream', (stream, headers) => {
    let bytes = 0
    stream.on('data', (chunk: Buffer) => (bytes += chunk.length))
    stream.on('end', () => {
      heard.push([Object.keys(headers).filter((name) => name.startsWith('x-')).length, bytes])
      stream.respond({ ':status': 200 }, { endStream: true })
    })
  })
  await new Promise<void>((resolve) => http2.listen(0, '127.0.0.1', resolve))
  t.after(() => http2.close())
  const headers = Array.from({ length: 8 }, (_, i) => ({
    name: `x-${i}`,
    value: 'v'.repeat(OPTION_HEADER_VALUE_MAX),
    action: 'append' as const,
  }))
  const body = Buffer.from('€'.repeat(OPTION_BODY_MAX))
  const http = { ...ask, method: 'POST', path: `/${'p'.repeat(URL_PATH_MAX - 1)}`, headers, body }
  for (let probe = 0; probe < 2; probe++) {
    const large = target(http2 as unknown as Server, { http, reuse })
    assert.equal((await probeWithin(probers.HTTP, large)).reason, 'PASSED')
  }
  assert.deepEqual(heard, [
    [8, body.length],
    [8, body.length],
  ])
})
