/** Kuma's door used by somebody who means harm, or by mistake: refused early, in its words, and nobody else notices. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { query } from '../../src/store/connection/database.ts'
import { OPTION_INTERVAL_MS, PROBE_ONCE_TIMEOUT_MS } from '../../src/domain/limits.ts'
import { makeTargetPolicy } from '../../src/domain/address/target-policy.ts'
import { type Json, startApi, UNLIMITED } from '../support/api.ts'
import { HEALTH_CHECK, Kuma, MESH_HEALTH_CHECK, proxy, refused } from '../support/kuma.ts'

const withConf = (conf: object): Json => ({ ...HEALTH_CHECK, conf: { ...HEALTH_CHECK.conf, ...conf } })
const withDefault = (conf: object): Json => ({
  ...MESH_HEALTH_CHECK,
  spec: { to: [{ targetRef: { kind: 'Mesh' }, default: { tcp: {}, ...conf } }] },
})

test("a project sees nothing of another project's meshes, and has the same names for its own", async (t) => {
  const api = await startApi(t)
  const [ours, theirs] = ['one', 'two'].map((project) => new Kuma(api, { 'x-project-id': project }))
  assert.ok(ours !== undefined && theirs !== undefined)
  await ours.apply(HEALTH_CHECK, proxy('secret-1', 'backend', 8080))
  const here = 'meshes/default'
  for (const path of [
    `${here}/dataplanes/secret-1`,
    `${here}/health-checks/p`,
    `${here}/dataplanes/secret-1/_overview`,
    `${here}/dataplanes/secret-1/_rules`,
    `${here}/dataplanes/secret-1/_checks`,
    `${here}/service-insights/backend`,
  ]) {
    assert.equal((await theirs.send('GET', path)).status, 404, path)
  }
  for (const path of [
    'dataplanes',
    `${here}/dataplanes`,
    'health-checks',
    'service-insights',
    `${here}/dataplanes+insights`,
  ])
    assert.equal((await theirs.get(path)).total, 0, path)
  assert.equal((await theirs.send('DELETE', `${here}/dataplanes/secret-1`)).status, 404)
  await theirs.apply({ ...proxy('secret-1', 'other', 9090), labels: { whose: 'theirs' } })
  const mine = await ours.get(`${here}/dataplanes/secret-1`)
  assert.equal(mine.networking.inbound[0].port, 8080)
  assert.equal(mine.labels.whose, undefined)
})

test('bodies that are too much are refused: tags, selectors, lists, depth, bytes', async (t) => {
  const api = await startApi(t)
  const kuma = new Kuma(api)
  const many = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => [`tag-${i}`, 'value']))
  const service = (selector: object) => ({
    type: 'MeshService',
    mesh: 'default',
    name: 's',
    spec: { selector, ports: [{ port: 80 }] },
  })
  const tagged = (tags: object) => proxy('b', 'backend', 8080, tags)
  const selectors = Array.from({ length: 1000 }, () => ({ match: { 'kuma.io/service': '*' } }))
  const bodies: readonly (readonly [string, Json])[] = [
    ['dataplanes/b', tagged(many(100_000))],
    ['dataplanes/b', tagged(many(65))],
    ['dataplanes/b', tagged({ long: 'x'.repeat(256) })],
    ['health-checks/p', { ...HEALTH_CHECK, sources: selectors }],
    [
      'health-checks/p',
      withConf({ http: { path: '/', expectedStatuses: Array.from({ length: 501 }, () => 200) } }),
    ],
    ['health-checks/p', withConf({ tcp: { receive: Array.from({ length: 17 }, () => 'Zm9v') } })],
    [
      'meshhealthchecks/p',
      { ...MESH_HEALTH_CHECK, spec: { to: Array.from({ length: 65 }, () => MESH_HEALTH_CHECK.spec.to[0]) } },
    ],
    ['meshhealthchecks/p', { ...MESH_HEALTH_CHECK, labels: many(65) }],
    ...['tags', 'labels'].map((key): readonly [string, Json] => [
      'meshhealthchecks/p',
      {
        ...MESH_HEALTH_CHECK,
        spec: { ...MESH_HEALTH_CHECK.spec, targetRef: { kind: 'MeshSubset', [key]: many(100_000) } },
      },
    ]),
    ['meshservices/s', service({ dataplaneTags: many(100_000) })],
    ['meshservices/s', service({ dataplaneLabels: { matchLabels: many(65) } })],
    [
      'meshservices/s',
      { ...service({}), spec: { ports: Array.from({ length: 65 }, (_, i) => ({ port: i + 1 })) } },
    ],
    [
      'health-checks/p',
      { ...HEALTH_CHECK, sources: [{ match: { 'kuma.io/service': '*', ...many(100_000) } }] },
    ],
    ['health-checks/p', `${'['.repeat(10_000)}${']'.repeat(10_000)}`],
  ]
  for (const [path, body] of bodies) {
    const { status, text } = await refused(await kuma.send('PUT', `meshes/default/${path}`, body))
    assert.ok(status === 400 || status === 413, `${path}: ${status} ${text.slice(0, 300)}`)
  }
  assert.equal((await query(api.db, 'select from kuma_resource')).length, 0)
})

test('bad durations, bad base64, and what must not go on a wire are refused, and never stored', async (t) => {
  const api = await startApi(t)
  const kuma = new Kuma(api)
  const header = (name: string, value: string) => ({
    http: { path: '/', requestHeadersToAdd: [{ header: { key: name, value } }] },
  })
  const confs: readonly Json[] = [
    withConf({ interval: 'soon' }),
    withConf({ interval: `${'9'.repeat(40)}s` }),
    withConf({ interval: '1s'.repeat(10_000) }),
    withConf({ interval: 10 }),
    withConf({ timeout: null }),
    withConf({ tcp: { send: '***' } }),
    withConf({ tcp: { receive: ['A'] } }),
    withConf({ http: { path: 'no-slash' } }),
    withConf({ http: { path: '/a b' } }),
    withConf({ http: { path: '/\r\nHost: other' } }),
    withConf(header('Host', 'other')),
    withConf(header('x y', 'value')),
    withConf(header('X-Name', 'a\r\nX-Other: b')),
    withConf({ tcp: { receive: Array.from({ length: 16 }, () => 'Zm9v'.repeat(200)) } }),
    withConf({ http: { path: '/', expectedStatuses: Array.from({ length: 40 }, (_, i) => 200 + 2 * i) } }),
    withConf(header('X-Long', 'x'.repeat(2048 + 1))),
    withConf({ unhealthyThreshold: 1.5 }),
    withConf({ unhealthyThreshold: 2 ** 40 }),
  ]
  for (const body of confs) {
    const { status } = await refused(await kuma.send('PUT', 'meshes/default/health-checks/p', body))
    assert.equal(status, 400, JSON.stringify(body).slice(0, 300))
  }
  for (const conf of [
    { interval: '-1s' },
    { interval: null },
    { tcp: { send: 'AAAA=' } },
    { http: { requestHeadersToAdd: { add: [{ name: 'transfer-encoding', value: 'chunked' }] } } },
    { grpc: { serviceName: 'a\nb' } },
    { grpc: { authority: 'a/b' } },
  ]) {
    const answer = await kuma.send('PUT', 'meshes/default/meshhealthchecks/p', withDefault(conf))
    assert.equal((await refused(answer)).status, 400, JSON.stringify(conf))
  }
  assert.equal((await query(api.db, 'select from kuma_resource')).length, 0)
})

test('what has an impossible name in its path is not there', async (t) => {
  const api = await startApi(t)
  const kuma = new Kuma(api)
  for (const name of ['a%00b', 'x'.repeat(600)]) {
    for (const path of [
      `meshes/${name}`,
      `meshes/${name}/dataplanes`,
      `meshes/${name}/dataplanes/x`,
      `meshes/default/dataplanes/${name}`,
      `meshes/default/dataplanes/${name}/_checks`,
      `meshes/${name}/service-insights/x`,
      `meshes/default/service-insights/${name}`,
    ])
      for (const method of ['GET', 'DELETE']) {
        const { status } = await kuma.send(method, path)
        assert.ok([404, 405].includes(status), `${method} ${path}: ${status}`)
      }
    const body = { ...proxy('x', 'backend', 8080), mesh: decodeURIComponent(name) }
    assert.equal((await kuma.send('PUT', `meshes/${name}/dataplanes/x`, body)).status, 404)
    const mesh = { type: 'Mesh', name: decodeURIComponent(name) }
    assert.equal((await kuma.send('PUT', `meshes/${name}`, mesh)).status, 400)
  }
  assert.deepEqual(api.errors, [])
})

test('names of objects are names, and keys of JSON are only keys', async (t) => {
  const api = await startApi(t)
  const kuma = new Kuma(api)
  for (const name of ['..%2f..', 'A', 'a%00b', 'x'.repeat(254), 'a%20b']) {
    const path = `meshes/default/dataplanes/${name}`
    const body = { ...proxy('x', 'backend', 8080), name: decodeURIComponent(name) }
    assert.equal((await refused(await kuma.send('PUT', path, body))).status, 400, name)
  }
  const tags = '{"kuma.io/service":"backend","__proto__":"polluted","constructor":"c"}'
  const body = `{"type":"Dataplane","mesh":"default","name":"b","labels":{"__proto__":"x"},"networking":{"address":"127.0.0.1","inbound":[{"port":8080,"tags":${tags}}]}}`
  const answer = await kuma.send('PUT', 'meshes/default/dataplanes/b', body)
  assert.equal(answer.status, 201, await answer.text())
  assert.equal(({} as Json)['polluted'], undefined)
  const { total } = await kuma.get('meshes/default/dataplanes+insights?tag=constructor:c')
  assert.equal(total, 1)
})

test('a target that must not be probed is refused where it would be probed', async (t) => {
  const targetPolicy = makeTargetPolicy({
    allow: [],
    deny: [],
    loopbackAllowed: false,
    ownListeners: [],
    localAddresses: [],
  })
  const api = await startApi(t, { targetPolicy })
  const kuma = new Kuma(api)
  await kuma.apply(HEALTH_CHECK)
  for (const address of ['169.254.169.254', '127.0.0.1', '::ffff:169.254.169.254', '0.0.0.0']) {
    const body = proxy('b', 'backend', 80)
    body.networking.address = address
    const { status } = await refused(await kuma.send('PUT', 'meshes/default/dataplanes/b', body))
    assert.equal(status, 400, address)
  }
  assert.equal((await query(api.db, 'select from member')).length, 0)
})

test('quotas hold: what does not fit is not stored, and what is there goes on', async (t) => {
  const api = await startApi(t, { quotas: { ...UNLIMITED, member: 1 } })
  const kuma = new Kuma(api)
  await kuma.apply(HEALTH_CHECK, proxy('b-1', 'backend', 8080))
  const { status } = await refused(
    await kuma.send('PUT', 'meshes/default/dataplanes/b-2', proxy('b-2', 'backend', 8081)),
  )
  assert.equal(status, 403)
  assert.equal((await kuma.send('GET', 'meshes/default/dataplanes/b-2')).status, 404)
  assert.equal((await query(api.db, 'select from member')).length, 1)
})

test('a file of too many objects, of none, of unknown types or for a mesh of somebody else is refused as a whole', async (t) => {
  const api = await startApi(t)
  const [ours, theirs] = ['one', 'two'].map((project) => new Kuma(api, { 'x-project-id': project }))
  assert.ok(ours !== undefined && theirs !== undefined)
  assert.equal((await theirs.send('PUT', 'meshes/theirs', { type: 'Mesh', name: 'theirs' })).status, 201)
  const good = proxy('b-1', 'backend', 8080)
  const files: readonly (readonly [status: number, objects: unknown])[] = [
    [400, Array.from({ length: 1001 }, (_, i) => proxy(`p-${i}`, 'backend', 8080))],
    [400, []],
    [400, { 0: good }],
    [400, [good, { ...good, type: 'Secret' }]],
    [400, [good, { ...good, name: 7 }]],
    [400, [good, { ...good, mesh: ['default'] }]],
    [400, [good, null]],
    [400, [good, { ...good, mesh: 'theirs' }]],
    [404, [good, { ...MESH_HEALTH_CHECK, mesh: 'theirs' }]],
    [400, [good, { ...good, name: 'b-2', networking: { address: '' } }]],
  ]
  for (const [status, objects] of files)
    assert.equal(
      (await refused(await ours.send('PUT', '_apply', { objects }))).status,
      status,
      JSON.stringify(objects).slice(0, 200),
    )
  assert.equal((await query(api.db, 'select from kuma_resource')).length, 0)
  assert.deepEqual(api.errors, [])
})

test('queries with a hundred filters, and of what no name has, are answered', async (t) => {
  const api = await startApi(t)
  const kuma = new Kuma(api)
  await kuma.apply(proxy('b-1', 'backend', 8080))
  const many = Array.from({ length: 150 }, (_, i) => i)
  const queries: readonly (readonly [query: string, total: number])[] = [
    [many.map((i) => `tag=a${i}:b`).join('&'), 0],
    [many.map(() => 'tag=kuma.io/service:backend').join('&'), 1],
    [many.map(() => 'tag=no-colon').join('&'), 1],
    [many.map((i) => `filter[labels.a${i}]=b`).join('&'), 0],
    ['offset=999999999', 1],
    ['name=%25', 0],
    [`name=${encodeURIComponent("' or '1'='1")}`, 0],
    [`tag=${encodeURIComponent('__proto__:x')}`, 0],
    [`tag=${encodeURIComponent('{"a":"b"}:"]')}`, 0],
  ]
  for (const [asked, total] of queries)
    assert.equal(
      (await kuma.get(`meshes/default/dataplanes/_overview?${asked}`)).total,
      total,
      asked.slice(0, 80),
    )
  const tooMany = Array.from({ length: 201 }, () => 'tag=a:b').join('&')
  for (const asked of [tooMany, 'name=%00', 'tag=a:%00', 'filter[labels.a]=%00', 'filter[labels.%00]=a'])
    assert.equal((await kuma.send('GET', `meshes/default/dataplanes/_overview?${asked}`)).status, 400, asked)
  assert.deepEqual(api.errors, [])
})

test('durations of a serviceProbe that are none, too short or too long are refused, or held within what is probed', async (t) => {
  const api = await startApi(t)
  const kuma = new Kuma(api)
  const probing = (serviceProbe: object) => {
    const body = proxy('b-1', 'backend', 8080)
    body.networking.inbound[0].serviceProbe = serviceProbe
    return body
  }
  for (const wrong of ['soon', '-1s', '0s', '1s'.repeat(40), `${'9'.repeat(30)}h`, 7, {}])
    for (const key of ['interval', 'timeout']) {
      const body = probing({ [key]: wrong })
      assert.equal((await refused(await kuma.send('PUT', 'meshes/default/dataplanes/b-1', body))).status, 400)
    }
  await kuma.apply(probing({ interval: '1ns', timeout: '2562047h' }))
  const { items } = await kuma.get('meshes/default/dataplanes/b-1/_checks')
  assert.deepEqual(
    items.map(({ options }: Json) => [options.interval_ms, options.timeout_ms]),
    [[OPTION_INTERVAL_MS.min, PROBE_ONCE_TIMEOUT_MS.max]],
  )
})
