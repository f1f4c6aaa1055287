/** Rules between objects, shared by create and update. They throw DomainErrors and know no dialect's words but names. */
import { DomainError } from './errors.ts'
import type { ListenerProtocol, MonitorType, PoolProtocol } from './types.ts'

/**
 * elb: a UDP pool takes UDP-CONNECT only, a TCP or HTTP pool TCP or HTTP (ELB API reference). A pool of a protocol that
 * elb has no word for was made by another dialect, whose type it keeps. Throws TYPE_DOES_NOT_FIT_POOL.
 */
export function assertElbTypeFitsPool(type: MonitorType, protocol: PoolProtocol): void {
  const fits = protocol === 'UDP' ? type === 'UDP-CONNECT' : type === 'TCP' || type === 'HTTP'
  if (fits) return
  const allowed = protocol === 'UDP' ? 'UDP_CONNECT' : 'TCP or HTTP'
  const message = `A pool of protocol ${protocol} takes health monitors of type ${allowed} only.`
  throw new DomainError('TYPE_DOES_NOT_FIT_POOL', message, { protocol, type })
}

/** elb: only TCP ↔ HTTP, on a TCP or HTTP pool; the same type again is no change. Throws TYPE_IS_IMMUTABLE. */
export function assertElbTypeMayChange(from: MonitorType, to: MonitorType, protocol: PoolProtocol): void {
  const changeable = (type: MonitorType) => type === 'TCP' || type === 'HTTP'
  const poolAllows = protocol === 'TCP' || protocol === 'HTTP'
  if (from === to || (changeable(from) && changeable(to) && poolAllows)) return
  throw new DomainError('TYPE_IS_IMMUTABLE', `The type cannot change from ${from} to ${to}.`, { from, to })
}

const ELB_POOL_OF_LISTENER: Partial<Record<ListenerProtocol, PoolProtocol>> = {
  UDP: 'UDP',
  TCP: 'TCP',
  HTTP: 'HTTP',
  TERMINATED_HTTPS: 'HTTP',
}

/** elb: UDP → UDP, TCP → TCP, HTTP and TERMINATED_HTTPS → HTTP. Throws POOL_DOES_NOT_FIT_LISTENER. */
export function assertElbPoolFitsListener(listener: ListenerProtocol, pool: PoolProtocol): void {
  if (ELB_POOL_OF_LISTENER[listener] === pool) return
  const message = `Listener protocol ${listener} and pool protocol ${pool} are not compatible.`
  throw new DomainError('POOL_DOES_NOT_FIT_LISTENER', message, { listener, pool })
}

const OCTAVIA_POOLS_OF_LISTENER: Readonly<Record<ListenerProtocol, readonly PoolProtocol[]>> = {
  TCP: ['HTTP', 'HTTPS', 'PROXY', 'PROXYV2', 'TCP'],
  HTTP: ['HTTP', 'PROXY', 'PROXYV2'],
  HTTPS: ['HTTPS', 'PROXY', 'PROXYV2', 'TCP'],
  TERMINATED_HTTPS: ['HTTP', 'PROXY', 'PROXYV2'],
  UDP: ['UDP'],
  SCTP: ['SCTP'],
  PROMETHEUS: [],
}

/** octavia: by the table of docs/peers/octavia.md 17. Throws POOL_DOES_NOT_FIT_LISTENER. */
export function assertOctaviaPoolFitsListener(listener: ListenerProtocol, pool: PoolProtocol): void {
  if (OCTAVIA_POOLS_OF_LISTENER[listener].includes(pool)) return
  const message = `Validation failure: The pool protocol '${pool}' is invalid while the listener protocol is '${listener}'.`
  throw new DomainError('POOL_DOES_NOT_FIT_LISTENER', message, { listener, pool })
}
