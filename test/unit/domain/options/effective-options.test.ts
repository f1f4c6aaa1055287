import assert from 'node:assert/strict'
import { test } from 'node:test'
import { effectiveOptions, type PlannedMonitor } from '../../../../src/domain/options/effective-options.ts'
import type { MonitorOptions } from '../../../../src/domain/options/monitor-options.ts'
import type { MonitorType } from '../../../../src/domain/types.ts'

const planned = (type: MonitorType, options: MonitorOptions): ReturnType<typeof effectiveOptions> => {
  const monitor: PlannedMonitor = {
    type,
    profile: 'elb',
    rise: 2,
    fall: 3,
    delaySeconds: 5,
    timeoutSeconds: 3,
    monitorPort: null,
    domainName: null,
    urlPath: '/',
    httpMethod: 'GET',
    httpVersion: null,
    expectedCodes: '200',
    options,
  }
  return effectiveOptions(monitor, false)
}

test('a plan shows the TLS settings: whether the certificate is verified, and what is negotiated', () => {
  const none = planned('HTTPS', {})
  assert.deepEqual(none['tls.verify'], { value: false, from: 'default' })
  assert.equal(none['tls.alpn'], undefined)
  // A CA is named to verify certificates with it.
  const ca = planned('HTTPS', { tls: { ca: 'ca.pem', server_name: 'a.test' }, http: { version: 'h2' } })
  assert.deepEqual(ca['tls.verify'], { value: true, from: 'default' })
  assert.deepEqual(ca['tls.ca'], { value: 'ca.pem', from: 'options' })
  assert.deepEqual(ca['tls.server_name'], { value: 'a.test', from: 'options' })
  assert.deepEqual(ca['tls.alpn'], { value: ['h2'], from: 'default' })
  const effective = planned('TLS-HELLO', { tls: { ca: 'ca.pem', verify: false, alpn: ['x'] } })
  assert.deepEqual(effective['tls.verify'], { value: false, from: 'options' })
  assert.deepEqual(effective['tls.alpn'], { value: ['x'], from: 'options' })
  assert.equal(planned('HTTP', {})['tls.verify'], undefined)
})

test('a plan shows how connections end, and names the default as the source of what the type decides', () => {
  const close = (type: MonitorType, options: MonitorOptions): unknown => {
    const { value, from } = planned(type, options)['connection.close'] ?? {}
    return [value, from]
  }
  assert.deepEqual(close('TCP', {}), ['rst', 'default'])
  assert.deepEqual(close('TCP', { connection: { close: 'fin' } }), ['fin', 'options'])
  assert.deepEqual(close('TCP', { tcp: { send: 'AA==' } }), ['fin', 'default'])
  assert.deepEqual(close('TCP', { connection: { proxy_protocol: 'v1' } }), ['fin', 'default'])
  assert.deepEqual(close('HTTP', {}), ['fin', 'default'])
  assert.deepEqual(close('HTTP', { preset: 'haproxy' }), ['rst', 'preset'])
  assert.deepEqual(close('HTTPS', { preset: 'haproxy' }), ['fin', 'default'])
  assert.deepEqual(close('HTTPS', { connection: { close: 'rst' } }), ['fin', 'default'])
  assert.equal(planned('PING', {})['connection.close'], undefined)
})

test('a plan shows whether the handshake of a TCP check is broken off, which only one without a use for a connection is', () => {
  const handshake = (options: MonitorOptions, type: MonitorType = 'TCP'): unknown => {
    const { value, from } = planned(type, options)['connection.handshake'] ?? {}
    return [value, from]
  }
  assert.deepEqual(handshake({}), ['full', 'default'])
  assert.deepEqual(handshake({ preset: 'octavia' }), ['full', 'default'])
  assert.deepEqual(handshake({ preset: 'haproxy' }), ['half', 'preset'])
  assert.deepEqual(handshake({ connection: { handshake: 'half' } }), ['half', 'options'])
  assert.deepEqual(handshake({ preset: 'haproxy', connection: { handshake: 'full' } }), ['full', 'options'])
  for (const needed of [
    { tcp: { send: 'AA==' } },
    { connection: { proxy_protocol: 'v2' } },
    { connection: { source_address: '127.0.0.7' } },
    { connection: { close: 'fin' } },
  ] as const)
    assert.deepEqual(handshake({ preset: 'haproxy', ...needed }), ['full', 'default'])
  assert.deepEqual(handshake({ preset: 'haproxy' }, 'HTTP'), [undefined, undefined])
})

test('a connection that cannot be kept is not planned to be', () => {
  const { 'connection.reuse': reuse } = planned('TCP', { connection: { reuse: true } })
  assert.deepEqual(reuse, { value: false, from: 'profile' })
  const answered = planned('TCP', { connection: { reuse: true }, tcp: { receive: ['AA=='] } })
  assert.deepEqual(answered['connection.reuse'], { value: true, from: 'options' })
})

test('a plan shows whether a UDP target has to reply', () => {
  const required = (udp: NonNullable<MonitorOptions['udp']>): unknown => {
    const { value, from } = planned('UDP-CONNECT', { udp })['udp.require_reply'] ?? {}
    return [value, from]
  }
  assert.deepEqual(required({}), [false, 'default'])
  assert.deepEqual(required({ reply_pattern: '00' }), [true, 'default'])
  assert.deepEqual(required({ min_reply_length: 1 }), [true, 'default'])
  assert.deepEqual(required({ max_reply_length: 9 }), [true, 'default'])
  assert.deepEqual(required({ reply_pattern: '00', require_reply: false }), [false, 'options'])
})

test('an interval of a state that nothing sets is the one while ONLINE, and its source is the default', () => {
  const interval = (key: string, options: MonitorOptions): unknown => {
    const { value, from } = planned('TCP', options)[`intervals.${key}`] ?? {}
    return [value, from]
  }
  for (const key of ['online_pending_ms', 'offline_ms', 'offline_pending_ms']) {
    assert.deepEqual(interval(key, {}), [5000, 'default'], key)
    assert.deepEqual(interval(key, { interval_ms: 700 }), [700, 'default'], key)
    assert.deepEqual(interval(key, { intervals: { [key]: 900 } }), [900, 'options'], key)
  }
})
