import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { MonitorOptions } from '../../../../src/domain/options/monitor-options.ts'
import { probeTarget, type TargetMonitor } from '../../../../src/domain/target/monitor-target.ts'
import { statePolicy } from '../../../../src/domain/options/profiles.ts'
import { withSourceAddress } from '../../../../src/domain/address/source-address.ts'
import { withTlsFolder } from '../../../../src/bin/process/tls-folder.ts'

const MONITOR: TargetMonitor = {
  type: 'HTTP',
  profile: 'elb',
  timeoutSeconds: 3,
  monitorPort: null,
  domainName: null,
  urlPath: '/plain',
  httpMethod: 'GET',
  httpVersion: null,
  expectedCodes: '200',
}
const MEMBER = { address: '10.0.0.5', protocolPort: 8080, monitorAddress: null, monitorPort: null }

const target = (options: MonitorOptions, monitor: Partial<TargetMonitor> = {}) =>
  probeTarget({ ...MONITOR, ...monitor, options }, MEMBER)
const text = (bytes: Uint8Array | undefined) => bytes && new TextDecoder().decode(bytes)

describe('targets of monitors with options', () => {
  it('is the plain one when nothing is set, whatever is set elsewhere', () => {
    assert.deepEqual(target({ rise: 5 }), probeTarget(MONITOR, MEMBER))
  })

  it('asks what the options say', () => {
    const { http, timeoutMs } = target({
      timeout_ms: 150,
      http: {
        version: '1.0',
        method: 'POST',
        path: '/deep#top',
        host: 'web:81',
        body: 'ü',
        headers: [
          { name: 'A', value: '1' },
          { name: 'User-Agent', value: 'x', action: 'overwrite' },
        ],
        remove_headers: ['Accept'],
        expected_statuses: [{ start: 200, end: 300 }],
        retriable_statuses: [{ start: 503, end: 504 }],
        warning_statuses: [{ start: 429, end: 430 }],
        draining_statuses: [{ start: 404, end: 405 }],
        expected_body: ['up', 'ok'],
        searched_body_bytes: 100,
        degraded_header: 'X-Slow',
        service_name: 'shop',
      },
    })
    assert.equal(timeoutMs, 150)
    const { body, expectBody, ...rest } = http ?? {}
    assert.equal(text(body), 'ü')
    assert.deepEqual(expectBody?.map(text), ['up', 'ok'])
    assert.deepEqual(rest, {
      method: 'POST',
      path: '/deep',
      version: '1.0',
      host: 'web:81',
      expectedCodes: [{ from: 200, to: 299 }],
      retriableCodes: [{ from: 503, to: 503 }],
      warningCodes: [{ from: 429, to: 429 }],
      drainingCodes: [{ from: 404, to: 404 }],
      headers: [
        { name: 'A', value: '1', action: 'append' },
        { name: 'User-Agent', value: 'x', action: 'overwrite' },
      ],
      removeHeaders: ['accept'],
      searchedBodyBytes: 100,
      degradedHeader: 'x-slow',
      serviceName: 'shop',
    })
  })

  it('sends what is no visible ASCII percent-encoded as UTF-8, and leaves the rest as it is', () => {
    const sent = (urlPath: string) => target({}, { urlPath }).http?.path
    assert.equal(sent('/gesundheit/žlutý'), '/gesundheit/%C5%BElut%C3%BD')
    assert.equal(sent('/ü'), '/%C3%BC')
    assert.equal(sent('/😀'), '/%F0%9F%98%80')
    assert.equal(sent('/a%C3%BC%zz%2F?x=[1]&y="{}|^`\\~'), '/a%C3%BC%zz%2F?x=[1]&y="{}|^`\\~')
    assert.equal(sent('/a\u200bb#ž'), '/a%E2%80%8Bb')
    assert.equal(sent('/\ud800x'), '/%EF%BF%BDx')
  })

  it('takes a regular expression, a bound on heads and headers without a value', () => {
    const { http } = target({
      http: { expected_body_regex: 'up|ok', head_max_bytes: 4096, headers: [{ name: 'A' }] },
    })
    assert.deepEqual(http?.expectBodyPattern, { source: 'up|ok' })
    assert.equal(http?.headMaxBytes, 4096)
    assert.deepEqual(http?.headers, [{ name: 'A', value: '', action: 'append' }])
    // The presets that bound what is searched bound it for patterns too.
    const envoy = target({ preset: 'envoy', http: { expected_body_regex: 'up' } })
    assert.equal(envoy.http?.searchedBodyBytes, 1024)
  })

  it('speaks HTTP/2 with preset kuma, in prior knowledge too, unless the monitor names a version', () => {
    const versions = (options: MonitorOptions, monitor: Partial<TargetMonitor> = {}) =>
      target({ preset: 'kuma', ...options }, monitor).http?.version
    assert.equal(versions({}), '2')
    assert.equal(versions({}, { type: 'HTTPS' }), '2')
    assert.equal(versions({}, { profile: 'octavia' }), '2')
    assert.equal(versions({ http: { version: '1.1' } }), '1.1')
    assert.equal(versions({}, { profile: 'octavia', httpVersion: '1.0' }), '1.0')
    assert.equal(target({ preset: 'kuma' }).http?.host, '10.0.0.5:8080')
    assert.equal(target({ preset: 'envoy' }).http?.version, '1.1')
  })

  it('speaks HTTP/2 by either name, with an authority', () => {
    for (const version of ['h2', 'h2c'] as const) {
      const { http } = target({ http: { version } }, { profile: 'octavia' })
      assert.deepEqual([http?.version, http?.host], ['2', '10.0.0.5'])
    }
  })

  it('takes the behaviour of a preset where options and plain fields say nothing', () => {
    const haproxy = target({ preset: 'haproxy' }, { sentFields: [] })
    assert.deepEqual(haproxy.http, {
      method: 'GET',
      path: '/plain',
      version: '1.0',
      expectedCodes: [{ from: 200, to: 399 }],
    })
    assert.equal(haproxy.close, 'rst')
    const sent = target({ preset: 'haproxy' }, { sentFields: ['expectedCodes'] })
    assert.deepEqual(sent.http?.expectedCodes, [{ from: 200, to: 200 }])
    assert.equal(target({ preset: 'haproxy' }, { domainName: 'shop' }).http?.host, 'shop')
    assert.deepEqual(target({ preset: 'haproxy' }, { expectedCodes: '204' }).http?.expectedCodes, [
      { from: 204, to: 204 },
    ])
    assert.equal(target({ preset: 'haproxy', http: { version: '1.1' } }).http?.host, '10.0.0.5')
    const envoy = target({ preset: 'envoy' })
    assert.deepEqual(envoy.reuse, { freshEvery: 10, idleCloseIsFailure: false })
    assert.equal(envoy.http?.degradedHeader, 'x-envoy-degraded')
    assert.equal(target({ preset: 'contrail' }, { type: 'PING' }).echoCount, 2)
    assert.equal(target({ preset: 'octavia' }, { type: 'UDP-CONNECT' }).echoFirst, undefined)
  })

  it('searches as much of a body as the peer does, unless the options say how much', () => {
    const searched = (options: MonitorOptions, expected_body = ['up']) =>
      target({ ...options, http: { expected_body, ...options.http } }).http?.searchedBodyBytes
    assert.equal(searched({ preset: 'envoy' }), 1024)
    assert.equal(searched({ preset: 'kuma' }), 1024)
    assert.equal(searched({ preset: 'haproxy' }), 16_384)
    assert.equal(searched({}), undefined)
    assert.equal(searched({ preset: 'envoy', http: { searched_body_bytes: 2048 } }), 2048)
    assert.equal(searched({ preset: 'envoy', http: { searched_body_bytes: 0 } }), undefined)
    assert.equal(searched({ preset: 'envoy' }, []), undefined)
  })

  it('keeps connections where that means something', () => {
    const reuse = { connection: { reuse: true } }
    assert.equal(target(reuse, { type: 'TCP' }).reuse, undefined)
    const tcp = { ...reuse, preset: 'envoy' as const, tcp: { receive: ['AA=='] } }
    assert.deepEqual(target(tcp, { type: 'TCP' }).reuse, { freshEvery: 10, idleCloseIsFailure: true })
    assert.equal(target({ preset: 'envoy', connection: { reuse: false } }).reuse, undefined)
  })

  it('decodes what is sent and expected', () => {
    const { tcp } = target({ tcp: { send: 'UElORw==', receive: ['UE8=', 'Tkc='] } }, { type: 'TCP' })
    assert.deepEqual([text(tcp?.send), tcp?.receive.map(text)], ['PING', ['PO', 'NG']])
    const { udp } = target({ udp: { payload: 'AP8=', reply_pattern: '00XXff' } }, { type: 'UDP-CONNECT' })
    assert.deepEqual(udp, {
      payload: Uint8Array.from([0, 255]),
      requireReply: true,
      replyPattern: [0, null, 255],
    })
    assert.deepEqual(target({ udp: {} }, { type: 'UDP-CONNECT' }).udp, { requireReply: false })
  })

  it("takes keepalived's lengths of a reply that is held against a pattern, unless others are set", () => {
    const exchange = (udp: NonNullable<MonitorOptions['udp']>) =>
      target({ preset: 'keepalived', udp }, { type: 'UDP-CONNECT' }).udp
    const pattern = { requireReply: true, replyPattern: [0] }
    assert.deepEqual(exchange({ reply_pattern: '00' }), { ...pattern, minReplyBytes: 0, maxReplyBytes: 255 })
    assert.deepEqual(exchange({ reply_pattern: '00', min_reply_length: 1, max_reply_length: 9 }), {
      ...pattern,
      minReplyBytes: 1,
      maxReplyBytes: 9,
    })
    assert.deepEqual(exchange({ require_reply: true }), { requireReply: true })
    assert.deepEqual(exchange({ min_reply_length: 4 }), { requireReply: true, minReplyBytes: 4 })
  })

  it('asks gRPC instead of HTTP', () => {
    const { http, grpc } = target({ grpc: { service: 'a.B', metadata: [{ name: 'x', value: 'y' }] } })
    assert.equal(http, undefined)
    assert.deepEqual(grpc, {
      service: 'a.B',
      authority: '10.0.0.5:8080',
      metadata: [{ name: 'x', value: 'y' }],
    })
  })

  it('verifies when a CA is named, with files of the folder only', () => {
    const { tls } = target({ tls: { ca: 'ca.pem', server_name: 'web' } }, { type: 'HTTPS' })
    assert.deepEqual(tls, { verify: true, caFile: 'ca.pem', serverName: 'web' })
    const made = target({ tls: { certificate: 'c.pem', key: 'k.pem', alpn: ['h2'] } }, { type: 'HTTPS' })
    assert.deepEqual(withTlsFolder(made, '/etc/hm').tls, {
      verify: false,
      alpn: ['h2'],
      certificateFile: '/etc/hm/c.pem',
      keyFile: '/etc/hm/k.pem',
    })
    assert.equal(withTlsFolder(made).tls?.keyFile, '/dev/null/k.pem')
  })

  it('uses the source address of the options while the host has it, for members of its family', () => {
    const asked = target({ connection: { source_address: '127.0.0.3' } })
    const id = '00000000-0000-4000-8000-000000000000'
    assert.equal(asked.sourceAddress, '127.0.0.3')
    assert.equal(withSourceAddress(asked, id, ['127.0.0.2', '127.0.0.3']).sourceAddress, '127.0.0.3')
    assert.equal(withSourceAddress(asked, id, ['127.0.0.2']).sourceAddress, '127.0.0.2')
    assert.equal(withSourceAddress(asked, id, []).sourceAddress, undefined)
    assert.equal(target({ connection: { source_address: '::1' } }).sourceAddress, undefined)
  })
})

