/**
 * What each route is, for the test that asks all of them as somebody who must not: whose object the path names, a body
 * that would do something, and what a member of the project is answered. A new route needs its line here.
 */
import { SUBNET, wrapped } from './api-objects.ts'
import { OWNER, type Owned, SECRET } from './two-projects.ts'

/**
 * `open`: for everybody, before there is a token. `any token`: for every valid token. `object`: reads something of one
 * project. `list`: shows what one's own project has. `shared`: the same for everybody who may read at all. `write`:
 * changes something of one project. `admin read` and `admin write`: for administrators. `impossible` and `admin
 * impossible`: a create of what cannot exist, refused with the reason to those who may write, and to others as every
 * write.
 */
export type RouteKind =
  | 'open'
  | 'any token'
  | 'object'
  | 'list'
  | 'shared'
  | 'write'
  | 'act'
  | 'admin read'
  | 'admin write'
  | 'impossible'
  | 'admin impossible'

export interface KnownRoute {
  readonly kind: RouteKind
  /** Values of the path's parameters, `project_id` apart. */
  readonly parameters: (of: Owned) => Readonly<Record<string, string>>
  /** Each must be refused, and the first works for those who have the right. Absent = no body. */
  readonly bodies?: (of: Owned) => readonly unknown[]
  /** The answer to those who have the right. */
  readonly status: number
  /** Needs more than the right to be done. */
  readonly query?: string
}

const NONE = (): Record<string, string> => ({})
const id = (kind: keyof Owned) => (of: Owned) => ({ id: of[kind] })
const ofMember = ({ pool, member }: Owned) => ({ pool_id: pool, id: member })
const ofPool = ({ pool }: Owned) => ({ pool_id: pool })
const ofQuota = () => ({ quota_project: OWNER })

const read = (kind: RouteKind, parameters: KnownRoute['parameters'] = NONE, status = 200): KnownRoute => ({
  kind,
  parameters,
  status,
})

interface Write {
  readonly to?: KnownRoute['parameters']
  readonly body?: unknown
  readonly bodies?: KnownRoute['bodies']
  readonly status?: number
  readonly kind?: RouteKind
  readonly query?: string
}

function write({ to = NONE, body, bodies, status = 200, kind = 'write', query }: Write): KnownRoute {
  const sent = bodies ?? (body === undefined ? undefined : () => [body])
  return {
    kind,
    parameters: to,
    status,
    ...(sent === undefined ? {} : { bodies: sent }),
    ...(query === undefined ? {} : { query }),
  }
}

const impossible = (kind: RouteKind): KnownRoute => write({ kind, status: 501, body: {} })

const rename = (collection: string) => wrapped(collection, { name: `${SECRET} again` })
const POOL = { protocol: 'HTTP', lb_algorithm: 'ROUND_ROBIN' }
const MONITOR = { type: 'TCP', delay: 5, timeout: 3, max_retries: 2 }
const MAINTENANCE = { maintenance: { note: 'somebody was here' } }

const LOAD_BALANCERS: Readonly<Record<string, KnownRoute>> = {
  'POST /loadbalancers': write({
    status: 201,
    body: wrapped('loadbalancers', { vip_subnet_id: SUBNET, project_id: OWNER }),
  }),
  'GET /loadbalancers': read('list'),
  'GET /loadbalancers/:id': read('object', id('loadBalancer')),
  'PUT /loadbalancers/:id': write({ to: id('loadBalancer'), body: rename('loadbalancers') }),
  'DELETE /loadbalancers/:id': write({ to: id('emptyLoadBalancer'), status: 204 }),
  'GET /loadbalancers/:id/statuses': read('object', id('loadBalancer')),
  'GET /loadbalancers/:id/status': read('object', id('loadBalancer')),
}

