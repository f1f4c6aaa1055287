/**
 * Presets: the behaviour of other health checkers, as data (docs/peers/probing.md, cited at each default). A preset
 * gives the values that a monitor does not set; its options always win. The profiles `elb` and `octavia` are the
 * presets of those names. The default that a preset has for an option is in the option's row (options/).
 *
 * Not copied, on purpose: Envoy's threshold of 0, keepalived's recovery whose successes need not be consecutive,
 * Consul's failures_before_warning, Octavia's one failure too many on LVS, and every peer's way to spread its first
 * probes: ours is flat and fast.
 */
import { FLAP_DEFAULT, type Range } from '../limits.ts'
import { type MonitorOptions, type Preset, PRESETS, type StatusRange } from './monitor-options.ts'
import { CONNECTION } from './connection.ts'
import { replyLengthOf } from './exchange.ts'
import { HTTP } from './http.ts'
import { JUDGING } from './judging.ts'
import { defaultOf, type Setter, setBy } from './setting.ts'
import type { Intervals } from '../timing/intervals.ts'
import type { StatePolicy } from '../status/state-machine.ts'
import type { MonitorType } from '../types.ts'

/** What the plain fields of a monitor say. */
export interface PlainPolicy {
  readonly type: MonitorType
  /** `max_retries`, `max_retries_down`. */
  readonly rise: number
  readonly fall: number
  readonly intervalMs: number
  /** No client sent `max_retries`: the threshold of a preset wins. */
  readonly isRiseUnsent?: boolean
  /** Traffic has reached the pool: its no-traffic intervals are over. */
  readonly trafficSeen?: boolean
}

/** What a peer's probes do differently and no option controls. */
interface Traits {
  /** A failure that was seen on data traffic is a hard one. */
  readonly passive?: 'hard'
  /** As a profile: the plain field for the version belongs to another dialect, and is ignored. */
  readonly ignoresVersionField?: true
  /** Whether HTTP/1.0 names a host: always, where the monitor has a domain name, or only where options ask for it. */
  readonly namesHost: 'always' | 'by_domain_name' | 'never'
  /** A host that is an address goes without its port. */
  readonly hostWithoutPort?: true
  /** Without a domain name the host is the address of the load balancer that the monitor was made below, if it had one. */
  readonly hostIsLoadBalancer?: true
  /** UDP: an ICMP echo has to be answered before the datagram is sent. */
  readonly echoFirst?: true
}

/** How the probes of a peer behave where neither options nor plain fields decide. */
export interface PresetBehaviour extends Traits {
  /** Connections are kept between probes. */
  readonly reuse: boolean
  /** TCP: the target closing a kept connection is a failure. */
  readonly idleCloseIsFailure: boolean
  /** Of TCP checks that say nothing. */
  readonly handshake: 'full' | 'half'
  /** `2`: prior knowledge on a plain connection, h2 below TLS. */
  readonly httpVersion: '1.0' | '1.1' | '2'
  readonly expectedStatuses: readonly StatusRange[]
  /** Bytes of a body that are searched for what is expected of it; absent = as many as a probe reads. */
  readonly searchedBodyBytes?: number
  /** UDP: length in bytes of a reply that is compared with a pattern. */
  readonly replyLength?: Range
}

const BY_DOMAIN_NAME = { namesHost: 'by_domain_name' } as const
const TRAITS: Readonly<Record<Preset, Traits>> = {
  elb: { namesHost: 'always', ignoresVersionField: true, hostIsLoadBalancer: true, echoFirst: true },
  octavia: { namesHost: 'never', hostWithoutPort: true },
  envoy: { ...BY_DOMAIN_NAME, passive: 'hard' },
  haproxy: { ...BY_DOMAIN_NAME, hostWithoutPort: true },
  keepalived: BY_DOMAIN_NAME,
  kuma: { ...BY_DOMAIN_NAME, passive: 'hard' },
  contrail: BY_DOMAIN_NAME,
  consul: BY_DOMAIN_NAME,
}

const BEHAVIOURS = Object.fromEntries(PRESETS.map((preset) => [preset, behaviourOf(preset)])) as Readonly<
  Record<Preset, PresetBehaviour>
>

/** How the probes of a preset behave. */
export function presetBehaviour(preset: Preset): PresetBehaviour {
  return BEHAVIOURS[preset]
}

