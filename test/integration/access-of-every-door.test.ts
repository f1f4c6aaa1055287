/** Every route of every door, called by those who must not. A route that the table below does not know fails. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { DOORS } from '../../src/api/dialects.ts'
import type { ApiDependencies } from '../../src/api/http/context.ts'
import { query } from '../../src/store/connection/database.ts'
import type { Json } from '../support/api.ts'
import { clusterBody } from '../support/greymatter.ts'
import { SECRET, startTwoProjects, type TwoProjects } from '../support/two-projects.ts'

/** What the paths of a door name, of the owner: with the checksum that a write needs. */
interface Named {
  readonly checksum: string
}

interface KnownRoute {
  readonly kind: 'object' | 'list' | 'write' | 'create'
  readonly path: (named: Named) => string
  readonly body?: (named: Named) => unknown
}

const CLUSTER = '/v1.0/cluster/owned'
const read = (path: string): KnownRoute => ({ kind: 'object', path: () => path })
const list = (path: string): KnownRoute => ({ kind: 'list', path: () => path })
const INSTANCE = { host: '127.0.0.9', port: 99, metadata: [{ key: 'of', value: SECRET }] }

const KNOWN: Readonly<Record<string, Readonly<Record<string, KnownRoute>>>> = {
  greymatter: {
    'GET /v1.0/cluster': list('/v1.0/cluster'),
    'POST /v1.0/cluster': {
      kind: 'create',
      path: () => '/v1.0/cluster',
      body: () => clusterBody({ cluster_key: 'another', name: 'another' }),
    },
    'GET /v1.0/cluster/:cluster_key': read(CLUSTER),
    'PUT /v1.0/cluster/:cluster_key': {
      kind: 'write',
      path: () => CLUSTER,
      body: ({ checksum }) => clusterBody({ cluster_key: 'owned', name: 'changed', checksum }),
    },
    'DELETE /v1.0/cluster/:cluster_key': {
      kind: 'write',
      path: ({ checksum }) => `${CLUSTER}?checksum=${checksum}`,
    },
    'GET /v1.0/cluster/:cluster_key/health': read(`${CLUSTER}/health`),
    'POST /v1.0/cluster/:cluster_key/instance': {
      kind: 'write',
      path: ({ checksum }) => `${CLUSTER}/instance?checksum=${checksum}`,
      body: () => INSTANCE,
    },
    'DELETE /v1.0/cluster/:cluster_key/instance/:instance': {
      kind: 'write',
      path: ({ checksum }) => `${CLUSTER}/instance/127.0.0.1:8080?checksum=${checksum}`,
    },
    'PUT /v1.0/_apply': {
      kind: 'create',
      path: () => '/v1.0/_apply',
      body: () => ({ objects: [clusterBody({ cluster_key: 'applied', name: 'applied' })] }),
    },
    'GET /v1.0/zone': list('/v1.0/zone'),
    'POST /v1.0/zone': {
      kind: 'create',
      path: () => '/v1.0/zone',
      body: () => ({ zone_key: 'another', name: 'another' }),
    },
    'GET /v1.0/zone/:zone_key': read('/v1.0/zone/owned-zone'),
    'PUT /v1.0/zone/:zone_key': {
      kind: 'write',
      path: () => '/v1.0/zone/owned-zone',
      body: ({ checksum }) => ({ zone_key: 'owned-zone', name: 'changed', checksum }),
    },
    'DELETE /v1.0/zone/:zone_key': {
      kind: 'write',
      path: ({ checksum }) => `/v1.0/zone/owned-zone?checksum=${checksum}`,
    },
    ...Object.fromEntries(
      ['domain', 'proxy', 'shared_rules', 'route', 'listener'].map((collection) => [
        `GET /v1.0/${collection}`,
        list(`/v1.0/${collection}`),
      ]),
    ),
  },
}

interface Operation {
  readonly name: string
  readonly method: string
  readonly prefix: string
  readonly known: KnownRoute
}

/** Doors whose table is in a file of their own. */
const ELSEWHERE: readonly string[] = ['kuma']

const OPERATIONS = DOORS.filter(({ name }) => !ELSEWHERE.includes(name)).flatMap((door): Operation[] =>
  door.routes({ settings: {} } as ApiDependencies).map(({ method, paths: [path = ''] }) => {
    const name = `${method.toUpperCase()} ${path}`
    const known = KNOWN[door.name]?.[name]
    assert.ok(known, `${door.name} has ${name}: say who may do it`)
    return { name: `${door.name}: ${name}`, method: method.toUpperCase(), prefix: door.prefix, known }
  }),
)

