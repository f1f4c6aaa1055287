/**
 * What a monitor does, option by option, and where each comes from: its `options`, the preset that they name, a plain field,
 * the profile (the manners of the dialect that made it), or the default of all. Values are in the options' own words, by the
 * path of the option: `http.path`.
 */
import { expectedCodesOf, hostAddressOf, versionOf } from './http-target.ts'
import { isSecretHeader, MASK } from './option-secrets.ts'
import { presetManners, PRESET_TABLE } from './presets.ts'
import { connectionReuse, isHalfOpen, requiresReply, type TargetMonitor } from './probe-target.ts'
import { delayMs, type JudgedMonitor, mannersOf, statePolicy, timeoutMs } from './profiles.ts'

export const ORIGINS = ['options', 'preset', 'field', 'profile', 'default'] as const
export type Origin = (typeof ORIGINS)[number]

export interface EffectiveOption {
  readonly value: unknown
  readonly from: Origin
}

export type PlannedMonitor = JudgedMonitor & TargetMonitor

type Entry = readonly [option: string, value: unknown, otherwise: Origin]

/** By the path of the option; what does not apply to the monitor is absent. */
export function effectiveOptions(
  monitor: PlannedMonitor,
  trafficSeen: boolean,
): Readonly<Record<string, EffectiveOption>> {
  const entries = [
    ...judging(monitor, trafficSeen),
    ...connecting(monitor),
    ...asking(monitor),
    ...answered(monitor),
    ...securing(monitor),
    ...(['tcp', 'udp', 'grpc'] as const).flatMap((group) => saidOf(monitor, group)),
  ]
  return Object.fromEntries(
    entries
      .filter(([, value]) => value !== undefined)
      .map(([option, value, otherwise]) => [
        option,
        { value, from: isSaid(monitor, option, value) ? 'options' : otherwise },
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
    ['rise', policy.rise, row.rise === undefined ? 'field' : manners],
    ['fall', policy.fall, row.fall === undefined ? 'field' : manners],
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

function connecting(monitor: PlannedMonitor): readonly Entry[] {
  const { type, options } = monitor
  const manners = presetManners(mannersOf(monitor))
  const from = ofManners(monitor)
  const isConnected = type === 'HTTP' || type === 'HTTPS' || type === 'TCP' || type === 'TLS-HELLO'
  const reuse = connectionReuse(monitor)
  const { source_address, proxy_protocol } = options?.connection ?? {}
  const close = isConnected ? closeOf(monitor) : undefined
  const handshake = type === 'TCP' ? (isHalfOpen(monitor) ? 'half' : 'full') : undefined
  return [
    ['connection.reuse', isConnected ? reuse !== undefined : undefined, from],
    ['connection.fresh_every', reuse?.freshEvery, 'default'],
    ['connection.idle_close_is_failure', reuse?.idleCloseIsFailure, from],
    ['connection.close', close, close === manners.close ? from : 'default'],
    ['connection.handshake', handshake, handshake === manners.handshake ? from : 'default'],
    ['connection.source_address', source_address, 'options'],
    ['connection.proxy_protocol', proxy_protocol, 'options'],
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
function closeOf(monitor: PlannedMonitor): 'fin' | 'rst' {
  const { type, options } = monitor
  const { close = presetManners(mannersOf(monitor)).close, proxy_protocol } = options?.connection ?? {}
  if (type === 'HTTPS' || type === 'TLS-HELLO') return 'fin'
  const saysNothing = type === 'TCP' && options?.tcp === undefined && proxy_protocol === undefined
  return close ?? (saysNothing ? 'rst' : 'fin')
}

/** TLS as it is spoken: who names a CA wants it asked, and HTTP/2 is agreed on. */
function securing(monitor: PlannedMonitor): readonly Entry[] {
  const { type, options } = monitor
  if (type !== 'HTTPS' && type !== 'TLS-HELLO') return []
  const { verify, ca, alpn, ...others } = options?.tls ?? {}
  const isHttp2 = options?.grpc !== undefined || options?.http?.version === 'h2'
  return [
    ['tls.verify', verify ?? ca !== undefined, 'default'],
    ['tls.ca', ca, 'options'],
    ['tls.alpn', alpn ?? (isHttp2 ? ['h2'] : undefined), 'default'],
    ...Object.entries(others).map(([key, value]): Entry => [`tls.${key}`, value, 'options']),
  ]
}

function asking(monitor: PlannedMonitor): readonly Entry[] {
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
    ['http.version', http.version ?? version, version === httpVersion ? 'field' : from],
    ['http.method', http.method ?? httpMethod ?? 'GET', httpMethod === null ? 'default' : 'field'],
    ['http.path', http.path ?? urlPath ?? '/', urlPath === null ? 'default' : 'field'],
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
      http.searched_body_bytes ??
        ((http.expected_body ?? []).length > 0 ? manners.searchedBodyBytes : undefined),
      from,
    ],
    ...saidOf(monitor, 'http').filter(([option]) => !HTTP_TOLD.has(option)),
  ]
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
  return (headers as readonly { name: string; value: string }[]).map((header) =>
    isSecretHeader(header.name) ? { ...header, value: MASK } : header,
  )
}
