/**
 * What a monitor does, option by option, and where each comes from: its `options`, the preset that they name, a plain field,
 * its pool, the profile (the manners of the dialect that made it), or the default of all. Values are in the options' own words, by the
 * path of the option: `http.path`.
 */
import { expectedCodesOf, hostAddressOf, searchesBody, versionOf } from './http-target.ts'
import { HTTP_HEAD_MAX_BYTES } from './limits.ts'
import { isSecretHeader, MASK } from './option-secrets.ts'
import type { PoolQuestion } from './pool-question.ts'
import { presetManners, PRESET_TABLE } from './presets.ts'
import {
  connectionReuse,
  isHalfOpen,
  poolAlpn,
  proxyProtocolOf,
  requiresReply,
  type TargetMonitor,
} from './probe-target.ts'
import { isSent } from './plain-fields.ts'
import {
  delayMs,
  isTrafficAssumed,
  type JudgedMonitor,
  mannersOf,
  statePolicy,
  timeoutMs,
} from './profiles.ts'
import type { PlainField } from './types.ts'

export const ORIGINS = ['options', 'preset', 'field', 'pool', 'profile', 'default'] as const
export type Origin = (typeof ORIGINS)[number]

export interface EffectiveOption {
  readonly value: unknown
  readonly from: Origin
  /** Why probes cannot do as it says; absent = they do. */
  readonly unmet?: string
}

export type PlannedMonitor = JudgedMonitor & TargetMonitor

type Entry = readonly [option: string, value: unknown, otherwise: Origin, unmet?: string]

/** By the path of the option; what does not apply to the monitor is absent. `pool`: what its pool adds to the question. */
export function effectiveOptions(
  monitor: PlannedMonitor,
  trafficSeen: boolean,
  pool: PoolQuestion = {},
): Readonly<Record<string, EffectiveOption>> {
  const entries = [
    ...judging(monitor, trafficSeen),
    ...connecting(monitor, pool),
    ...asking(monitor, pool),
    ...answered(monitor),
    ...securing(monitor, pool),
    ...(['tcp', 'udp', 'grpc'] as const).flatMap((group) => saidOf(monitor, group)),
  ]
  return Object.fromEntries(
    entries
      .filter(([, value]) => value !== undefined)
      .map(([option, value, otherwise, unmet]) => [
        option,
        {
          value,
          from: isSaid(monitor, option, value) ? 'options' : otherwise,
          ...(unmet === undefined ? {} : { unmet }),
        },
      ]),
  )
}

/** Whether the monitor's own options name it, and have their way: some wishes cannot be met by every type. */
function isSaid({ options }: PlannedMonitor, option: string, value: unknown): boolean {
  const [group = '', key] = option.split('.')
  const named = (options as Readonly<Record<string, unknown>> | null | undefined)?.[group]
  const said =
    key === undefined || named === undefined ? named : (named as Readonly<Record<string, unknown>>)[key]
  return said !== undefined && (!isWord(said) || said === value)
}

const isWord = (value: unknown): boolean => typeof value === 'boolean' || typeof value === 'string'

/** Where a value comes from that a field has, sent or filled in. */
function ofField(monitor: PlannedMonitor, field: PlainField): Origin {
  return isSent(monitor, field) ? 'field' : 'default'
}

/** Where manners come from that options and fields say nothing of. */
function ofManners({ options }: PlannedMonitor): Origin {
  return options?.preset === undefined ? 'profile' : 'preset'
}

