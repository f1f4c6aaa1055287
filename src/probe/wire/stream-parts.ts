/** What all probes on connections share: a part of the `ProbeRuntime`. */
import type { TlsContexts } from '../tls/tls-contexts.ts'
import type { TlsSessions } from '../tls/tls-sessions.ts'
import type { IdleConnections } from './idle-connections.ts'
import type { ConnectionParts } from './stream-connection.ts'

export interface StreamParts extends ConnectionParts {
  readonly idleConnections: IdleConnections
  readonly tlsContexts: TlsContexts
  readonly tlsSessions: TlsSessions
}