function behaviourOf(preset: Preset): PresetBehaviour {
  const { reuse, idle_close_is_failure, handshake } = CONNECTION.keys
  const { version, expected_statuses, searched_body_bytes } = HTTP.keys
  const spoken = version.presets?.[preset] ?? '1.1'
  return {
    ...TRAITS[preset],
    reuse: reuse.presets?.[preset] ?? false,
    idleCloseIsFailure: idle_close_is_failure.presets?.[preset] ?? false,
    handshake: handshake.presets?.[preset] ?? 'full',
    httpVersion: spoken === 'h2' || spoken === 'h2c' ? '2' : spoken,
    expectedStatuses: expected_statuses.presets?.[preset] ?? expected_statuses.otherwise ?? [],
    ...present({
      searchedBodyBytes: searched_body_bytes.presets?.[preset],
      replyLength: replyLengthOf(preset),
    }),
  }
}

/**
 * The status that options publish for members without a verdict; null = none. The start of a profile is not published:
 * Octavia too shows a member as OFFLINE until the first report, although HAProxy treats it as up.
 */
export function startStatus(options: MonitorOptions | null): 'ONLINE' | 'OFFLINE' | null {
  const { preset, initial } = options ?? {}
  const ofPreset = preset === undefined ? undefined : JUDGING.initial.keys.status.presets?.[preset]
  const status = initial?.status ?? ofPreset ?? 'UNKNOWN'
  return status === 'UNKNOWN' ? null : status
}

/** The state policy of a monitor: its options over the preset over its plain fields. */
export function presetPolicy(preset: Preset, plain: PlainPolicy, options: MonitorOptions = {}): StatePolicy {
  const { type } = plain
  const online = options.interval_ms ?? plain.intervalMs
  const { intervals: saidIntervals } = options
  const given =
    saidIntervals === undefined ? {} : setBy(JUDGING.intervals, saidIntervals, { type, preset: undefined })
  const sent = { type, rise: plain.rise, fall: plain.fall, online, given }
  const riseOfPreset =
    plain.isRiseUnsent === false ? undefined : defaultOf(JUDGING.rise, { preset, plain: sent })
  const rise = options.rise ?? riseOfPreset ?? plain.rise
  const fall = options.fall ?? defaultOf(JUDGING.fall, { preset, plain: sent }) ?? plain.fall
  const setter = { type, preset, plain: { ...sent, rise, fall } }
  const { status, ...first } = JUDGING.initial.keys
  const { initial } = options
  const { passive } = TRAITS[preset]
  const flap = flapOf(options.flap)
  const jitter = options.jitter === undefined ? {} : setBy(JUDGING.jitter, options.jitter, setter)
  return {
    rise,
    fall,
    initialStatus: initial?.status ?? defaultOf(status, setter) ?? 'UNKNOWN',
    firstRise: Math.min(rise, initial?.rise ?? defaultOf(first.rise, setter) ?? 1),
    firstFall: Math.min(fall, initial?.fall ?? defaultOf(first.fall, setter) ?? 1),
    unknownFall: 1,
    intervals: intervalsOf(online, saidIntervals, { setter, plain }),
    ...(passive === undefined ? {} : { passive }),
    ...setBy(JUDGING.initial, initial, setter),
    ...setBy({ keys: JUDGING }, options, setter),
    ...(Object.keys(jitter).length === 0 ? {} : { jitter }),
    ...(flap === undefined ? {} : { flap }),
  }
}

function intervalsOf(
  online: number,
  given: MonitorOptions['intervals'],
  { setter, plain }: { readonly setter: Setter; readonly plain: PlainPolicy },
): Intervals {
  const all: Intervals = { online, ...setBy(JUDGING.intervals, given, setter) }
  if (plain.trafficSeen !== true) return all
  const { noTraffic: _, noTrafficHealthy: __, ...others } = all
  return others
}

function flapOf(given: MonitorOptions['flap']): StatePolicy['flap'] {
  const window = given?.window ?? (given === undefined ? 0 : FLAP_DEFAULT.window)
  if (window === 0) return undefined
  const highPercent = given?.high_percent ?? Math.max(FLAP_DEFAULT.highPercent, given?.low_percent ?? 0)
  const lowPercent = given?.low_percent ?? Math.min(FLAP_DEFAULT.lowPercent, highPercent)
  return { window, highPercent, lowPercent, holdMs: given?.hold_ms ?? 0 }
}

type Present<T> = { readonly [Key in keyof T]?: Exclude<T[Key], undefined> }

function present<T extends object>(values: T): Present<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Present<T>
}
