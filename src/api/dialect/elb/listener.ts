/** Listeners between elb's words and the domain's. */
import { randomUUID } from 'node:crypto'
import { DomainError } from '../../../domain/errors.ts'
import type { Echo, Listener, ListenerProtocol, LoadBalancer, Pool } from '../../../domain/types.ts'
import type { ListenerChange, ListenerDraft } from '../../../store/configuration/listeners.ts'
import { differences } from '../../write/changes.ts'
import type { ListenerDialect } from '../../resource/listeners.ts'
import { openstackTime, tagWords } from '../openstack-words.ts'
import { type BodyRules, invalidField, parseBody } from '../../schema/attributes.ts'
import { ELB_UDP_PORT_RESERVED } from './limits.ts'
import { elbPaths } from './paths.ts'
import { assertPoolFitsListener } from './rules.ts'
import { assertOwnProject } from './schema/every-object.ts'
import {
  type ElbListenerChange,
  type ElbListenerCreate,
  elbListenerCreate,
  elbListenerUpdate,
  elbV3ListenerUpdate,
} from './schema/listener.ts'
import { LISTENER_PROTOCOL_WORDS } from './words.ts'

export const elbListeners: ListenerDialect = {
  paths: elbPaths,
  parseCreate(body, projectId) {
    const wire = parseBody(body, elbListenerCreate)
    assertOwnProject(wire, projectId)
    if (wire.protocol === 'UDP' && wire.protocol_port === ELB_UDP_PORT_RESERVED) {
      throw invalidField('protocol_port', `'${ELB_UDP_PORT_RESERVED}' is reserved for UDP listeners`)
    }
    return {
      loadBalancerId: wire.loadbalancer_id,
      poolId: wire.default_pool_id ?? undefined,
      draftFor: (loadBalancer, pool) => draftFor(wire, loadBalancer, pool),
    }
  },
  parseUpdate: (body) => parseUpdate(body, elbListenerUpdate),
  render: renderElbListener,
  poolElsewhere,
}

/** `/v3/{project_id}/elb/listeners/{id}`: Terraform's provider reads and writes two attributes of v2 listeners there. */
export const elbV3Listeners: Pick<ListenerDialect, 'paths' | 'parseUpdate' | 'poolElsewhere' | 'render'> = {
  paths: (path) => [`/v3/:project_id/elb${path}`],
  parseUpdate: (body) => parseUpdate(body, elbV3ListenerUpdate),
  poolElsewhere,
  render: (listener) => ({
    ...renderElbListener(listener),
    // v3 shows tags with their parts.
    tags: listener.tags,
    transparent_client_ip_enable: listener.echo['transparent_client_ip_enable'] ?? false,
    ipgroup: listener.echo['ipgroup'] ?? null,
  }),
}

function poolElsewhere(): DomainError {
  return new DomainError('POOL_DOES_NOT_FIT_LISTENER', 'Listener and pool must be on the same loadbalancer.')
}

function parseUpdate(
  body: unknown,
  rules: BodyRules<ElbListenerChange>,
): ReturnType<ListenerDialect['parseUpdate']> {
  const wire = parseBody(body, rules)
  return {
    poolId: wire.default_pool_id ?? undefined,
    changeFor: (stored, pool) => changeFor(wire, stored, pool),
  }
}

const ECHOED = [
  'connection_limit',
  'http2_enable',
  'default_tls_container_ref',
  'client_ca_tls_container_ref',
  'sni_container_refs',
  'tls_ciphers_policy',
  'transparent_client_ip_enable',
  'ipgroup',
] as const satisfies readonly (keyof ElbListenerChange)[]

/** The sent attributes that are only stored and returned, over the stored ones. */
function echoOf(wire: ElbListenerChange, stored: Echo): Echo {
  const sent = ECHOED.filter((key) => wire[key] !== undefined).map((key) => [key, wire[key]] as const)
  return { ...stored, ...Object.fromEntries(sent) }
}

function assertCertificate(protocol: ListenerProtocol, echo: Echo): void {
  if (protocol !== 'TERMINATED_HTTPS' || echo['default_tls_container_ref']) return
  throw new DomainError('MISSING_FIELD', 'A TERMINATED_HTTPS listener needs a certificate.', {
    resource: 'listener',
    field: 'default_tls_container_ref',
  })
}

function draftFor(
  wire: ElbListenerCreate,
  loadBalancer: LoadBalancer,
  pool: Pool | undefined,
): ListenerDraft {
  const echo = echoOf(wire, {})
  assertCertificate(wire.protocol, echo)
  if (pool !== undefined) assertPoolFitsListener(wire.protocol, pool.protocol)
  return {
    id: randomUUID(),
    projectId: loadBalancer.projectId,
    loadBalancerId: loadBalancer.id,
    name: wire.name ?? '',
    description: wire.description ?? '',
    adminStateUp: wire.admin_state_up ?? true,
    protocol: wire.protocol,
    protocolPort: wire.protocol_port,
    defaultPoolId: pool?.id ?? null,
    tags: [],
    echo,
  }
}

function changeFor(wire: ElbListenerChange, stored: Listener, pool: Pool | undefined): ListenerChange {
  const echo = echoOf(wire, stored.echo)
  assertCertificate(stored.protocol, echo)
  if (pool !== undefined) assertPoolFitsListener(stored.protocol, pool.protocol)
  return differences(stored, {
    name: wire.name ?? stored.name,
    description: wire.description ?? stored.description,
    adminStateUp: wire.admin_state_up ?? stored.adminStateUp,
    defaultPoolId: wire.default_pool_id === undefined ? stored.defaultPoolId : wire.default_pool_id,
    echo,
  })
}

/** The policy of TLS listeners for which none was sent. */
const DEFAULT_TLS_CIPHERS_POLICY = 'tls-1-0'

function renderElbListener(listener: Listener): Record<string, unknown> {
  const { echo } = listener
  const tlsDefault = listener.protocol === 'TERMINATED_HTTPS' ? DEFAULT_TLS_CIPHERS_POLICY : null
  return {
    id: listener.id,
    tenant_id: listener.projectId,
    project_id: listener.projectId,
    name: listener.name,
    description: listener.description,
    protocol: LISTENER_PROTOCOL_WORDS[listener.protocol],
    protocol_port: listener.protocolPort,
    loadbalancers: [{ id: listener.loadBalancerId }],
    default_pool_id: listener.defaultPoolId,
    admin_state_up: listener.adminStateUp,
    connection_limit: echo['connection_limit'] ?? -1,
    http2_enable: echo['http2_enable'] ?? false,
    default_tls_container_ref: echo['default_tls_container_ref'] ?? null,
    client_ca_tls_container_ref: echo['client_ca_tls_container_ref'] ?? null,
    sni_container_refs: echo['sni_container_refs'] ?? [],
    tls_ciphers_policy: echo['tls_ciphers_policy'] ?? tlsDefault,
    tags: tagWords(listener.tags),
    created_at: openstackTime(listener.createdAt),
    updated_at: openstackTime(listener.updatedAt),
  }
}
