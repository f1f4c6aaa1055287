/** Every route of Kuma's door, called by those who must not. A route that the table below does not know fails. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { DOORS } from '../../src/api/dialects.ts'
import type { ApiDependencies } from '../../src/api/http/context.ts'
import { query } from '../../src/store/connection/database.ts'
import type { Json } from '../support/api.ts'
import { Kuma, proxy } from '../support/kuma.ts'
import { SECRET, startTwoProjects } from '../support/two-projects.ts'

interface KnownRoute {
  /** `own`: says the same to everybody who may read. `refused`: nobody may. */
  readonly kind: 'open' | 'own' | 'list' | 'object' | 'write' | 'refused'
  readonly body?: Json
  /** Of a write by those who may. */
  readonly status?: number
}

const CONF = { interval: '1s', timeout: '1s', unhealthyThreshold: 1, healthyThreshold: 1 }
const NAMED = { mesh: 'default', name: 'owned', labels: { of: SECRET } }
const POLICY = {
  type: 'HealthCheck',
  ...NAMED,
  sources: [{ match: { 'kuma.io/service': '*' } }],
  destinations: [{ match: { 'kuma.io/service': SECRET } }],
  conf: CONF,
}
const MESH_POLICY = {
  type: 'MeshHealthCheck',
  ...NAMED,
  spec: { to: [{ targetRef: { kind: 'Mesh' }, default: { ...CONF, tcp: {} } }] },
}
const SERVICE = {
  type: 'MeshService',
  ...NAMED,
  spec: {
    selector: { dataplaneTags: { 'kuma.io/service': SECRET } },
    ports: [{ port: 80, targetPort: 8080 }],
  },
}
const PROXY = { ...proxy('owned', SECRET, 8080), labels: { of: SECRET } }
const OBJECTS: Readonly<Record<string, Json>> = {
  dataplanes: PROXY,
  'health-checks': POLICY,
  meshhealthchecks: MESH_POLICY,
  meshservices: SERVICE,
}

const own: KnownRoute = { kind: 'own' }
const list: KnownRoute = { kind: 'list' }
const object: KnownRoute = { kind: 'object' }
const remove: KnownRoute = { kind: 'write' }

const MESH = '/meshes/:mesh'
const PROXIES = `${MESH}/dataplanes`

const KNOWN: Readonly<Record<string, KnownRoute>> = {
  'GET /': { kind: 'open' },
  'GET /policies': own,
  'GET /who-am-i': own,
  'GET /config': own,
  'GET /versions': own,
  'GET /meshes': list,
  // Each project has a mesh of this name.
  [`GET ${MESH}`]: own,
  [`PUT ${MESH}`]: { kind: 'write', body: { type: 'Mesh', name: 'default' } },
  [`DELETE ${MESH}`]: { kind: 'write', status: 400 },
  ...Object.fromEntries(
    Object.entries(OBJECTS).flatMap(([path, body]): [string, KnownRoute][] => [
      [`GET /${path}`, list],
      [`GET ${MESH}/${path}`, list],
      [`GET ${MESH}/${path}/:name`, object],
      [`PUT ${MESH}/${path}/:name`, { kind: 'write', body }],
      [`DELETE ${MESH}/${path}/:name`, remove],
    ]),
  ),
  'PUT /_apply': { kind: 'write', body: { objects: [MESH_POLICY] } },
  [`GET ${PROXIES}/_overview`]: list,
  'GET /dataplanes/_overview': list,
  [`GET ${PROXIES}/:name/_overview`]: object,
  'GET /dataplane-insights': list,
  [`GET ${MESH}/dataplane-insights`]: list,
  [`GET ${MESH}/dataplane-insights/:name`]: object,
  [`PUT ${MESH}/dataplane-insights/:name`]: { kind: 'refused', body: {} },
  'GET /service-insights': list,
  [`GET ${MESH}/service-insights`]: list,
  [`GET ${MESH}/service-insights/:name`]: object,
  'GET /mesh-insights': list,
  'GET /mesh-insights/:mesh': own,
  [`GET ${PROXIES}/:name/policies`]: object,
  [`GET ${PROXIES}/:name/_rules`]: object,
  [`GET ${PROXIES}/:name/_checks`]: object,
  [`GET ${MESH}/meshhealthchecks/:name/dataplanes`]: object,
  [`GET ${MESH}/meshhealthchecks/:name/_resources/dataplanes`]: object,
  [`GET ${MESH}/health-checks/:name/dataplanes`]: object,
}

const ROUTES = (
  DOORS.find(({ name }) => name === 'kuma')?.routes({ settings: {} } as ApiDependencies) ?? []
).map(({ method, paths }) => ({ method: method.toUpperCase(), paths }))

