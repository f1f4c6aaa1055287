/** A health monitor, as every layer passes it around. Beside types.ts, since it has the type that the options describe. */
import type { MonitorOptions } from './options/monitor-options.ts'
import type { ConfigurationObject, Echo, MonitorType, PlainField, Profile, Tag } from './types.ts'

export interface HealthMonitor extends ConfigurationObject {
  readonly poolId: string
  readonly type: MonitorType
  readonly profile: Profile
  readonly delaySeconds: number
  readonly timeoutSeconds: number
  /** Successes in a row to ONLINE; `max_retries` on the wire. */
  readonly rise: number
  /** Failures in a row to OFFLINE; `max_retries_down` on the wire. */
  readonly fall: number
  readonly monitorPort: number | null
  readonly domainName: string | null
  readonly urlPath: string | null
  readonly httpMethod: string | null
  readonly httpVersion: '1.0' | '1.1' | null
  readonly expectedCodes: string | null
  /** They win over the fields above, which then show the nearest value; null = nothing is set. */
  readonly options: MonitorOptions | null
  /** Those that a client sent: the others show the value of the preset, or else of the dialect. */
  readonly sentFields: readonly PlainField[]
  readonly tags: readonly Tag[]
  readonly echo: Echo
}
