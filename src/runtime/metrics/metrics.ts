/**
 * The metrics of one process, by what happened. No id of a tenant, a pool or a member is ever a label here. Probes are
 * counted in the scheduler, writes in the result writer, requests in the API, and nothing twice.
 */
import { collectDefaultMetrics, Gauge, type Metric, Registry } from 'prom-client'
import {
  FLUSH_ROWS_BUCKETS,
  LATENESS_SECONDS_BUCKETS,
  PROBE_SECONDS_BUCKETS,
  REQUEST_SECONDS_BUCKETS,
} from '../../domain/limits.ts'
import type { MemberState } from '../../domain/status/member-status.ts'
import { type Reason, REASONS } from '../../domain/result/reasons.ts'
import type { ProbeResult } from '../../domain/result/probe-result.ts'
import type { MonitorType } from '../../domain/types.ts'
import { described } from './described.ts'
import { type Buckets, CounterSeries, HistogramSeries, type Labels } from './metric-series.ts'
import { METRICS, type MetricName } from './metric-table.ts'
import { startTimeGauge } from './process-metrics.ts'

/** `lost`: another prober had taken the shard over. */
export type LeaseChange = 'claimed' | 'released' | 'lost'
/** `fenced`: refused because the shard is no longer ours. `failed`: PostgreSQL did not take it; it is tried again. */
export type FlushOutcome = 'written' | 'put_off' | 'fenced' | 'failed'

export type MassFailure = 'held' | 'believed' | 'warned' | 'suspect'

/** What a prober reports when the metrics are read. */
export interface ProberGauges {
  /** Checks of this prober by the status of their member. */
  readonly members: Readonly<Partial<Record<MemberState, number>>>
  readonly inFlight: number
  readonly queueDepth: number
  /** Checks without a conclusive result for three windows. */
  readonly stale: number
  /** Shards that this prober owns. */
  readonly shards: number
  /** UDP sockets that many probes share, and those that one waiting probe has for itself. */
  readonly udpSharedSockets: number
  readonly udpOwnSockets: number
  /** 1 while half-open TCP probes are made by the batch, else 0. */
  readonly halfOpenBatched: number
  /** 1 while plain TCP probes are made by the batch, else 0. */
  readonly tcpBatched: number
  /** The same of HTTP probes in plain text. */
  readonly httpBatched: number
  /** The same for PING, and for UDP_CONNECT without an echo before and with one. */
  readonly pingBatched: number
  readonly udpBatched: number
  readonly udpAfterEchoBatched: number
  /** 1 while V8's heap is nearly as large as it may become, else 0. */
  readonly heapTight: number
}

export interface AnsweredRequest {
  readonly method: string
  /** The pattern, never a path with ids. */
  readonly route: string
  /** Of the path; `none` outside the dialects. */
  readonly dialect: string
  readonly status: number
  readonly seconds: number
}

/** `unanswered`: no result in time. `refused`: the project asked for too many, or the member is not probed. */
const PROBE_REQUEST_OUTCOMES = ['passed', 'failed', 'inconclusive', 'unanswered', 'refused'] as const
export type ProbeRequestOutcome = (typeof PROBE_REQUEST_OUTCOMES)[number]

export interface Metrics {
  readonly registry: Registry
  /** A probe started this late after it was due. */
  probeStarted(latenessMs: number): void
  probeEnded(type: MonitorType, result: Pick<ProbeResult, 'outcome' | 'reason' | 'phases'>): void
  /** The same for a probe that passed, where no result was made of it. */
  probePassed(type: MonitorType, totalMs: number): void
  /** Due probes that were left out because the one before had not ended or the queue was full. */
  probesSkipped(count: number): void
  /** Due probes that were put off because their address had enough of them. */
  probesDelayed(count: number): void
  /** A probe started on a socket of its own, because answers on the shared one are lost. */
  probeDedicated(type: MonitorType): void
  flushed(outcome: FlushOutcome, rows: number): void
  /** Changes of member status that were written. */
  transitioned(to: 'ONLINE' | 'OFFLINE', count: number): void
  leaseChanged(change: LeaseChange, count: number): void
  /**
   * Most unrelated targets failed at the same time. `held`: no canary answered. `believed`: one did. `warned`: there is
   * none.
   */
  massFailed(what: MassFailure): void
  /** Whether ICMP echoes of this family can be sent; without, UDP_CONNECT skips its echo. */
  icmpAvailable(family: 4 | 6, isAvailable: boolean): void
  /** Called at every scrape. */
  readProber(gauges: () => ProberGauges): void
  requestAnswered(request: AnsweredRequest): void
  /** A request for a probe has ended. */
  probeRequestEnded(outcome: ProbeRequestOutcome): void
  /** Lines of the log that could not be written. */
  readonly logLinesDropped: (count: number) => void
}

