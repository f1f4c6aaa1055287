/**
 * From a body to a cluster: complete, with every problem named. Clients send whole objects; what is not known here is kept as it
 * was sent.
 */
import { parseAddress } from '../address/ip-address.ts'
import { type Cluster, instanceKey } from './cluster.ts'
import {
  HOST_MAX,
  INSTANCE_PORT,
  INSTANCES_MAX,
  METADATA_MAX,
  TEXT_MAX,
  THRESHOLD_DEFAULT,
} from './limits.ts'
import { isAbsent, isJsonObject, type Json, type Problem, Problems } from './problem.ts'

const HOST = /^[a-zA-Z0-9_.-]+$/
/** Objects that are stored and shown alone. */
const ECHOED_OBJECTS = ['circuit_breakers', 'outlier_detection'] as const
const OPTIONAL_NUMBERS = [
  'interval_jitter_msec',
  'no_traffic_interval_msec',
  'unhealthy_interval_msec',
  'unhealthy_edge_interval_msec',
  'healthy_edge_interval_msec',
] as const
const NUMBERS = ['timeout_msec', 'interval_msec', 'unhealthy_threshold', 'healthy_threshold'] as const

export type Read<Value> = { readonly value: Value } | { readonly problems: readonly Problem[] }

/** `key`: of the path, or one that the server makes; it holds where the body has none. */
export function readCluster(body: Json, key: string): Read<Cluster> {
  const problems = new Problems()
  const { cluster_key, zone_key, name, require_tls, instances, health_checks, checksum, ...others } = body
  const sentKey = isAbsent(cluster_key) || cluster_key === '' ? key : cluster_key
  problems.key('cluster.cluster_key', sentKey, TEXT_MAX)
  problems.key('cluster.zone_key', zone_key, TEXT_MAX)
  problems.name('cluster.name', name, TEXT_MAX)
  problems.boolean('cluster.require_tls', require_tls)
  problems.textOrNothing('cluster.checksum', checksum)
  for (const attribute of ECHOED_OBJECTS) problems.object(`cluster.${attribute}`, others[attribute])
  const readInstances = instancesOf(problems, instances)
  const checks = healthChecksOf(problems, health_checks)
  if (problems.all.length > 0) return { problems: problems.all }
  const { circuit_breakers = null, outlier_detection = null, ...further } = others
  const cluster = {
    cluster_key: sentKey,
    zone_key,
    name,
    ...(require_tls === true ? { require_tls } : {}),
    instances: readInstances,
    circuit_breakers,
    outlier_detection,
    health_checks: checks,
    ...further,
  }
  return { value: cluster as unknown as Cluster }
}

/** One instance of a body of its own. */
export function readInstance(body: Json): Read<Cluster['instances'][number]> {
  const problems = new Problems()
  instancesOf(problems, [body])
  return problems.all.length > 0
    ? { problems: problems.all }
    : { value: body as unknown as Cluster['instances'][number] }
}

function instancesOf(problems: Problems, sent: unknown): readonly unknown[] {
  const items = problems.list('cluster.instances', sent, INSTANCES_MAX)
  const seen = new Set<string>()
  for (const [i, item] of items.entries()) {
    if (!isJsonObject(item)) problems.add(`cluster.instances[${i}]`, 'must be an object')
    else instance(problems, item, seen)
  }
  return items
}

function instance(problems: Problems, { host, port, metadata }: Json, seen: Set<string>): void {
  const shownHost = typeof host === 'string' ? host.slice(0, HOST_MAX) : ''
  const key = `${shownHost}:${typeof port === 'number' ? port : ''}`
  const at = `cluster.instances[${key}]`
  const address = typeof host === 'string' ? parseAddress(host) : undefined
  if (problems.text(`${at}.host`, host, HOST_MAX) && address === undefined && !HOST.test(host))
    problems.add(`${at}.host`, `host must match ${HOST.source}`)
  if (isAbsent(port) || port === 0) problems.add(`${at}.port`, 'must be non-zero')
  else if (
    typeof port !== 'number' ||
    !Number.isInteger(port) ||
    port < INSTANCE_PORT.min ||
    port > INSTANCE_PORT.max
  )
    problems.add(`${at}.port`, `must be a whole number from ${INSTANCE_PORT.min} to ${INSTANCE_PORT.max}`)
  const target = `${address?.canonical ?? shownHost} ${String(port)}`
  if (seen.has(target)) problems.add('cluster.instances', `multiple instances of key ${key}`)
  seen.add(target)
  pairs(problems, { at: `${at}.metadata`, sent: metadata, what: 'metadata' })
}

