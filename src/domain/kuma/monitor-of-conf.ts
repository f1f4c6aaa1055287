/**
 * From a conf in Kuma's words to a monitor in ours (docs/peers/kuma.md 41 to 45). Confs are valid when they are written;
 * what no prober can do (a duration that is not positive) gives no monitor, and says why.
 */
import { OPTION_INTERVAL_MS, PROBE_ONCE_TIMEOUT_MS } from '../limits.ts'
import type { MonitorOptions } from '../options/monitor-options.ts'
import { standardBase64 } from './base64.ts'
import { durationMs } from './duration.ts'
import { THRESHOLD } from './limits.ts'
import type { HealthCheckConf, MeshHealthCheckConf, ServiceProbe } from './objects.ts'

/** What a monitor of ours is made of: all of it is in its options. */
export interface KumaMonitor {
  readonly type: 'HTTP' | 'TCP'
  readonly options: MonitorOptions
}

/** A monitor, or why there is none. */
export type MonitorOrNone = KumaMonitor | { readonly none: string }

/** A conf of Kuma 1; with neither block it is a connection. HTTP is always HTTP/2, as its documentation says. */
export function monitorOfHealthCheck(conf: HealthCheckConf): MonitorOrNone {
  const times = timesOf(conf, {})
  if ('none' in times) return times
  const { http, tcp } = conf
  if (http === undefined) return { type: 'TCP', options: { ...times, ...exchangeOf(tcp) } }
  const headers = (http.requestHeadersToAdd ?? []).flatMap(({ append = true, header }) =>
    header?.key === undefined
      ? []
      : [
          {
            name: header.key,
            value: header.value ?? '',
            action: append ? ('append' as const) : ('overwrite' as const),
          },
        ],
  )
  return { type: 'HTTP', options: { ...times, http: requestOf(http, headers) } }
}

/** Where MeshHealthCheck leaves a field out. */
const MESH_DEFAULTS = { interval: '1m', timeout: '15s', unhealthyThreshold: 5, healthyThreshold: 1 } as const

/**
 * A merged conf of Kuma 2, for a service that speaks this protocol: its own block decides; one that is disabled gives way
 * to `tcp`; without its block there is no check, whatever the others say.
 */
export function monitorOfMeshHealthCheck(conf: MeshHealthCheckConf, protocol: string): MonitorOrNone {
  const times = timesOf(conf, MESH_DEFAULTS)
  if ('none' in times) return times
  const { http, grpc, tcp } = conf
  if (protocol === 'http' || protocol === 'http2') {
    if (http !== undefined && http.disabled !== true) {
      const { set = [], add = [] } = http.requestHeadersToAdd ?? {}
      const headers = [
        ...set.map((header) => ({ ...header, action: 'overwrite' as const })),
        ...add.map((header) => ({ ...header, action: 'append' as const })),
      ]
      const version = protocol === 'http' ? ({ version: '1.1' } as const) : {}
      return { type: 'HTTP', options: { ...times, http: { ...version, ...requestOf(http, headers) } } }
    }
    if (http === undefined) return { none: `the policy has no http for protocol ${protocol}` }
  }
  if (protocol === 'grpc') {
    if (grpc !== undefined && grpc.disabled !== true)
      return { type: 'HTTP', options: { ...times, grpc: callOf(grpc) } }
    if (grpc === undefined) return { none: 'the policy has no grpc for protocol grpc' }
  }
  if (tcp === undefined || tcp.disabled === true) return { none: 'the policy has no tcp, or it is disabled' }
  return { type: 'TCP', options: { ...times, ...exchangeOf(tcp) } }
}

/** The probe of the application by its own proxy: a connection. An interval without a timeout counts as absent. */
export function monitorOfServiceProbe(probe: ServiceProbe): MonitorOrNone {
  const { timeout = '2s', unhealthyThreshold = 1, healthyThreshold = 1 } = probe
  const interval = probe.timeout === undefined ? '1s' : (probe.interval ?? '1s')
  const times = timesOf({ interval, timeout, unhealthyThreshold, healthyThreshold }, {})
  return 'none' in times ? times : { type: 'TCP', options: times }
}

