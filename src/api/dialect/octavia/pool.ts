/** Pools between Octavia's words and the domain's (docs/peers/octavia.md 16). */
import { idsAsObjects } from '../../http/json-body.ts'
import { randomUUID } from 'node:crypto'
import { shownDependsOn, withDependsOn } from '../../../domain/status/dependencies.ts'
import { shownPoolOptions, withPoolOptions } from '../../../domain/pool-health/pool-options.ts'
import { shardOf } from '../../../domain/prober/shard.ts'
import type { Echo, LbAlgorithm, LoadBalancer, Pool } from '../../../domain/types.ts'
import type { PoolChange, PoolDraft, PoolView } from '../../../store/configuration/pools.ts'
import { assertPoolOptionsFit } from '../../schema/pool-options.ts'
import { differences, valueAfter } from '../../write/changes.ts'
import { openstackTime, tagWords } from '../openstack-words.ts'
import type { PoolDialect, PoolParents } from '../../resource/pools.ts'
import { assertListBound } from './list-bounds.ts'
import { octaviaPaths } from './paths.ts'
import { assertPoolFitsListener } from './pool-of-listener.ts'
import { assertChangedPoolTls, assertNewPoolTls } from './pool-tls.ts'
import {
  type OctaviaPoolChange,
  type OctaviaPoolCreate,
  type OctaviaPoolEcho,
  octaviaPoolCreate,
  octaviaPoolUpdate,
} from './schema/pool.ts'
import { invalidOption, parseWsme, validationFailure } from './schema/wsme.ts'
import { persistenceAfter, persistenceOf } from './session-persistence.ts'
import { newTags, tagsAfter } from './tags.ts'
import { LB_ALGORITHM_WORDS, POOL_PROTOCOL_WORDS, PROVISIONING_WORDS, STATUS_WORDS } from './words.ts'

export const octaviaPools: PoolDialect = {
  paths: octaviaPaths,
  createOrder: ['draft', 'quota', 'default pool', 'parents'],
  deletesChildren: true,
  parseCreate(body) {
    const wire = parseWsme(body, octaviaPoolCreate)
    if (wire.healthmonitor !== undefined || wire.members !== undefined) {
      throw validationFailure(
        'healthmonitor and members are created after their pool, or with a load balancer.',
      )
    }
    const loadBalancerId = wire.loadbalancer_id ?? undefined
    const listenerId = wire.listener_id ?? undefined
    if (loadBalancerId === undefined && listenerId === undefined) {
      throw validationFailure('Must provide at least one of: loadbalancer_id, listener_id')
    }
    return { loadBalancerId, listenerId, draftFor: (parents) => octaviaPoolDraft(wire, parents) }
  },
  parseUpdate(body) {
    const wire = parseWsme(body, octaviaPoolUpdate)
    return (stored) => changeFor(wire, stored)
  },
  render: renderOctaviaPool,
  isStatusShown: true,
}

/** Inside the create of a load balancer neither is stored yet. */
interface InnerPoolParents extends Pick<PoolParents, 'listener'> {
  readonly loadBalancer: Pick<LoadBalancer, 'id' | 'projectId'>
}

/** A new pool; `wire` also from inside the create of a load balancer. */
export function octaviaPoolDraft(
  wire: OctaviaPoolCreate,
  { loadBalancer, listener }: InnerPoolParents,
): PoolDraft {
  if (wire.protocol === null) throw invalidOption(null, 'protocol')
  if (wire.lb_algorithm === null) throw invalidOption(null, 'lb_algorithm')
  if (listener !== undefined) assertPoolFitsListener(listener.protocol, wire.protocol)
  assertNewPoolTls(wire)
  const id = randomUUID()
  return {
    id,
    projectId: loadBalancer.projectId,
    loadBalancerId: loadBalancer.id,
    shard: shardOf(id),
    name: wire.name ?? '',
    description: wire.description ?? '',
    adminStateUp: valueAfter(wire.admin_state_up, true, false),
    protocol: wire.protocol,
    lbAlgorithm: wire.lb_algorithm,
    sessionPersistence: persistenceOf(wire.session_persistence ?? null, wire.protocol),
    tags: newTags(wire.tags),
    echo: echoAfter(wire, {}),
  }
}

