import assert from 'node:assert/strict'
import { test } from 'node:test'
import { expiryWarningDays, showsCertificate } from '../../../../src/domain/options/expiry-warning.ts'
import { effectiveOptions, type PlannedMonitor } from '../../../../src/domain/options/effective-options.ts'
import type { MonitorOptions } from '../../../../src/domain/options/monitor-options.ts'
import { type PoolSettings, poolSettings } from '../../../../src/domain/target/pool-settings.ts'
import { probeTarget } from '../../../../src/domain/target/monitor-target.ts'
import { MONITOR_TYPES, type PoolProtocol } from '../../../../src/domain/types.ts'

const MONITOR: PlannedMonitor = {
  type: 'HTTP',
  profile: 'octavia',
  delaySeconds: 5,
  timeoutSeconds: 3,
  rise: 1,
  fall: 3,
  monitorPort: null,
  domainName: null,
  urlPath: '/',
  httpMethod: 'GET',
  httpVersion: null,
  expectedCodes: '200',
}
const MEMBER = { address: '10.0.0.5', protocolPort: 8080, monitorAddress: null, monitorPort: null }
const pool = (protocol: PoolProtocol, echo: object = {}): PoolSettings =>
  poolSettings({ protocol, echo: { ...echo } })
const SECURE = pool('HTTP', { tls_enabled: true })

const target = (of: PoolSettings, monitor: Partial<PlannedMonitor> = {}, member: object = {}) =>
  probeTarget({ ...MONITOR, ...monitor }, { ...MEMBER, ...member }, of)

test('a pool of protocol PROXY or PROXYV2 is checked with that header, by every type that connects', () => {
  for (const [protocol, version] of [
    ['PROXY', 1],
    ['PROXYV2', 2],
  ] as const) {
    for (const type of ['HTTP', 'HTTPS', 'TCP', 'TLS-HELLO'] as const) {
      assert.equal(target(pool(protocol), { type }).proxyProtocol, version, `${type} ${protocol}`)
    }
    assert.equal(target(pool(protocol), { type: 'PING' }).proxyProtocol, undefined)
  }
  assert.equal(target(pool('TCP')).proxyProtocol, undefined)
})

test('when to warn of a certificate is no part of the question: it makes no TLS and changes no target', () => {
  const options = { tls: { expiry_warning_days: 7 } }
  for (const type of ['HTTP', 'HTTPS', 'TCP', 'TLS-HELLO'] as const) {
    for (const of of [{}, SECURE])
      assert.deepEqual(target(of, { type, options }), target(of, { type }), `${type} ${JSON.stringify(of)}`)
    assert.equal(showsCertificate(target(SECURE, { type })), true, type)
    assert.equal(showsCertificate(target({}, { type })), type === 'HTTPS' || type === 'TLS-HELLO', type)
  }
  assert.equal(showsCertificate(target(SECURE, { type: 'PING' })), false)
  assert.deepEqual([expiryWarningDays(options), expiryWarningDays(null), expiryWarningDays({})], [7, 14, 14])
})

test('a pool with tls_enabled is checked over TLS, unverified; its HTTP names the scheme’s default port', () => {
  for (const type of ['HTTP', 'TCP'] as const) {
    assert.equal(target(SECURE, { type }).tls?.verify, false, type)
    assert.equal(target({}, { type }).tls, undefined)
  }
  assert.equal(target(SECURE, { type: 'PING' }).tls, undefined)
  const elb = { profile: 'elb', domainName: null } as const
  assert.equal(target(SECURE, elb, { protocolPort: 443 }).http?.host, '10.0.0.5')
  assert.equal(target({}, elb, { protocolPort: 443 }).http?.host, '10.0.0.5:443')
})

test('a check with an address or a port of its own asks its own question', () => {
  const both = pool('PROXYV2', { tls_enabled: true })
  for (const type of MONITOR_TYPES) {
    const plain = (member: object, monitor: object = {}) => target({}, { type, ...monitor }, member)
    for (const member of [{ monitorPort: 8080 }, { monitorAddress: '10.0.0.5' }, { monitorPort: 81 }]) {
      assert.deepEqual(target(both, { type }, member), plain(member), type)
    }
    assert.deepEqual(target(both, { type, monitorPort: 81 }), plain({}, { monitorPort: 81 }), type)
  }
})

test('pools of datagrams add nothing, and neither does TLS that is off', () => {
  const settings = { tls_enabled: true, alpn_protocols: ['h2'] }
  assert.deepEqual([pool('UDP', settings), pool('SCTP', settings)], [{}, {}])
  assert.deepEqual(pool('HTTP', { ...settings, tls_enabled: false }), {})
})

test('unknown names in a row are left out', () => {
  const odd = pool('HTTP', {
    tls_enabled: true,
    alpn_protocols: ['', 'x'.repeat(300), 'ž', 'http/1.1', 'h2', 'h2'],
    tls_versions: ['SSLv3', 'TLSv1.3', 4],
    tls_ciphers: 'AES\nDES',
  })
  assert.deepEqual(odd, { tls: { alpn: ['http/1.1', 'h2'], versions: ['TLSv1.3'] } })
  assert.deepEqual(pool('HTTP', { tls_enabled: true, alpn_protocols: 'h2', tls_versions: {} }), { tls: {} })
})

