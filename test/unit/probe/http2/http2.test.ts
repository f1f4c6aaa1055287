import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { HttpRequest } from '../../../../src/domain/target/probe-target.ts'
import type { Line, Verdict } from '../../../../src/probe/wire/conversation.ts'
import { GrpcExchange } from '../../../../src/probe/grpc/grpc.ts'
import { readHealthStatus } from '../../../../src/probe/grpc/grpc-message.ts'
import { encodeHeaders } from '../../../../src/probe/http2/hpack.ts'
import { Http2Conversation, type StreamExchange } from '../../../../src/probe/http2/http2.ts'
import { Http2HttpExchange } from '../../../../src/probe/http2/http2-exchange.ts'
import {
  ACK,
  END_HEADERS,
  END_STREAM,
  FRAME,
  FrameReader,
  SETTINGS_ACK,
  writeFrame,
} from '../../../../src/probe/http2/http2-frames.ts'
import { Http2Requests } from '../../../../src/probe/http2/http2-request.ts'
import { IMMEDIATE_FAIL_HEADER, SERVICE_HEADER } from '../../../../src/probe/http/http-verdict.ts'

const line: Line = { write: () => undefined, tls: undefined }
const SETTINGS = writeFrame(FRAME.SETTINGS, 0, 0, Buffer.alloc(0))
const request: HttpRequest = {
  method: 'GET',
  path: '/',
  version: '2',
  host: 'x',
  expectedCodes: [{ from: 200, to: 200 }],
  expectBody: [Buffer.from('well')],
}

const EXCHANGES: Readonly<Record<string, () => StreamExchange>> = {
  HTTP: () => Http2HttpExchange.of(request, 'http') ?? assert.fail(),
  gRPC: () =>
    GrpcExchange.of({ service: '', authority: 'x', metadata: [] }, { scheme: 'http', timeoutMs: 1 }) ??
    assert.fail(),
}

const HEADS = [
  encodeHeaders([{ name: ':status', value: '200' }]),
  encodeHeaders([{ name: ':status', value: '103' }]),
  encodeHeaders([{ name: 'grpc-status', value: '0' }]),
]
const payload = fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.constantFrom<Uint8Array>(...HEADS))
const frame = fc
  .tuple(fc.nat({ max: 12 }), fc.nat({ max: 255 }), fc.nat({ max: 4 }), payload)
  .map((parts) => writeFrame(...parts))
const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 200 }).map((raw) => Buffer.from(raw)),
  fc.array(frame, { maxLength: 12 }).map((frames) => Buffer.concat([SETTINGS, ...frames])),
)

/** The verdict of an attempt that hears these bytes in pieces; as the attempt does, nothing is read after it. */
function verdictOf(conversation: Http2Conversation, heard: Buffer, pieceBytes: number): Verdict {
  for (let at = 0; at < heard.length; at += pieceBytes) {
    const piece = Buffer.from(heard.subarray(at, at + pieceBytes))
    const verdict = conversation.read(piece, line)
    piece.fill(0xff)
    if (verdict !== undefined) return verdict
  }
  return conversation.ended('closed')
}

for (const [name, make] of Object.entries(EXCHANGES)) {
  test(`whatever a target says over HTTP/2, ${name} has a verdict, the same however the bytes are cut`, () => {
    fc.assert(
      fc.property(bytes, fc.integer({ min: 1, max: 30 }), (heard, pieceBytes) => {
        const whole = new Http2Conversation(make())
        whole.begin(line)
        const cut = new Http2Conversation(make())
        cut.begin(line)
        assert.deepEqual(verdictOf(whole, heard, heard.length + 1), verdictOf(cut, heard, pieceBytes))
        if (whole.canGoOn) assert.equal(typeof whole.readIdle(heard, line), 'boolean')
      }),
      { numRuns: 2000 },
    )
  })
}

test('no bytes make the reader of health answers throw', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (raw) => {
      const message = Buffer.from(raw)
      const framed = Buffer.alloc(5 + message.length)
      framed.writeUInt32BE(message.length, 1)
      framed.set(message, 5)
      for (const each of [message, framed]) {
        const status = readHealthStatus(each)
        assert.ok(status === undefined || Number.isFinite(status))
      }
    }),
  )
})

