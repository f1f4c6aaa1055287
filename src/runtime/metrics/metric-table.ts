/**
 * Every metric of the service: type, labels, meaning, and what an operator does about it. The program registers its
 * metrics from here, and docs/metrics.md is generated from here. Names follow the Prometheus conventions: base units,
 * `_total` for counters.
 */
import { BATCHED } from './batch-table.ts'
import { FIGURE_GROUPS } from './figure-table.ts'
import type { MetricGroup, MetricRow } from './metric-row.ts'
import { OF_SITES, SITE_GROUPS } from './site-table.ts'

const SERVICE = {
  hm_service_members: {
    type: 'gauge',
    labels: ['status'],
    help: 'Members that are to be probed, by status, of the whole service',
    advice: 'A sudden rise of OFFLINE: compare hm_mass_failures_total, then the transitions of the pools.',
  },
  hm_service_checks_stale: {
    type: 'gauge',
    labels: [],
    help: 'Members that should be probed and whose status is too old to trust, of the whole service',
    advice: 'Above 0: `members?stale=true` lists them. If all of a prober are stale, look at that prober.',
  },
  hm_service_shards_unowned: {
    type: 'gauge',
    labels: [],
    help: 'Shards without a living owner, of 256: their members are not probed',
    advice: 'Above 0 for longer than a lease: start probers, or look why they cannot claim.',
  },
  hm_service_probers: {
    type: 'gauge',
    labels: [],
    help: 'Probers that are alive, of the whole service',
    advice: 'Fewer than you run: look for the missing one, in its log and in its unit.',
  },
  hm_service_results_unwritten: {
    type: 'gauge',
    labels: [],
    help: 'Results that probers could not write yet, of the whole service',
    advice: 'Above 0 for a minute: PostgreSQL is away or too slow for the probers.',
  },
  hm_certificates_expiring: {
    type: 'gauge',
    labels: [],
    help: 'Members whose TLS certificate ends within the days of tls.expiry_warning_days, or has ended, of the whole service',
    advice: 'Above 0: events certificate.expiring name the members. Renew what they show.',
  },
  hm_certificates_expired: {
    type: 'gauge',
    labels: [],
    help: 'Members whose TLS certificate has ended, of the whole service',
    advice: 'Above 0: clients that verify certificates refuse these members, whatever their status is.',
  },
} as const satisfies MetricGroup['metrics']

const DATABASE = {
  hm_database_up: {
    type: 'gauge',
    labels: [],
    help: 'Whether PostgreSQL answered this API process when it last asked',
    advice: '0: the API answers 503, probers continue. Start PostgreSQL, or mend the way to it.',
  },
  hm_database_latency_seconds: {
    type: 'gauge',
    labels: [],
    help: 'How long PostgreSQL last took to answer a statement that reads nothing, with the wait for a connection',
    advice: 'Above 0.1: PostgreSQL, its disk or the network is busy, or the connections of the API are.',
  },
} as const satisfies MetricGroup['metrics']

const API = {
  hm_api_requests_total: {
    type: 'counter',
    labels: ['method', 'route', 'dialect', 'code'],
    help: 'Requests that were answered',
    advice:
      'Code 500: a fault of ours; the log has it at level error. 503: PostgreSQL or Keystone is away, or a project uses all of its share. Dialect `none`: paths outside the dialects.',
  },
  hm_api_request_duration_seconds: {
    type: 'histogram',
    labels: ['method', 'route', 'dialect'],
    help: 'Time from the request to the end of its answer',
    advice: 'Compare hm_database_latency_seconds first. More API processes help when their CPU is full.',
  },
  hm_probe_requests_total: {
    type: 'counter',
    labels: ['outcome'],
    help: 'Requests for a probe now that have ended, by what came of them',
    advice:
      'unanswered: no prober had a result in time; look for shards without an owner and at the lateness of probes. refused: a project asked too often, or for a member that is not probed.',
  },
} as const satisfies MetricGroup['metrics']

