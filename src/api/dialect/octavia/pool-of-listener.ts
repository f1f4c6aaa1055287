/** Which pools a listener of Octavia may send its traffic to. */
import { DomainError } from '../../../domain/errors.ts'
import type { ListenerProtocol, PoolProtocol } from '../../../domain/types.ts'

const POOLS_OF_LISTENER: Readonly<Record<ListenerProtocol, readonly PoolProtocol[]>> = {
  TCP: ['HTTP', 'HTTPS', 'PROXY', 'PROXYV2', 'TCP'],
  HTTP: ['HTTP', 'PROXY', 'PROXYV2'],
  HTTPS: ['HTTPS', 'PROXY', 'PROXYV2', 'TCP'],
  TERMINATED_HTTPS: ['HTTP', 'PROXY', 'PROXYV2'],
  UDP: ['UDP'],
  SCTP: ['SCTP'],
  PROMETHEUS: [],
}

/** By the table of docs/peers/octavia.md 17. Throws POOL_DOES_NOT_FIT_LISTENER. */
export function assertPoolFitsListener(listener: ListenerProtocol, pool: PoolProtocol): void {
  if (POOLS_OF_LISTENER[listener].includes(pool)) return
  const message = `Validation failure: The pool protocol '${pool}' is invalid while the listener protocol is '${listener}'.`
  throw new DomainError('POOL_DOES_NOT_FIT_LISTENER', message, { listener, pool })
}
