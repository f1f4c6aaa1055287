/**
 * Presets: the manners of other health checkers, as data (docs/peers/probing.md, cited at each). A preset says what a
 * monitor's own words leave open; what its options say always wins. The profiles `elb` and `octavia` are the presets
 * of those names.
 *
 * Not copied, on purpose: Envoy's threshold of 0, keepalived's recovery whose successes need not be consecutive, Consul's
 * failures_before_warning, Octavia's one failure too many on LVS, and every peer's way to spread its first probes: ours is
 * flat and fast.
 */
import { FLAP_DEFAULT, type Range } from './limits.ts'
import type { HardFailure, MonitorOptions, Preset, StatusRange } from './monitor-options.ts'
import type { Intervals, Jitter } from './probe-times.ts'
import type { CheckStatus, StatePolicy } from './state-machine.ts'
import type { MonitorType } from './types.ts'

/** What the plain fields of a monitor say. */
export interface PlainPolicy {
  readonly type: MonitorType
  /** `max_retries`, `max_retries_down`. */
  readonly rise: number
  readonly fall: number
  readonly intervalMs: number
  /** Nobody sent `max_retries`: a preset that has a threshold of its own has its way. */
  readonly isRiseUnsent?: boolean
  /** Traffic has reached the pool: its no-traffic intervals are over. */
  readonly trafficSeen?: boolean
}

/** How the probes of a peer go about it, where neither options nor plain fields say so. */
export interface PresetManners {
  /** Connections are kept between probes. */
  readonly reuse: boolean
  /** TCP: the target closing a kept connection is a failure. */
  readonly idleCloseIsFailure: boolean
  /** Absent = as the type does by itself. */
  readonly close?: 'fin' | 'rst'
  /** Of TCP checks that say nothing. */
  readonly handshake?: 'half'
  /** `2`: prior knowledge on a plain connection, h2 below TLS. */
  readonly httpVersion: '1.0' | '1.1' | '2'
  readonly expectedStatuses: readonly StatusRange[]
  readonly warningStatuses?: readonly StatusRange[]
  readonly degradedHeader?: string
  /** Bytes of a body that are searched for what is expected of it; absent = as many as a probe reads. */
  readonly searchedBodyBytes?: number
  /** Echo requests of PING. */
  readonly echoCount?: number
  /** UDP: bytes that a reply has which is held against a pattern. */
  readonly replyLength?: Range
}

/** Intervals that are set, of those that a peer lets its users set. */
type Given = Omit<Partial<Intervals>, 'online'>

interface PresetRow {
  /** Thresholds out of the plain ones; absent = those. */
  readonly rise?: (plain: number) => number
  readonly fall?: (plain: number) => number
  readonly initial: (
    rise: number,
    fall: number,
  ) => { readonly status: CheckStatus; readonly rise: number; readonly fall: number }
  /** Intervals that follow from the interval and from those that are set; absent = the interval everywhere. */
  readonly intervals?: (online: number, given: Given, type: MonitorType) => Given
  readonly hardFailures: readonly HardFailure[]
  /** A failure on data traffic is as hard as those. */
  readonly passive?: 'hard'
  readonly recoveryExtra?: (type: MonitorType) => number
  readonly manners: PresetManners
}

const OK_ONLY: readonly StatusRange[] = [{ start: 200, end: 201 }]
const PLAIN: PresetManners = {
  reuse: false,
  idleCloseIsFailure: false,
  httpVersion: '1.1',
  expectedStatuses: OK_ONLY,
}

/** keepalived's delay_before_retry, and that of its HTTP_GET (docs/peers/probing.md 26). */
const KEEPALIVED_RETRY_MS = 1000
const KEEPALIVED_HTTP_RETRY_MS = 3000
/** Envoy's no_traffic_interval and response_buffer_size (docs/peers/probing.md 1 and 15). */
const ENVOY_NO_TRAFFIC_MS = 60_000
const ENVOY_SEARCHED_BYTES = 1024
/** HAProxy's tune.bufsize (docs/peers/probing.md 24). */
const HAPROXY_SEARCHED_BYTES = 16 * 1024

