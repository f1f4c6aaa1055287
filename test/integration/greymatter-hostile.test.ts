/** Grey Matter's control API in the hands of someone who means harm, and of several who write at once. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { query } from '../../src/store/connection/database.ts'
import { type Api, type Json, startApi } from '../support/api.ts'
import { ask, clusterBody, DOCUMENTED_CHECK, refused, result } from '../support/greymatter.ts'

const create = (api: Api, given: Readonly<Record<string, unknown>> = {}): Promise<Json> =>
  result(api, 'POST', '/cluster', { body: clusterBody(given) })

const keysOf = (found: readonly Json[]): readonly string[] => found.map((each) => each.cluster_key)

test('a cluster has at most 5 000 instances, whatever the way by which they come; 100 000 are not understood', async (t) => {
  const api = await startApi(t)
  const instances = (count: number) =>
    Array.from({ length: count }, (_, i) => ({
      host: `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`,
      port: 80,
    }))
  const many = await refused(400, api, 'POST', '/cluster', {
    body: clusterBody({ instances: instances(100_000) }),
  })
  assert.equal(many.code, 'UnknownDecodingCode')
  const more = await refused(400, api, 'POST', '/cluster', {
    body: clusterBody({ instances: instances(5001) }),
  })
  assert.deepEqual(more.problems, ['cluster.instances: must have at most 5000 items'])
  const full = await create(api, { instances: instances(5000) })
  const path = `/cluster/catalog-service/instance?checksum=${full.checksum}`
  const one = await refused(400, api, 'POST', path, { body: { host: '10.9.9.9', port: 80 } })
  assert.deepEqual(one.problems, ['cluster.instances: must have at most 5000 items'])
  assert.equal((await query(api.db, 'select from member')).length, 5000)
})

test('durations and numbers that cannot be are refused by their attribute', async (t) => {
  const api = await startApi(t)
  const attributes = [
    'timeout_msec',
    'interval_msec',
    'interval_jitter_msec',
    'unhealthy_interval_msec',
    'unhealthy_edge_interval_msec',
    'healthy_edge_interval_msec',
    'no_traffic_interval_msec',
    'unhealthy_threshold',
    'healthy_threshold',
  ]
  const wrong = [
    '-1',
    '0',
    '1.5',
    '"60000"',
    '"1s"',
    'true',
    '[]',
    '{}',
    '1e15',
    '1e400',
    '-1e400',
    '9007199254740993',
  ]
  for (const attribute of attributes) {
    for (const value of wrong) {
      const check = JSON.stringify({ ...DOCUMENTED_CHECK, [attribute]: 'HERE' }).replace('"HERE"', value)
      const body = JSON.stringify(clusterBody({ health_checks: ['CHECK'] })).replace('"CHECK"', check)
      const { problems } = await refused(400, api, 'POST', '/cluster', { body })
      assert.equal(problems.length, 1, `${attribute} ${value}: ${problems.join('; ')}`)
      assert.ok(problems[0]?.startsWith(`cluster.health_checks[0].${attribute}: `), problems[0])
    }
  }
  assert.deepEqual(await result(api, 'GET', '/cluster'), [])
})

test('bytes that are no base64 are refused where they are, and large ones too', async (t) => {
  const api = await startApi(t)
  const tcp = async (tcp_health_check: object) => {
    const body = clusterBody({
      health_checks: [{ ...DOCUMENTED_CHECK, health_checker: { tcp_health_check } }],
    })
    const { problems } = await refused(400, api, 'POST', '/cluster', { body })
    assert.equal(problems.length, 1)
    return problems[0]?.replace('cluster.health_checks[0].health_checker.tcp_health_check.', '') ?? ''
  }
  for (const bad of ['Zg', 'Zg=', 'Zm9v\n', 'Zm9v ', 'Zm-_', 'Zm9v=', '====', 'ü', '𝄞𝄞', '!']) {
    assert.match(await tcp({ send: bad }), /^send: /, bad)
    assert.match(await tcp({ receive: ['Zm9v', bad] }), /^receive\[1\]: /, bad)
  }
  assert.match(await tcp({ send: 'Zm9v'.repeat(100_000) }), /^send: /)
  assert.match(
    await tcp({ receive: Array.from({ length: 17 }, () => 'Zm9v') }),
    /^receive: must have at most/,
  )
  assert.match(await tcp({ receive: ['Zm9v'.repeat(1000)] }), /^receive\[0\]: /)
  assert.match(await tcp({ receive: [7] }), /^receive\[0\]: /)
})

test('JSON that is deep, wide or cut off is refused at once, and what follows is answered', async (t) => {
  const api = await startApi(t)
  const begun = performance.now()
  for (const body of [
    '['.repeat(2_000_000),
    `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`,
    `{"instances":[${'{},'.repeat(200_000)}{}]}`,
    '{"name":"\\ud800"}',
    '{"name":"\\u0000"}',
    '{"name": "a"',
  ]) {
    const { code } = await refused(400, api, 'POST', '/cluster', { body })
    assert.equal(code, 'UnknownDecodingCode', body.slice(0, 40))
  }
  await create(api)
  assert.ok(performance.now() - begun < 20_000)
})

test('names of the language are attributes as any other, and change nothing but themselves', async (t) => {
  const api = await startApi(t)
  const body = JSON.stringify(clusterBody()).replace(
    /^\{/,
    '{"__proto__":{"admin":true},"constructor":{"prototype":7},"toString":"x","0":1,',
  )
  await result(api, 'POST', '/cluster', { body })
  const { raw } = await textOf(api, '/cluster/catalog-service')
  for (const kept of ['"__proto__":{"admin":true}', '"constructor":{"prototype":7}', '"toString":"x"'])
    assert.ok(raw.includes(kept), raw)
  assert.equal(({} as Record<string, unknown>)['admin'], undefined)
})

/** The answer as it is on the wire: parsing would hide what it is about. */
async function textOf(api: Api, path: string): Promise<{ readonly raw: string }> {
  const response = await fetch(`${api.url}/greymatter/v1.0${path}`)
  return { raw: await response.text() }
}