interface Call {
  readonly name: string
  readonly method: string
  readonly path: string
  readonly known: KnownRoute
}

const CALLS = ROUTES.flatMap(({ method, paths }): Call[] => {
  const name = `${method} ${paths[0]}`
  const known = KNOWN[name]
  assert.ok(known, `kuma has ${name}: say who may do it`)
  const object = paths[0]?.includes('service-insights') === true ? SECRET : 'owned'
  return paths.map((path) => ({
    name,
    method,
    known,
    path: `/kuma${path.replaceAll('\\+', '+').replace(':mesh', 'default').replace(':name', object)}`,
  }))
})

async function world(t: TestContext) {
  const projects = await startTwoProjects(t)
  await new Kuma(projects.api, { authorization: 'Bearer member' }).apply(PROXY, POLICY, MESH_POLICY, SERVICE)
  const send = async (who: string | undefined, { method, path, known }: Call) => {
    const answer = await fetch(`${projects.api.url}${path}`, {
      method,
      headers: {
        ...(who === undefined ? {} : { authorization: `Bearer ${who}` }),
        ...(known.body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(known.body === undefined ? {} : { body: JSON.stringify(known.body) }),
    })
    return { status: answer.status, text: await answer.text() }
  }
  const stored = async () =>
    JSON.stringify(
      await query(
        projects.api.db,
        `select (select json_agg(r order by r.project_id, r.type, r.name) from kuma_resource r) as objects,
           (select json_agg(m order by m.project_id, m.name) from kuma_mesh m) as meshes,
           (select count(*) from pool) as pools`,
      ),
    )
  return { send, stored }
}

test('each line of the table is a route', () => {
  assert.deepEqual(Object.keys(KNOWN).toSorted(), [...new Set(CALLS.map(({ name }) => name))].toSorted())
})

test('without a token, with an unknown one, and with one without a role, nothing is read and nothing written', async (t) => {
  const { send, stored } = await world(t)
  const before = await stored()
  for (const call of CALLS.filter(({ known }) => known.kind !== 'open')) {
    for (const [who, status] of [
      [undefined, 401],
      ['nobody-knows-it', 401],
      ['roleless', 403],
    ] as const) {
      const answer = await send(who, call)
      assert.equal(answer.status, status, `${call.name} ${who}: ${answer.text}`)
      assert.match(answer.text, /"title":"(Invalid authentication data|Access Denied)"/)
    }
  }
  assert.equal(await stored(), before)
})

test('a foreign project, and an administrator of another one, find nothing of it and change nothing of it', async (t) => {
  const { send, stored } = await world(t)
  const before = await stored()
  for (const call of CALLS.filter(({ known: { kind }, method }) => kind !== 'write' || method === 'DELETE')) {
    if (call.name === `DELETE ${MESH}`) continue
    for (const who of ['foreign', 'admin'] as const) {
      const { status, text } = await send(who, call)
      const { kind } = call.known
      const expected = kind === 'refused' ? 405 : kind === 'object' || kind === 'write' ? 404 : 200
      assert.equal(status, expected, `${call.name} ${who}: ${text}`)
      assert.ok(!text.includes(SECRET) || (kind === 'object' && status === 404), text)
    }
  }
  assert.equal(await stored(), before)
})

test('a reader of the project reads everything and writes nothing', async (t) => {
  const { send, stored } = await world(t)
  const before = await stored()
  for (const call of CALLS) {
    const { status, text } = await send('reader', call)
    const isWrite = call.known.kind === 'write' || call.known.kind === 'refused'
    assert.equal(status, isWrite ? 403 : 200, `${call.name}: ${text}`)
  }
  assert.equal(await stored(), before)
})

test('a member of the project may do each of the writes', async (t) => {
  for (const call of CALLS.filter(({ known: { kind } }) => kind === 'write')) {
    await t.test(call.name, async (each) => {
      const { send, stored } = await world(each)
      const before = await stored()
      const { status, text } = await send('member', call)
      assert.equal(status, call.known.status ?? 200, text)
      if (call.known.status === undefined) assert.notEqual(await stored(), before)
    })
  }
})

test('a token is what follows Bearer or Token, or the whole header, or X-Auth-Token', async (t) => {
  const { api } = await startTwoProjects(t)
  const asked = async (headers: Readonly<Record<string, string>>) =>
    (await fetch(`${api.url}/kuma/meshes`, { headers })).status
  for (const authorization of ['Bearer reader', 'Token reader', 'reader', 'bearer  reader'])
    assert.equal(await asked({ authorization }), 200, authorization)
  assert.equal(await asked({ 'x-auth-token': 'reader' }), 200)
  for (const authorization of ['Basic reader', 'Bearer', 'Bearer reader x'])
    assert.equal(await asked({ authorization }), 401, authorization)
})
