/**
 * What is probed of a cluster: a pool with a member for each instance that is an address, and a monitor that probes as Envoy
 * does (preset `envoy`), which runs the health checks of Grey Matter. Pure: the same cluster is always the same pool.
 */
import { parseAddress } from '../address/ip-address.ts'
import type { DoorMember, DoorMonitor, DoorPool } from '../door/door-pool.ts'
import { doorMonitorOf } from '../door/door-monitor.ts'
import type { MonitorOptions } from '../options/monitor-options.ts'
import { AUTHORITY } from '../options/header-forms.ts'
import type { MonitorType } from '../types.ts'
import type { Cluster, HealthCheck, HttpHealthCheck, Instance, TcpHealthCheck } from './cluster.ts'
import { isAbsent, isJsonObject, type Problem } from './problem.ts'

/** The options of a monitor and the attributes of a health check that they come from: refusals name the attribute. */
export const ATTRIBUTES: Readonly<Record<string, string>> = {
  timeout_ms: 'timeout_msec',
  interval_ms: 'interval_msec',
  rise: 'healthy_threshold',
  fall: 'unhealthy_threshold',
  'jitter.ms': 'interval_jitter_msec',
  'intervals.no_traffic_ms': 'no_traffic_interval_msec',
  'intervals.offline_ms': 'unhealthy_interval_msec',
  'intervals.online_pending_ms': 'unhealthy_edge_interval_msec',
  'intervals.offline_pending_ms': 'healthy_edge_interval_msec',
  'connection.reuse': 'reuse_connection',
  'http.path': 'health_checker.http_health_check.path',
  'http.host': 'health_checker.http_health_check.host',
  'http.service_name': 'health_checker.http_health_check.service_name',
  'http.headers': 'health_checker.http_health_check.request_headers_to_add',
  'tcp.send': 'health_checker.tcp_health_check.send',
  'tcp.receive': 'health_checker.tcp_health_check.receive',
}

export function poolOfCluster(cluster: Cluster): DoorPool {
  const [check] = cluster.health_checks
  return {
    key: cluster.cluster_key,
    name: cluster.name,
    adminStateUp: true,
    protocol: isAbsent(check?.health_checker.http_health_check) ? 'TCP' : 'HTTP',
    tags: [],
    echo: {},
    monitor: check === undefined ? null : monitorOf(cluster, check),
    members: cluster.instances.flatMap(memberOf),
  }
}

/** None of an instance that is a name: probes use no resolver. */
function memberOf({ host, port, metadata }: Instance): readonly DoorMember[] {
  const address = parseAddress(host)?.canonical
  if (address === undefined) return []
  return [
    {
      name: '',
      adminStateUp: true,
      address,
      protocolPort: port,
      weight: 1,
      monitorAddress: null,
      monitorPort: null,
      tags: (metadata ?? []).map(({ key, value }) => ({ key, value: value ?? '' })),
      echo: {},
    },
  ]
}

function monitorOf(cluster: Cluster, check: HealthCheck): DoorMonitor {
  return doorMonitorOf({
    type: typeOf(cluster, check),
    profile: 'envoy',
    options: optionsOf(cluster, check),
  })
}

export function typeOf(
  cluster: Cluster,
  { health_checker: { http_health_check: http } }: HealthCheck,
): MonitorType {
  const isTls = speaksTls(cluster)
  if (isAbsent(http)) return isTls ? 'TLS-HELLO' : 'TCP'
  return isTls ? 'HTTPS' : 'HTTP'
}

/** Of a health check, attribute by attribute; each only where it is set, so that the preset decides the rest. */
export function optionsOf(cluster: Cluster, check: HealthCheck): MonitorOptions {
  const { http_health_check: http, tcp_health_check: tcp } = check.health_checker
  const type = typeOf(cluster, check)
  const intervals = present({
    no_traffic_ms: check.no_traffic_interval_msec,
    offline_ms: check.unhealthy_interval_msec,
    online_pending_ms: check.unhealthy_edge_interval_msec,
    offline_pending_ms: check.healthy_edge_interval_msec,
  })
  const groups = {
    intervals,
    jitter: present({ ms: check.interval_jitter_msec }),
    // Each probe of TLS alone has a connection of its own.
    connection: type === 'TLS-HELLO' ? {} : present({ reuse: check.reuse_connection }),
    http: isAbsent(http) ? {} : httpOptions(cluster, http),
    tcp: isAbsent(tcp) ? {} : tcpOptions(tcp),
    tls: speaksTls(cluster) ? tlsOptions(cluster) : {},
  }
  return {
    timeout_ms: check.timeout_msec,
    interval_ms: check.interval_msec,
    rise: check.healthy_threshold,
    fall: check.unhealthy_threshold,
    ...Object.fromEntries(Object.entries(groups).filter(([, group]) => Object.keys(group).length > 0)),
  }
}

/** Envoy names the cluster where no host is given, if its name can be one (docs/peers/greymatter.md 11). */
function httpOptions({ name }: Cluster, http: HttpHealthCheck): object {
  const host = filled(http.host) ?? (AUTHORITY.pattern.test(name) ? name : undefined)
  const headers = (http.request_headers_to_add ?? []).map(({ key, value }) => ({
    name: key,
    value: value ?? '',
  }))
  return present({
    path: filled(http.path),
    host,
    service_name: filled(http.service_name),
    headers: headers.length === 0 ? undefined : headers,
  })
}

function tcpOptions({ send, receive }: TcpHealthCheck): object {
  return present({ send: filled(send), receive: (receive ?? []).length === 0 ? undefined : receive })
}

/** As Envoy does without a trust file: any certificate will do. */
function tlsOptions({ ssl_config: ssl }: Cluster): object {
  const sni = isJsonObject(ssl) && typeof ssl['sni'] === 'string' ? filled(ssl['sni']) : undefined
  return present({ verify: false, server_name: sni })
}

function speaksTls({ require_tls, ssl_config: ssl }: Cluster): boolean {
  return require_tls === true || (isJsonObject(ssl) && Object.values(ssl).some(isSet))
}

/** Attributes of `ssl_config` that name files of the host that checks. */
const FILES = ['cert_key_pairs', 'trust_file', 'crl'] as const

/**
 * Certificates that the health check of a cluster would need: files of this host are never read for a tenant. Empty without a
 * health check.
 */
export function certificateProblems({ health_checks, ssl_config: ssl, secret }: Cluster): readonly Problem[] {
  if (health_checks.length === 0) return []
  const named = isJsonObject(ssl) ? FILES.filter((file) => isSet(ssl[file])) : []
  const msg = 'health checks would need this certificate, which this service does not read'
  const files = named.map((file) => ({ attribute: `cluster.ssl_config.${file}`, msg }))
  const ofSecret = isJsonObject(secret) && isSet(secret['secret_name'])
  return [...files, ...(ofSecret ? [{ attribute: 'cluster.secret.secret_name', msg }] : [])]
}

function isSet(value: unknown): boolean {
  if (isAbsent(value) || value === '' || value === false) return false
  if (Array.isArray(value)) return value.length > 0
  return !isJsonObject(value) || Object.keys(value).length > 0
}

function filled(text: string | null | undefined): string | undefined {
  return isAbsent(text) || text === '' ? undefined : text
}

function present(values: Readonly<Record<string, unknown>>): object {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => !isAbsent(value)))
}
