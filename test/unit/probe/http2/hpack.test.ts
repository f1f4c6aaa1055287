import assert from 'node:assert/strict'
import { connect as connectHttp2, createServer as createHttp2Server } from 'node:http2'
import { type AddressInfo, connect, createServer } from 'node:net'
import { test } from 'node:test'
import fc from 'fast-check'
import { decodeHeaders, encodeHeaders } from '../../../../src/probe/http2/hpack.ts'
import { decodeHuffman } from '../../../../src/probe/http2/hpack-huffman.ts'

function decode(block: Uint8Array): (readonly [string, string])[] | undefined {
  const headers: (readonly [string, string])[] = []
  return decodeHeaders(block, (name, value) => headers.push([name, value])) ? headers : undefined
}

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(/\s/g, ''), 'hex')

test('the examples of RFC 7541 that need no dynamic table are read', () => {
  // C.2.1 (literal with indexing), C.2.2 (without), C.2.3 (never), C.2.4 (indexed).
  assert.deepEqual(decode(hex('400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572')), [
    ['custom-key', 'custom-header'],
  ])
  assert.deepEqual(decode(hex('040c 2f73 616d 706c 652f 7061 7468')), [[':path', '/sample/path']])
  assert.deepEqual(decode(hex('1008 7061 7373 776f 7264 0673 6563 7265 74')), [['password', 'secret']])
  assert.deepEqual(decode(hex('82')), [[':method', 'GET']])
  // C.6.1, Huffman-coded strings.
  assert.deepEqual(
    decode(
      hex(
        '4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3',
      ),
    ),
    [
      [':status', '302'],
      ['cache-control', 'private'],
      ['date', 'Mon, 21 Oct 2013 20:13:21 GMT'],
      ['location', 'https://www.example.com'],
    ],
  )
})

test('a reference to the dynamic table, which there is not, is refused', () => {
  assert.equal(decode(hex('be')), undefined)
  assert.equal(decode(hex('80')), undefined)
  assert.equal(decode(hex('3fe11f')), undefined, 'a larger table')
  assert.deepEqual(decode(hex('2082')), [[':method', 'GET']], 'a table of nothing')
})

test('what is written is read back, by any length of name and value', () => {
  const latin1 = fc.uint8Array({ maxLength: 400 }).map((bytes) => Buffer.from(bytes).toString('latin1'))
  fc.assert(
    fc.property(fc.array(fc.tuple(latin1, latin1), { maxLength: 5 }), (pairs) => {
      const block = encodeHeaders(pairs.map(([name, value]) => ({ name, value })))
      assert.deepEqual(decode(block), pairs)
    }),
  )
})

test('no bytes make the decoder throw or loop', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      decode(bytes)
      decodeHuffman(bytes)
    }),
  )
})

test('padding that is not the beginning of EOS, and EOS itself, are no Huffman code', () => {
  assert.equal(decodeHuffman(hex('1f')), 'a')
  assert.equal(decodeHuffman(hex('18')), undefined)
  assert.equal(decodeHuffman(hex('1fff')), undefined, 'padding of an octet')
  assert.equal(decodeHuffman(hex('fffffffc')), undefined)
})

test("every octet that nghttp2 codes is read as it was: Node's own server answers with them", async (t) => {
  // Values of visible octets in many neighbourhoods, as a server of another make codes them.
  const visible = Array.from({ length: 94 }, (_, i) => String.fromCharCode(0x21 + i)).join('')
  const high = Array.from({ length: 96 }, (_, i) => String.fromCharCode(0xa0 + i)).join('')
  const server = createHttp2Server()
  server.on('stream', (stream) => {
    stream.respond({ ':status': 299, 'x-visible': visible, 'x-high': high, 'x-long': 'a0'.repeat(500) })
    stream.end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  // A forwarder that keeps what the server sent, for a client that offers no table.
  const received: Buffer[] = []
  const forwarder = createServer((near) => {
    const far = connect((server.address() as AddressInfo).port, '127.0.0.1')
    far.on('data', (chunk: Buffer) => received.push(chunk))
    near.pipe(far).pipe(near)
    near.on('error', () => far.destroy())
    far.on('error', () => near.destroy())
  })
  await new Promise<void>((resolve) => forwarder.listen(0, '127.0.0.1', resolve))
  t.after(() => forwarder.close())
  const client = connectHttp2(`http://127.0.0.1:${(forwarder.address() as AddressInfo).port}`, {
    settings: { headerTableSize: 0 },
  })
  const request = client.request({ ':path': '/' })
  await new Promise((resolve) => request.on('response', resolve))
  client.destroy()
  const bytes = Buffer.concat(received)
  for (let at = 0; at + 9 <= bytes.length; ) {
    const length = bytes.readUIntBE(at, 3)
    if (bytes[at + 3] === 1) {
      const headers = new Map(decode(bytes.subarray(at + 9, at + 9 + length)))
      assert.equal(headers.get(':status'), '299')
      assert.equal(headers.get('x-visible'), visible)
      assert.equal(headers.get('x-high'), high)
      assert.equal(headers.get('x-long'), 'a0'.repeat(500))
      return
    }
    at += 9 + length
  }
  assert.fail('no HEADERS seen')
})