function changeFor(wire: OctaviaPoolChange, stored: Pool): PoolChange {
  assertChangedPoolTls(wire, stored.echo)
  return differences(stored, {
    name: valueAfter(wire.name, stored.name, ''),
    description: valueAfter(wire.description, stored.description, ''),
    adminStateUp: valueAfter(wire.admin_state_up, stored.adminStateUp, false),
    lbAlgorithm: algorithmAfter(wire.lb_algorithm, stored.lbAlgorithm),
    sessionPersistence: persistenceAfter(wire.session_persistence, stored),
    tags: tagsAfter(wire.tags, stored.tags),
    echo: echoAfter(wire, stored.echo),
  })
}

function algorithmAfter(sent: LbAlgorithm | null | undefined, stored: LbAlgorithm): LbAlgorithm {
  if (sent === null) throw invalidOption(null, 'lb_algorithm')
  return sent ?? stored
}

/** The TLS settings of the pool, in the order of Octavia's answers, with the meaning of null. */
const ECHO_DEFAULTS = {
  tls_container_ref: null,
  ca_tls_container_ref: null,
  crl_container_ref: null,
  tls_enabled: false,
  tls_ciphers: null,
  tls_versions: null,
  alpn_protocols: null,
} as const satisfies Required<OctaviaPoolEcho>

const ECHOED = Object.keys(ECHO_DEFAULTS) as (keyof OctaviaPoolEcho)[]

/** Throws INVALID_FIELD and TOO_MANY_ITEMS. */
function echoAfter(wire: OctaviaPoolChange, stored: Echo): Echo {
  const sent = ECHOED.filter((name) => wire[name] !== undefined)
  for (const name of sent) assertListBound(name, wire[name], stored[name])
  const tls = Object.fromEntries(sent.map((name) => [name, wire[name] ?? ECHO_DEFAULTS[name]]))
  const echo = withPoolOptions(withDependsOn({ ...stored, ...tls }, wire.depends_on), wire.options)
  assertPoolOptionsFit(echo)
  return echo
}

export function renderOctaviaPool(pool: PoolView): Record<string, unknown> {
  const persistence = pool.sessionPersistence
  const echoed = (name: keyof OctaviaPoolEcho): unknown => pool.echo[name] ?? ECHO_DEFAULTS[name]
  return {
    id: pool.id,
    name: pool.name,
    description: pool.description,
    provisioning_status: PROVISIONING_WORDS[pool.provisioningStatus],
    operating_status: STATUS_WORDS[pool.operatingStatus],
    admin_state_up: pool.adminStateUp,
    protocol: POOL_PROTOCOL_WORDS[pool.protocol],
    lb_algorithm: LB_ALGORITHM_WORDS[pool.lbAlgorithm],
    session_persistence: persistence && {
      type: persistence['type'],
      cookie_name: persistence['cookie_name'] ?? null,
      persistence_timeout: persistence['persistence_timeout'] ?? null,
      persistence_granularity: persistence['persistence_granularity'] ?? null,
    },
    project_id: pool.projectId,
    // Never empty: Terraform's provider takes the first without looking.
    loadbalancers: [{ id: pool.loadBalancerId }],
    listeners: pool.listenerIds.map((id) => ({ id })),
    created_at: openstackTime(pool.createdAt),
    updated_at: openstackTime(pool.updatedAt),
    // A pool without a monitor has no such key (docs/peers/octavia.md 18).
    healthmonitor_id: pool.healthMonitorId ?? undefined,
    members: idsAsObjects(pool.memberIds),
    tags: tagWords(pool.tags),
    tls_container_ref: echoed('tls_container_ref'),
    ca_tls_container_ref: echoed('ca_tls_container_ref'),
    crl_container_ref: echoed('crl_container_ref'),
    tls_enabled: echoed('tls_enabled'),
    tls_ciphers: echoed('tls_ciphers'),
    tls_versions: echoed('tls_versions'),
    alpn_protocols: echoed('alpn_protocols'),
    tenant_id: pool.projectId,
    ...shownDependsOn(pool.echo),
    ...shownPoolOptions(pool.echo),
  }
}