test('lengths are counted in characters, also outside of the basic plane, and sizes in bytes', async (t) => {
  const api = await startApi(t)
  const named = await create(api, { name: '𝄞'.repeat(255) })
  assert.deepEqual(await result(api, 'GET', '/cluster/catalog-service'), named)
  assert.deepEqual(await query(api.db, 'select name from pool'), [{ name: named.name }])
  const longer = clusterBody({ cluster_key: 'b', name: '𝄞'.repeat(256) })
  assert.deepEqual((await refused(400, api, 'POST', '/cluster', { body: longer })).problems, [
    'cluster.name: must have at most 255 characters',
  ])
  const metadata = [{ key: '🐘'.repeat(255), value: '字'.repeat(255) }]
  const path = `/cluster/catalog-service/instance?checksum=${named.checksum}`
  await result(api, 'POST', path, { body: { host: '10.0.0.1', port: 1, metadata } })
  // 2 100 characters, of two bytes each.
  const zone = { zone_key: 'z', name: 'z', note: 'ä'.repeat(2100) }
  assert.deepEqual((await refused(400, api, 'POST', '/zone', { body: zone })).problems, [
    'zone: must have at most 4096 bytes',
  ])
  await result(api, 'POST', '/zone', { body: { ...zone, note: 'a'.repeat(2100) } })
})

test('a list is in the order of the bytes of its keys, and finds names by all of their characters', async (t) => {
  const api = await startApi(t)
  const names = { b: 'é', B: 'e\u0301', 'a-b': '𝄞', ab: '�', a0: '𝄟' }
  for (const [cluster_key, name] of Object.entries(names)) await create(api, { cluster_key, name })
  assert.deepEqual(keysOf(await result(api, 'GET', '/cluster')), ['B', 'a-b', 'a0', 'ab', 'b'])
  for (const [cluster_key, name] of Object.entries(names)) {
    const filters = encodeURIComponent(JSON.stringify([{ name }]))
    assert.deepEqual(keysOf(await result(api, 'GET', `/cluster?filters=${filters}`)), [cluster_key])
  }
})