const PROBING = {
  hm_schedule_lateness_seconds: {
    type: 'histogram',
    labels: [],
    help: 'How long after it was due a probe started',
    advice: 'p99 above 0.1: the prober has too little CPU. Add probers, or move other work away.',
  },
  hm_probes_total: {
    type: 'counter',
    labels: ['type', 'outcome', 'reason'],
    help: 'Probes that ended',
    advice: 'The reasons say why members fail. A sum that falls to 0: no prober works.',
  },
  hm_probe_duration_seconds: {
    type: 'histogram',
    labels: ['type'],
    help: 'Duration of probes that passed or failed',
    advice:
      'It is the latency of the members. If it rises for all types at once, suspect the network of the prober.',
  },
  hm_probe_inconclusive_total: {
    type: 'counter',
    labels: ['reason'],
    help: 'Inconclusive probes, by reason',
    advice:
      'A fault of the prober, never of a member. PROBER_NO_SOCKET: raise the limit of open files. PROBER_OVERLOAD: give it CPU, or (hm_probes_dedicated_total rises too) drop who floods it. PROBER_OFFLINE: mend its network. TARGET_DENIED: HM_PROBE_DENY or HM_PROBE_ALLOW forbids it.',
  },
  hm_probes_skipped_total: {
    type: 'counter',
    labels: [],
    help: 'Due probes that were left out, because the one before had not ended or the queue was full',
    advice: 'Rising: the prober has too much to do. Add probers.',
  },
  hm_probes_delayed_total: {
    type: 'counter',
    labels: [],
    help: 'Due probes that were put off because their address had enough of them',
    advice: 'Rising: many members share an address. HM_PROBES_PER_SECOND_PER_ADDRESS is the limit.',
  },
  hm_probes_dedicated_total: {
    type: 'counter',
    labels: ['type'],
    help: 'Probes on a socket of their own, because answers on the shared one were lost',
    advice:
      'Rising: a host floods the prober. Checks that lose their answers are probed on sockets of their own, at a higher cost. Find the source and drop it (docs/operations.md, HealthmonitorInconclusive, PROBER_OVERLOAD).',
  },
  hm_probes_in_flight: {
    type: 'gauge',
    labels: [],
    help: 'Probes that are running',
    advice: 'Near the limit of open files: raise the limit.',
  },
  hm_probe_queue_depth: {
    type: 'gauge',
    labels: [],
    help: 'Due probes that wait for a free slot',
    advice: 'Above 0 for long: raise the limit of open files, or add probers.',
  },
  hm_checks_stale: {
    type: 'gauge',
    labels: [],
    help: 'Checks without a conclusive result for three windows',
    advice: 'Only those that this prober owns: hm_probe_inconclusive_total says why.',
  },
  hm_members: {
    type: 'gauge',
    labels: ['status'],
    help: 'Members that are probed, by status',
    advice: 'Only those that this prober owns: shows how the work is shared.',
  },
  hm_shards_owned: {
    type: 'gauge',
    labels: [],
    help: 'Shards that this service owns',
    advice:
      'The sum over all probers is 256. An uneven share lasts for some seconds after a start or an end.',
  },
  hm_lease_changes_total: {
    type: 'counter',
    labels: ['change'],
    help: 'Shards claimed, released and lost',
    advice: '`lost` rising: the prober stalls for longer than HM_SHARD_LEASE_MS, or PostgreSQL does.',
  },
  hm_mass_failures_total: {
    type: 'counter',
    labels: ['what'],
    help: 'Times that most unrelated targets failed at once, by whether that was held back',
    advice:
      '`held`: no canary answered; mend the network of the prober. `believed`: a canary answered, so the members are down. `warned`: there are no canaries; set HM_CANARY. `suspect`: other sites see ONLINE what fails here; mend the network of this site.',
  },
  hm_icmp_available: {
    type: 'gauge',
    labels: ['family'],
    help: 'Probers that can send ICMP echoes; where 0, UDP_CONNECT skips its echo',
    advice: '0: give the prober CAP_NET_RAW and the package net-ping, or accept it.',
  },
  ...BATCHED,
  hm_udp_sockets_shared: {
    type: 'gauge',
    labels: [],
    help: 'UDP sockets that probes share',
    advice: 'Nothing to do.',
  },
  hm_udp_sockets_own: {
    type: 'gauge',
    labels: [],
    help: 'UDP sockets of one probe each: without raw ICMP',
    advice: 'Near the limit of open files: give the prober CAP_NET_RAW, or raise the limit.',
  },
  hm_heap_tight: {
    type: 'gauge',
    labels: [],
    help: 'Probers whose heap is nearly as large as it may become',
    advice:
      '1: such a prober makes a tenth of its probes at a time. Add probers, or memory with NODE_OPTIONS.',
  },
  hm_dependency_reading_failures_total: {
    type: 'counter',
    labels: [],
    help: 'Readings of what the members of a project depend on that failed',
    advice: 'Rising: PostgreSQL is away or slow.',
  },
  hm_dependency_projects_blind: {
    type: 'gauge',
    labels: [],
    help: 'Projects whose members are judged without what they depend on, because it could not be read for long',
    advice: 'Above 0: members may be OFFLINE because of a parent. The log names the project.',
  },
} as const satisfies MetricGroup['metrics']