/** A fresh registry with all metrics; `name` (`api`, `prober-1`) labels those of the process itself. */
export function createMetrics(name: string): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry, labels: { process: name } })
  for (const misnamed of MISNAMED) registry.removeSingleMetric(misnamed)
  startTimeGauge(registry, name)
  return {
    registry,
    ...probeMetrics(registry),
    icmpAvailable: icmpGauge(registry),
    readProber: (gauges) => registerGauges(registry, gauges),
    ...breakerMetrics(registry),
    ...writerMetrics(registry),
    ...apiMetrics(registry),
    ...logMetrics(registry),
  }
}

/** Gauges of prom-client that are named like counters; each is the sum of one without `_total`. */
const MISNAMED = [
  'nodejs_active_resources_total',
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
]

/** Our metrics, as prom-client sees them: it only calls `get`. */
function register<Series extends CounterSeries | HistogramSeries>(
  registry: Registry,
  series: Series,
): Series {
  registry.registerMetric(series as unknown as Metric)
  return series
}

/** A function that returns the one value of a key, made by `make` at first use. */
function once<Key extends string, Value>(make: (key: Key) => Value): (key: Key) => Value {
  const made = new Map<Key, Value>()
  return (key) => {
    let value = made.get(key)
    if (value === undefined) {
      value = make(key)
      made.set(key, value)
    }
    return value
  }
}

/** Makes the series of all keys: Prometheus does not see the first event of a series that begins with it. */
function beginAtZero<Key extends string>(cellOf: (key: Key) => unknown, keys: readonly Key[]): void {
  for (const key of keys) cellOf(key)
}

function counter(registry: Registry, name: MetricName): (labels: Labels) => { value: number } {
  const series = register(registry, new CounterSeries(name, METRICS[name].help))
  return (labels) => series.cell(labels)
}

function histogram(
  registry: Registry,
  name: MetricName,
  bounds: readonly number[],
): (labels: Labels) => Buckets {
  const series = register(registry, new HistogramSeries(name, METRICS[name].help, bounds))
  return (labels) => series.buckets(labels)
}

const INCONCLUSIVE = (Object.keys(REASONS) as Reason[]).filter(
  (reason) => REASONS[reason].outcome === 'inconclusive',
)

/** Types whose probes share sockets. */
const DEDICATED_TYPES: readonly MonitorType[] = ['TCP', 'UDP-CONNECT', 'PING']

function probeMetrics(
  registry: Registry,
): Pick<
  Metrics,
  'probeStarted' | 'probeEnded' | 'probePassed' | 'probesSkipped' | 'probesDelayed' | 'probeDedicated'
> {
  const lateness = histogram(registry, 'hm_schedule_lateness_seconds', LATENESS_SECONDS_BUCKETS)({})
  const probes = counter(registry, 'hm_probes_total')
  const durations = histogram(registry, 'hm_probe_duration_seconds', PROBE_SECONDS_BUCKETS)
  const inconclusive = counter(registry, 'hm_probe_inconclusive_total')
  const skipped = counter(registry, 'hm_probes_skipped_total')({})
  const delayed = counter(registry, 'hm_probes_delayed_total')({})
  const dedicated = counter(registry, 'hm_probes_dedicated_total')
  const dedicatedBy = once((type: MonitorType) => dedicated({ type }))
  beginAtZero(dedicatedBy, DEDICATED_TYPES)
  const byType = once((type: MonitorType) => ({
    duration: durations({ type }),
    ended: once((reason: Reason) => probes({ type, outcome: REASONS[reason].outcome, reason })),
  }))
  const inconclusiveBy = once((reason: Reason) => inconclusive({ reason }))
  beginAtZero(inconclusiveBy, INCONCLUSIVE)
  return {
    probeStarted: (latenessMs) => lateness.observe(latenessMs / 1000),
    probeEnded: (type, { outcome, reason, phases }) => {
      const { duration, ended } = byType(type)
      ended(reason).value += 1
      if (outcome === 'inconclusive') inconclusiveBy(reason).value += 1
      else duration.observe(phases.totalMs / 1000)
    },
    probePassed: (type, totalMs) => {
      const { duration, ended } = byType(type)
      ended('PASSED').value += 1
      duration.observe(totalMs / 1000)
    },
    probesSkipped: (count) => {
      skipped.value += count
    },
    probesDelayed: (count) => {
      delayed.value += count
    },
    probeDedicated: (type) => {
      dedicatedBy(type).value += 1
    },
  }
}