const LISTENERS: Readonly<Record<string, KnownRoute>> = {
  'POST /listeners': write({
    status: 201,
    bodies: ({ loadBalancer }) => [
      wrapped('listeners', { loadbalancer_id: loadBalancer, protocol: 'TCP', protocol_port: 4711 }),
    ],
  }),
  'GET /listeners': read('list'),
  'GET /listeners/:id': read('object', id('listener')),
  'PUT /listeners/:id': write({
    to: id('listener'),
    bodies: ({ emptyPool }) => [rename('listeners'), wrapped('listeners', { default_pool_id: emptyPool })],
  }),
  'DELETE /listeners/:id': write({ to: id('emptyListener'), status: 204 }),
}

const POOLS: Readonly<Record<string, KnownRoute>> = {
  'POST /pools': write({
    status: 201,
    bodies: ({ loadBalancer, emptyListener }) => [
      wrapped('pools', { ...POOL, loadbalancer_id: loadBalancer }),
      wrapped('pools', { ...POOL, listener_id: emptyListener }),
    ],
  }),
  'GET /pools': read('list'),
  'GET /pools/:id': read('object', id('pool')),
  'PUT /pools/:id': write({ to: id('pool'), body: rename('pools') }),
  'DELETE /pools/:id': write({ to: id('emptyPool'), status: 204 }),
  'GET /pools/:pool_id/health': read('object', ofPool),
  'GET /pools/:pool_id/effective-members': read('object', ofPool),
  'POST /pools/:id/traffic': write({ to: id('pool'), status: 204 }),
  'GET /pools/:id/maintenance': read('object', id('pool')),
  'PUT /pools/:id/maintenance': write({ to: id('pool'), body: MAINTENANCE }),
  'DELETE /pools/:id/maintenance': write({ to: id('pool'), status: 204 }),
}

const MEMBERS: Readonly<Record<string, KnownRoute>> = {
  'POST /pools/:pool_id/members': write({
    to: ofPool,
    status: 201,
    body: wrapped('members', { address: '127.0.0.78', protocol_port: 7778, subnet_id: SUBNET }),
  }),
  'GET /pools/:pool_id/members': read('object', ofPool),
  'GET /pools/:pool_id/members/:id': read('object', ofMember),
  'PUT /pools/:pool_id/members/:id': write({ to: ofMember, body: rename('members') }),
  'DELETE /pools/:pool_id/members/:id': write({ to: ofMember, status: 204 }),
  'PUT /pools/:pool_id/members': write({ to: ofPool, body: { members: [] }, status: 202 }),
  'GET /pools/:pool_id/members/:id/health': read('object', ofMember),
  'POST /pools/:pool_id/members/:id/probe': write({
    kind: 'act',
    to: ofMember,
    bodies: () => [undefined, { probe: { counted: true } }],
  }),
  'GET /pools/:pool_id/members/:id/transitions': read('object', ofMember),
  'GET /pools/:pool_id/transitions': read('object', ofPool),
  'GET /transitions': read('list'),
  'GET /pools/:pool_id/members/:id/maintenance': read('object', ofMember),
  'PUT /pools/:pool_id/members/:id/maintenance': write({ to: ofMember, body: MAINTENANCE }),
  'DELETE /pools/:pool_id/members/:id/maintenance': write({ to: ofMember, status: 204 }),
}

const MONITORS: Readonly<Record<string, KnownRoute>> = {
  'POST /healthmonitors': write({
    status: 201,
    bodies: ({ emptyPool }) => [wrapped('healthmonitors', { ...MONITOR, pool_id: emptyPool })],
  }),
  'GET /healthmonitors': read('list'),
  'GET /healthmonitors/:id': read('object', id('monitor')),
  'PUT /healthmonitors/:id': write({ to: id('monitor'), body: wrapped('healthmonitors', { delay: 6 }) }),
  'DELETE /healthmonitors/:id': write({ to: id('monitor'), status: 204 }),
  'GET /healthmonitors/:id/plan': read('object', id('monitor')),
  'GET /healthmonitors/:id/maintenance': read('object', id('monitor')),
  'PUT /healthmonitors/:id/maintenance': write({ to: id('monitor'), body: MAINTENANCE }),
  'DELETE /healthmonitors/:id/maintenance': write({ to: id('monitor'), status: 204 }),
}