test('where h2 is among the names, the target chooses the version; where only h2 is, nothing else is offered', () => {
  const h2 = pool('HTTP', { tls_enabled: true, alpn_protocols: ['h2'] })
  const first = target(h2)
  assert.deepEqual(first.tls?.alpn, ['h2'])
  assert.deepEqual([first.http?.version, first.http?.host], ['1.0', undefined])
  assert.deepEqual([first.http2?.version, first.http2?.host], ['2', '10.0.0.5'])
  // Null is what Octavia's API fills in.
  assert.deepEqual(target(SECURE).tls?.alpn, ['h2', 'http/1.1', 'http/1.0'])
  const http1 = target(pool('HTTP', { tls_enabled: true, alpn_protocols: ['http/1.1'] }))
  assert.deepEqual([http1.tls?.alpn, http1.http2], [['http/1.1'], undefined])
  // A connection that asks nothing offers what the pool says, and nothing that it does not.
  assert.deepEqual(target(h2, { type: 'TCP' }).tls?.alpn, ['h2'])
  assert.equal(target(SECURE, { type: 'TCP' }).tls?.alpn, undefined)
})

test('options win over the pool', () => {
  const options = (settings: MonitorOptions) => ({ options: settings })
  const both = pool('PROXYV2', { tls_enabled: true })
  assert.equal(target(both, options({ connection: { proxy_protocol: 'v1' } })).proxyProtocol, 1)
  const http1 = target(both, options({ http: { version: '1.1' } }))
  assert.deepEqual([http1.tls?.alpn, http1.http2], [['http/1.1', 'http/1.0'], undefined])
  const http2 = target(both, options({ preset: 'kuma' }))
  assert.deepEqual([http2.tls?.alpn, http2.http?.version, http2.http2], [['h2'], '2', undefined])
  const https = target(both, { type: 'HTTPS', ...options({ tls: { alpn: ['h2'], server_name: 'a' } }) })
  assert.deepEqual([https.tls?.alpn, https.tls?.serverName], [['h2'], 'a'])
})

test('a half-open handshake is too little for what a pool adds', () => {
  const haproxy = { type: 'TCP', options: { preset: 'haproxy' } } as const
  assert.equal(target({}, haproxy).halfOpen, true)
  assert.equal(target(pool('PROXY'), haproxy).halfOpen, undefined)
  assert.equal(target(SECURE, haproxy).halfOpen, undefined)
})

test('the plan shows what comes from the pool, and what of it probes cannot do', () => {
  const ofPool = pool('PROXYV2', {
    tls_enabled: true,
    alpn_protocols: ['h2', 'http/1.1'],
    tls_versions: ['TLSv1.2'],
    tls_ciphers: 'AES256-SHA',
    ca_tls_container_ref: 'https://keys/ca',
  })
  const told = effectiveOptions(MONITOR, false, ofPool)
  const shown = Object.fromEntries(Object.entries(told).filter(([, { from }]) => from === 'pool'))
  const { 'tls.ca_tls_container_ref': container, ...others } = shown
  assert.deepEqual(others, {
    'connection.proxy_protocol': { value: 'v2', from: 'pool' },
    'tls.enabled': { value: true, from: 'pool' },
    'tls.alpn': { value: ['h2', 'http/1.1'], from: 'pool' },
    'tls.versions': { value: ['TLSv1.2'], from: 'pool' },
    'tls.ciphers': { value: 'AES256-SHA', from: 'pool' },
  })
  assert.equal(container?.value, 'https://keys/ca')
  assert.match(container?.unmet ?? '', /key manager/)
  assert.deepEqual(told['tls.verify'], { value: false, from: 'default' })
  const plain = effectiveOptions(MONITOR, false)
  assert.ok(!Object.values(plain).some(({ from }) => from === 'pool'))
  assert.equal(plain['tls.enabled'], undefined)
})

test('a monitor that names its version is asked in it, whatever the pool offers', () => {
  const both = pool('HTTP', { tls_enabled: true, alpn_protocols: ['h2', 'http/1.1'] })
  const asked = (options: MonitorOptions | undefined) => {
    const { http, http2 } = target(both, options === undefined ? {} : { options })
    return [http?.version, http2 !== undefined]
  }
  assert.deepEqual(asked(undefined), ['1.0', true], 'the target chooses')
  assert.deepEqual(asked({ http: { version: '1.1' } }), ['1.1', false])
  assert.deepEqual(asked({ http: { version: '1.0' } }), ['1.0', false])
  // The names that a monitor itself offers are offered as they are.
  assert.deepEqual(asked({ http: { version: '1.1' }, tls: { alpn: ['h2', 'http/1.1'] } }), ['1.1', false])
  assert.deepEqual(asked({ tls: { alpn: ['h2', 'http/1.1'] } }), ['1.0', true])
})