/** Made at first use: a process without probes has no ICMP metrics. */
function icmpGauge(registry: Registry): Metrics['icmpAvailable'] {
  let gauge: Gauge<'family'> | undefined
  return (family, isAvailable) => {
    gauge ??= new Gauge({
      ...described(registry, 'hm_icmp_available'),
      labelNames: ['family'],
    })
    gauge.set({ family: `ipv${family}` }, isAvailable ? 1 : 0)
  }
}

const NUMBERS = {
  inFlight: 'hm_probes_in_flight',
  queueDepth: 'hm_probe_queue_depth',
  stale: 'hm_checks_stale',
  shards: 'hm_shards_owned',
  udpSharedSockets: 'hm_udp_sockets_shared',
  udpOwnSockets: 'hm_udp_sockets_own',
  halfOpenBatched: 'hm_half_open_batched',
  tcpBatched: 'hm_tcp_batched',
  httpBatched: 'hm_http_batched',
  pingBatched: 'hm_ping_batched',
  udpBatched: 'hm_udp_batched',
  udpAfterEchoBatched: 'hm_udp_after_echo_batched',
  heapTight: 'hm_heap_tight',
} as const

function registerGauges(registry: Registry, read: () => ProberGauges): void {
  for (const [field, name] of Object.entries(NUMBERS)) {
    const gauge: Gauge = new Gauge({
      ...described(registry, name),
      collect: () => {
        gauge.set(read()[field as keyof typeof NUMBERS])
      },
    })
  }
  const members: Gauge<'status'> = new Gauge({
    ...described(registry, 'hm_members'),
    labelNames: ['status'],
    collect: () => {
      const counts = read().members
      for (const status of ['ONLINE', 'OFFLINE', 'UNKNOWN'] as const)
        members.set({ status }, counts[status] ?? 0)
    },
  })
}

function breakerMetrics(registry: Registry): Pick<Metrics, 'massFailed'> {
  const series = counter(registry, 'hm_mass_failures_total')
  const byWhat = once((what: MassFailure) => series({ what }))
  beginAtZero(byWhat, ['held', 'believed', 'warned', 'suspect'])
  return {
    massFailed: (what) => {
      byWhat(what).value += 1
    },
  }
}

function writerMetrics(registry: Registry): Pick<Metrics, 'flushed' | 'transitioned' | 'leaseChanged'> {
  const rows = histogram(registry, 'hm_flush_rows', FLUSH_ROWS_BUCKETS)({})
  const counters = {
    flushes: counter(registry, 'hm_flushes_total'),
    transitions: counter(registry, 'hm_transitions_total'),
    leases: counter(registry, 'hm_lease_changes_total'),
  }
  const flushes = once((outcome: FlushOutcome) => counters.flushes({ outcome }))
  const transitions = once((to: 'ONLINE' | 'OFFLINE') => counters.transitions({ to }))
  const leases = once((change: LeaseChange) => counters.leases({ change }))
  beginAtZero(flushes, ['written', 'put_off', 'fenced', 'failed'])
  beginAtZero(transitions, ['ONLINE', 'OFFLINE'])
  beginAtZero(leases, ['claimed', 'released', 'lost'])
  return {
    flushed: (outcome, count) => {
      flushes(outcome).value += 1
      rows.observe(count)
    },
    transitioned: (to, count) => {
      transitions(to).value += count
    },
    leaseChanged: (change, count) => {
      leases(change).value += count
    },
  }
}

function logMetrics(registry: Registry): Pick<Metrics, 'logLinesDropped'> {
  const dropped = counter(registry, 'hm_log_lines_dropped_total')({})
  return {
    logLinesDropped: (count) => {
      dropped.value += count
    },
  }
}

function apiMetrics(registry: Registry): Pick<Metrics, 'requestAnswered' | 'probeRequestEnded'> {
  const requests = counter(registry, 'hm_api_requests_total')
  const durations = histogram(registry, 'hm_api_request_duration_seconds', REQUEST_SECONDS_BUCKETS)
  const probeRequests = counter(registry, 'hm_probe_requests_total')
  const ended = once((outcome: ProbeRequestOutcome) => probeRequests({ outcome }))
  beginAtZero(ended, PROBE_REQUEST_OUTCOMES)
  const count = once((key: string) => {
    const [method = '', dialect = '', code = '', route = ''] = key.split(' ')
    return requests({ method, route, dialect, code })
  })
  const duration = once((key: string) => {
    const [method = '', dialect = '', route = ''] = key.split(' ')
    return durations({ method, route, dialect })
  })
  return {
    requestAnswered: ({ method, route, dialect, status, seconds }) => {
      count(`${method} ${dialect} ${status} ${route}`).value += 1
      duration(`${method} ${dialect} ${route}`).observe(seconds)
    },
    probeRequestEnded: (outcome) => {
      ended(outcome).value += 1
    },
  }
}