const WRITING = {
  hm_transitions_total: {
    type: 'counter',
    labels: ['to'],
    help: 'Changes of member status that were written',
    advice: 'A high rate in both directions: members flap. Their transitions say why.',
  },
  hm_flushes_total: {
    type: 'counter',
    labels: ['outcome'],
    help: 'Writes of results to PostgreSQL',
    advice:
      '`failed` rising: PostgreSQL is away. `fenced`: the prober had lost the shard; harmless if rare. `put_off`: a ' +
      'request was changing these pools; their results are written a tenth of a second later.',
  },
  hm_flush_rows: {
    type: 'histogram',
    labels: [],
    help: 'Rows of one write of results',
    advice: 'Nothing to do.',
  },
  hm_roll_ups_repaired_total: {
    type: 'counter',
    labels: [],
    help: 'Load balancers whose kept statuses, or those of their pools, were wrong; 0 unless there is a fault',
    advice: 'Above 0: a fault of the service, already repaired. Report it with the log of that prober.',
  },
  hm_retention_rows_total: {
    type: 'counter',
    labels: [],
    help: 'Rows that retention has deleted',
    advice: 'Nothing to do.',
  },
  hm_retention_failures_total: {
    type: 'counter',
    labels: [],
    help: 'Passes of retention that failed, wholly or in part; tables grow while they do',
    advice: 'Rising: the log of a prober says why.',
  },
  hm_retention_last_success_timestamp_seconds: {
    type: 'gauge',
    labels: [],
    help: 'When a pass of retention last ended well; 0 = not since the start',
    advice: 'Take the maximum over all probers: one of them makes the pass. Older than an hour: see the log.',
  },
} as const satisfies MetricGroup['metrics']