describe('policies of monitors with options', () => {
  const plain = {
    profile: 'octavia',
    delaySeconds: 0,
    timeoutSeconds: 0,
    rise: 2,
    fall: 3,
    type: 'TCP',
  } as const

  it('may probe faster than once a second, never faster than the floor', () => {
    assert.deepEqual(statePolicy({ ...plain, options: { interval_ms: 100 } }).intervals, { online: 100 })
    assert.equal(statePolicy({ ...plain, options: { preset: 'contrail' } }).intervals.undecided, 100)
    assert.equal(statePolicy({ ...plain, options: null }).intervals.online, 1000)
  })

  it('behaves as its preset says, and as its profile says without one', () => {
    assert.equal(statePolicy({ ...plain, options: { rise: 50 } }).initialStatus, 'ONLINE')
    const envoy = statePolicy({ ...plain, options: { preset: 'envoy', rise: 50 } })
    assert.deepEqual([envoy.initialStatus, envoy.rise], ['UNKNOWN', 50])
  })

  it('assumes traffic unless an option says that somebody reports it', () => {
    const options = { preset: 'envoy' } as const
    assert.equal(statePolicy({ ...plain, options }).intervals.noTraffic, undefined)
    const reported = { ...options, no_traffic: { reported: true } }
    assert.equal(statePolicy({ ...plain, options: reported }).intervals.noTraffic, 60_000)
    assert.equal(statePolicy({ ...plain, options: reported }, true).intervals.noTraffic, undefined)
  })

  it('takes the max_retries that was sent, and the one of the preset where none was', () => {
    const options = { preset: 'keepalived' } as const
    assert.equal(statePolicy({ ...plain, options, sentFields: ['rise'] }).rise, 2)
    assert.equal(statePolicy({ ...plain, options, sentFields: [] }).rise, 1)
    assert.equal(statePolicy({ ...plain, options: { ...options, rise: 3 }, sentFields: [] }).rise, 3)
  })
})
