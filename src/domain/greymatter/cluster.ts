/**
 * A cluster of Grey Matter's control API (docs/peers/greymatter.md): a service with its instances and at most one health check.
 * What routes traffic is kept and shown, and has no effect here.
 */

export interface Metadatum {
  readonly key: string
  readonly value: string
}

export interface Instance {
  /** An IP address or a name: names are shown, and not probed. */
  readonly host: string
  readonly port: number
  readonly metadata?: readonly Metadatum[] | null
}

export interface HttpHealthCheck {
  readonly host?: string | null
  readonly path?: string | null
  readonly service_name?: string | null
  readonly request_headers_to_add?: readonly Metadatum[] | null
}

export interface TcpHealthCheck {
  /** Base64. */
  readonly send?: string | null
  readonly receive?: readonly string[] | null
}

/** Times in milliseconds. */
export interface HealthCheck {
  readonly timeout_msec: number
  readonly interval_msec: number
  readonly interval_jitter_msec?: number | null
  readonly unhealthy_threshold: number
  readonly healthy_threshold: number
  readonly reuse_connection?: boolean | null
  readonly no_traffic_interval_msec?: number | null
  readonly unhealthy_interval_msec?: number | null
  readonly unhealthy_edge_interval_msec?: number | null
  readonly healthy_edge_interval_msec?: number | null
  readonly health_checker: {
    readonly http_health_check?: HttpHealthCheck | null
    readonly tcp_health_check?: TcpHealthCheck | null
  }
}

/** As it is stored: complete, without its checksum. Further attributes are as they were sent. */
export interface Cluster {
  readonly cluster_key: string
  readonly zone_key: string
  readonly name: string
  readonly require_tls?: boolean | null
  readonly instances: readonly Instance[]
  readonly health_checks: readonly HealthCheck[]
  readonly [attribute: string]: unknown
}

export interface Zone {
  readonly zone_key: string
  readonly name: string
  readonly [attribute: string]: unknown
}

/** `10.0.0.1:80`: how an instance is named in paths and in refusals. */
export function instanceKey({ host, port }: Pick<Instance, 'host' | 'port'>): string {
  return `${host}:${port}`
}
