import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { HTTP_BODY_MAX_BYTES, HTTP_HEAD_MAX_BYTES } from '../../../../src/domain/limits.ts'
import { HttpResponseReader } from '../../../../src/probe/http/http-response.ts'

function read(text: string, method = 'GET', chunkBytes = Number.POSITIVE_INFINITY): HttpResponseReader {
  const reader = new HttpResponseReader(method)
  const bytes = Buffer.from(text, 'latin1')
  for (let i = 0; i < bytes.length; i += Math.min(chunkBytes, bytes.length)) {
    reader.read(bytes.subarray(i, i + Math.min(chunkBytes, bytes.length)))
  }
  return reader
}

const state = (reader: HttpResponseReader): string =>
  `${reader.status} ${reader.isMalformed ? 'malformed' : reader.isComplete ? 'complete' : reader.hasHead ? 'body' : 'head'}`

const RESPONSES: Readonly<Record<string, string>> = {
  'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc': '200 complete',
  'HTTP/1.1 200 OK\r\ncontent-length:3\r\n\r\nab': '200 body',
  'HTTP/1.0 200\r\n\r\n': '200 body',
  'HTTP/1.1 503 \n\nbye': '503 body',
  'HTTP/1.1 204 No Content\r\n\r\n': '204 complete',
  'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n': '304 complete',
  'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n': '200 complete',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n': '200 complete',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, Chunked \r\n\r\nA;x=y\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n':
    '200 complete',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n': '200 body',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n': '200 complete',
  'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n':
    '200 complete',
  'HTTP/1.1 100 Continue\r\nContent-Length: 7\r\n\r\nHTTP/1.1 200 OK\r\n': '200 head',
  'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n': '101 complete',
  'HTTP/1.1 200 Entr\xe9e\r\nX: \xe9\r\n folded\r\nContent-Length: 0\r\n\r\n': '200 complete',
  'HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n': '200 body',
  'HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n': '999 complete',
  'HTTP/1.1 200 OK\r\n': '200 head',
  'HTTP/1.1 20': '0 head',
  '': '0 head',
  'SSH-2.0-OpenSSH': '0 malformed',
  'HTTP/2.0 200 OK\r\n': '0 malformed',
  'HTTP/1.1 099 Low\r\n': '0 malformed',
  'HTTP/1.1 2000 OK\r\n': '0 malformed',
  'HTTP/1.1 \t 200 OK\r\nContent-Length: 0\r\n\r\n': '200 complete',
  'HTTP/1.1 200\tOK\r\nContent-Length: 0\r\n\r\n': '200 complete',
  'HTTP/1.1 200OK\r\n': '0 malformed',
  'HTTP/1.1 200 O\x01\x1b\x7fK\r\nContent-Length: 0\r\n\r\n': '200 complete',
  'HTTP/1.1 200 O\0K\r\n': '0 malformed',
  'HTTP/1.1 200 O\rK\r\n': '0 malformed',
  '\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n': '200 complete',
  '\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n': '200 complete',
  '\rHTTP/1.1 200 OK\r\n': '0 malformed',
  ' HTTP/1.1 200 OK\r\n': '0 malformed',
  '\r\n': '0 head',
  'HTTP/1.1 200 OK\r\nnot a header\r\n\r\n': '200 malformed',
  'HTTP/1.1 200 OK\r\nName : x\r\n\r\n': '200 malformed',
  'HTTP/1.1 200 OK\r\nX: a\rb\r\n\r\n': '200 malformed',
  'HTTP/1.1 200 OK\r\nX: a\r\r\n\r\n': '200 malformed',
  'HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\n': '200 malformed',
  'HTTP/1.1 200 OK\r\nX: a\r\n b\0c\r\n\r\n': '200 malformed',
  'HTTP/1.1 200 OK\r\nX: a\r\n b\rc\r\n\r\n': '200 malformed',
  'HTTP/1.1 200 OK\r\n X: a\r\n\r\n': '200 malformed',
  'HTTP/1.1 200 OK\r\n: a\r\n\r\n': '200 malformed',
  'HTTP/1.1 200 OK\r\nX\x01: a\r\n\r\n': '200 malformed',
  'HTTP/1.1 200 OK\r\nX\xe9: a\r\n\r\n': '200 malformed',
  'HTTP/1.1 200 OK\r\nX:\x01\x0b\x1b\x7f\xff\r\nContent-Length: 0\r\n\r\n': '200 complete',
  'HTTP/1.1 200 OK\r\nContent-Length:\r\n\t3\r\n\r\nabc': '200 complete',
  'HTTP/1.1 200 OK\r\nContent-Length:\r\n \r\n 0\r\n\r\n': '200 complete',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip,\r\n chunked\r\n\r\n0\r\n\r\n': '200 complete',
  'HTTP/1.1 100 Continue\r\nX: a\r\n b\r\n\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n':
    '200 complete',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0000000000000000000000003\r\nabc\r\n00000000000\r\n\r\n':
    '200 complete',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffffffffff\r\nabc': '200 body',
  '\0\0\0\0': '0 malformed',
}

