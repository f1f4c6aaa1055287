import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Cluster } from '../../../../src/domain/greymatter/cluster.ts'
import { certificateProblems, poolOfCluster } from '../../../../src/domain/greymatter/pool-of-cluster.ts'
import { readCluster } from '../../../../src/domain/greymatter/read-cluster.ts'
import { statePolicy } from '../../../../src/domain/options/profiles.ts'
import { assertOptionsFit } from '../../../../src/domain/options/option-fit.ts'
import { probeTarget } from '../../../../src/domain/target/monitor-target.ts'

function cluster(given: Readonly<Record<string, unknown>> = {}): Cluster {
  const read = readCluster({ zone_key: 'z', name: 'catalog', ...given }, 'key')
  return 'value' in read ? read.value : assert.fail(JSON.stringify(read.problems))
}

const check = (given: object = {}) => ({
  health_checks: [
    {
      timeout_msec: 1000,
      interval_msec: 60_000,
      health_checker: { http_health_check: { path: '/h' } },
      ...given,
    },
  ],
})

function monitorOf(given: Readonly<Record<string, unknown>>) {
  const { monitor } = poolOfCluster(cluster(given))
  assert.ok(monitor)
  assertOptionsFit(monitor, { sourceAddresses: [] })
  return monitor
}

const MEMBER = { address: '10.0.0.1', protocolPort: 80, monitorAddress: null, monitorPort: null }

test('the documented health check is judged as Envoy does', () => {
  const monitor = monitorOf(check({ interval_jitter_msec: 1000 }))
  const policy = statePolicy(monitor)
  assert.deepEqual([policy.rise, policy.fall, policy.firstRise, policy.initialStatus], [3, 3, 1, 'UNKNOWN'])
  assert.deepEqual(policy.hardFailures, ['status', 'payload', 'immediate'])
  assert.deepEqual(policy.jitter, { ms: 1000 })
  // Traffic is assumed: the minute without traffic holds for nobody.
  assert.deepEqual([policy.intervals.online, policy.intervals.noTraffic], [60_000, undefined])
})

test('each interval of a health check is that of its state', () => {
  const { intervals } = statePolicy(
    monitorOf(
      check({
        unhealthy_interval_msec: 200,
        unhealthy_edge_interval_msec: 300,
        healthy_edge_interval_msec: 400,
        no_traffic_interval_msec: 500,
      }),
    ),
  )
  assert.deepEqual(intervals, { online: 60_000, offline: 200, onlinePending: 300, offlinePending: 400 })
})

test('the request is the one of the health check, below the name of the cluster where it names no host', () => {
  const headers = [{ key: 'x-a', value: 'b' }, { key: 'x-empty' }]
  const http = { path: '/h', service_name: 'catalog', request_headers_to_add: headers }
  const target = probeTarget(monitorOf(check({ health_checker: { http_health_check: http } })), MEMBER)
  assert.equal(target.timeoutMs, 1000)
  assert.equal(target.http?.host, 'catalog')
  assert.equal(target.http?.serviceName, 'catalog')
  assert.deepEqual(target.http?.headers, [
    { name: 'x-a', value: 'b', action: 'append' },
    { name: 'x-empty', value: '', action: 'append' },
  ])
  assert.notEqual(target.reuse, undefined)
  const other = { http_health_check: { host: 'other.example:81' } }
  assert.equal(
    probeTarget(monitorOf(check({ health_checker: other })), MEMBER).http?.host,
    'other.example:81',
  )
  const closed = probeTarget(monitorOf(check({ reuse_connection: false })), MEMBER)
  assert.equal(closed.reuse, undefined)
})

test('a name that can be no host is none', () => {
  const monitor = monitorOf({ ...check(), name: 'the catalog' })
  assert.equal(monitor.options?.http?.host, undefined)
})

test('bytes of a TCP check go out as they are decoded, and without any it only connects', () => {
  const tcp = (given: object) => monitorOf(check({ health_checker: { tcp_health_check: given } }))
  const target = probeTarget(tcp({ send: 'Zm9v', receive: ['YmFy', 'YmF6'] }), MEMBER)
  assert.deepEqual(Buffer.from(target.tcp?.send ?? []).toString(), 'foo')
  assert.deepEqual(
    target.tcp?.receive?.map((block) => Buffer.from(block).toString()),
    ['bar', 'baz'],
  )
  for (const nothing of [{}, { send: '', receive: [] }, { send: null, receive: null }]) {
    const monitor = tcp(nothing)
    assert.deepEqual([monitor.type, monitor.options?.tcp], ['TCP', undefined])
  }
})

test('instances are members by their addresses: names are none, and another spelling is the same address', () => {
  const { members } = poolOfCluster(
    cluster({
      instances: [
        { host: 'catalog.internal', port: 80 },
        { host: 'FD00:0::1', port: 81, metadata: [{ key: 'stage', value: 'prod' }, { key: 'empty' }] },
        { host: '10.0.0.1', port: 82, metadata: null },
      ],
    }),
  )
  assert.deepEqual(
    members.map(({ address, protocolPort, tags }) => [address, protocolPort, tags]),
    [
      [
        'fd00::1',
        81,
        [
          { key: 'stage', value: 'prod' },
          { key: 'empty', value: '' },
        ],
      ],
      ['10.0.0.1', 82, []],
    ],
  )
})

test('what routes traffic changes nothing of what is probed', () => {
  const plain = poolOfCluster(cluster(check()))
  const rich = poolOfCluster(
    cluster({
      ...check(),
      lb_policy: 'random',
      circuit_breakers: { max_requests: 1 },
      outlier_detection: { consecutive_5xx: 1 },
      http2_protocol_options: {},
      ssl_config: { sni: '', cert_key_pairs: [], trust_file: '' },
      require_tls: false,
    }),
  )
  assert.deepEqual(rich, plain)
})

test('certificates are a problem for those alone who have a health check', () => {
  const tls = { ssl_config: { trust_file: '/ca', crl: '/crl' }, secret: { secret_name: 's' } }
  assert.deepEqual(certificateProblems(cluster(tls)), [])
  assert.deepEqual(
    certificateProblems(cluster({ ...tls, ...check() })).map(({ attribute }) => attribute),
    ['cluster.ssl_config.trust_file', 'cluster.ssl_config.crl', 'cluster.secret.secret_name'],
  )
  assert.deepEqual(certificateProblems(cluster({ ...check(), secret: { secret_name: '' } })), [])
})

test('a cluster without a health check is shown, and not probed', () => {
  for (const given of [{}, { health_checks: null }, { health_checks: [] }])
    assert.equal(poolOfCluster(cluster(given)).monitor, null)
})
