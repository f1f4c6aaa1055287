/** Rules of elb between objects, the same at create and update. They throw DomainErrors. */
import { DomainError } from '../../../domain/errors.ts'
import type { ListenerProtocol, MonitorType, PoolProtocol } from '../../../domain/types.ts'

/**
 * A UDP pool takes UDP-CONNECT only, a TCP or HTTP pool TCP or HTTP (ELB API reference). A pool of another protocol,
 * which another dialect made, takes TCP or HTTP here as well. Throws TYPE_DOES_NOT_FIT_POOL.
 */
export function assertTypeFitsPool(type: MonitorType, protocol: PoolProtocol): void {
  const fits = protocol === 'UDP' ? type === 'UDP-CONNECT' : type === 'TCP' || type === 'HTTP'
  if (fits) return
  const allowed = protocol === 'UDP' ? 'UDP_CONNECT' : 'TCP or HTTP'
  const message = `A pool of protocol ${protocol} takes health monitors of type ${allowed} only.`
  throw new DomainError('TYPE_DOES_NOT_FIT_POOL', message, { protocol, type })
}

/** Only TCP ↔ HTTP, on a TCP or HTTP pool; the same type again is no change. Throws TYPE_IS_IMMUTABLE. */
export function assertTypeMayChange(from: MonitorType, to: MonitorType, protocol: PoolProtocol): void {
  const changeable = (type: MonitorType) => type === 'TCP' || type === 'HTTP'
  const poolAllows = protocol === 'TCP' || protocol === 'HTTP'
  if (from === to || (changeable(from) && changeable(to) && poolAllows)) return
  throw new DomainError('TYPE_IS_IMMUTABLE', `The type cannot change from ${from} to ${to}.`, { from, to })
}

const POOL_OF_LISTENER: Partial<Record<ListenerProtocol, PoolProtocol>> = {
  UDP: 'UDP',
  TCP: 'TCP',
  HTTP: 'HTTP',
  TERMINATED_HTTPS: 'HTTP',
}

/** UDP → UDP, TCP → TCP, HTTP and TERMINATED_HTTPS → HTTP. Throws POOL_DOES_NOT_FIT_LISTENER. */
export function assertPoolFitsListener(listener: ListenerProtocol, pool: PoolProtocol): void {
  if (POOL_OF_LISTENER[listener] === pool) return
  const message = `Listener protocol ${listener} and pool protocol ${pool} are not compatible.`
  throw new DomainError('POOL_DOES_NOT_FIT_LISTENER', message, { listener, pool })
}