const BOTH = { ...LOAD_BALANCERS, ...LISTENERS, ...POOLS, ...MEMBERS, ...MONITORS }
const TAGS = { action: 'create', tags: [{ key: 'stranger', value: 'x' }] }

/** By dialect and operation; paths below `/v2.0/lbaas` without it. */
export const KNOWN_ROUTES: Readonly<Record<string, Readonly<Record<string, KnownRoute>>>> = {
  elb: {
    'GET /': read('open'),
    'GET /v2.0': read('open'),
    ...BOTH,
    'GET /members': read('list'),
    'GET /v3/:project_id/elb/listeners/:id': read('object', id('listener')),
    'PUT /v3/:project_id/elb/listeners/:id': write({
      to: id('listener'),
      body: wrapped('listeners', { name: `${SECRET} for the third time` }),
    }),
    'GET /quotas': read('list'),
    'GET /quotas/:quota_project': read('object', ofQuota),
    'GET /v2.0/:project_id/loadbalancers/:id/tags': read('object', id('loadBalancer')),
    'GET /v2.0/:project_id/listeners/:id/tags': read('object', id('listener')),
    'POST /v2.0/:project_id/loadbalancers/:id/tags/action': write({
      to: id('loadBalancer'),
      body: TAGS,
      status: 204,
    }),
    'POST /v2.0/:project_id/listeners/:id/tags/action': write({
      to: id('listener'),
      body: TAGS,
      status: 204,
    }),
  },
  octavia: {
    'GET /': read('open'),
    'GET /v2.0': read('any token'),
    ...BOTH,
    'GET /loadbalancers/:id/stats': read('object', id('loadBalancer')),
    'GET /listeners/:id/stats': read('object', id('listener')),
    'PUT /loadbalancers/:id/failover': write({ kind: 'admin write', to: id('loadBalancer'), status: 202 }),
    'GET /quotas/defaults': read('shared'),
    'GET /quotas': read('list'),
    'GET /quotas/:quota_project': read('object', ofQuota),
    'GET /quotas/:quota_project/default': read('object', ofQuota),
    'PUT /quotas/:quota_project': write({
      kind: 'admin write',
      to: ofQuota,
      body: { quota: { pool: 4712 } },
      status: 202,
    }),
    'DELETE /quotas/:quota_project': write({ kind: 'admin write', to: ofQuota, status: 202 }),
    'GET /providers': read('shared'),
    'GET /providers/:name/flavor_capabilities': read('admin read', () => ({ name: 'octavia' })),
    'GET /providers/:name/availability_zone_capabilities': read('admin read', () => ({ name: 'octavia' })),
    'GET /flavors': read('shared'),
    'GET /flavors/:id': read('shared', id('pool'), 404),
    'GET /availabilityzones': read('shared'),
    'GET /availabilityzones/:id': read('shared', () => ({ id: 'nova' }), 404),
    'POST /flavors': impossible('admin impossible'),
    'POST /availabilityzones': impossible('admin impossible'),
    'GET /flavorprofiles': read('admin read'),
    'GET /flavorprofiles/:id': read('admin read', id('pool'), 404),
    'POST /flavorprofiles': impossible('admin impossible'),
    'GET /availabilityzoneprofiles': read('admin read'),
    'GET /availabilityzoneprofiles/:id': read('admin read', id('pool'), 404),
    'POST /availabilityzoneprofiles': impossible('admin impossible'),
    'GET /l7policies': read('shared'),
    'GET /l7policies/:id': read('shared', id('pool'), 404),
    'GET /l7policies/:id/rules': read('shared', id('pool'), 404),
    'POST /l7policies': impossible('impossible'),
    'GET /v2.0/octavia/amphorae': read('admin read'),
    'GET /v2.0/octavia/amphorae/:id': read('admin read', id('pool'), 404),
    'GET /v2.0/octavia/amphorae/:id/stats': read('admin read', id('pool'), 404),
  },
}