test('headers over HTTP/2 count only with the final status: not before it, and not in trailers', () => {
  type Block = Readonly<Record<string, string>>
  const MARKED: Block = { 'x-degraded': '1', [IMMEDIATE_FAIL_HEADER]: '1', [SERVICE_HEADER]: 'b' }
  const judged = (...blocks: readonly Block[]): Verdict => {
    const asking: HttpRequest = { ...request, degradedHeader: 'x-degraded', serviceName: 'a' }
    const { expectBody: _, ...withoutBody } = asking
    const exchange = Http2HttpExchange.of(withoutBody, 'http') ?? assert.fail()
    for (const block of blocks) {
      for (const [name, value] of Object.entries(block)) exchange.onHeader(name, value)
      assert.equal(exchange.onHeadersEnd(), undefined)
    }
    return exchange.judge()
  }
  const plain = judged({ ':status': '200', [SERVICE_HEADER]: 'a' })
  assert.equal(plain.reason, 'PASSED')
  assert.notDeepEqual(judged({ ':status': '200', ...MARKED }), plain)
  assert.deepEqual(
    judged({ ':status': '103', ...MARKED }, { ':status': '200', [SERVICE_HEADER]: 'a' }),
    plain,
  )
  assert.deepEqual(judged({ ':status': '200', [SERVICE_HEADER]: 'a' }, MARKED), plain)
})

test('a header block in thousands of CONTINUATION frames is put together once', (t) => {
  let parts = 0
  const concat = Buffer.concat.bind(Buffer)
  t.mock.method(Buffer, 'concat', (list: readonly Uint8Array[]) => {
    parts += list.length
    return concat(list)
  })
  const [ok = Buffer.alloc(0)] = HEADS
  const end = writeFrame(FRAME.CONTINUATION, END_HEADERS, 1, Buffer.alloc(0))
  for (const piece of [Buffer.alloc(0), encodeHeaders([{ name: '', value: '' }])]) {
    const more = Buffer.concat(
      Array.from({ length: 4000 }, () => writeFrame(FRAME.CONTINUATION, 0, 1, piece)),
    )
    const conversation = new Http2Conversation(Http2HttpExchange.of(request, 'http') ?? assert.fail())
    conversation.begin(line)
    parts = 0
    conversation.read(Buffer.concat([SETTINGS, writeFrame(FRAME.HEADERS, 0, 1, ok), more, end]), line)
    assert.equal(conversation.standing(), undefined)
    assert.ok(conversation.hasFirstByte, 'the head was read')
    assert.ok(parts <= 4010, `${parts} parts`)
  }
})

test('the heads of an answer are bounded together, interim ones too', () => {
  const interim = encodeHeaders([
    { name: ':status', value: '103' },
    { name: 'link', value: 'x'.repeat(1000) },
  ])
  const conversation = new Http2Conversation(Http2HttpExchange.of(request, 'http') ?? assert.fail())
  conversation.begin(line)
  conversation.read(SETTINGS, line)
  const frame = writeFrame(FRAME.HEADERS, END_HEADERS, 1, interim)
  let verdict: Verdict | undefined
  for (let heads = 0; heads < 20 && verdict === undefined; heads++) verdict = conversation.read(frame, line)
  assert.deepEqual(verdict, { reason: 'RESPONSE_MALFORMED', detail: 'the head exceeds 16384 bytes' })
})

test('settings that come between two probes and leave no room for the next body end the connection', () => {
  const exchange = Http2HttpExchange.of(
    { ...request, method: 'POST', body: Buffer.from('0123456789') },
    'http',
  )
  const initialWindow = (bytes: number): Buffer => {
    const setting = Buffer.alloc(6)
    setting.writeUInt16BE(4, 0)
    setting.writeUInt32BE(bytes, 2)
    return writeFrame(FRAME.SETTINGS, 0, 0, setting)
  }
  const conversation = new Http2Conversation(exchange ?? assert.fail())
  conversation.begin(line)
  const [ok = Buffer.alloc(0)] = HEADS
  const answer = writeFrame(FRAME.HEADERS, END_HEADERS | END_STREAM, 1, ok)
  conversation.read(Buffer.concat([SETTINGS, answer]), line)
  assert.equal(conversation.canGoOn, true)
  assert.equal(conversation.readIdle(initialWindow(10), line), true)
  assert.equal(conversation.readIdle(initialWindow(9), line), false)
})

