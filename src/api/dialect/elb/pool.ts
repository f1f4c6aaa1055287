/** Pools between elb's words and the domain's. */
import { idsAsObjects } from '../../http/json-body.ts'
import { randomUUID } from 'node:crypto'
import { shownDependsOn, withDependsOn } from '../../../domain/status/dependencies.ts'
import { DomainError } from '../../../domain/errors.ts'
import { shownPoolOptions, withPoolOptions } from '../../../domain/pool-health/pool-options.ts'
import { shardOf } from '../../../domain/prober/shard.ts'
import type { Echo, Pool, PoolProtocol } from '../../../domain/types.ts'
import type { PoolChange, PoolDraft, PoolView } from '../../../store/configuration/pools.ts'
import { differences } from '../../write/changes.ts'
import type { PoolDialect, PoolParents } from '../../resource/pools.ts'
import { invalidField, parseBody } from '../../schema/attributes.ts'
import { assertPoolOptionsFit } from '../../schema/pool-options.ts'
import { ELB_PERSISTENCE_MINUTES_HTTP, ELB_PERSISTENCE_MINUTES_L4 } from './limits.ts'
import { elbPaths } from './paths.ts'
import { assertPoolFitsListener } from './rules.ts'
import { assertOwnProject } from './schema/every-object.ts'
import {
  type ElbPoolChange,
  type ElbPoolCreate,
  elbPoolCreate,
  elbPoolUpdate,
  type ElbSessionPersistence,
} from './schema/pool.ts'
import { LB_ALGORITHM_WORDS, POOL_PROTOCOL_WORDS } from './words.ts'

export const elbPools: PoolDialect = {
  paths: elbPaths,
  createOrder: ['draft', 'default pool', 'quota'],
  deletesChildren: false,
  parseCreate(body, projectId) {
    const wire = parseBody(body, elbPoolCreate)
    assertOwnProject(wire, projectId)
    const { loadbalancer_id: loadBalancerId, listener_id: listenerId } = wire
    if (typeof loadBalancerId !== 'string' && typeof listenerId !== 'string') throw noParent()
    return {
      loadBalancerId: loadBalancerId ?? undefined,
      listenerId: listenerId ?? undefined,
      draftFor: (parents) => draftFor(wire, parents),
    }
  },
  parseUpdate(body) {
    const wire = parseBody(body, elbPoolUpdate)
    return (stored) => changeFor(wire, stored)
  },
  render: renderElbPool,
  isStatusShown: false,
}

function noParent(): DomainError {
  return new DomainError('MISSING_FIELD', 'A pool needs a load balancer or a listener.', {
    resource: 'pool',
    field: 'loadbalancer_id',
    otherField: 'listener_id',
  })
}

function draftFor(wire: ElbPoolCreate, { loadBalancer, listener }: PoolParents): PoolDraft {
  if (listener !== undefined) assertPoolFitsListener(listener.protocol, wire.protocol)
  const id = randomUUID()
  return {
    id,
    projectId: loadBalancer.projectId,
    loadBalancerId: loadBalancer.id,
    shard: shardOf(id),
    name: wire.name ?? '',
    description: wire.description ?? '',
    adminStateUp: wire.admin_state_up ?? true,
    protocol: wire.protocol,
    lbAlgorithm: wire.lb_algorithm,
    sessionPersistence: sessionPersistenceFor(wire.session_persistence ?? null, wire.protocol),
    tags: [],
    echo: echoAfter(wire, {}),
  }
}

function changeFor(wire: ElbPoolChange, stored: Pool): PoolChange {
  return differences(stored, {
    name: wire.name ?? stored.name,
    description: wire.description ?? stored.description,
    adminStateUp: wire.admin_state_up ?? stored.adminStateUp,
    lbAlgorithm: wire.lb_algorithm ?? stored.lbAlgorithm,
    echo: echoAfter(wire, stored.echo),
    sessionPersistence:
      wire.session_persistence === undefined
        ? stored.sessionPersistence
        : sessionPersistenceFor(wire.session_persistence, stored.protocol),
  })
}

/** Throws INVALID_FIELD. */
function echoAfter(wire: ElbPoolChange, stored: Echo): Echo {
  const echo = withPoolOptions(withDependsOn(stored, wire.depends_on), wire.options)
  assertPoolOptionsFit(echo)
  return echo
}

/** A cookie's name goes with APP_COOKIE and only with it; minutes by the pool's protocol, a day when HTTP says none. */
function sessionPersistenceFor(
  wire: ElbSessionPersistence | null,
  protocol: PoolProtocol,
): Pool['sessionPersistence'] {
  if (wire === null) return null
  const cookieName = wire.cookie_name || null
  if (wire.type === 'APP_COOKIE' && cookieName === null) {
    throw invalidField('session_persistence', `'cookie_name' should be specified for type APP_COOKIE`)
  }
  if (wire.type !== 'APP_COOKIE' && cookieName !== null) {
    throw invalidField('session_persistence', `'cookie_name' is not allowed for type ${wire.type}`)
  }
  const longest = protocol === 'HTTP' ? ELB_PERSISTENCE_MINUTES_HTTP.max : ELB_PERSISTENCE_MINUTES_L4.max
  const minutes = wire.persistence_timeout ?? (protocol === 'HTTP' ? longest : null)
  if (minutes !== null && minutes > longest) {
    throw invalidField(
      'session_persistence.persistence_timeout',
      `'${minutes}' is too large - must be no larger than '${longest}'`,
    )
  }
  return { type: wire.type, cookie_name: cookieName, persistence_timeout: minutes }
}

/** Without the words that only the other dialect has, which an update here would refuse. */
function renderPersistence(stored: NonNullable<Pool['sessionPersistence']>): Record<string, unknown> {
  return {
    type: stored['type'],
    cookie_name: stored['cookie_name'] ?? null,
    persistence_timeout: stored['persistence_timeout'] ?? null,
  }
}

function renderElbPool(pool: PoolView): Record<string, unknown> {
  return {
    id: pool.id,
    tenant_id: pool.projectId,
    project_id: pool.projectId,
    name: pool.name,
    description: pool.description,
    protocol: POOL_PROTOCOL_WORDS[pool.protocol],
    lb_algorithm: LB_ALGORITHM_WORDS[pool.lbAlgorithm],
    members: idsAsObjects(pool.memberIds),
    healthmonitor_id: pool.healthMonitorId,
    admin_state_up: pool.adminStateUp,
    listeners: pool.listenerIds.map((id) => ({ id })),
    // Never empty: Terraform's provider reads the first without a check.
    loadbalancers: [{ id: pool.loadBalancerId }],
    session_persistence: pool.sessionPersistence && renderPersistence(pool.sessionPersistence),
    ...shownDependsOn(pool.echo),
    ...shownPoolOptions(pool.echo),
  }
}