const NOTIFYING = {
  hm_notifier_active: {
    type: 'gauge',
    labels: [],
    help: 'Notifiers that deliver; of the whole service one does',
    advice: 'Sum below 1 for a minute: no events are delivered. Start a notifier, or read its log.',
  },
  hm_events_lag: {
    type: 'gauge',
    labels: ['receiver'],
    help: 'Events that a receiver was not given yet; receiver outbox: that have no position yet',
    advice: 'Growing: the log of the notifier says why. Nothing is lost within HM_EVENTS_DAYS.',
  },
  hm_events_lag_seconds: {
    type: 'gauge',
    labels: ['receiver'],
    help: 'Seconds since the oldest event that a receiver was not given yet',
    advice: 'Above 60: as hm_events_lag.',
  },
  hm_webhook_lag_seconds: {
    type: 'gauge',
    labels: [],
    help: 'Seconds since the oldest event that waits for a webhook was queued',
    advice: 'A receiver takes nothing, or not the events of some members: see hm_webhooks_behind.',
  },
  hm_webhooks_behind: {
    type: 'gauge',
    labels: [],
    help: 'Webhooks for which an event has waited for longer than a minute',
    advice:
      'Above 0: `GET /v1/webhooks` shows which, with the last error. Its owner has to look at the receiver.',
  },
  hm_webhook_dead_letters: {
    type: 'gauge',
    labels: [],
    help: 'Deliveries to webhooks that were given up and are kept',
    advice: 'Rising: a receiver was away for 24 hours. `GET /v1/webhooks/{id}/dead-letters` lists them.',
  },
  hm_webhook_deliveries_total: {
    type: 'counter',
    labels: ['result'],
    help: 'Events for webhooks, by what became of a delivery: delivered, failed (it is tried again), dead (given up)',
    advice: 'Mostly failed: look at hm_webhooks_behind.',
  },
} as const satisfies MetricGroup['metrics']

const PROCESS = {
  hm_build_info: {
    type: 'gauge',
    labels: ['version', 'node', 'process'],
    help: 'Always 1; the labels say which version runs on which Node',
    advice: 'More than one version for longer than an upgrade takes: finish the upgrade.',
  },
  process_start_time_seconds: {
    type: 'gauge',
    labels: ['process'],
    help: 'Start time of the process since the Unix epoch in seconds',
    advice:
      'Changes often: the process dies. The log of `serve`, or of the service manager, has its exit code.',
  },
  hm_last_reload_successful: {
    type: 'gauge',
    labels: [],
    help: 'Whether everything could be used when files were last read: at the start or by SIGHUP',
    advice: '0: the log says which file cannot be used. What was read before stays in use.',
  },
  hm_listener_certificate_expiry_timestamp_seconds: {
    type: 'gauge',
    labels: [],
    help: 'When the certificate of our own listeners (HM_TLS_CERT) expires',
    advice: 'Soon: replace the files, then send SIGHUP.',
  },
  hm_log_lines_dropped_total: {
    type: 'counter',
    labels: [],
    help: 'Lines of the log that could not be written',
    advice: 'Rising: the disk is full, or nobody reads the log.',
  },
} as const satisfies MetricGroup['metrics']

const ROWS = {
  ...SERVICE,
  ...DATABASE,
  ...API,
  ...PROBING,
  ...WRITING,
  ...NOTIFYING,
  ...OF_SITES,
  ...PROCESS,
} as const

export type MetricName = keyof typeof ROWS

/** The rows by name. */
export const METRICS: Readonly<Record<MetricName, MetricRow>> = ROWS

/** In the order of docs/metrics.md. */
export const METRIC_GROUPS: readonly MetricGroup[] = [
  {
    title: 'The whole service',
    about: 'Every API process reads these from PostgreSQL. Aggregate them with `max`, never with `sum`.',
    metrics: SERVICE,
  },
  {
    title: 'PostgreSQL',
    about: 'Every API process has these, as it sees PostgreSQL. Aggregate them with `min` or `max`.',
    metrics: DATABASE,
  },
  { title: 'API', about: 'Every API process has these. Aggregate them with `sum`.', metrics: API },
  {
    title: 'Probing',
    about: 'Every prober has these for what it owns. Aggregate them with `sum`.',
    metrics: PROBING,
  },
  {
    title: 'Writing',
    about: 'Every prober has these. Aggregate them with `sum`, if nothing else is said.',
    metrics: WRITING,
  },
  {
    title: 'Events and webhooks',
    about:
      'Every notifier has these; all but the one that delivers show 0 or nothing. Aggregate them with `sum`.',
    metrics: NOTIFYING,
  },
  ...SITE_GROUPS,
  { title: 'Process', about: 'Every process has these.', metrics: PROCESS },
  ...FIGURE_GROUPS,
]