function judging(monitor: PlannedMonitor, trafficSeen: boolean): readonly Entry[] {
  const policy = statePolicy(monitor, trafficSeen)
  const row = PRESET_TABLE[mannersOf(monitor)]
  const manners = ofManners(monitor)
  const { intervals, jitter = {}, flap } = policy
  const { online } = intervals
  const ofState = (ms: number | undefined): Origin => (ms === undefined ? 'default' : manners)
  return [
    ['preset', monitor.options?.preset, 'options'],
    ['interval_ms', delayMs(monitor), 'field'],
    ['timeout_ms', timeoutMs(monitor), 'field'],
    [
      'rise',
      policy.rise,
      row.rise === undefined || isSent(monitor, 'rise') ? ofField(monitor, 'rise') : manners,
    ],
    ['fall', policy.fall, ofField(monitor, 'fall')],
    ['anchor', policy.anchor ?? 'completion', 'default'],
    ['initial.status', policy.initialStatus, manners],
    ['initial.rise', policy.firstRise, manners],
    ['initial.fall', policy.firstFall, manners],
    ['initial.unknown_fall', policy.unknownFall, 'default'],
    ['intervals.online_pending_ms', intervals.onlinePending ?? online, ofState(intervals.onlinePending)],
    ['intervals.offline_ms', intervals.offline ?? online, ofState(intervals.offline)],
    ['intervals.offline_pending_ms', intervals.offlinePending ?? online, ofState(intervals.offlinePending)],
    ['intervals.undecided_ms', intervals.undecided, manners],
    ['intervals.no_traffic_ms', intervals.noTraffic, manners],
    ['intervals.no_traffic_healthy_ms', intervals.noTrafficHealthy ?? intervals.noTraffic, manners],
    ['no_traffic.reported', !isTrafficAssumed(monitor), 'default'],
    ['jitter.ms', jitter.ms ?? 0, 'default'],
    ['jitter.percent', jitter.percent ?? 0, 'default'],
    ['jitter.spread_percent', jitter.spreadPercent ?? 0, 'default'],
    ['jitter.initial_ms', jitter.initialMs, 'default'],
    ['hard_failures', policy.hardFailures ?? [], manners],
    ['inconclusive', policy.inconclusive ?? 'keep', 'default'],
    ['invert', policy.invert ?? false, 'default'],
    ['recovery_extra', policy.recoveryExtra ?? 0, row.recoveryExtra === undefined ? 'default' : manners],
    ['halt_when_offline', policy.haltWhenOffline ?? false, 'default'],
    ['flap.window', flap?.window ?? 0, 'default'],
    ['flap.high_percent', flap?.highPercent, 'default'],
    ['flap.low_percent', flap?.lowPercent, 'default'],
    ['flap.hold_ms', flap?.holdMs, 'default'],
  ]
}

function connecting(monitor: PlannedMonitor, pool: PoolQuestion): readonly Entry[] {
  const { type, options } = monitor
  const manners = presetManners(mannersOf(monitor))
  const from = ofManners(monitor)
  const isConnected = type === 'HTTP' || type === 'HTTPS' || type === 'TCP' || type === 'TLS-HELLO'
  const reuse = connectionReuse(monitor)
  const { source_address } = options?.connection ?? {}
  const proxy = isConnected ? proxyProtocolOf(monitor, pool) : undefined
  const close = isConnected ? closeOf(monitor, pool) : undefined
  const handshake = type === 'TCP' ? (isHalfOpen(monitor, pool) ? 'half' : 'full') : undefined
  return [
    ['connection.reuse', isConnected ? reuse !== undefined : undefined, from],
    ['connection.fresh_every', reuse?.freshEvery, 'default'],
    ['connection.idle_close_is_failure', reuse?.idleCloseIsFailure, from],
    ['connection.close', close, close === manners.close ? from : 'default'],
    ['connection.handshake', handshake, handshake === manners.handshake ? from : 'default'],
    ['connection.source_address', source_address, 'options'],
    ['connection.proxy_protocol', proxy === undefined ? undefined : `v${proxy}`, 'pool'],
    [
      'icmp.count',
      type === 'PING' ? (options?.icmp?.count ?? manners.echoCount ?? 1) : undefined,
      echoFrom(),
    ],
  ]

  function echoFrom(): Origin {
    return manners.echoCount === undefined ? 'default' : from
  }
}

/** How connections end: below TLS never with RST; a connect that says nothing always, unless told otherwise. */
function closeOf(monitor: PlannedMonitor, pool: PoolQuestion): 'fin' | 'rst' {
  const { type, options } = monitor
  const { close = presetManners(mannersOf(monitor)).close } = options?.connection ?? {}
  if (type === 'HTTPS' || type === 'TLS-HELLO' || pool.tls !== undefined) return 'fin'
  const saysNothing =
    type === 'TCP' && options?.tcp === undefined && proxyProtocolOf(monitor, pool) === undefined
  return close ?? (saysNothing ? 'rst' : 'fin')
}

/** TLS as it is spoken: who names a CA wants it asked, and HTTP/2 is agreed on. */
function securing(monitor: PlannedMonitor, pool: PoolQuestion): readonly Entry[] {
  const { type, options } = monitor
  const isOfType = type === 'HTTPS' || type === 'TLS-HELLO'
  const isConnected = isOfType || type === 'HTTP' || type === 'TCP'
  if (!isOfType && (pool.tls === undefined || !isConnected)) return []
  const { verify, ca, alpn: _, ...others } = options?.tls ?? {}
  return [
    ['tls.enabled', true, isOfType ? 'field' : 'pool'],
    ['tls.verify', verify ?? ca !== undefined, 'default'],
    ['tls.ca', ca, 'options'],
    alpnEntry(monitor, pool),
    ['tls.versions', pool.tls?.versions, 'pool'],
    ['tls.ciphers', pool.tls?.ciphers, 'pool'],
    ...Object.entries(others).map(([key, value]): Entry => [`tls.${key}`, value, 'options']),
    ...Object.entries(pool.containers ?? {}).map(
      ([key, value]): Entry => [`tls.${key}`, value, 'pool', NO_KEY_MANAGER],
    ),
  ]
}

