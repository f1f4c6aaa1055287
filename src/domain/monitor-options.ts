/**
 * `options` of a health monitor: what the plain fields of OpenStack's API cannot say, as it stands on the wire and in
 * the database. Every key is optional; what is absent follows from the preset, else from the
 * plain fields and the profile. Lengths of time are whole milliseconds, bytes are base64.
 */

/** Names of peers whose manners a monitor can take over as defaults. */
export const PRESETS = [
  'elb',
  'octavia',
  'envoy',
  'haproxy',
  'keepalived',
  'kuma',
  'contrail',
  'consul',
] as const
export type Preset = (typeof PRESETS)[number]

export const HARD_FAILURES = ['status', 'payload', 'immediate'] as const
export type HardFailure = (typeof HARD_FAILURES)[number]

/** Codes `start` up to and excluding `end`, as Envoy writes ranges. */
export interface StatusRange {
  readonly start: number
  readonly end: number
}

export interface MonitorOptions {
  readonly preset?: Preset
  readonly interval_ms?: number
  readonly timeout_ms?: number
  readonly rise?: number
  readonly fall?: number
  /** From what the interval counts: the end of a probe or its start. */
  readonly anchor?: 'completion' | 'start'
  readonly initial?: {
    readonly status?: 'UNKNOWN' | 'ONLINE' | 'OFFLINE'
    readonly rise?: number
    readonly fall?: number
    readonly unknown_fall?: number
  }
  readonly intervals?: {
    readonly online_pending_ms?: number
    readonly offline_ms?: number
    readonly offline_pending_ms?: number
    readonly undecided_ms?: number
    readonly no_traffic_ms?: number
    readonly no_traffic_healthy_ms?: number
  }
  readonly no_traffic?: {
    /** Somebody reports the traffic of the pool: until then the no-traffic intervals hold. Absent: traffic is assumed. */
    readonly reported?: boolean
  }
  readonly jitter?: {
    readonly ms?: number
    readonly percent?: number
    /** 0..50, both ways. */
    readonly spread_percent?: number
    readonly initial_ms?: number
  }
  readonly hard_failures?: readonly HardFailure[]
  readonly inconclusive?: 'keep' | 'break_run' | 'fail'
  readonly invert?: boolean
  /** Further successes that leaving a decided OFFLINE needs. */
  readonly recovery_extra?: number
  readonly halt_when_offline?: boolean
  readonly flap?: {
    /** Results that are looked at; 0 = off. */
    readonly window?: number
    readonly high_percent?: number
    readonly low_percent?: number
    /** The status is held this long at least once flapping was noticed. */
    readonly hold_ms?: number
  }
  readonly connection?: {
    readonly reuse?: boolean
    readonly fresh_every?: number
    readonly close?: 'fin' | 'rst'
    /** `half`: SYN, SYN-ACK, RST, as HAProxy checks TCP. */
    readonly handshake?: 'full' | 'half'
    readonly idle_close_is_failure?: boolean
    /** One of `HM_SOURCE_ADDRESSES`. */
    readonly source_address?: string
    readonly proxy_protocol?: 'v1' | 'v2'
  }
  readonly tls?: {
    readonly server_name?: string
    readonly alpn?: readonly string[]
    readonly verify?: boolean
    /** Names of files inside `HM_TLS_DIR`. */
    readonly ca?: string
    readonly certificate?: string
    readonly key?: string
  }
  readonly http?: {
    /** `h2`: below TLS; `h2c`: prior knowledge on a plain connection. */
    readonly version?: '1.0' | '1.1' | 'h2' | 'h2c'
    readonly method?: string
    readonly path?: string
    readonly host?: string
    readonly body?: string
    readonly headers?: readonly {
      readonly name: string
      /** Absent = empty. */
      readonly value?: string
      readonly action?: 'append' | 'overwrite'
    }[]
    readonly remove_headers?: readonly string[]
    readonly expected_statuses?: readonly StatusRange[]
    readonly retriable_statuses?: readonly StatusRange[]
    readonly warning_statuses?: readonly StatusRange[]
    readonly draining_statuses?: readonly StatusRange[]
    readonly expected_body?: readonly string[]
    /** RE2's syntax; what is found in the body, besides `expected_body`. */
    readonly expected_body_regex?: string
    /** Bytes of the heads of one answer. */
    readonly head_max_bytes?: number
    /** Bytes of the body that are searched; 0 = as many as a probe reads. */
    readonly searched_body_bytes?: number
    readonly degraded_header?: string
    /** What `x-envoy-upstream-healthchecked-cluster` of a passing answer starts with (Envoy). */
    readonly service_name?: string
  }
  readonly tcp?: { readonly send?: string; readonly receive?: readonly string[] }
  readonly udp?: {
    readonly payload?: string
    readonly require_reply?: boolean
    /** Hexadecimal digits of the bytes that a reply starts with; `XX` = any byte. */
    readonly reply_pattern?: string
    /** Bytes; absent = those of the pattern. What a shorter reply has of the pattern must match (keepalived). */
    readonly min_reply_length?: number
    readonly max_reply_length?: number
  }
  readonly grpc?: {
    readonly service?: string
    readonly authority?: string
    readonly metadata?: readonly { readonly name: string; readonly value?: string }[]
  }
  readonly icmp?: { readonly count?: number }
}

/** A merge patch (RFC 7396) over options: null removes; lists are replaced as a whole. */
export type OptionsPatch = {
  readonly [Key in keyof MonitorOptions]?: MonitorOptions[Key] extends infer Value
    ? Value extends readonly unknown[]
      ? Value | null
      : Value extends object
        ? { readonly [Inner in keyof Value]?: Value[Inner] | null } | null
        : Value | null
    : never
}

/** The options after a patch; null when nothing is left. A patch of null removes all. */
export function mergeOptions(
  stored: MonitorOptions | null,
  patch: OptionsPatch | null,
): MonitorOptions | null {
  const merged = patch === null ? {} : merge({ ...stored }, { ...patch })
  return Object.keys(merged).length === 0 ? null : (merged as MonitorOptions)
}

type Json = Readonly<Record<string, unknown>>

function merge(target: Json, patch: Json): Json {
  const result: Record<string, unknown> = { ...target }
  for (const [key, value] of Object.entries(patch)) {
    const old = result[key]
    if (value === null) delete result[key]
    else if (isPlain(value)) result[key] = merge(isPlain(old) ? old : {}, value)
    else result[key] = value
  }
  return result
}

function isPlain(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Whether an answer to the one monitor says nothing about the other: gRPC or not, inverted or not (ADR 5). */
export function asksOtherwise(before: MonitorOptions | null, after: MonitorOptions | null): boolean {
  const isGrpc = (options: MonitorOptions | null): boolean => options?.grpc !== undefined
  const isInverted = (options: MonitorOptions | null): boolean => options?.invert === true
  return isGrpc(before) !== isGrpc(after) || isInverted(before) !== isInverted(after)
}
