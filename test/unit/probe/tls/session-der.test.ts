import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { connect, createServer } from 'node:tls'
import { selfSigned } from '../../../support/certificate.ts'
import { servingTls } from '../../../support/probing.ts'
import { withoutCertificate } from '../../../../src/probe/tls/session-der.ts'

/** X.690: tag, length, contents. */
function der(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(contents)
  const length =
    body.length < 0x80
      ? [body.length]
      : body.length < 0x100
        ? [0x81, body.length]
        : [0x82, body.length >> 8, body.length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...length]), body])
}

const VERSION = der(0x02, Buffer.from([1]))
const TICKET = der(0xaa, der(0x04, Buffer.alloc(200, 7)))
const certificateOf = (bytes: number): Buffer => der(0xa3, der(0x30, Buffer.alloc(bytes)))

test('a session loses its certificate and nothing else, whatever the lengths', () => {
  for (const bytes of [0, 1, 100, 127, 128, 200, 255, 256, 2000, 30_000]) {
    const before = der(0x30, VERSION, certificateOf(bytes), TICKET)
    assert.deepEqual(withoutCertificate(before), der(0x30, VERSION, TICKET), `${bytes}`)
  }
  for (const rest of [[], [VERSION], [VERSION, der(0x04, Buffer.alloc(300))]])
    assert.deepEqual(withoutCertificate(der(0x30, ...rest)), der(0x30, ...rest))
})

test('what Node writes before a session stays', () => {
  const name = Buffer.from('\0\x09127.0.0.1', 'latin1')
  const before = Buffer.concat([Buffer.from('\0nodejs:tls:session:1\0'), name])
  const session = Buffer.concat([before, der(0x30, VERSION, certificateOf(300), TICKET)])
  assert.deepEqual(withoutCertificate(session), Buffer.concat([before, der(0x30, VERSION, TICKET)]))
  for (let bytes = 0; bytes < session.length; bytes++)
    assert.equal(withoutCertificate(session.subarray(0, bytes)), undefined, `cut after ${bytes}`)
})

test('a session of this Node is written as is known, and keeps its certificate no more', async (t) => {
  const server = await servingTls(t, createServer(selfSigned('member.example')))
  const { port } = server.address() as AddressInfo
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, maxVersion: 'TLSv1.2' })
  t.after(() => socket.destroy())
  await once(socket, 'secureConnect')
  const session = socket.getSession() ?? assert.fail()
  const { raw } = socket.getPeerX509Certificate() ?? assert.fail()
  assert.ok(session.includes(raw))
  const stored = withoutCertificate(session) ?? assert.fail()
  assert.ok(!stored.includes(raw) && stored.length < session.length - raw.length)
})

test('what is not written as a session is none', () => {
  const session = der(0x30, VERSION, certificateOf(300), TICKET)
  for (let bytes = 0; bytes < session.length; bytes++)
    assert.equal(withoutCertificate(session.subarray(0, bytes)), undefined, `cut after ${bytes}`)
  assert.equal(withoutCertificate(Buffer.concat([session, Buffer.alloc(1)])), undefined)
  assert.equal(withoutCertificate(der(0x31, VERSION)), undefined)
  for (const length of [[0x80], [0x83, 0, 0, 1], [0xff]])
    assert.equal(withoutCertificate(der(0x30, Buffer.from([0x04, ...length, 0]))), undefined)
})
