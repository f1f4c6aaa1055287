import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { HttpRequest } from '../../../../../src/domain/target/probe-target.ts'
import { Http1Conversation } from '../../../../../src/probe/http/http1.ts'
import { NOT_PLAIN, plainStatus } from '../../../../../src/probe/http/plain/plain-head.ts'
import type { Line } from '../../../../../src/probe/wire/conversation.ts'

const LINE: Line = { write: () => undefined, tls: undefined }
const RUNS = 4000

const status = (text: string, more: Partial<Parameters<typeof plainStatus>[2]> = {}): number => {
  const bytes = Buffer.from(text, 'latin1')
  return plainStatus(bytes, bytes.length, { hasNoBody: false, isKept: false, ...more })
}

test('an ordinary answer is read by its bytes', () => {
  const ordinary: readonly (readonly [text: string, found: number])[] = [
    ['HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok', 200],
    ['HTTP/1.0 200 OK\r\ncontent-length:0\r\n\r\n', 200],
    ['HTTP/1.1 503\r\nCONTENT-LENGTH: \t3 \r\nX-Y: \x80\xff, z\r\n\r\nabc', 503],
    ['HTTP/1.1 204 No Content\r\nDate: now\r\n\r\n', 204],
    ['HTTP/1.1 304 \r\n\r\n', 304],
    ['HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok and more', 200],
  ]
  for (const [text, found] of ordinary) assert.equal(status(text), found, text)
  assert.equal(status('HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n', { hasNoBody: true }), 200)
})

test('what is incomplete, lenient or malformed is left to the parser', () => {
  const others = [
    '',
    'HTTP/1.1 200',
    'HTTP/1.1 200 OK\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok',
    'HTTP/1.1 200 OK\r\n\r\nuntil the end',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: 0x1\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n',
    'HTTP/1.1 200 OK\nContent-Length: 0\n\n',
    'HTTP/1.1 200 OK\r\nA: b\r\n c\r\nContent-Length: 0\r\n\r\n',
    'HTTP/1.1 200 OK\r\nA : b\r\nContent-Length: 0\r\n\r\n',
    'HTTP/1.1 200 OK\r\nA\r\nContent-Length: 0\r\n\r\n',
    'HTTP/1.1 200 OK\r\nA: \0\r\nContent-Length: 0\r\n\r\n',
    'HTTP/1.1 200 OK\r\nA: \r \r\nContent-Length: 0\r\n\r\n',
    'HTTP/1.1 200\tOK\r\nContent-Length: 0\r\n\r\n',
    'HTTP/1.1  200 OK\r\nContent-Length: 0\r\n\r\n',
    'HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n',
    'HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n',
    '\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
    'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
    'HTTP/1.1 101 Switching Protocols\r\n\r\n',
  ]
  for (const text of others) assert.equal(status(text), NOT_PLAIN, JSON.stringify(text))
  const long = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'
  assert.equal(status(long, { headMaxBytes: long.length - 1 }), NOT_PLAIN)
  assert.equal(status(long, { headMaxBytes: long.length }), 200)
})

test('an answer after which the connection is kept has an end, and does not forbid it', () => {
  const kept = (text: string, hasNoBody = false): number => status(text, { isKept: true, hasNoBody })
  const others = [
    'HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n',
    'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n',
    'HTTP/1.1 200 OK\r\nconnection: keep-alive, Upgrade\r\nContent-Length: 0\r\n\r\n',
    'HTTP/1.1 200 OK\r\nConnection:\r\nContent-Length: 0\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok and more',
    'HTTP/1.1 204 No Content\r\n\r\nmore',
  ]
  for (const text of others) assert.equal(kept(text), NOT_PLAIN, JSON.stringify(text))
  assert.equal(kept('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'), 200)
  assert.equal(kept('HTTP/1.1 200 OK\r\nConnection: \tKeep-Alive\r\nContent-Length: 0\r\n\r\n'), 200)
  assert.equal(kept('HTTP/1.1 204 No Content\r\n\r\n'), 204)
  assert.equal(kept('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n', true), 200)
  assert.equal(kept('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nmore', true), NOT_PLAIN)
})

/** Pieces of which answers are made: ordinary ones mostly, so that many answers are plain. */
const ENDS = fc.oneof(
  { weight: 12, arbitrary: fc.constant('\r\n') },
  fc.constantFrom('\n', '\r', '\r\r\n', ''),
)
const NAMES = fc.constantFrom(
  'Content-Length',
  'content-length',
  'Content-Lengt',
  'Transfer-Encoding',
  'Connection',
  'Date',
  'X-Envoy-Immediate-Health-Check-Fail',
  'x_y',
  'a b',
  '',
  ' A',
)
const VALUES = fc.oneof(
  fc.nat(12).map(String),
  fc.constantFrom(
    '',
    'close',
    'keep-alive',
    'Keep-Alive ',
    'chunked',
    '2, 2',
    ' 1\t',
    '0x2',
    'a\0b',
    '\x80',
    '1 2',
    '-1',
    '+1',
  ),
)
const HEADERS = fc.array(
  fc.tuple(NAMES, fc.constantFrom(': ', ':', ' :', ''), VALUES, ENDS).map((parts) => parts.join('')),
  { maxLength: 4 },
)
const STATUS_LINES = fc.oneof(
  {
    weight: 8,
    arbitrary: fc
      .tuple(fc.constantFrom('0', '1', '9'), fc.constantFrom(200, 204, 301, 304, 404, 503), ENDS)
      .map(([minor, code, end]) => `HTTP/1.${minor} ${code} Words${end}`),
  },
  fc.constantFrom(
    'HTTP/1.1 100 Continue\r\n\r\n',
    'HTTP/1.1 101 X\r\n',
    'HTTP/1.1 99 X\r\n',
    'HTTP/2 200\r\n',
    '\r\n',
  ),
)
const ANSWERS = fc
  .tuple(STATUS_LINES, HEADERS, ENDS, fc.string({ maxLength: 14 }))
  .map((parts) => parts.flat().join(''))

test('what is understood the parser understands in the same way, wherever the answer is cut', () => {
  let plain = 0
  fc.assert(
    fc.property(ANSWERS, fc.constantFrom('GET', 'HEAD'), fc.nat(), fc.nat(), (answer, method, cut, mark) => {
      const whole = Buffer.from(answer, 'latin1')
      // Half of the answers are whole.
      const bytes = mark % 2 === 0 ? whole : whole.subarray(0, cut % (whole.length + 1))
      const headMaxBytes = mark % 5 === 0 ? 40 : undefined
      const isKept = mark % 3 === 0
      const found = plainStatus(bytes, bytes.length, { hasNoBody: method === 'HEAD', isKept, headMaxBytes })
      if (found === NOT_PLAIN) return
      plain++
      const request: HttpRequest = {
        method,
        path: '/',
        version: '1.1',
        host: 'x',
        expectedCodes: [{ from: 100, to: 599 }],
        warningCodes: [{ from: 200, to: 200 }],
        retriableCodes: [{ from: 503, to: 503 }],
        ...(headMaxBytes === undefined ? {} : { headMaxBytes }),
      }
      const conversation = new Http1Conversation(request, Buffer.alloc(0), undefined)
      conversation.begin(LINE)
      assert.deepEqual(conversation.read(bytes), { reason: 'PASSED', detail: `got ${found}` })
      assert.equal(conversation.hasFirstByte, true)
      if (isKept) assert.equal(conversation.canGoOn, true)
    }),
    { numRuns: RUNS },
  )
  assert.ok(plain > RUNS / 50, `only ${plain} of ${RUNS} answers were plain`)
})