/** The owner has a zone with a cluster, and an empty zone; all of them say so in what they are. */
async function world(
  t: TestContext,
): Promise<TwoProjects & { readonly checksums: Readonly<Record<string, string>> }> {
  const projects = await startTwoProjects(t)
  const made = async (path: string, body: unknown): Promise<Json> => {
    const answer = await projects.ask('member', 'POST', `/greymatter/v1.0${path}`, body)
    assert.equal(answer.status, 200, JSON.stringify(answer.body))
    return answer.body.result
  }
  const zone = await made('/zone', { zone_key: 'owned-zone', name: SECRET })
  await made('/zone', { zone_key: 'default-zone', name: `default ${SECRET}` })
  const cluster = await made('/cluster', clusterBody({ cluster_key: 'owned', name: SECRET }))
  return { ...projects, checksums: { cluster: cluster.checksum, zone: zone.checksum } }
}

const named = (operation: Operation, checksums: Readonly<Record<string, string>>): Named => ({
  checksum: (operation.name.includes('/zone') ? checksums['zone'] : checksums['cluster']) ?? '',
})

/** What the doors and the engine have stored. */
async function stored({ api }: TwoProjects): Promise<string> {
  const rows = await query<{ all: string }>(
    api.db,
    `select concat_ws(' ', (select json_agg(z order by zone_key) from greymatter_zone z),
       (select json_agg(c order by cluster_key) from greymatter_cluster c),
       (select count(*) from pool), (select count(*) from member), (select count(*) from health_monitor)) as all`,
  )
  return rows[0]?.all ?? ''
}

async function send(
  { ask, checksums }: Awaited<ReturnType<typeof world>>,
  operation: Operation,
  who: Parameters<TwoProjects['ask']>[0],
) {
  const of = named(operation, checksums)
  return await ask(
    who,
    operation.method,
    `${operation.prefix}${operation.known.path(of)}`,
    operation.known.body?.(of),
  )
}

test('every line of the table is a route', () => {
  const names = new Set(OPERATIONS.map(({ name }) => name))
  for (const [door, lines] of Object.entries(KNOWN))
    for (const line of Object.keys(lines)) assert.ok(names.has(`${door}: ${line}`), line)
})

test('without a token, with an unknown one, and with one without a role, nothing is read and nothing written', async (t) => {
  const all = await world(t)
  const before = await stored(all)
  for (const operation of OPERATIONS) {
    for (const [who, status] of [
      [undefined, 401],
      ['stranger', 401],
      ['roleless', 403],
    ] as const) {
      const answer = await send(all, operation, who)
      assert.equal(answer.status, status, `${operation.name} ${who}`)
      assert.equal(answer.body.error.code, 'UnknownUnauthorizedCode')
    }
  }
  assert.equal(await stored(all), before)
})

test('a foreign project, and an administrator of another one, find none of it and change none of it', async (t) => {
  const all = await world(t)
  const before = await stored(all)
  for (const operation of OPERATIONS.filter(({ known: { kind } }) => kind !== 'create')) {
    for (const who of ['foreign', 'admin'] as const) {
      const answer = await send(all, operation, who)
      const text = JSON.stringify(answer.body)
      assert.equal(answer.status, operation.known.kind === 'list' ? 200 : 404, `${operation.name} ${text}`)
      assert.ok(!text.includes(SECRET), text)
    }
  }
  assert.equal(await stored(all), before)
})

test('a reader of the project reads everything and writes nothing', async (t) => {
  const all = await world(t)
  const before = await stored(all)
  for (const operation of OPERATIONS) {
    const isRead = operation.known.kind === 'object' || operation.known.kind === 'list'
    assert.equal((await send(all, operation, 'reader')).status, isRead ? 200 : 403, operation.name)
  }
  assert.equal(await stored(all), before)
})

test('a member of the project may do each of the writes that were refused to others', async (t) => {
  for (const operation of OPERATIONS.filter(({ known: { kind } }) => kind === 'write' || kind === 'create')) {
    await t.test(operation.name, async (each) => {
      const all = await world(each)
      const before = await stored(all)
      const answer = await send(all, operation, 'member')
      assert.equal(answer.status, 200, JSON.stringify(answer.body))
      assert.notEqual(await stored(all), before)
    })
  }
})

test('a token is the whole Authorization header, or what follows Bearer or Token', async (t) => {
  const { api } = await world(t)
  const asked = async (authorization: string) =>
    (await api.request('GET', '/greymatter/v1.0/cluster/owned', undefined, { authorization })).status
  for (const value of ['reader', 'Bearer reader', 'Token reader', 'bearer  reader'])
    assert.equal(await asked(value), 200, value)
  for (const value of ['Bearer stranger', 'Basic reader', 'Bearer', '', 'Token reader x'])
    assert.equal(await asked(value), 401, value)
  // The dialects do not take it.
  const { status } = await api.request('GET', '/load-balancer/v2.0/lbaas/pools', undefined, {
    authorization: 'Bearer reader',
  })
  assert.equal(status, 401)
})
