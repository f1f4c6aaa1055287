/**
 * The API with a Keystone, and two projects in it: `owner`, of whom there is one of everything, and `foreign`, who has
 * every right in a project of its own and none in the owner's.
 */
import assert from 'node:assert/strict'
import { query } from '../../src/store/connection/database.ts'
import { type Answer, type Api, type ApiOptions, type Json, startApi } from './api.ts'
import { aListener, aLoadBalancer, aMonitor, aPool, contents, created, SUBNET } from './api-objects.ts'
import type { Ending } from './database.ts'
import { startFakeKeystone, tokenInProject } from './fake-keystone.ts'
import { keystoneIdentityAt } from './keystone-identity.ts'

export const OWNER = 'owner-project'
export const FOREIGN = 'foreign-project'

/** Stands in every object of the owner: an answer to somebody else that has it has shown something. */
export const SECRET = 'shown-to-the-owner-only'

/** Both families of roles, so that each actor is who it is in every way to read roles. */
const ACTORS = {
  reader: { project: OWNER, roles: ['reader', 'load-balancer_observer'] },
  member: { project: OWNER, roles: ['member', 'reader', 'load-balancer_member'] },
  foreign: { project: FOREIGN, roles: ['member', 'reader', 'load-balancer_member'] },
  admin: { project: 'admin-project', roles: ['admin', 'member', 'reader', 'load-balancer_admin'] },
  /** Belongs to the project, and may nothing in it. */
  roleless: { project: OWNER, roles: [] },
} as const

export type Actor = keyof typeof ACTORS

/** Ids of the owner's objects. `empty…`: with nothing below, so that a delete has no other reason to be refused. */
export interface Owned {
  readonly loadBalancer: string
  readonly listener: string
  readonly pool: string
  readonly member: string
  readonly monitor: string
  readonly emptyLoadBalancer: string
  readonly emptyListener: string
  readonly emptyPool: string
}

export interface TwoProjects {
  readonly api: Api
  readonly owned: Owned
  /** The like of them, of `foreign`. */
  readonly foreign: Owned
  /** One more of everything for the owner: for writes that leave nothing to the next one. */
  readonly anew: () => Promise<Owned>
  /** Sends as somebody, with a token that Keystone does not know, or without one. */
  readonly ask: (
    who: Actor | 'stranger' | undefined,
    method: string,
    path: string,
    body?: unknown,
  ) => Promise<Answer>
  /** One count and hash per table: equal before and after = nothing was written. */
  readonly contents: () => Promise<Readonly<Record<string, string>>>
}

export async function startTwoProjects(t: Ending, options: ApiOptions = {}): Promise<TwoProjects> {
  const keystone = await startFakeKeystone(t)
  for (const [name, { project, roles }] of Object.entries(ACTORS)) {
    keystone.tokens.set(name, tokenInProject({ id: project, name: project }, roles))
  }
  const { identify } = keystoneIdentityAt(t, { url: keystone.url })
  const api = await startApi(t, { identity: { identify }, loopbackHostsOnly: false, ...options })
  const ask: TwoProjects['ask'] = (who, method, path, body) =>
    api.request(method, path, body, who === undefined ? {} : { 'x-auth-token': who })
  const owned = await everything(api, 'member', SECRET)
  const foreign = await everything(api, 'foreign', 'of-the-foreign-project')
  await query(api.db, "insert into quota (project_id, resource, quota) values ($1, 'pool', 4711)", [OWNER])
  await query(
    api.db,
    `insert into member_transition (member_id, pool_id, project_id, at, from_state, to_state, reason, detail, generation, epoch, sequence)
     select id, pool_id, project_id, now(), 'UNKNOWN', 'OFFLINE', 'CONNECT_REFUSED', name, generation, 1, 1 from member`,
  )
  const anew = () => everything(api, 'member', SECRET)
  return { api, owned, foreign, anew, ask, contents: () => contents(api) }
}

/** One of each, with a maintenance and tags where there may be some. */
async function everything(api: Api, who: Actor, name: string): Promise<Owned> {
  const as = { 'x-auth-token': who }
  const through = {
    ...api,
    request: (...[method, path, body]: Parameters<Api['request']>) => api.request(method, path, body, as),
  }
  const named = { name, description: name }
  const [loadBalancer, emptyLoadBalancer] = await Promise.all([
    aLoadBalancer(through, named),
    aLoadBalancer(through, named),
  ])
  const pool = await aPool(through, loadBalancer.id, named)
  const listener = await aListener(through, loadBalancer.id, { ...named, default_pool_id: pool.id })
  const emptyPool = await aPool(through, loadBalancer.id, named)
  const emptyListener = await aListener(through, loadBalancer.id, { ...named, protocol_port: 81 })
  const target = { name, address: '127.0.0.77', protocol_port: 7777, subnet_id: SUBNET }
  const member = await created(through, `pools/${pool.id}/members`, target)
  const monitor = await aMonitor(through, pool.id, { name })
  const tag = { action: 'create', tags: [{ key: 'k', value: name }] }
  const project = ACTORS[who].project
  for (const [kind, id] of [
    ['loadbalancers', loadBalancer.id],
    ['listeners', listener.id],
  ] as const) {
    await done(through, 'POST', `/v2.0/${project}/${kind}/${id}/tags/action`, tag)
  }
  const maintenance = { maintenance: { note: name } }
  for (const object of [
    `pools/${pool.id}`,
    `pools/${pool.id}/members/${member.id}`,
    `healthmonitors/${monitor.id}`,
  ]) {
    await done(through, 'PUT', `/v2.0/lbaas/${object}/maintenance`, maintenance)
  }
  return {
    loadBalancer: loadBalancer.id,
    listener: listener.id,
    pool: pool.id,
    member: member.id,
    monitor: monitor.id,
    emptyLoadBalancer: emptyLoadBalancer.id,
    emptyListener: emptyListener.id,
    emptyPool: emptyPool.id,
  }
}

async function done(api: Api, method: string, path: string, body: unknown): Promise<Json> {
  const answer = await api.request(method, path, body)
  assert.ok(answer.status < 300, `${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`)
  return answer.body
}