/** Pairs of key and value; keys once, where they are metadata. */
function pairs(
  problems: Problems,
  { at, sent, what }: { readonly at: string; readonly sent: unknown; readonly what: 'metadata' | 'headers' },
): void {
  const keys = new Set<string>()
  for (const [i, item] of problems.list(at, sent, METADATA_MAX).entries()) {
    if (!isJsonObject(item)) {
      problems.add(`${at}[${i}]`, 'must be an object')
      continue
    }
    const { key, value = '' } = item
    if (problems.text(`${at}[${i}].key`, key, TEXT_MAX) && what === 'metadata') {
      if (keys.has(key)) problems.add(at, `duplicate metadata key '${key}'`)
      keys.add(key)
    }
    if (what === 'metadata' || typeof value !== 'string') problems.text(`${at}[${i}].value`, value, TEXT_MAX)
  }
}

/**
 * Thresholds that are absent are filled in: whoever reads the object back finds what holds (docs/peers/greymatter.md 7).
 */
function healthChecksOf(problems: Problems, sent: unknown): readonly unknown[] {
  const at = 'cluster.health_checks'
  const items = problems.list(at, sent, 2)
  if (items.length > 1) problems.add(at, 'only a single health check supported')
  const [check] = items
  if (check === undefined) return []
  if (!isJsonObject(check)) {
    problems.add(`${at}[0]`, 'must be an object')
    return []
  }
  const complete: Json = {
    ...check,
    unhealthy_threshold: check['unhealthy_threshold'] ?? THRESHOLD_DEFAULT,
    healthy_threshold: check['healthy_threshold'] ?? THRESHOLD_DEFAULT,
  }
  for (const name of NUMBERS) problems.positive(`${at}[0].${name}`, complete[name])
  for (const name of OPTIONAL_NUMBERS)
    if (!isAbsent(check[name])) problems.positive(`${at}[0].${name}`, check[name])
  problems.boolean(`${at}[0].reuse_connection`, check['reuse_connection'])
  checker(problems, `${at}[0].health_checker`, check['health_checker'])
  return [complete]
}

function checker(problems: Problems, at: string, sent: unknown): void {
  const given = problems.object(at, sent)
  const http = problems.object(`${at}.http_health_check`, given?.['http_health_check'])
  const tcp = problems.object(`${at}.tcp_health_check`, given?.['tcp_health_check'])
  if (http !== undefined && tcp !== undefined)
    problems.add(at, 'must not have more than one type of health check defined')
  else if (http === undefined && tcp === undefined) problems.add(at, 'must have one health check defined')
  for (const name of ['host', 'path', 'service_name'] as const) {
    const value = http?.[name]
    problems.textOrNothing(`${at}.http_health_check.${name}`, value)
  }
  const headers = `${at}.http_health_check.request_headers_to_add`
  pairs(problems, { at: headers, sent: http?.['request_headers_to_add'], what: 'headers' })
  problems.textOrNothing(`${at}.tcp_health_check.send`, tcp?.['send'])
  const receive = `${at}.tcp_health_check.receive`
  for (const [i, block] of problems.list(receive, tcp?.['receive'], METADATA_MAX).entries())
    if (typeof block !== 'string' || block === '') problems.add(`${receive}[${i}]`, 'may not be empty')
}

/** An instance that a path names: split at the last colon, as IPv6 has colons of its own. */
export function isNamed(instanceOf: Cluster['instances'][number], named: string): boolean {
  const at = named.lastIndexOf(':')
  const host = named.slice(0, at).replace(/^\[(.*)\]$/, '$1')
  if (instanceKey(instanceOf) === named) return true
  if (String(instanceOf.port) !== named.slice(at + 1)) return false
  const address = parseAddress(host)?.canonical
  return address !== undefined && parseAddress(instanceOf.host)?.canonical === address
}
