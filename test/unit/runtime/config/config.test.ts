import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { parseConfig } from '../../../../src/runtime/config/config.ts'
import { withConfigTable } from '../../../../src/runtime/config/config-reference.ts'
import { parseEndpoint } from '../../../../src/runtime/config/endpoint.ts'
import { StartRefusal } from '../../../../src/runtime/start-refusal.ts'

function refusal(environment: Record<string, string>): string {
  try {
    parseConfig(environment)
  } catch (error) {
    assert.ok(error instanceof StartRefusal, String(error))
    return error.message
  }
  return assert.fail('accepted')
}

test('an empty environment gives the documented defaults, and empty values count as not set', () => {
  const config = parseConfig({ HM_PROBERS: '', DATABASE_URL: '', PATH: '/bin' })
  assert.deepEqual(config.listen, { host: '127.0.0.1', port: 9876 })
  assert.deepEqual(config.metricsListen, { host: '127.0.0.1', port: 9877 })
  assert.equal(config.databaseUrl, undefined)
  assert.equal(config.dataDir, resolve('data'))
  assert.equal(config.probers, 1)
  assert.equal(config.site, 'local')
  assert.equal(config.shardLeaseMs, 3000)
  assert.equal(config.checkpointMs, 30_000)
  assert.deepEqual([config.transitionDays, config.transitionsPerMember], [30, 1000])
  assert.equal(config.defaultDialect, 'elb')
  assert.equal(config.auth, 'none')
  assert.equal(config.pageMax, 2000)
  assert.equal(config.allowPing, true)
  assert.equal(config.udpMinDelaySeconds, 3)
  assert.equal(config.quotas.member, -1)
  assert.equal(config.logLevel, 'info')
})

test('problems between variables are reported together with those of single ones', () => {
  const message = refusal({ HM_PORT: '1', HM_LISTEN: '0.0.0.0:80' })
  for (const part of ['HM_PORT is not a setting', 'HM_LISTEN 0.0.0.0 can be reached from other hosts'])
    assert.ok(message.includes(part), `${part} is missing in ${message}`)
  const keystone = refusal({ HM_AUTH: 'keystone', HM_PROBERS: 'x', HM_KEYSTONE_URL: 'x' })
  for (const part of [
    'HM_PROBERS must be',
    'HM_KEYSTONE_URL must be',
    'HM_AUTH=keystone needs HM_KEYSTONE_USERNAME',
  ])
    assert.ok(keystone.includes(part), `${part} is missing in ${keystone}`)
  assert.ok(!keystone.includes('needs HM_KEYSTONE_URL'))
})

test('a site is named by one label of small letters, and nothing else', () => {
  assert.equal(parseConfig({ HM_SITE: 'eu-west-1' }).site, 'eu-west-1')
  for (const name of ['Fra', 'a b', "a'b", '-a', 'a'.repeat(33)])
    assert.match(refusal({ HM_SITE: name }), /HM_SITE must be at most 32 small letters, digits and hyphens/)
})

test('listeners of doors are off unless they are set, and without identity they are on loopback only', () => {
  assert.deepEqual(parseConfig({}).doorListens, {})
  const { doorListens } = parseConfig({ HM_GREYMATTER_LISTEN: '127.0.0.1:5555' })
  assert.deepEqual(doorListens, { greymatter: { host: '127.0.0.1', port: 5555 } })
  const open = refusal({ HM_GREYMATTER_LISTEN: '0.0.0.0:5555' })
  assert.match(open, /HM_GREYMATTER_LISTEN 0\.0\.0\.0 can be reached from other hosts/)
  parseConfig({ HM_GREYMATTER_LISTEN: '0.0.0.0:5555', HM_ALLOW_INSECURE_LISTEN: 'true' })
})

