/** Meshes for tests: a client, small objects, and large meshes by SQL. */
import assert from 'node:assert/strict'
import type { Api, Json } from './api.ts'
import { type Database, query } from '../../src/store/connection/database.ts'

/** A policy of each generation for service `backend`, or for everything: a connection. */
export const HEALTH_CHECK = {
  type: 'HealthCheck',
  name: 'p',
  mesh: 'default',
  sources: [{ match: { 'kuma.io/service': '*' } }],
  destinations: [{ match: { 'kuma.io/service': 'backend' } }],
  conf: { interval: '1s', timeout: '1s', unhealthyThreshold: 1, healthyThreshold: 1 },
}
export const MESH_HEALTH_CHECK = {
  type: 'MeshHealthCheck',
  name: 'p',
  mesh: 'default',
  spec: { to: [{ targetRef: { kind: 'Mesh' }, default: { tcp: {} } }] },
}

export interface MeshSize {
  readonly projectId: string
  readonly proxies: number
  readonly policies: number
}

/** Services of a large mesh. */
export const SERVICES = 100

const serviceOf = (i: number): string => `service-${i % SERVICES}`

/** A proxy of service `i`, which consumes three others. */
export function proxyBody(name: string, i: number): Record<string, unknown> {
  return {
    type: 'Dataplane',
    mesh: 'default',
    name,
    networking: {
      address: `10.${Math.floor(i / 250)}.0.${(i % 250) + 1}`,
      inbound: [
        {
          port: 8080,
          tags: { 'kuma.io/service': serviceOf(i), 'kuma.io/protocol': 'http', version: String(i % 3) },
        },
      ],
      outbound: [1, 2, 3].map((step) => ({
        port: 10_000 + step,
        tags: { 'kuma.io/service': serviceOf(i + step) },
      })),
    },
  }
}

/** Even ones are HealthChecks, odd ones MeshHealthChecks. */
export function policyBody(i: number, interval = '10s'): Record<string, unknown> {
  const conf = { interval, timeout: '2s', unhealthyThreshold: 3, healthyThreshold: 1 }
  const place = { mesh: 'default', name: `c-${i}` }
  if (i % 2 === 0) {
    return {
      type: 'HealthCheck',
      ...place,
      sources: [{ match: { 'kuma.io/service': i % 4 === 0 ? '*' : serviceOf(i) } }],
      destinations: [{ match: { 'kuma.io/service': serviceOf(i + 1) } }],
      conf: { ...conf, http: { path: `/health-${i % 5}` } },
    }
  }
  return {
    type: 'MeshHealthCheck',
    ...place,
    spec: {
      targetRef: { kind: 'MeshSubset', tags: { 'kuma.io/service': serviceOf(i) } },
      to: [
        {
          targetRef: { kind: 'MeshService', name: serviceOf(i + 1) },
          default: { ...conf, http: { path: `/ready-${i % 5}` } },
        },
      ],
    },
  }
}

/** Stores objects as the API would, without what follows from them: the next write does that. */
export async function storeObjects(db: Database, projectId: string, objects: readonly Json[]): Promise<void> {
  await query(db, `insert into kuma_mesh (project_id, name) values ($1, 'default')`, [projectId])
  const rows = objects.map(({ type, name, ...body }) => ({ type, name, body: { ...body, mesh: undefined } }))
  await query(
    db,
    `insert into kuma_resource (project_id, mesh, type, name, body)
     select $1, 'default', r.type, r.name, r.body
     from jsonb_to_recordset($2::jsonb) as r (type text, name text, body jsonb)`,
    [projectId, JSON.stringify(rows)],
  )
}

export async function fillMesh(db: Database, { projectId, proxies, policies }: MeshSize): Promise<void> {
  await storeObjects(db, projectId, [
    ...Array.from({ length: proxies }, (_, i) => proxyBody(`p-${i}`, i)),
    ...Array.from({ length: policies }, (_, i) => policyBody(i)),
  ])
}

/** A proxy with one inbound. */
export function proxy(name: string, service: string, port: number, more: object = {}): Json {
  const tags = { 'kuma.io/service': service, ...more }
  return {
    type: 'Dataplane',
    mesh: 'default',
    name,
    networking: { address: '127.0.0.1', inbound: [{ port, tags }] },
  }
}

/** Speaks to the door as clients do. */
export class Kuma {
  readonly #url: string
  readonly #headers: Readonly<Record<string, string>>

  /** `headers`: of each request, such as a project or a token. */
  constructor({ url }: Pick<Api, 'url'>, headers: Readonly<Record<string, string>> = {}) {
    this.#url = `${url}/kuma`
    this.#headers = headers
  }

  async get(path: string): Promise<Json> {
    const answer = await this.send('GET', path)
    assert.equal(answer.status, 200, path)
    return await answer.json()
  }

  async send(method: string, path: string, body?: unknown): Promise<Response> {
    return await fetch(`${this.#url}/${path}`, {
      method,
      headers: {
        ...this.#headers,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
  }

  async apply(...objects: readonly Json[]): Promise<void> {
    const paths: Readonly<Record<string, string>> = {
      Dataplane: 'dataplanes',
      HealthCheck: 'health-checks',
      MeshHealthCheck: 'meshhealthchecks',
      MeshService: 'meshservices',
    }
    for (const object of objects) {
      const path = `meshes/default/${paths[object.type]}/${object.name}`
      const answer = await this.send('PUT', path, object)
      assert.ok(answer.ok, `${path}: ${answer.status} ${await answer.text()}`)
    }
  }

  /** `inbound.health.ready` of a proxy's first inbound; undefined = no health. */
  async ready(name: string): Promise<boolean | undefined> {
    const { networking } = await this.get(`meshes/default/dataplanes/${name}`)
    const { health } = networking.inbound[0]
    return health === undefined ? undefined : health.ready === true
  }

  async service(name: string): Promise<Json> {
    return await this.get(`meshes/default/service-insights/${name}`)
  }
}

/** A refusal, held to what clients of both versions need. */
export async function refused(answer: Response): Promise<{ status: number; text: string }> {
  const text = await answer.text()
  const body = JSON.parse(text) as Json
  assert.equal(body.status, answer.status)
  // Both generations of clients find their words.
  assert.ok(body.title !== '' && body.detail !== '' && body.details === body.detail, text)
  assert.ok(text.length < 100_000, 'a refusal is short')
  return { status: answer.status, text }
}

/** Verdicts of members as a prober would have written them: OFFLINE for those that `isDown` names by their inbound. */
export async function storeVerdicts(db: Database, isDown: (inbound: string) => boolean): Promise<void> {
  const members = await query<{ id: string; inbound: string }>(
    db,
    `select id, echo->'inbounds'->>0 as inbound from member`,
  )
  await query(
    db,
    `insert into member_state
       (member_id, pool_id, generation, status, since, reason, ok_run, bad_run, shard, epoch, sequence)
     select m.id, m.pool_id, greatest(lb.generation, p.generation, m.generation, hm.generation),
       case when v.down then 'OFFLINE' else 'ONLINE' end, now(), 'PASSED', 1, 0, p.shard, 1, 1
     from unnest($1::uuid[], $2::boolean[]) v (id, down)
     join member m on m.id = v.id
     join pool p on p.id = m.pool_id
     join load_balancer lb on lb.id = p.load_balancer_id
     join health_monitor hm on hm.pool_id = p.id`,
    [members.map(({ id }) => id), members.map(({ inbound }) => isDown(inbound))],
  )
}