test('paths that name nothing are 404, however they are written', async (t) => {
  const api = await startApi(t)
  await create(api)
  for (const path of [
    '%2e%2e',
    'a%2Fb',
    '..%2f..%2fzone',
    '%F0%9D%84%9E',
    `${'a'.repeat(300)}`,
    'catalog-service%00',
  ])
    assert.equal((await ask(api, 'GET', `/cluster/${path}`)).status, 404, path)
  const { checksum } = await result(api, 'GET', '/cluster/catalog-service')
  for (const instance of [
    '127.0.0.1',
    '127.0.0.1:',
    ':8080',
    '127.0.0.1:8080:',
    '127.0.0.1:08080',
    '[127.0.0.1]:8081',
  ])
    assert.equal(
      (
        await refused(
          404,
          api,
          'DELETE',
          `/cluster/catalog-service/instance/${encodeURIComponent(instance)}?checksum=${checksum}`,
        )
      ).code,
      'NotFound',
      instance,
    )
  assert.equal((await query(api.db, 'select from member')).length, 1)
})

test('of many who add an instance with one checksum one does, and what is probed is what the cluster says', async (t) => {
  const api = await startApi(t)
  let { checksum } = await create(api, { instances: [] })
  for (let round = 1; round <= 4; round++) {
    const answers = await Promise.all(
      Array.from({ length: 8 }, async (_, i) => {
        const path = `/cluster/catalog-service/instance?checksum=${checksum}`
        return await ask(api, 'POST', path, { body: { host: `10.0.${round}.${i}`, port: 80 } })
      }),
    )
    const done = answers.filter(({ status }) => status === 200)
    assert.equal(done.length, 1)
    for (const { status, body } of answers.filter((answer) => answer.status !== 200)) {
      assert.equal(status, 409)
      assert.equal(body.error.code, 'UnknownModificationConflict')
    }
    checksum = done[0]?.body.result.checksum
  }
  const cluster = await result(api, 'GET', '/cluster/catalog-service')
  const members = await query<{ address: string }>(api.db, 'select address from member order by address')
  assert.deepEqual(
    cluster.instances.map(({ host }: Json) => host),
    members.map(({ address }) => address),
  )
  assert.equal(members.length, 4)
})

test('a zone that is deleted while clusters are made in it is gone with none, or stays with them', async (t) => {
  const api = await startApi(t)
  for (let round = 0; round < 6; round++) {
    const zone_key = `z${round}`
    const zone = await result(api, 'POST', '/zone', { body: { zone_key, name: zone_key } })
    const [gone, ...made] = await Promise.all([
      ask(api, 'DELETE', `/zone/${zone_key}?checksum=${zone.checksum}`),
      ...[1, 2].map((n) =>
        ask(api, 'POST', '/cluster', {
          body: clusterBody({ cluster_key: `${zone_key}-${n}`, name: `n${n}`, zone_key }),
        }),
      ),
    ])
    const count = made.filter(({ status }) => status === 200).length
    const rows = await query(
      api.db,
      'select from pool p join load_balancer lb on lb.id = p.load_balancer_id where lb.door_key = $1',
      [zone_key],
    )
    assert.equal(rows.length, count)
    assert.equal((await ask(api, 'GET', `/zone/${zone_key}`)).status, gone?.status === 200 ? 404 : 200)
    if (gone?.status === 200) assert.equal(count, 0)
    else assert.deepEqual([gone?.status, count > 0], [409, true])
  }
})

test('a cluster of another project is not found by its key, its name or its zone, nor changed by a file that names it', async (t) => {
  const api = await startApi(t)
  const made = await create(api, { cluster_key: 'secret', name: 'secret' })
  const project = 'another'
  for (const filter of [
    { cluster_key: 'secret' },
    { name: 'secret' },
    { zone_key: 'default-zone' },
    { org_key: 'default-project' },
  ]) {
    const filters = encodeURIComponent(JSON.stringify([filter]))
    assert.deepEqual(await result(api, 'GET', `/cluster?filters=${filters}`, { project }), [])
  }
  const objects = [clusterBody({ cluster_key: 'secret', name: 'mine', instances: [] })]
  const applied = await result(api, 'PUT', '/_apply', { project, body: { objects } })
  assert.deepEqual(applied.objects, [{ kind: 'cluster', key: 'secret', result: 'created' }])
  assert.deepEqual(await result(api, 'GET', '/cluster/secret'), made)
  const { pool_id } = await result(api, 'GET', '/cluster/secret/health')
  const theirs = await api.request('GET', `/v1/overview/pools/${pool_id}`, undefined, {
    'x-project-id': project,
  })
  assert.equal(theirs.status, 404)
})