test('over HTTP/2 a header holds every character but CR, LF and NUL, and its name no capitals', () => {
  const verdictOf = (name: string, value: string): Verdict | undefined => {
    const { expectBody: _, ...withoutBody } = request
    const exchange = Http2HttpExchange.of(withoutBody, 'http') ?? assert.fail()
    const conversation = new Http2Conversation(exchange)
    conversation.begin(line)
    const block = encodeHeaders([
      { name: ':status', value: '200' },
      { name, value },
    ])
    return conversation.read(
      Buffer.concat([SETTINGS, writeFrame(FRAME.HEADERS, END_HEADERS | END_STREAM, 1, block)]),
      line,
    )
  }
  assert.equal(verdictOf('x', 'a\x01\x0b\x7f\xff\tb')?.reason, 'PASSED')
  for (const [name, value] of [
    ['x', 'a\0'],
    ['x', 'a\r'],
    ['x', 'a\nb: c'],
    ['X', 'a'],
    ['a b', 'c'],
    ['a\x01', 'c'],
  ] as const) {
    assert.equal(verdictOf(name, value)?.reason, 'RESPONSE_MALFORMED', JSON.stringify([name, value]))
  }
})

test('a monitor can set the bound on heads over HTTP/2', () => {
  const { expectBody: _, ...withoutBody } = request
  const block = encodeHeaders([
    { name: ':status', value: '200' },
    { name: 'x', value: 'y'.repeat(1000) },
  ])
  const reasonWith = (headMaxBytes: number): string | undefined => {
    const exchange = Http2HttpExchange.of(withoutBody, 'http') ?? assert.fail()
    const conversation = new Http2Conversation(exchange, { headMaxBytes })
    conversation.begin(line)
    const frame = writeFrame(FRAME.HEADERS, END_HEADERS | END_STREAM, 1, block)
    return conversation.read(Buffer.concat([SETTINGS, frame]), line)?.reason
  }
  assert.equal(reasonWith(block.length), 'PASSED')
  assert.equal(reasonWith(block.length - 1), 'RESPONSE_MALFORMED')
})

test('a request is encoded once for all checks of a monitor, and anew for another scheme or timeout', () => {
  const requests = new Http2Requests()
  const over = (scheme: 'http' | 'https') => Http2HttpExchange.of(request, scheme, { requests })?.request
  const first = over('http')
  assert.equal(over('http'), first)
  assert.notEqual(over('https'), first)
  const asked = { service: 'a', authority: 'x', metadata: [] }
  const within = (timeoutMs: number) =>
    GrpcExchange.of(asked, { scheme: 'http', timeoutMs, requests })?.request
  const second = within(1000)
  assert.equal(within(1000), second)
  assert.ok(within(2000)?.opening.includes('2000m'))
  assert.equal(first?.opening, first?.opening)
})

test('on a later stream the request is the same but for the number of the stream', () => {
  const { request: asked } =
    Http2HttpExchange.of({ ...request, method: 'POST', body: Buffer.alloc(40_000, 1) }, 'http') ??
    assert.fail()
  const streamsOf = (bytes: Buffer): Set<number> => {
    const reader = new FrameReader()
    reader.add(bytes)
    const streams = new Set<number>()
    for (let frame = reader.next(); frame !== undefined; frame = reader.next()) streams.add(frame.stream)
    return streams
  }
  const later = asked.on(5)
  assert.deepEqual(streamsOf(later), new Set([5]))
  assert.ok(asked.opening.subarray(-later.length).equals(asked.on(1)))
})

test('SETTINGS and PING are answered, unless the answer came with them on a connection that is not kept', () => {
  const ping = writeFrame(FRAME.PING, 0, 0, Buffer.from('12345678'))
  const [ok = Buffer.alloc(0)] = HEADS
  const answer = writeFrame(FRAME.HEADERS, END_HEADERS | END_STREAM, 1, ok)
  const { expectBody: _, ...withoutBody } = request
  const writtenAfter = (isKept: boolean, ...chunks: readonly Buffer[]): string[] => {
    const exchange = Http2HttpExchange.of(withoutBody, 'http') ?? assert.fail()
    const conversation = new Http2Conversation(exchange, { isKept })
    const written: Buffer[] = []
    const noting: Line = { write: (more) => written.push(Buffer.from(more)), tls: undefined }
    conversation.begin(noting)
    for (const chunk of chunks) conversation.read(chunk, noting)
    return written.slice(1).map((bytes) => bytes.toString('hex'))
  }
  const owed = Buffer.concat([
    SETTINGS_ACK,
    writeFrame(FRAME.PING, ACK, 0, Buffer.from('12345678')),
  ]).toString('hex')
  assert.deepEqual(writtenAfter(false, Buffer.concat([SETTINGS, ping]), answer), [owed])
  assert.deepEqual(writtenAfter(false, Buffer.concat([SETTINGS, ping, answer])), [])
  assert.deepEqual(writtenAfter(true, Buffer.concat([SETTINGS, ping, answer])), [owed])
})