for (const [text, expected] of Object.entries(RESPONSES)) {
  test(`${JSON.stringify(text)} is read as ${expected}, however it is cut into chunks`, () => {
    assert.equal(state(read(text)), expected)
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), (bytes) =>
        assert.equal(state(read(text, 'GET', bytes)), expected),
      ),
    )
  })
}

test('a HEAD response has no body, whatever its length says', () => {
  assert.equal(state(read('HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n', 'HEAD')), '200 complete')
})

test('no bytes make the reader throw, and what it keeps is bounded', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('', 'HTTP/1.1 200 OK\r\n', 'HTTP/1.1 200 OK\r\n\r\n'),
      fc.uint8Array({ maxLength: 400 }),
      (head, tail) => {
        const reader = read(head)
        reader.read(Buffer.from(tail))
        if (head.endsWith('\r\n\r\n'))
          assert.ok(!reader.isMalformed, 'the verdict is known once the head is complete')
      },
    ),
  )
})

test('heads are bounded together, interim ones included', () => {
  const interim = 'HTTP/1.1 100 Continue\r\n\r\n'
  const endless = read(interim.repeat(Math.ceil(HTTP_HEAD_MAX_BYTES / interim.length) + 1))
  assert.equal(state(endless), '0 malformed')
  assert.equal(state(read(`HTTP/1.1 200 OK\r\nX: ${'x'.repeat(HTTP_HEAD_MAX_BYTES)}`)), '200 malformed')
})

test('a monitor can set the bound on heads, down and up', () => {
  const answer = `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(2000)}\r\nContent-Length: 0\r\n\r\n`
  const readWith = (headMaxBytes: number, text: string): string => {
    const reader = new HttpResponseReader('GET', { headMaxBytes })
    reader.read(Buffer.from(text, 'latin1'))
    return state(reader)
  }
  assert.equal(readWith(answer.length, answer), '200 complete')
  assert.equal(readWith(answer.length - 1, answer), '200 malformed')
  const large = answer.replace('x', 'x'.repeat(HTTP_HEAD_MAX_BYTES))
  assert.equal(readWith(large.length, large), '200 complete')
})

test('the body is bounded, with its framing, and its end completes the response', () => {
  const head = 'HTTP/1.1 200 OK\r\n'
  assert.equal(state(read(`${head}\r\n${'x'.repeat(HTTP_BODY_MAX_BYTES + 1)}`)), '200 complete')
  const chunked = `${head}Transfer-Encoding: chunked\r\n\r\n`
  assert.equal(state(read(chunked + '1\r\nx\r\n'.repeat(HTTP_BODY_MAX_BYTES / 6 + 1))), '200 complete')
  assert.equal(state(read(`${chunked}1;${'x'.repeat(HTTP_BODY_MAX_BYTES)}`)), '200 complete')
})
