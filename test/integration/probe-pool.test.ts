/** What a pool adds to the question of its checks, on real connections: the PROXY header, TLS, and the version that ALPN chose. */
import assert from 'node:assert/strict'
import { createSecureServer, type SecureServerOptions } from 'node:http2'
import { createServer as createHttpsServer } from 'node:https'
import type { AddressInfo, Server } from 'node:net'
import { suite, test, type TestContext } from 'node:test'
import { createServer, TLSSocket, type TlsOptions } from 'node:tls'
import { type PoolSettings, poolSettings } from '../../src/domain/target/pool-settings.ts'
import { probeTarget, type TargetMonitor } from '../../src/domain/target/monitor-target.ts'
import type { ProbeResult } from '../../src/domain/result/probe-result.ts'
import { selfSigned } from '../support/certificate.ts'
import { listen, probeWithin, servingTls } from '../support/probing.ts'
import { idleConnections, probers } from '../support/probers.ts'

const CERTIFICATE = selfSigned('member.example')
const MONITOR: TargetMonitor = {
  type: 'HTTP',
  profile: 'octavia',
  timeoutSeconds: 5,
  monitorPort: null,
  domainName: null,
  urlPath: '/up',
  httpMethod: 'GET',
  httpVersion: null,
  expectedCodes: '200',
}
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'

const secured = (echo: object = {}): PoolSettings =>
  poolSettings({ protocol: 'HTTP', echo: { tls_enabled: true, ...echo } })

const targetAt = (
  server: Server,
  pool: PoolSettings,
  monitor: Partial<TargetMonitor> = {},
  isOwn = false,
) => {
  const { port } = server.address() as AddressInfo
  return probeTarget(
    { ...MONITOR, ...monitor },
    { address: '127.0.0.1', protocolPort: port, monitorAddress: null, monitorPort: isOwn ? port : null },
    pool,
  )
}

async function probed(...args: Parameters<typeof targetAt>): Promise<ProbeResult> {
  const target = targetAt(...args)
  return await probeWithin(probers[target.type], target)
}

async function tlsListener(t: TestContext, options: TlsOptions = {}): Promise<Server> {
  const server = createServer({ ...CERTIFICATE, ...options }, (socket) => {
    socket.once('data', () => socket.end(OK))
  })
  return await servingTls(t, server)
}

interface Asked {
  readonly httpVersion: string
  readonly url?: string | undefined
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
}

/** Answers in the version that ALPN chose, and notes it with the authority that was named. `h1`: HTTP/1 is all it speaks. */
async function alpnListener(
  t: TestContext,
  options: SecureServerOptions | 'h1',
): Promise<{ server: Server; asked: string[] }> {
  const asked: string[] = []
  const answer = ({ httpVersion, url, headers }: Asked, response: { end(text: string): unknown }): void => {
    asked.push([httpVersion, url, headers[':authority'] ?? headers['host'] ?? '-'].join(' '))
    response.end('ok')
  }
  const server =
    options === 'h1'
      ? createHttpsServer(CERTIFICATE, answer)
      : createSecureServer({ ...CERTIFICATE, ...options }, answer)
  return { server: await servingTls(t, server), asked }
}

