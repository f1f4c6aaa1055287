import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  probeTarget,
  type TargetMember,
  type TargetMonitor,
} from '../../../../src/domain/target/monitor-target.ts'

const MONITOR: TargetMonitor = {
  type: 'HTTP',
  profile: 'elb',
  timeoutSeconds: 3,
  monitorPort: null,
  domainName: null,
  urlPath: null,
  httpMethod: null,
  httpVersion: null,
  expectedCodes: null,
}
const MEMBER: TargetMember = {
  address: '10.0.0.5',
  protocolPort: 8080,
  monitorAddress: null,
  monitorPort: null,
}

test("the member's own monitor address and port win, then the monitor's port, then the member's", () => {
  const target = (monitor: Partial<TargetMonitor>, member: Partial<TargetMember>) => {
    const { address, port } = probeTarget({ ...MONITOR, ...monitor }, { ...MEMBER, ...member })
    return `${address} ${port}`
  }
  assert.equal(target({}, {}), '10.0.0.5 8080')
  assert.equal(target({ monitorPort: 9000 }, {}), '10.0.0.5 9000')
  assert.equal(
    target({ monitorPort: 9000 }, { monitorPort: 9001, monitorAddress: '10.0.0.6' }),
    '10.0.0.6 9001',
  )
  assert.equal(target({ type: 'PING', monitorPort: 9000 }, {}), '10.0.0.5 0')
})

test('an IPv4-mapped address is probed as the IPv4 address that packets to it carry, and no other is', () => {
  const target = (address: string) => {
    const { family, http, ...endpoint } = probeTarget(MONITOR, { ...MEMBER, address })
    return `${family} ${endpoint.address} ${http?.host}`
  }
  assert.equal(target('::ffff:10.0.0.5'), '4 10.0.0.5 10.0.0.5:8080')
  assert.equal(target('0:0:0:0:0:FFFF:a00:5'), '4 10.0.0.5 10.0.0.5:8080')
  assert.equal(target('::fffe:a00:5'), '6 ::fffe:a00:5 [::fffe:a00:5]:8080')
  assert.equal(target('64:ff9b::a00:5'), '6 64:ff9b::a00:5 [64:ff9b::a00:5]:8080')
})

test('elb speaks HTTP/1.1 with a Host: the domain name, or the address with a port that is not the default', () => {
  const http = (monitor: Partial<TargetMonitor>, member: Partial<TargetMember> = {}) =>
    probeTarget({ ...MONITOR, ...monitor }, { ...MEMBER, ...member }).http
  assert.deepEqual(http({}), {
    method: 'GET',
    path: '/',
    version: '1.1',
    host: '10.0.0.5:8080',
    expectedCodes: [{ from: 200, to: 200 }],
  })
  assert.equal(http({}, { protocolPort: 80 })?.host, '10.0.0.5')
  assert.equal(http({}, { address: '2001:DB8:0::1' })?.host, '[2001:db8::1]:8080')
  assert.equal(http({}, { address: '2001:db8::1', protocolPort: 80 })?.host, '[2001:db8::1]')
  assert.equal(http({ domainName: 'shop.example' })?.host, 'shop.example')
  assert.deepEqual(http({ expectedCodes: '200,204-206' })?.expectedCodes, [
    { from: 200, to: 200 },
    { from: 204, to: 206 },
  ])
})

test('octavia speaks HTTP/1.0 without Host, and 1.1 with one only when the monitor says so', () => {
  const http = (monitor: Partial<TargetMonitor>) =>
    probeTarget({ ...MONITOR, profile: 'octavia', ...monitor }, MEMBER).http
  assert.equal(http({ domainName: 'shop.example' })?.version, '1.0')
  assert.ok(!('host' in (http({ domainName: 'shop.example' }) ?? {})))
  assert.equal(http({ httpVersion: '1.1' })?.host, '10.0.0.5')
  assert.equal(http({ httpVersion: '1.1', domainName: 'shop.example' })?.host, 'shop.example')
})

test("elb names the load balancer's given address while there is no domain name; the member is still what is probed", () => {
  const given = { echo: { host_address: '10.9.8.7' } }
  const askedOf = (monitor: Partial<TargetMonitor>) => {
    const { address, http } = probeTarget({ ...MONITOR, ...given, ...monitor }, MEMBER)
    assert.equal(address, MEMBER.address)
    return http?.host
  }
  for (const domainName of [null, '']) assert.equal(askedOf({ domainName }), '10.9.8.7')
  assert.equal(askedOf({ echo: { host_address: '2001:db8::1' }, domainName: null }), '[2001:db8::1]')
  assert.equal(askedOf({ domainName: 'www.example.org' }), 'www.example.org')
  assert.equal(askedOf({ domainName: null, options: { http: { host: 'other' } } }), 'other')
  for (const elsewhere of [{ profile: 'octavia' }, { options: { preset: 'envoy' } }] as const) {
    assert.notEqual(askedOf({ domainName: null, ...elsewhere }), '10.9.8.7')
  }
})

test('only UDP-CONNECT of profile elb asks for an echo first', () => {
  assert.equal(probeTarget({ ...MONITOR, type: 'UDP-CONNECT' }, MEMBER).echoFirst, true)
  assert.equal(
    probeTarget({ ...MONITOR, type: 'UDP-CONNECT', profile: 'octavia' }, MEMBER).echoFirst,
    undefined,
  )
})

test('HTTP and HTTPS ask a question, the others none', () => {
  const types = ['HTTP', 'HTTPS', 'TCP', 'TLS-HELLO', 'PING', 'UDP-CONNECT'] as const
  const asking = types.filter((type) => probeTarget({ ...MONITOR, type }, MEMBER).http !== undefined)
  assert.deepEqual(asking, ['HTTP', 'HTTPS'])
})
