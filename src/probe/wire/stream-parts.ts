/** What all probes on connections share: a part of the `ProbeRuntime`. */
import type { HostAddresses } from '../socket-errors.ts'
import type { SourcePorts } from '../source-ports.ts'
import type { TlsContexts } from '../tls/tls-contexts.ts'
import type { IdleConnections } from './idle-connections.ts'
import type { NodeSockets } from './node-sockets.ts'

export interface StreamParts {
  readonly idleConnections: IdleConnections
  readonly nodeSockets: NodeSockets
  readonly tlsContexts: TlsContexts
  readonly sourcePorts: SourcePorts
  readonly hostAddresses: HostAddresses
}