suite('a pool with tls_enabled', () => {
  test('HTTP and TCP checks go over TLS, and a check with its own port stays plain', async (t) => {
    const server = await tlsListener(t)
    const plain = await listen(t, (socket) => void socket.once('data', () => socket.end(OK)))
    for (const type of ['HTTP', 'TCP'] as const) {
      assert.equal((await probed(server, secured(), { type })).reason, 'PASSED', type)
      assert.ok((await probed(server, secured(), { type })).phases.tlsMs !== undefined)
    }
    // A listener without TLS does not answer the handshake of either.
    const silent = await listen(t, (socket) => void socket.once('data', () => socket.end()))
    assert.equal((await probed(silent, secured(), { type: 'TCP' })).reason, 'TLS_HANDSHAKE')
    assert.equal((await probed(plain, secured())).reason, 'TLS_HANDSHAKE')
    assert.equal((await probed(plain, secured(), {}, true)).reason, 'PASSED')
    assert.notEqual((await probed(server, secured(), {}, true)).outcome, 'passed')
  })

  test('ALPN chooses between HTTP/2 and HTTP/1, where both are offered', async (t) => {
    const both = await alpnListener(t, { allowHTTP1: true })
    const only2 = await alpnListener(t, { allowHTTP1: false, ALPNProtocols: ['h2'] })
    const only1 = await alpnListener(t, 'h1')
    const { port } = both.server.address() as AddressInfo
    for (const { server } of [both, only2, only1]) {
      assert.equal((await probed(server, secured())).reason, 'PASSED')
      const named = secured({ alpn_protocols: ['h2', 'http/1.1'] })
      assert.equal(
        (await probed(server, named, { httpVersion: '1.1', domainName: 'a.example' })).reason,
        'PASSED',
      )
    }
    assert.deepEqual(both.asked, [`2.0 /up 127.0.0.1`, '2.0 /up a.example'], String(port))
    assert.deepEqual(only2.asked, ['2.0 /up 127.0.0.1', '2.0 /up a.example'])
    assert.deepEqual(only1.asked, ['1.0 /up -', '1.1 /up a.example'])
    const http1 = secured({ alpn_protocols: ['http/1.1'] })
    assert.equal((await probed(both.server, http1)).reason, 'PASSED')
    assert.equal(both.asked.at(-1), '1.0 /up -')
    assert.equal((await probed(only2.server, http1)).reason, 'TLS_HANDSHAKE')
  })

  test('a connection that is kept goes on in the version that it chose', async (t) => {
    const { server, asked } = await alpnListener(t, { allowHTTP1: true })
    t.after(() => idleConnections.closeAll())
    const target = targetAt(server, secured(), { options: { connection: { reuse: true } } })
    for (let i = 0; i < 3; i++) {
      const { reason, phases } = await probeWithin(probers.HTTP, target)
      assert.deepEqual([reason, phases.connectMs !== undefined], ['PASSED', i === 0])
    }
    assert.deepEqual(new Set(asked), new Set(['2.0 /up 127.0.0.1']))
    assert.equal(asked.length, 3)
  })

  test('its versions and ciphers are those that checks speak', async (t) => {
    const only13 = await tlsListener(t, { minVersion: 'TLSv1.3' })
    const only12 = await tlsListener(t, { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES256-GCM-SHA384' })
    const reasonOf = async (server: Server, echo: object) => (await probed(server, secured(echo))).reason
    assert.equal(await reasonOf(only13, {}), 'PASSED')
    assert.equal(await reasonOf(only12, {}), 'PASSED')
    assert.equal(await reasonOf(only13, { tls_versions: ['TLSv1.2'] }), 'TLS_HANDSHAKE')
    assert.equal(await reasonOf(only12, { tls_versions: ['TLSv1.2'] }), 'PASSED')
    assert.equal(await reasonOf(only13, { tls_versions: ['TLSv1.3'] }), 'PASSED')
    assert.equal(await reasonOf(only12, { tls_versions: ['TLSv1.3'] }), 'TLS_HANDSHAKE')
    for (const server of [only12, only13]) {
      assert.equal(await reasonOf(server, { tls_versions: ['TLSv1', 'TLSv1.1'] }), 'TLS_HANDSHAKE')
      assert.equal(await reasonOf(server, { tls_versions: ['TLSv1.3', 'TLSv1.2'] }), 'PASSED')
      // With a gap, all between the oldest and the newest: OpenSSL would offer none above it.
      assert.equal(await reasonOf(server, { tls_versions: ['TLSv1.1', 'TLSv1.3'] }), 'PASSED')
    }
    assert.equal(await reasonOf(only12, { tls_ciphers: 'ECDHE-ECDSA-AES256-GCM-SHA384' }), 'PASSED')
    assert.equal(await reasonOf(only12, { tls_ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' }), 'TLS_HANDSHAKE')
    // Names of TLS 1.2 leave TLS 1.3 as it is, names of TLS 1.3 the others, as in HAProxy's two lists.
    assert.equal(await reasonOf(only13, { tls_ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' }), 'PASSED')
    assert.equal(await reasonOf(only12, { tls_ciphers: 'TLS_AES_128_GCM_SHA256' }), 'PASSED')
    // A list in which OpenSSL knows nothing narrows nothing: the members are probed all the same.
    assert.equal(await reasonOf(only12, { tls_ciphers: 'NO-SUCH-CIPHER' }), 'PASSED')
  })
})

suite('a pool of protocol PROXY or PROXYV2', () => {
  const V1 = /^PROXY TCP4 127\.0\.0\.1 127\.0\.0\.1 \d+ \d+\r\n$/
  const V2 = '0d0a0d0a000d0a515549540a20000000'

  test('the header comes first, before TLS and before the request, and not to a port of its own', async (t) => {
    for (const [protocol, length] of [
      ['PROXY', undefined],
      ['PROXYV2', 16],
    ] as const) {
      for (const isSecure of [false, true]) {
        const headers: string[] = []
        const server = await listen(t, (socket) => {
          socket.once('readable', () => {
            const head = socket.read() as Buffer
            const end = length ?? head.indexOf('\n') + 1
            headers.push(
              protocol === 'PROXY' ? head.toString('latin1', 0, end) : head.toString('hex', 0, end),
            )
            socket.unshift(head.subarray(end))
            const stream = isSecure ? new TLSSocket(socket, { isServer: true, ...CERTIFICATE }) : socket
            stream.on('error', () => undefined)
            stream.once('data', () => stream.end(OK))
          })
        })
        const pool = poolSettings({ protocol, echo: { tls_enabled: isSecure } })
        assert.equal((await probed(server, pool)).reason, 'PASSED', `${protocol} ${isSecure}`)
        if (protocol === 'PROXY') assert.match(headers[0] ?? '', V1)
        else assert.equal(headers[0], V2)
      }
    }
    const bytes: string[] = []
    const plain = await listen(t, (socket) => {
      socket.once('data', (chunk: Buffer) => {
        bytes.push(chunk.toString('latin1'))
        socket.end(OK)
      })
    })
    const pool = poolSettings({ protocol: 'PROXYV2', echo: {} })
    assert.equal((await probed(plain, pool, {}, true)).reason, 'PASSED')
    assert.match(bytes[0] ?? '', /^GET \/up HTTP\/1\.0\r\n/)
  })
})
