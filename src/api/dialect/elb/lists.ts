/** Lists as Neutron answers them (docs/peers/elb.md 2 and 3). */
import { notFound } from '../../../domain/errors.ts'
import type { ListRules, Neighbour, ShownPage } from '../../http/list-rules.ts'
import { fieldsOf, filtersOf } from '../../http/query.ts'
import { pageOf, sortOf } from './query.ts'

const COMMON = [
  'id',
  'project_id',
  'tenant_id',
  'name',
  'admin_state_up',
  'provisioning_status',
  'created_at',
  'updated_at',
]

/** Attributes that a list filters by. Those of `unordered` belong to something below the object, so it has no order by them. */
interface ListAttributes {
  readonly filters: ReadonlySet<string>
  readonly sortable: ReadonlySet<string>
}

function attributes(ordered: readonly string[], unordered: readonly string[] = []): ListAttributes {
  const sortable = new Set([...COMMON, ...ordered])
  return { sortable, filters: new Set([...sortable, ...unordered]) }
}

/** By the name of the list. */
export const ELB_LIST_ATTRIBUTES: Readonly<Record<string, ListAttributes>> = {
  loadbalancers: attributes(
    ['description', 'provider', 'operating_status', 'vip_address', 'vip_port_id', 'vip_subnet_id'],
    ['listener_id', 'pool_id', 'member_address', 'member_device_id', 'vpc_id'],
  ),
  listeners: attributes([
    'description',
    'protocol',
    'protocol_port',
    'loadbalancer_id',
    'default_pool_id',
    'connection_limit',
    'http2_enable',
    'default_tls_container_ref',
    'client_ca_tls_container_ref',
    'tls_ciphers_policy',
  ]),
  pools: attributes(
    ['description', 'protocol', 'lb_algorithm', 'loadbalancer_id', 'healthmonitor_id'],
    ['listener_id', 'member_address', 'member_device_id'],
  ),
  members: attributes([
    'address',
    'protocol_port',
    'subnet_id',
    'weight',
    'backup',
    'monitor_address',
    'monitor_port',
    'operating_status',
    // Ours, not elb's.
    'stale',
    'pool_id',
    'loadbalancer_id',
    'device_id',
    'device_owner',
  ]),
  healthmonitors: attributes([
    'type',
    'delay',
    'timeout',
    'max_retries',
    'max_retries_down',
    'monitor_port',
    'domain_name',
    'url_path',
    'http_method',
    'http_version',
    'expected_codes',
    'pool_id',
  ]),
}
const NO_ATTRIBUTES = attributes([])

export const elbLists: ListRules = {
  parse: (parameters, { name }) => {
    const { filters, sortable } = ELB_LIST_ATTRIBUTES[name] ?? NO_ATTRIBUTES
    return {
      page: pageOf(parameters),
      filters: filtersOf(parameters, filters),
      sort: sortOf(parameters, sortable),
      fields: fieldsOf(parameters),
    }
  },
  parsePage: (parameters) => ({ page: pageOf(parameters), fields: fieldsOf(parameters) }),
  unknownMarker: notFound,
  neighbours,
  alwaysLinks: false,
}

/**
 * `next` unless the page is short going forward, `previous` unless it is short going back; so the first page has a
 * `previous` and a full last page a `next` that leads to an empty page.
 */
function neighbours({ ids, limit, page, complete, isCut }: ShownPage): Neighbour[] {
  const first = ids[0]
  const last = ids.at(-1)
  if (complete || first === undefined || last === undefined) return []
  const short = ids.length < limit && isCut !== true
  const links: Neighbour[] = []
  if (!short || page.reverse) links.push({ rel: 'next', marker: last })
  if (page.limit !== undefined && (!short || !page.reverse)) links.push({ rel: 'previous', marker: first })
  return links
}