const NO_KEY_MANAGER =
  'probes have no access to a key manager: options.tls names certificate files of HM_TLS_DIR instead'

/** The names that are offered, and whose they are. */
function alpnEntry(monitor: PlannedMonitor, { tls }: PoolQuestion): Entry {
  const { type, options } = monitor
  const isHttp2 =
    (type === 'HTTP' || type === 'HTTPS') && (options?.grpc !== undefined || versionOf(monitor) === '2')
  const ofPool = tls === undefined || isHttp2 ? undefined : poolAlpn(monitor, tls)
  const offered = options?.tls?.alpn ?? ofPool ?? (isHttp2 ? ['h2'] : undefined)
  return ['tls.alpn', offered, ofPool !== undefined && tls?.alpn !== undefined ? 'pool' : 'default']
}

function asking(monitor: PlannedMonitor, pool: PoolQuestion): readonly Entry[] {
  const { type, options, urlPath, httpMethod, httpVersion, domainName } = monitor
  if ((type !== 'HTTP' && type !== 'HTTPS') || options?.grpc !== undefined) return []
  const http = options?.http ?? {}
  const manners = presetManners(mannersOf(monitor))
  const from = ofManners(monitor)
  const version = versionOf(monitor)
  const codes = expectedCodesOf(monitor)
  const ownHost = (domainName ?? '') === '' ? undefined : domainName
  const hostAddress = hostAddressOf(monitor)
  return [
    ['http.version', http.version ?? shownVersion(version), version === httpVersion ? 'field' : from],
    ['http.method', http.method ?? httpMethod ?? 'GET', ofField(monitor, 'httpMethod')],
    ['http.path', http.path ?? urlPath ?? '/', ofField(monitor, 'urlPath')],
    ['http.host', http.host ?? ownHost ?? hostAddress, ownHost === undefined ? 'profile' : 'field'],
    [
      'http.expected_statuses',
      codes.set.map((range) => ({ start: range.from, end: range.to + 1 })),
      codes.isField ? 'field' : from,
    ],
    ['http.warning_statuses', http.warning_statuses ?? manners.warningStatuses, from],
    ['http.degraded_header', http.degraded_header ?? manners.degradedHeader, from],
    [
      'http.searched_body_bytes',
      http.searched_body_bytes ?? (searchesBody(http) ? manners.searchedBodyBytes : undefined),
      from,
    ],
    ['http.head_max_bytes', http.head_max_bytes ?? HTTP_HEAD_MAX_BYTES, 'default'],
    ...saidOf(monitor, 'http').filter(([option]) => !HTTP_TOLD.has(option)),
  ]

  /** HTTP/2 as the option says it: with prior knowledge, or below TLS. */
  function shownVersion(spoken: typeof version): string {
    if (spoken !== '2') return spoken
    return type === 'HTTPS' || pool.tls !== undefined ? 'h2' : 'h2c'
  }
}

/** Whether a UDP target has to reply, and the length that is held against a pattern. */
function answered(monitor: PlannedMonitor): readonly Entry[] {
  if (monitor.type !== 'UDP-CONNECT') return []
  const { replyLength } = presetManners(mannersOf(monitor))
  const { reply_pattern } = monitor.options?.udp ?? {}
  const required: Entry = ['udp.require_reply', requiresReply(monitor.options?.udp), 'default']
  if (reply_pattern === undefined || replyLength === undefined) return [required]
  const from = ofManners(monitor)
  return [
    required,
    ['udp.min_reply_length', replyLength.min, from],
    ['udp.max_reply_length', replyLength.max, from],
  ]
}

const HTTP_TOLD: ReadonlySet<string> = new Set(
  [
    'version',
    'method',
    'path',
    'host',
    'expected_statuses',
    'warning_statuses',
    'degraded_header',
    'searched_body_bytes',
    'head_max_bytes',
  ].map((key) => `http.${key}`),
)

/** What the options say of a group, secrets masked. */
function saidOf({ options }: PlannedMonitor, group: 'http' | 'tcp' | 'udp' | 'grpc'): Entry[] {
  return Object.entries(options?.[group] ?? {}).map(([key, value]: [string, unknown]) => [
    `${group}.${key}`,
    key === 'headers' || key === 'metadata' ? masked(value) : value,
    'options',
  ])
}

function masked(headers: unknown): unknown {
  return (headers as readonly { name: string; value?: string }[]).map((header) =>
    header.value !== undefined && isSecretHeader(header.name) ? { ...header, value: MASK } : header,
  )
}