test('every problem is reported, and a name that is not a setting is one', () => {
  const message = refusal({
    HM_PORT: '1',
    HM_LISTEN: 'somewhere',
    HM_PROBERS: '1.5',
    HM_PAGE_MAX: '0',
    HM_PROBE_DENY: '10.0.0.1/8',
    HM_LOG_LEVEL: 'loud',
    HM_ALLOW_PING: 'maybe',
    HM_SOURCE_ADDRESSES: '127.0.0.1, x',
    DATABASE_URL: 'mysql://localhost/x',
  })
  for (const name of [
    'HM_PORT is not a setting of this service',
    'HM_LISTEN must be address:port',
    'HM_PROBERS must be an integer',
    'HM_PAGE_MAX must be greater than or equal to 1',
    'HM_PROBE_DENY: "10.0.0.1/8" has bits set behind its prefix',
    'HM_LOG_LEVEL must be one of',
    'HM_ALLOW_PING must be a boolean',
    'HM_SOURCE_ADDRESSES must be a list of IP addresses',
    'DATABASE_URL must be a valid uri',
  ]) {
    assert.ok(message.includes(name), `${name} in:\n${message}`)
  }
})

test('lists, numbers, booleans and URLs are parsed', () => {
  const config = parseConfig({
    HM_PROBE_ALLOW: '10.0.0.0/8, fd00::/8',
    HM_SOURCE_ADDRESSES: '127.0.0.1 ::1',
    HM_CANARY: '127.0.0.1:80,[::1]:81',
    HM_ALLOW_PING: '0',
    HM_NETWORK_READS: '1',
    HM_QUOTA_POOL: '7',
    HM_PUBLIC_URL: 'https://lb.example.org/',
    HM_METRICS_LISTEN: 'off',
  })
  assert.deepEqual(
    config.probeAllow.map(({ address, prefix }) => `${address.canonical}/${prefix}`),
    ['10.0.0.0/8', 'fd00::/8'],
  )
  assert.deepEqual(config.sourceAddresses, ['127.0.0.1', '::1'])
  assert.deepEqual(config.canaries, [
    { host: '127.0.0.1', port: 80 },
    { host: '::1', port: 81 },
  ])
  assert.equal(config.allowPing, false)
  assert.equal(config.networkReads, true)
  assert.equal(config.quotas.pool, 7)
  assert.equal(config.publicUrl, 'https://lb.example.org')
  assert.equal(config.metricsListen, undefined)
})

test('a canary is an address or a name, with a port to connect to', () => {
  const hosts = (text: string) => parseConfig({ HM_CANARY: text }).canaries.map(({ host }) => host)
  assert.deepEqual(hosts('gateway.example:80 localhost:22 ns1:53'), ['gateway.example', '127.0.0.1', 'ns1'])
  for (const wrong of [
    '10.0.0.256:80',
    'gateway.example',
    'a_b:80',
    '-a:80',
    'a..b:80',
    'gateway.example:0',
    `${'a.'.repeat(127)}a:1`,
  ])
    assert.match(refusal({ HM_CANARY: wrong }), /HM_CANARY.* name:port/, wrong)
})

test('addresses to listen on are IPv4:port or [IPv6]:port', () => {
  assert.deepEqual(parseEndpoint('[::1]:9876'), { host: '::1', port: 9876 })
  assert.deepEqual(parseEndpoint('localhost:0'), { host: '127.0.0.1', port: 0 })
  for (const text of [
    '9876',
    ':9876',
    '::1:9876',
    '[127.0.0.1]:1',
    '127.0.0.1:65536',
    '127.0.0.1:',
    'host:80',
  ]) {
    assert.equal(parseEndpoint(text), undefined, text)
  }
})

test('without identity the API listens on loopback only, by default', () => {
  assert.match(refusal({ HM_LISTEN: '0.0.0.0:9876' }), /HM_ALLOW_INSECURE_LISTEN/)
  assert.match(refusal({ HM_LISTEN: '[::]:9876' }), /HM_ALLOW_INSECURE_LISTEN/)
  assert.equal(
    parseConfig({ HM_LISTEN: '0.0.0.0:80', HM_ALLOW_INSECURE_LISTEN: 'true' }).listen.host,
    '0.0.0.0',
  )
  assert.equal(parseConfig({ HM_LISTEN: '[::1]:80' }).listen.host, '::1')
})

