/** What Grey Matter's control API refuses, and how: attribute by attribute, and before large bodies are understood. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { query } from '../../src/store/connection/database.ts'
import { type Api, startApi, UNLIMITED } from '../support/api.ts'
import { ask, clusterBody, DOCUMENTED_CHECK, GREYMATTER, refused, result } from '../support/greymatter.ts'

const create = (api: Api, given: Readonly<Record<string, unknown>> = {}, project?: string) =>
  result(api, 'POST', '/cluster', { body: clusterBody(given), ...(project === undefined ? {} : { project }) })

test('every problem is named with its attribute, in the words of the library', async (t) => {
  const api = await startApi(t)
  const problems = async (given: Readonly<Record<string, unknown>>) =>
    (await refused(400, api, 'POST', '/cluster', { body: clusterBody(given) })).problems
  assert.deepEqual(await problems({ zone_key: '', name: 'a[b]', cluster_key: 'a_b' }), [
    'cluster.cluster_key: must match pattern: ^[0-9a-zA-Z]+(-[0-9a-zA-Z]+)*$',
    'cluster.zone_key: may not be empty',
    'cluster.name: may not contain [ or ] characters',
  ])
  assert.deepEqual(
    await problems({
      instances: [
        { host: 'bad host', port: 0 },
        { host: '10.0.0.1', port: 70_000 },
        { host: '10.0.0.2', port: 1, metadata: [{ key: 'x' }, { key: 'x', value: '1' }] },
        { host: '10.0.0.2', port: 1 },
      ],
    }),
    [
      'cluster.instances[bad host:0].host: host must match ^[a-zA-Z0-9_.-]+$',
      'cluster.instances[bad host:0].port: must be non-zero',
      'cluster.instances[10.0.0.1:70000].port: must be a whole number from 1 to 65535',
      "cluster.instances[10.0.0.2:1].metadata: duplicate metadata key 'x'",
      'cluster.instances: multiple instances of key 10.0.0.2:1',
    ],
  )
  const check = (given: object) => ({ health_checks: [{ ...DOCUMENTED_CHECK, ...given }] })
  assert.deepEqual(await problems({ health_checks: [DOCUMENTED_CHECK, DOCUMENTED_CHECK] }), [
    'cluster.health_checks: only a single health check supported',
  ])
  assert.deepEqual(
    await problems(
      check({ timeout_msec: 0, interval_msec: -1, unhealthy_threshold: 0, healthy_threshold: 1.5 }),
    ),
    [
      'cluster.health_checks[0].timeout_msec: must be greater than zero',
      'cluster.health_checks[0].interval_msec: must be greater than zero',
      'cluster.health_checks[0].unhealthy_threshold: must be greater than zero',
      'cluster.health_checks[0].healthy_threshold: must be a whole number',
    ],
  )
  assert.deepEqual(await problems(check({ health_checker: {} })), [
    'cluster.health_checks[0].health_checker: must have one health check defined',
  ])
  const both = { http_health_check: {}, tcp_health_check: {} }
  assert.deepEqual(await problems(check({ health_checker: both })), [
    'cluster.health_checks[0].health_checker: must not have more than one type of health check defined',
  ])
})

test('what no probe can do is refused by the attribute that asks for it', async (t) => {
  const api = await startApi(t)
  const problem = async (given: object) => {
    const body = clusterBody({ health_checks: [{ ...DOCUMENTED_CHECK, ...given }] })
    const [only, ...others] = (await refused(400, api, 'POST', '/cluster', { body })).problems
    assert.deepEqual(others, [])
    return only
  }
  const http = (given: object) => problem({ health_checker: { http_health_check: given } })
  const tcp = (given: object) => problem({ health_checker: { tcp_health_check: given } })
  const at = 'cluster.health_checks[0]'
  assert.equal(await problem({ interval_msec: 99 }), `${at}.interval_msec: must be at least 100`)
  assert.equal(await problem({ interval_msec: 86_400_001 }), `${at}.interval_msec: must be at most 86400000`)
  assert.equal(await problem({ timeout_msec: 3_600_001 }), `${at}.timeout_msec: must be at most 3600000`)
  assert.match(
    (await http({ path: 'health' })) ?? '',
    /^cluster\.health_checks\[0\]\.health_checker\.http_health_check\.path: must match/,
  )
  assert.match((await http({ path: '/a b' })) ?? '', /path: must match/)
  assert.match((await http({ host: 'a b' })) ?? '', /http_health_check\.host: must match/)
  assert.match(
    (await http({
      request_headers_to_add: [
        { key: 'ok', value: '1' },
        { key: 'a b', value: 'x' },
      ],
    })) ?? '',
    /request_headers_to_add\[1\]\.key: must match/,
  )
  assert.match(
    (await http({ request_headers_to_add: [{ key: 'x', value: 'a\r\nhost: evil' }] })) ?? '',
    /request_headers_to_add\[0\]\.value: must match/,
  )
  assert.match(
    (await http({ request_headers_to_add: [{ key: 'Host', value: 'evil' }] })) ?? '',
    /request_headers_to_add: Host is set by the probe itself/,
  )
  assert.match((await tcp({ send: '!' })) ?? '', /tcp_health_check\.send: must match/)
  assert.match((await tcp({ receive: ['Zm9v', 'Zm9'] })) ?? '', /tcp_health_check\.receive\[1\]: must match/)
  assert.match((await tcp({ receive: [''] })) ?? '', /tcp_health_check\.receive\[0\]: may not be empty/)
})

test('certificates that a health check would need are refused; without a health check they are only stored', async (t) => {
  const api = await startApi(t)
  const tls = {
    ssl_config: {
      cert_key_pairs: [{ certificate_path: '/etc/proxy/tls/server.crt', key_path: '/k' }],
      trust_file: '/ca',
    },
  }
  const { problems } = await refused(400, api, 'POST', '/cluster', { body: clusterBody(tls) })
  assert.deepEqual(
    problems.map((text) => text.split(':')[0]),
    ['cluster.ssl_config.cert_key_pairs', 'cluster.ssl_config.trust_file'],
  )
  const secret = { secret: { secret_name: 'spiffe://quickstart/catalog' } }
  assert.equal(
    (await refused(400, api, 'POST', '/cluster', { body: clusterBody(secret) })).problems.length,
    1,
  )
  const stored = await create(api, { ...tls, ...secret, health_checks: [] })
  assert.deepEqual([stored.ssl_config, stored.secret], [tls.ssl_config, secret.secret])
})

test('TLS without certificates is probed as Envoy does: any certificate will do', async (t) => {
  const api = await startApi(t)
  await create(api, { require_tls: true, ssl_config: { sni: 'catalog.mesh' } })
  const tcp = [{ ...DOCUMENTED_CHECK, health_checker: { tcp_health_check: { send: 'Zm9v' } } }]
  await create(api, { cluster_key: 'b', name: 'b', require_tls: true, health_checks: tcp })
  const rows = await query<{ type: string; options: { tls: object } }>(
    api.db,
    'select type, options from health_monitor order by type',
  )
  assert.deepEqual(
    rows.map(({ type, options }) => [type, options.tls]),
    [
      ['HTTPS', { verify: false, server_name: 'catalog.mesh' }],
      ['TLS-HELLO', { verify: false }],
    ],
  )
})

test('quotas and the target policy hold', async (t) => {
  const policy = (address: string) => (address.startsWith('169.254.') ? 'it is never probed' : undefined)
  const api = await startApi(t, { quotas: { ...UNLIMITED, member: 1 }, targetPolicy: policy })
  const denied = clusterBody({ instances: [{ host: '169.254.169.254', port: 80 }] })
  const { code, message } = await refused(400, api, 'POST', '/cluster', { body: denied })
  assert.deepEqual(
    [code, message],
    ['InvalidObjectCode', 'instance 169.254.169.254 may not be probed: it is never probed'],
  )
  const made = await create(api)
  const more = { host: '127.0.0.2', port: 80 }
  const path = `/cluster/catalog-service/instance?checksum=${made.checksum}`
  assert.equal((await refused(403, api, 'POST', path, { body: more })).code, 'DataConstraintErrorCode')
  assert.deepEqual(await result(api, 'GET', '/cluster/catalog-service'), made)
})

test('what is large or deep is refused before it is understood', async (t) => {
  const api = await startApi(t)
  const tags = Array.from({ length: 100_000 }, (_, i) => ({ key: `k${i}`, value: '' }))
  const huge = clusterBody({ instances: [{ host: '10.0.0.1', port: 80, metadata: tags }] })
  assert.equal((await refused(400, api, 'POST', '/cluster', { body: huge })).code, 'UnknownDecodingCode')
  const many = clusterBody({
    instances: [{ host: '10.0.0.1', port: 80, metadata: tags.slice(0, 65) }],
  })
  assert.deepEqual((await refused(400, api, 'POST', '/cluster', { body: many })).problems, [
    'cluster.instances[10.0.0.1:80].metadata: must have at most 64 items',
  ])
  const deep = `${'{"a":'.repeat(40)}1${'}'.repeat(40)}`
  assert.equal((await refused(400, api, 'POST', '/cluster', { body: deep })).code, 'UnknownDecodingCode')
  for (const body of ['[', '[]', '7', 'null', '']) {
    const { status } = await ask(api, 'POST', '/cluster', { body })
    assert.equal(status, 400, body)
  }
  const filters = JSON.stringify(Array.from({ length: 300 }, () => ({ name: 'x'.repeat(20) })))
  const { status } = await ask(api, 'GET', `/cluster?filters=${encodeURIComponent(filters)}`)
  assert.ok(status === 400 || status === 414 || status === 431, String(status))
  const nul = await ask(api, 'GET', '/cluster/a%00b')
  assert.equal(nul.status, 404)
})

test('the clusters of a project are never more than one answer lists', async (t) => {
  const api = await startApi(t)
  const pad = (bytes: number) => ({ note: 'x'.repeat(bytes), instances: [], health_checks: [] })
  await create(api, { cluster_key: 'a', name: 'a', ...pad(3_900_000) })
  await create(api, { cluster_key: 'b', name: 'b', ...pad(3_900_000) })
  const third = clusterBody({ cluster_key: 'c', name: 'c', ...pad(1_000_000) })
  const { code } = await refused(403, api, 'POST', '/cluster', { body: third })
  assert.equal(code, 'DataConstraintErrorCode')
  assert.equal((await result(api, 'GET', '/cluster')).length, 2)
})

test('a browser cannot write without saying that it sends JSON', async (t) => {
  const api = await startApi(t)
  const body = JSON.stringify(clusterBody())
  for (const header of [{ origin: 'http://evil.example' }, { 'sec-fetch-site': 'cross-site' }]) {
    const answer = await api.request('POST', `${GREYMATTER}/cluster`, body, { 'content-type': '', ...header })
    assert.equal(answer.status, 415)
  }
  assert.deepEqual(await result(api, 'GET', '/cluster'), [])
})