const unknownUntilFirst: PresetRow['initial'] = () => ({ status: 'UNKNOWN', rise: 1, fall: 1 })
const upFallsAtFirst: PresetRow['initial'] = (rise) => ({ status: 'ONLINE', rise, fall: 1 })
const atLeastOne = (plain: number): number => Math.max(1, plain)
const isHttp = (type: MonitorType): boolean => type === 'HTTP' || type === 'HTTPS'

/** docs/peers/probing.md 4 to 13. */
const ENVOY: PresetRow = {
  initial: unknownUntilFirst,
  intervals: (online, given) => {
    const offline = given.offline ?? online
    // The edge towards OFFLINE is as urgent as OFFLINE is; an explicit value wins.
    return { offline, onlinePending: offline, noTraffic: ENVOY_NO_TRAFFIC_MS }
  },
  hardFailures: ['status', 'payload', 'immediate'],
  passive: 'hard',
  manners: {
    ...PLAIN,
    reuse: true,
    idleCloseIsFailure: true,
    degradedHeader: 'x-envoy-degraded',
    searchedBodyBytes: ENVOY_SEARCHED_BYTES,
  },
}

export const PRESET_TABLE: Readonly<Record<Preset, PresetRow>> = {
  // docs/peers/probing.md 33: the first check alone makes a new member healthy; afterwards the thresholds.
  elb: { initial: unknownUntilFirst, hardFailures: [], manners: PLAIN },
  // docs/peers/probing.md 31: HAProxy, as Octavia configures it; starts "up, but will fall down at first failure".
  octavia: { initial: upFallsAtFirst, hardFailures: [], manners: { ...PLAIN, httpVersion: '1.0' } },
  envoy: ENVOY,
  // docs/peers/probing.md 17: Kuma's health checks ask in HTTP/2 always.
  kuma: { ...ENVOY, manners: { ...ENVOY.manners, httpVersion: '2' } },
  // docs/peers/probing.md 18 to 24.
  haproxy: {
    initial: upFallsAtFirst,
    hardFailures: [],
    manners: {
      ...PLAIN,
      close: 'rst',
      // TCP_QUICKACK off (tcp_connect_server): the SYN-ACK is answered with the RST.
      handshake: 'half',
      httpVersion: '1.0',
      expectedStatuses: [{ start: 200, end: 400 }],
      searchedBodyBytes: HAPROXY_SEARCHED_BYTES,
    },
  },
  // docs/peers/probing.md 25 to 30: `fall` n is its `retry` n - 1; one success is always enough, of HTTP_GET two.
  keepalived: {
    rise: () => 1,
    initial: upFallsAtFirst,
    intervals: (online, given, type) => {
      if (!isHttp(type)) return { onlinePending: KEEPALIVED_RETRY_MS }
      const onlinePending = given.onlinePending ?? KEEPALIVED_HTTP_RETRY_MS
      // check_http.c epilog(): a URL that failed is asked again after the longer of the two.
      return { onlinePending, offline: Math.max(online, onlinePending) }
    },
    hardFailures: [],
    recoveryExtra: (type) => (isHttp(type) ? 1 : 0),
    // check_udp.c: of a reply that is shorter than the pattern, the bytes that are there are compared.
    manners: { ...PLAIN, httpVersion: '1.0', replyLength: { min: 0, max: 255 } },
  },
  // docs/peers/probing.md 35: curl without -f takes every answer; `ping -c2`; no delay until the first report.
  contrail: {
    rise: () => 1,
    fall: atLeastOne,
    initial: (rise, fall) => ({ status: 'ONLINE', rise, fall }),
    intervals: () => ({ undecided: 0 }),
    hardFailures: [],
    manners: { ...PLAIN, expectedStatuses: [{ start: 100, end: 600 }], echoCount: 2 },
  },
  // docs/peers/probing.md 36 and 37.
  consul: {
    rise: atLeastOne,
    fall: atLeastOne,
    initial: () => ({ status: 'OFFLINE', rise: 1, fall: 1 }),
    hardFailures: [],
    manners: {
      ...PLAIN,
      expectedStatuses: [{ start: 200, end: 300 }],
      warningStatuses: [{ start: 429, end: 430 }],
    },
  },
}

/** How the probes of a preset go about it. */
export function presetManners(preset: Preset): PresetManners {
  return PRESET_TABLE[preset].manners
}