type Times = Pick<
  HealthCheckConf,
  | 'interval'
  | 'timeout'
  | 'unhealthyThreshold'
  | 'healthyThreshold'
  | 'initialJitter'
  | 'intervalJitter'
  | 'intervalJitterPercent'
  | 'noTrafficInterval'
  | 'reuseConnection'
>

function timesOf(conf: Times, defaults: Times): MonitorOptions | { readonly none: string } {
  const said = { ...defaults, ...conf }
  const intervalMs = durationMs(said.interval)
  const timeoutMs = durationMs(said.timeout)
  if (intervalMs === undefined || intervalMs <= 0) return { none: 'the interval is not positive' }
  if (timeoutMs === undefined || timeoutMs <= 0) return { none: 'the timeout is not positive' }
  const { unhealthyThreshold: fall = 1, healthyThreshold: rise = 1, noTrafficInterval } = said
  const noTrafficMs = positive(noTrafficInterval)
  const jitter = {
    ...given('ms', positive(said.intervalJitter)),
    ...given('percent', said.intervalJitterPercent),
    ...given('initial_ms', positive(said.initialJitter)),
  }
  return {
    preset: 'kuma',
    interval_ms: within(intervalMs, OPTION_INTERVAL_MS),
    timeout_ms: within(timeoutMs, PROBE_ONCE_TIMEOUT_MS),
    rise: within(rise, THRESHOLD),
    fall: within(fall, THRESHOLD),
    ...(noTrafficMs === undefined
      ? {}
      : { intervals: { no_traffic_ms: within(noTrafficMs, OPTION_INTERVAL_MS) } }),
    ...(Object.keys(jitter).length === 0 ? {} : { jitter }),
    ...(said.reuseConnection === undefined ? {} : { connection: { reuse: said.reuseConnection } }),
  }
}

function within(value: number, { min, max }: { readonly min: number; readonly max: number }): number {
  return Math.min(max, Math.max(min, value))
}

/** Milliseconds of a jitter or pause, at most a day; undefined when there is none. */
function positive(duration: string | undefined): number | undefined {
  const ms = durationMs(duration)
  return ms === undefined || ms <= 0 ? undefined : Math.min(ms, OPTION_INTERVAL_MS.max)
}

function given<Key extends string>(key: Key, value: number | undefined): { readonly [K in Key]?: number } {
  if (value === undefined) return {}
  return { [key]: value } as { readonly [K in Key]: number }
}

type HttpOptions = NonNullable<MonitorOptions['http']>

function requestOf(
  {
    path = '/',
    expectedStatuses = [],
  }: { readonly path?: string; readonly expectedStatuses?: readonly number[] },
  headers: NonNullable<HttpOptions['headers']>,
): HttpOptions {
  return {
    path,
    ...(headers.length === 0 ? {} : { headers }),
    ...(expectedStatuses.length === 0 ? {} : { expected_statuses: rangesOf(expectedStatuses) }),
  }
}

/** Statuses that follow each other are one range: there may be any number of them. */
export function rangesOf(statuses: readonly number[]): { start: number; end: number }[] {
  const ranges: { start: number; end: number }[] = []
  for (const status of [...new Set(statuses)].toSorted((a, b) => a - b)) {
    const last = ranges.at(-1)
    if (last !== undefined && last.end === status) last.end = status + 1
    else ranges.push({ start: status, end: status + 1 })
  }
  return ranges
}

function callOf(grpc: NonNullable<MeshHealthCheckConf['grpc']>): NonNullable<MonitorOptions['grpc']> {
  const { serviceName: service, authority } = grpc
  return {
    ...(service === undefined || service === '' ? {} : { service }),
    ...(authority === undefined || authority === '' ? {} : { authority }),
  }
}

/** What is sent and expected; empty texts are as good as absent. */
function exchangeOf(tcp: HealthCheckConf['tcp']): Pick<MonitorOptions, 'tcp'> {
  const send = standardBase64(tcp?.send ?? '') ?? ''
  const receive = (tcp?.receive ?? [])
    .map((block) => standardBase64(block) ?? '')
    .filter((block) => block !== '')
  if (send === '' && receive.length === 0) return {}
  return { tcp: { ...(send === '' ? {} : { send }), ...(receive.length === 0 ? {} : { receive }) } }
}
