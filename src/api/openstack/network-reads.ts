/**
 * The few reads of the network API that load-balancer clients make: the openstack command looks a subnet up by id and
 * then by name, Terraform reads the port of each load balancer (docs/peers/octavia.md 30). We have no networks: every
 * valid id and every name exists, and its attributes are made up. Below `/v2.0` and `/load-balancer/v2.0`, also spelled
 * `/v2`.
 */
import { createHash } from 'node:crypto'
import type { Middleware } from 'koa'
import { DomainError } from '../../domain/errors.ts'
import { isUuid } from '../../domain/uuid.ts'
import { policyOf } from '../../identity/policy.ts'
import { OWN_POLICY } from '../../identity/policy-table.ts'
import { accessOf, ownProjectOnly } from '../http/access.ts'
import { clientAddress } from '../http/client-address.ts'
import type { ApiContext, ApiDependencies, ApiState } from '../http/context.ts'
import { errorBoundary } from '../http/errors.ts'
import { noIdentityGuard } from '../http/guards.ts'
import { neutronErrors } from './neutron-errors.ts'

const ownRuleFor = policyOf(OWN_POLICY)

/** Whatever is asked for exists. */
type Collection = 'subnets' | 'networks' | 'ports'
/** There are none: path → name of the array, name of one in messages. */
const EMPTY: Readonly<Record<string, readonly [list: string, kind: string]>> = {
  floatingips: ['floatingips', 'Floating IP'],
  'security-groups': ['security_groups', 'Security group'],
}

const PATH =
  /^(?:\/load-balancer)?\/v2(?:\.0)?\/(subnets|networks|ports|floatingips|security-groups)(?:\/([^/]+))?$/

export function networkReads(deps: ApiDependencies): Middleware<ApiState> {
  if (!deps.settings.networkReads) return (_, next) => next()
  const guard = noIdentityGuard(deps.settings)
  const boundary = errorBoundary(neutronErrors, deps)
  return async (ctx, next) => {
    const [, collection, id] = PATH.exec(ctx.path) ?? []
    if (collection === undefined) return await next()
    await boundary(ctx, async () => {
      guard(ctx)
      ctx.state.identity = await deps.identify(ctx.headers, clientAddress(ctx, deps.settings.trustedProxies))
      accessOf(ownProjectOnly, {
        ruleFor: ownRuleFor,
        identity: ctx.state.identity,
        rbac: deps.settings.rbac,
        method: 'GET',
        path: `/v2.0/${collection}`,
      })
      assertRead(ctx as ApiContext)
      const none = EMPTY[collection]
      if (none === undefined) answer(ctx as ApiContext, collection as Collection, id)
      else answerNone(ctx as ApiContext, none, id)
    })
  }
}

function assertRead({ method }: ApiContext): void {
  if (method === 'GET' || method === 'HEAD') return
  throw new DomainError('METHOD_NOT_ALLOWED', `The method ${method} is not allowed.`)
}

/** Filters find nothing: cloud providers of Kubernetes and Ansible ask by port and by name, and go on. */
function answerNone(
  ctx: ApiContext,
  [list, kind]: readonly [list: string, kind: string],
  id: string | undefined,
): void {
  if (id !== undefined) {
    throw new DomainError('NOT_FOUND', `${kind} ${id.slice(0, 255)} could not be found`, { resource: kind })
  }
  ctx.body = { [list]: [] }
}

function answer(ctx: ApiContext, collection: Collection, id: string | undefined): void {
  const kind = collection.slice(0, -1)
  const { projectId } = ctx.state.identity
  if (id === undefined) {
    ctx.body = {
      [collection]: requested(ctx, kind).map((one) => DOCUMENTS[collection]({ ...one, projectId })),
    }
    return
  }
  if (!isUuid(id)) throw new DomainError('NOT_FOUND', `${kind} ${id} could not be found.`, { resource: kind })
  ctx.body = { [kind]: DOCUMENTS[collection]({ id: id.toLowerCase(), name: '', projectId }) }
}

interface Requested {
  readonly id: string
  readonly name: string
}

/** One object per id or name of the query; a name has an id of its own, always the same. */
function requested(ctx: ApiContext, kind: string): readonly Requested[] {
  const query = new URLSearchParams(ctx.querystring)
  const names = query.getAll('name')
  const ids = query.getAll('id').filter((id) => isUuid(id))
  if (query.has('id')) return ids.map((id) => ({ id: id.toLowerCase(), name: names[0] ?? '' }))
  return names.filter((name) => name !== '').map((name) => ({ id: derivedId(kind, name), name }))
}

function derivedId(kind: string, of: string): string {
  const hex = createHash('sha256').update(`${kind}\0${of}`).digest('hex')
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `4${hex.slice(13, 16)}`,
    `8${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join('-')
}

type Document = (of: Requested & { readonly projectId: string }) => object

const COMMON = {
  description: '',
  tags: [],
  created_at: '2026-01-01T00:00:00Z',
  updated_at: '2026-01-01T00:00:00Z',
  revision_number: 0,
}

/** In Neutron's shape; addresses are those reserved for documentation (RFC 5737). */
const DOCUMENTS: Readonly<Record<Collection, Document>> = {
  subnets: ({ id, name, projectId }) => ({
    id,
    name,
    tenant_id: projectId,
    project_id: projectId,
    network_id: derivedId('network', id),
    ip_version: 4,
    cidr: '192.0.2.0/24',
    gateway_ip: '192.0.2.1',
    allocation_pools: [{ start: '192.0.2.2', end: '192.0.2.254' }],
    dns_nameservers: [],
    host_routes: [],
    enable_dhcp: true,
    ipv6_address_mode: null,
    ipv6_ra_mode: null,
    subnetpool_id: null,
    service_types: [],
    ...COMMON,
  }),
  networks: ({ id, name, projectId }) => ({
    id,
    name,
    tenant_id: projectId,
    project_id: projectId,
    admin_state_up: true,
    status: 'ACTIVE',
    shared: false,
    mtu: 1500,
    subnets: [],
    port_security_enabled: true,
    'router:external': false,
    availability_zones: [],
    availability_zone_hints: [],
    ...COMMON,
  }),
  ports: ({ id, name, projectId }) => ({
    id,
    name,
    tenant_id: projectId,
    project_id: projectId,
    network_id: derivedId('network', id),
    admin_state_up: true,
    status: 'ACTIVE',
    mac_address: 'fa:16:3e:00:00:01',
    fixed_ips: [],
    device_id: '',
    device_owner: '',
    security_groups: [],
    allowed_address_pairs: [],
    extra_dhcp_opts: [],
    port_security_enabled: true,
    'binding:vnic_type': 'normal',
    ...COMMON,
  }),
}
