import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { createServer, type Server, type TlsOptions, type TLSSocket } from 'node:tls'
import { withTlsFolder } from '../../src/bin/process/tls-folder.ts'
import type { ProbeTarget, TlsSettings } from '../../src/domain/target/probe-target.ts'
import { selfSigned } from '../support/certificate.ts'
import { getFrom, probeWithin, servingTls, targetOf } from '../support/probing.ts'
import { probers } from '../support/probers.ts'

interface TlsListener {
  readonly server: Server
  readonly connections: TLSSocket[]
}

async function listenTls(t: TestContext, options: TlsOptions): Promise<TlsListener> {
  const connections: TLSSocket[] = []
  const server = createServer(options, (socket) => {
    connections.push(socket)
    socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'))
  })
  return { server: await servingTls(t, server), connections }
}

function folder(t: TestContext): (name: string, text: string) => string {
  const path = mkdtempSync(join(tmpdir(), 'hm-tls-'))
  t.after(() => rmSync(path, { recursive: true }))
  return (name, text) => {
    writeFileSync(join(path, name), text)
    return join(path, name)
  }
}

const http = getFrom('a.example')

const targets = (server: Server, tls: TlsSettings): readonly ProbeTarget[] => [
  targetOf(server, { type: 'HTTPS', http, tls, timeoutMs: 1000 }),
  targetOf(server, { type: 'TLS-HELLO', tls, timeoutMs: 1000 }),
  targetOf(server, { type: 'TCP', tls, timeoutMs: 1000 }),
]

async function assertAll(server: Server, tls: TlsSettings, reason: string, detail: RegExp): Promise<void> {
  for (const target of targets(server, { serverName: 'a.example', ...tls })) {
    const result = await probeWithin(probers[target.type], target)
    assert.equal(result.reason, reason, target.type)
    assert.match(result.detail, detail)
  }
}

test('a certificate passes that the given CA has signed, with the expected name', async (t) => {
  const own = selfSigned('a.example')
  const caFile = folder(t)('ca.pem', own.cert)
  const { server, connections } = await listenTls(t, own)
  await assertAll(server, { verify: true, caFile }, 'PASSED', /./)
  assert.equal(connections[0]?.servername, 'a.example')
  await assertAll(
    server,
    { verify: true, caFile, serverName: 'b.example' },
    'TLS_CERTIFICATE',
    /ALTNAME_INVALID/,
  )
})

test('a self-signed, an unknown and an expired certificate are TLS_CERTIFICATE, or pass without verification', async (t) => {
  const write = folder(t)
  const own = selfSigned('a.example')
  const { server } = await listenTls(t, own)
  await assertAll(server, { verify: true }, 'TLS_CERTIFICATE', /SELF_SIGNED/)
  await assertAll(server, { verify: false }, 'PASSED', /./)
  const caFile = write('other.pem', selfSigned('a.example').cert)
  await assertAll(server, { verify: true, caFile }, 'TLS_CERTIFICATE', /^[A-Z_]+$/)
  const old = selfSigned('a.example', new Date('2021-01-01T00:00:00Z'))
  const expired = await listenTls(t, old)
  const oldCa = write('old.pem', old.cert)
  await assertAll(expired.server, { verify: true, caFile: oldCa }, 'TLS_CERTIFICATE', /CERT_HAS_EXPIRED/)
  await assertAll(expired.server, { verify: false }, 'PASSED', /./)
})

test('a target that wants a client certificate gets it', async (t) => {
  const write = folder(t)
  const client = selfSigned('prober')
  const options = { ...selfSigned('a.example'), requestCert: true, rejectUnauthorized: true, ca: client.cert }
  const { server } = await listenTls(t, { ...options, maxVersion: 'TLSv1.2' })
  const certificateFile = write('client.pem', client.cert)
  const keyFile = write('client.key', client.key)
  await assertAll(server, { verify: false, certificateFile, keyFile }, 'PASSED', /./)
  await assertAll(server, { verify: false }, 'TLS_HANDSHAKE', /./)
})

test('what ALPN offers is what the monitor says', async (t) => {
  const { server, connections } = await listenTls(t, {
    ...selfSigned('a.example'),
    ALPNProtocols: ['x', 'http/1.1'],
  })
  await assertAll(server, { verify: false, alpn: ['http/1.1'] }, 'PASSED', /./)
  assert.equal(connections[0]?.alpnProtocol, 'http/1.1')
})

test('TLS files that are not there, or are none, say so without a packet and without their content', async (t) => {
  const write = folder(t)
  const { server, connections } = await listenTls(t, selfSigned('a.example'))
  const files: readonly (readonly [Partial<TlsSettings>, RegExp])[] = [
    [{ caFile: '/nowhere/ca.pem' }, /^TLS file ca\.pem: ENOENT$/],
    [{ caFile: write('no-ca.pem', 'secret') }, /^TLS file no-ca\.pem: [A-Z_0-9]+$/],
    [{ certificateFile: write('bad.pem', 'secret') }, /^TLS file bad\.pem: [A-Z_]+$/],
  ]
  for (const [settings, detail] of files) {
    await assertAll(server, { verify: true, ...settings }, 'PROBER_UNSUPPORTED', detail)
  }
  assert.equal(connections.length, 0)
})

test('a TLS file without HM_TLS_DIR, or behind what is no folder, is a result and no crash', async (t) => {
  const { server, connections } = await listenTls(t, selfSigned('a.example'))
  const named = targetOf(server, { type: 'HTTPS', http, tls: { verify: false, caFile: 'ca.pem' } })
  const notAFolder = folder(t)('file', '')
  for (const target of [withTlsFolder(named, undefined), withTlsFolder(named, notAFolder)]) {
    const { reason, detail } = await probeWithin(probers.HTTPS, target)
    assert.deepEqual([reason, detail], ['PROBER_UNSUPPORTED', 'TLS file ca.pem: ENOTDIR'])
  }
  assert.equal(connections.length, 0)
})