test('HM_AUTH=keystone names every setting that it lacks, and starts with all of them on any address', () => {
  const message = refusal({ HM_AUTH: 'keystone', HM_KEYSTONE_URL: 'http://127.0.0.1:5000/v3' })
  for (const name of ['HM_KEYSTONE_USERNAME', 'HM_KEYSTONE_PASSWORD', 'HM_KEYSTONE_PROJECT']) {
    assert.ok(message.includes(`HM_AUTH=keystone needs ${name}`), message)
  }
  assert.ok(!message.includes('needs HM_KEYSTONE_URL'), message)
  const config = parseConfig({
    HM_AUTH: 'keystone',
    HM_LISTEN: '0.0.0.0:80',
    HM_KEYSTONE_URL: 'http://127.0.0.1:5000/v3',
    HM_KEYSTONE_USERNAME: 'octavia',
    HM_KEYSTONE_PASSWORD: 'secret',
    HM_KEYSTONE_PROJECT: 'service',
  })
  assert.equal(config.keystone?.domain, 'Default')
})

test('passwords are in neither the JSON nor the inspection of the configuration', () => {
  const config = parseConfig({
    DATABASE_URL: 'postgresql://user:topsecret@db.example.org/hm?sslpassword=topsecret',
    HM_KEYSTONE_PASSWORD: 'topsecret',
  })
  for (const text of [JSON.stringify({ config }), inspect({ config }, { depth: 9 })]) {
    assert.ok(!text.includes('topsecret'), text)
    assert.ok(text.includes('postgresql://user:***@db.example.org/hm'), text)
  }
  assert.match(config.databaseUrl ?? '', /topsecret/)
})

test('brokers of AMQP are a list, and no password of them is shown', () => {
  const given = 'amqps://hm:top,secret@mq-1:5671/os, amqp://hm:topsecret@[::1]:5672'
  const config = parseConfig({ HM_AMQP_URL: given })
  assert.deepEqual(config.amqp, {
    urls: ['amqps://hm:top,secret@mq-1:5671/os', 'amqp://hm:topsecret@[::1]:5672'],
    exchange: 'octavia',
    topics: ['notifications'],
    queueKind: 'durable',
  })
  for (const text of [JSON.stringify({ config }), inspect({ config }, { depth: 9 })]) {
    assert.ok(!text.includes('secret'), text)
    assert.ok(text.includes('amqps://hm:***@mq-1:5671/os, amqp://hm:***@[::1]:5672'), text)
  }
  assert.equal(parseConfig({}).amqp, undefined)
})

for (const [name, value] of [
  ['HM_AMQP_URL', 'http://mq'],
  ['HM_AMQP_URL', 'amqp://mq?heartbeat=0'],
  ['HM_AMQP_URL', 'amqp://mq,mq-2'],
  ['HM_AMQP_EXCHANGE', 'amq.topic'],
  ['HM_AMQP_TOPICS', 'one,one'],
  ['HM_AMQP_TOPICS', ','],
  ['HM_AMQP_QUEUES', 'classic'],
] as const) {
  test(`${name}=${value} is refused`, () => {
    assert.throws(() => parseConfig({ [name]: value }), new RegExp(`${name}`))
  })
}

test('the configuration is frozen, all of it', () => {
  const config = parseConfig({})
  assert.throws(() => Object.assign(config, { probers: 2 }), TypeError)
  assert.throws(() => Object.assign(config.quotas, { pool: 2 }), TypeError)
})

test("the README's list of the configuration is the one of the schema (npm run docs:config)", () => {
  const readme = readFileSync('README.md', 'utf8')
  assert.equal(readme, withConfigTable(readme))
})
