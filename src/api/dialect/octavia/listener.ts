/** Listeners between Octavia's words and the domain's (docs/peers/octavia.md 20). */
import { randomUUID } from 'node:crypto'
import { notFound } from '../../../domain/errors.ts'
import type { Listener, LoadBalancer, Pool } from '../../../domain/types.ts'
import type { ListenerChange, ListenerDraft, ListenerView } from '../../../store/configuration/listeners.ts'
import { differences, valueAfter } from '../../write/changes.ts'
import type { ListenerDialect } from '../../resource/listeners.ts'
import { openstackTime, tagWords } from '../openstack-words.ts'
import { assertAllowedCidrs, type Vips } from './allowed-cidrs.ts'
import { listenerEchoAfter, renderListenerEcho } from './listener-echo.ts'
import { assertChangedListener, assertNewListener } from './listener-rules.ts'
import { octaviaPaths } from './paths.ts'
import { assertPoolFitsListener } from './pool-of-listener.ts'
import {
  type OctaviaListenerChange,
  type OctaviaListenerCreate,
  octaviaListenerCreate,
  octaviaListenerUpdate,
} from './schema/listener.ts'
import { invalidOption, parseWsme } from './schema/wsme.ts'
import { newTags, tagsAfter } from './tags.ts'
import { LISTENER_PROTOCOL_WORDS, PROVISIONING_WORDS, STATUS_WORDS } from './words.ts'

export const octaviaListeners: ListenerDialect = {
  paths: octaviaPaths,
  quotaFirst: true,
  deletedWithPool: true,
  poolElsewhere: (poolId) => notFound('pool', poolId),
  parseCreate(body) {
    const wire = parseWsme(body, octaviaListenerCreate)
    if (wire.loadbalancer_id === null) throw notFound('loadbalancer', 'None')
    return {
      loadBalancerId: wire.loadbalancer_id,
      poolId: wire.default_pool_id ?? undefined,
      draftFor: (loadBalancer, pool) => octaviaListenerDraft(wire, loadBalancer, pool),
    }
  },
  parseUpdate(body) {
    const wire = parseWsme(body, octaviaListenerUpdate)
    return {
      poolId: wire.default_pool_id ?? undefined,
      changeFor: (stored, pool, loadBalancer) => {
        assertAllowedCidrs(wire.allowed_cidrs, loadBalancer)
        return changeFor(wire, stored, pool)
      },
    }
  },
  render: renderOctaviaListener,
}

/** A new listener; `wire` also from inside the create of a load balancer. */
export function octaviaListenerDraft(
  wire: Omit<OctaviaListenerCreate, 'loadbalancer_id'>,
  loadBalancer: Pick<LoadBalancer, 'id' | 'projectId'> & Vips,
  pool: Pick<Pool, 'id' | 'protocol'> | undefined,
): ListenerDraft {
  const { protocol, protocol_port: protocolPort } = wire
  if (protocol === null) throw invalidOption(null, 'protocol')
  if (protocolPort === null) throw invalidOption(null, 'protocol_port')
  if (pool !== undefined) assertPoolFitsListener(protocol, pool.protocol)
  assertNewListener(protocol, wire)
  assertAllowedCidrs(wire.allowed_cidrs, loadBalancer)
  return {
    id: randomUUID(),
    projectId: loadBalancer.projectId,
    loadBalancerId: loadBalancer.id,
    name: wire.name ?? '',
    description: wire.description ?? '',
    adminStateUp: valueAfter(wire.admin_state_up, true, false),
    protocol,
    protocolPort,
    defaultPoolId: pool?.id ?? null,
    tags: newTags(wire.tags),
    echo: listenerEchoAfter(wire, {}),
  }
}

function changeFor(wire: OctaviaListenerChange, stored: Listener, pool: Pool | undefined): ListenerChange {
  if (pool !== undefined) assertPoolFitsListener(stored.protocol, pool.protocol)
  assertChangedListener(stored.protocol, wire, stored.echo)
  const wanted = {
    name: valueAfter(wire.name, stored.name, ''),
    description: valueAfter(wire.description, stored.description, ''),
    adminStateUp: valueAfter(wire.admin_state_up, stored.adminStateUp, false),
    defaultPoolId: valueAfter(wire.default_pool_id, stored.defaultPoolId, null),
    tags: tagsAfter(wire.tags, stored.tags),
    echo: listenerEchoAfter(wire, stored.echo),
  }
  return differences<typeof wanted>(stored, wanted)
}

/** A listener as lists, reads and updates show it. */
export function renderOctaviaListener(listener: ListenerView): Record<string, unknown> {
  return {
    ...renderOctaviaListenerAlone(listener),
    loadbalancers: [{ id: listener.loadBalancerId }],
    tenant_id: listener.projectId,
  }
}

/** Without its load balancer: inside the answer that shows both. */
export function renderOctaviaListenerAlone(listener: ListenerView): Record<string, unknown> {
  return {
    id: listener.id,
    name: listener.name,
    description: listener.description,
    provisioning_status: PROVISIONING_WORDS[listener.provisioningStatus],
    operating_status: STATUS_WORDS[listener.operatingStatus],
    admin_state_up: listener.adminStateUp,
    protocol: LISTENER_PROTOCOL_WORDS[listener.protocol],
    protocol_port: listener.protocolPort,
    ...renderListenerEcho(listener.echo),
    project_id: listener.projectId,
    default_pool_id: listener.defaultPoolId,
    l7policies: [],
    created_at: openstackTime(listener.createdAt),
    updated_at: openstackTime(listener.updatedAt),
    tags: tagWords(listener.tags),
  }
}