/**
 * What options choose to publish of members that have no verdict yet; null = nothing. The start of a profile is none of
 * that: Octavia too shows a member as OFFLINE until the first report, although HAProxy takes it as up.
 */
export function startStatus(options: MonitorOptions | null): 'ONLINE' | 'OFFLINE' | null {
  const { preset, initial } = options ?? {}
  const ofPreset = preset === undefined ? undefined : PRESET_TABLE[preset].initial(1, 1).status
  const status = initial?.status ?? ofPreset ?? 'UNKNOWN'
  return status === 'UNKNOWN' ? null : status
}

/** The state policy of a monitor: its options over the preset over its plain fields. */
export function presetPolicy(preset: Preset, plain: PlainPolicy, options: MonitorOptions = {}): StatePolicy {
  const row = PRESET_TABLE[preset]
  const ofPreset = plain.isRiseUnsent === false ? undefined : row.rise?.(plain.rise)
  const rise = options.rise ?? ofPreset ?? plain.rise
  const fall = options.fall ?? row.fall?.(plain.fall) ?? plain.fall
  const initial = row.initial(rise, fall)
  const jitter = jitterOf(options.jitter)
  const recoveryExtra = options.recovery_extra ?? row.recoveryExtra?.(plain.type) ?? 0
  const flap = flapOf(options.flap)
  const hardFailures = options.hard_failures ?? row.hardFailures
  return {
    rise,
    fall,
    initialStatus: options.initial?.status ?? initial.status,
    firstRise: Math.min(rise, options.initial?.rise ?? initial.rise),
    firstFall: Math.min(fall, options.initial?.fall ?? initial.fall),
    unknownFall: options.initial?.unknown_fall ?? 1,
    intervals: intervalsOf(row, plain, options),
    ...(hardFailures.length === 0 ? {} : { hardFailures }),
    ...(row.passive === undefined ? {} : { passive: row.passive }),
    ...(options.inconclusive === undefined ? {} : { inconclusive: options.inconclusive }),
    ...(options.invert === true ? { invert: true } : {}),
    ...(recoveryExtra === 0 ? {} : { recoveryExtra }),
    ...(options.halt_when_offline === true ? { haltWhenOffline: true } : {}),
    ...(options.anchor === undefined ? {} : { anchor: options.anchor }),
    ...(jitter === undefined ? {} : { jitter }),
    ...(flap === undefined ? {} : { flap }),
  }
}

function intervalsOf(row: PresetRow, plain: PlainPolicy, options: MonitorOptions): Intervals {
  const online = options.interval_ms ?? plain.intervalMs
  const said = options.intervals ?? {}
  const given = present({
    onlinePending: said.online_pending_ms,
    offline: said.offline_ms,
    offlinePending: said.offline_pending_ms,
    undecided: said.undecided_ms,
    noTraffic: said.no_traffic_ms,
    noTrafficHealthy: said.no_traffic_healthy_ms,
  })
  const all: Intervals = { online, ...row.intervals?.(online, given, plain.type), ...given }
  if (plain.trafficSeen !== true) return all
  const { noTraffic: _, noTrafficHealthy: __, ...others } = all
  return others
}

function jitterOf(said: MonitorOptions['jitter']): Jitter | undefined {
  const jitter: Jitter = present({
    ms: said?.ms,
    percent: said?.percent,
    spreadPercent: said?.spread_percent,
    initialMs: said?.initial_ms,
  })
  return Object.keys(jitter).length === 0 ? undefined : jitter
}

function flapOf(said: MonitorOptions['flap']): StatePolicy['flap'] {
  const window = said?.window ?? (said === undefined ? 0 : FLAP_DEFAULT.window)
  if (window === 0) return undefined
  const highPercent = said?.high_percent ?? Math.max(FLAP_DEFAULT.highPercent, said?.low_percent ?? 0)
  const lowPercent = said?.low_percent ?? Math.min(FLAP_DEFAULT.lowPercent, highPercent)
  return { window, highPercent, lowPercent, holdMs: said?.hold_ms ?? 0 }
}

type Present<T> = { readonly [Key in keyof T]?: Exclude<T[Key], undefined> }

function present<T extends object>(values: T): Present<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Present<T>
}
