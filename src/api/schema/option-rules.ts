/**
 * What each option of a health monitor may be, as data: the check of request bodies and the schemas of openapi.yaml are
 * both made of it. What depends on the monitor's type or on other options stands in src/domain/option-fit.ts.
 */
import * as limits from '../../domain/limits.ts'
import type { Range } from '../../domain/limits.ts'
import { HARD_FAILURES, PRESETS } from '../../domain/monitor-options.ts'

/** Which ranges of statuses, in Envoy's messages. */
export type StatusKind = 'expected' | 'retriable' | 'warning' | 'draining'

export type OptionRule =
  | { readonly kind: 'integer'; readonly range: Range; readonly description?: string }
  | { readonly kind: 'boolean'; readonly description?: string }
  | { readonly kind: 'word'; readonly words: readonly string[]; readonly description?: string }
  | {
      readonly kind: 'text'
      /** Characters. */
      readonly max: number
      readonly min?: 1
      readonly pattern?: RegExp
      readonly description?: string
    }
  | {
      readonly kind: 'list'
      readonly item: OptionRule
      readonly max: number
      readonly description?: string
    }
  /** `start` to `end`, without `end`. */
  | { readonly kind: 'statuses'; readonly of: StatusKind; readonly description?: string }
  | {
      readonly kind: 'object'
      readonly keys: Readonly<Record<string, OptionRule>>
      readonly required?: readonly string[]
      readonly description?: string
    }

/** RFC 9110 section 5.6.2. */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
/** Visible ASCII and spaces between: neither controls nor bytes that two readers read differently. */
const FIELD_VALUE = /^([!-~]([ -~]*[!-~])?)?$/
const PATH = /^\/[!-~]*$/
/** A name or address, an IPv6 address in brackets, with a port or without. */
const AUTHORITY = /^([A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?$/
const SERVER_NAME = /^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$/
/** A file right inside HM_TLS_DIR: no slash, no dot at the start, no two in a row. */
const FILE_NAME = /^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$/
const BASE64 = /^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{4}|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{2}==)$/

const milliseconds: OptionRule = { kind: 'integer', range: limits.OPTION_INTERVAL_MS }
const threshold: OptionRule = { kind: 'integer', range: limits.OPTION_THRESHOLD }
const percent: OptionRule = { kind: 'integer', range: limits.OPTION_FLAP_PERCENT }
const boolean: OptionRule = { kind: 'boolean' }
const authority: OptionRule = { kind: 'text', max: limits.OPTION_AUTHORITY_MAX, pattern: AUTHORITY }
const fileName: OptionRule = { kind: 'text', max: limits.OPTION_FILE_NAME_MAX, pattern: FILE_NAME }
const headerName: OptionRule = { kind: 'text', max: limits.OPTION_HEADER_NAME_MAX, pattern: TOKEN }
const headerValue: OptionRule = { kind: 'text', max: limits.OPTION_HEADER_VALUE_MAX, pattern: FIELD_VALUE }
const base64Block: OptionRule = { kind: 'text', max: limits.OPTION_BLOCK_MAX, pattern: BASE64 }

const described = (rule: OptionRule, description: string): OptionRule => ({ ...rule, description })
const object = (keys: Readonly<Record<string, OptionRule>>, description: string): OptionRule => ({
  kind: 'object',
  keys,
  description,
})

export const OPTION_HTTP_METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'TRACE', 'OPTIONS', 'PATCH']

const http = object(
  {
    version: {
      kind: 'word',
      words: ['1.0', '1.1', 'h2', 'h2c'],
      description: 'h2 on HTTPS (below TLS), h2c on HTTP (prior knowledge).',
    },
    method: { kind: 'word', words: OPTION_HTTP_METHODS },
    path: { kind: 'text', max: limits.URL_PATH_MAX, pattern: PATH },
    host: described(authority, 'Host header, `:authority` of HTTP/2.'),
    body: {
      kind: 'text',
      max: limits.OPTION_BODY_MAX,
      description: 'Sent as UTF-8; with POST, PUT, PATCH and OPTIONS only.',
    },
    headers: {
      kind: 'list',
      max: limits.OPTION_HEADERS_MAX,
      item: {
        kind: 'object',
        keys: {
          name: headerName,
          value: headerValue,
          action: { kind: 'word', words: ['append', 'overwrite'] },
        },
        required: ['name'],
      },
      description:
        'Sent in order, instead of the own User-Agent and Accept where they have that name; without value: empty; overwrite: instead of those before it of that name. The last User-Agent holds. Values of Authorization, Proxy-Authorization and Cookie come back as `***`, which, sent again, keeps them.',
    },
    remove_headers: {
      kind: 'list',
      max: limits.OPTION_HEADERS_MAX,
      item: headerName,
      description: 'Own headers that are not sent.',
    },
    expected_statuses: {
      kind: 'statuses',
      of: 'expected',
      description: 'Statuses that pass, from start up to and without end; instead of expected_codes.',
    },
    retriable_statuses: {
      kind: 'statuses',
      of: 'retriable',
      description: 'Statuses that fail softly, also where a status is a hard failure.',
    },
    warning_statuses: { kind: 'statuses', of: 'warning', description: 'Statuses that pass with a warning.' },
    draining_statuses: {
      kind: 'statuses',
      of: 'draining',
      description: 'Statuses by which a target asks to be drained.',
    },
    expected_body: {
      kind: 'list',
      max: limits.OPTION_BLOCKS_MAX,
      item: { kind: 'text', min: 1, max: limits.OPTION_BLOCK_MAX },
      description: 'Texts (UTF-8) that the body holds, in this order, with anything between them.',
    },
    expected_body_regex: {
      kind: 'text',
      min: 1,
      max: limits.OPTION_BODY_REGEX_MAX,
      description:
        'A regular expression in the syntax of RE2 that is found in the body (UTF-8), besides expected_body. One whose table of states would be too large is refused.',
    },
    head_max_bytes: {
      kind: 'integer',
      range: limits.OPTION_HEAD_BYTES,
      description: 'Bytes of the head of an answer, interim ones included; absent = 16384.',
    },
    searched_body_bytes: {
      kind: 'integer',
      range: limits.OPTION_SEARCHED_BODY_BYTES,
      description: 'Bytes of the body that are searched; 0 = as many as a probe reads.',
    },
    degraded_header: described(headerName, 'A header by whose presence a target says that it is degraded.'),
    service_name: {
      kind: 'text',
      min: 1,
      max: limits.OPTION_SERVICE_NAME_MAX,
      pattern: FIELD_VALUE,
      description:
        'What the header `x-envoy-upstream-healthchecked-cluster` of a passing answer starts with.',
    },
  },
  'Types HTTP and HTTPS.',
)

/** The whole. */
export const MONITOR_OPTIONS = {
  kind: 'object',
  description:
    'What the plain fields cannot say; each option wins over its plain field, which then shows what comes nearest. Absent: nothing is set.',
  keys: {
    preset: {
      kind: 'word',
      words: PRESETS,
      description: 'A peer whose behaviour is the default of everything that is not set here.',
    },
    interval_ms: described(milliseconds, 'Milliseconds between probes; delay shows the seconds, rounded up.'),
    timeout_ms: {
      kind: 'integer',
      range: limits.OPTION_TIMEOUT_MS,
      description: 'Milliseconds that a probe may take; timeout shows the seconds, rounded up.',
    },
    rise: described(threshold, 'Successes in a row to ONLINE; max_retries shows at most 10.'),
    fall: described(threshold, 'Failures in a row to OFFLINE; max_retries_down shows at most 10.'),
    anchor: {
      kind: 'word',
      words: ['completion', 'start'],
      description: 'From what the interval counts: the end of a probe or its start.',
    },
    initial: object(
      {
        status: { kind: 'word', words: ['UNKNOWN', 'ONLINE', 'OFFLINE'] },
        rise: threshold,
        fall: threshold,
        unknown_fall: threshold,
      },
      'How a check begins: its status, and the results that its first verdict needs.',
    ),
    intervals: object(
      {
        online_pending_ms: described(milliseconds, 'ONLINE, with failures in a row.'),
        offline_ms: described(milliseconds, 'OFFLINE, still failing.'),
        offline_pending_ms: described(milliseconds, 'OFFLINE, with successes in a row.'),
        undecided_ms: described(milliseconds, 'Until the first verdict.'),
        no_traffic_ms: described(
          milliseconds,
          'Until traffic was reported, where no_traffic.reported says that it is.',
        ),
        no_traffic_healthy_ms: described(milliseconds, 'The same while ONLINE and passing.'),
      },
      'Milliseconds between probes by where the check stands; what is absent is interval_ms.',
    ),
    no_traffic: {
      kind: 'object',
      description:
        'Whether traffic on the pool is reported: only then do the no-traffic intervals hold until it is.',
      keys: {
        reported: described(boolean, 'Somebody reports it; otherwise traffic is assumed.'),
      },
    },
    jitter: object(
      {
        ms: { kind: 'integer', range: limits.OPTION_JITTER_MS },
        percent: { kind: 'integer', range: limits.OPTION_JITTER_PERCENT },
        spread_percent: {
          kind: 'integer',
          range: limits.OPTION_SPREAD_PERCENT,
          description: 'Both ways.',
        },
        initial_ms: described({ kind: 'integer', range: limits.OPTION_JITTER_MS }, 'Before the first probe.'),
      },
      'Random time on top of each interval.',
    ),
    hard_failures: {
      kind: 'list',
      max: HARD_FAILURES.length,
      item: { kind: 'word', words: HARD_FAILURES },
      description: 'Failures that make OFFLINE at once, whatever fall says.',
    },
    inconclusive: {
      kind: 'word',
      words: ['keep', 'break_run', 'fail'],
      description:
        'What a probe does that had trouble on the prober; one that was stopped, denied or held back, or whose parent is OFFLINE, never counts.',
    },
    invert: described(boolean, 'A probe that fails passes, and the other way round.'),
    recovery_extra: {
      kind: 'integer',
      range: limits.OPTION_RECOVERY_EXTRA,
      description: 'Further successes that leaving a decided OFFLINE needs.',
    },
    halt_when_offline: described(boolean, 'OFFLINE is final until the monitor changes.'),
    flap: object(
      {
        window: {
          kind: 'integer',
          range: limits.OPTION_FLAP_WINDOW,
          description: 'Results that are looked at; 0 = off.',
        },
        high_percent: percent,
        low_percent: percent,
        hold_ms: { kind: 'integer', range: limits.OPTION_FLAP_HOLD_MS },
      },
      'Damping: from high_percent of changes on, the status is held for hold_ms at least and until they are below low_percent.',
    ),
    connection: object(
      {
        reuse: described(boolean, 'Keep the connection between probes; types HTTP, HTTPS and TCP.'),
        fresh_every: {
          kind: 'integer',
          range: limits.OPTION_FRESH_EVERY,
          description: 'Probes after which a kept connection is made anew.',
        },
        close: {
          kind: 'word',
          words: ['fin', 'rst'],
          description: 'How a probe ends its connection; below TLS always fin.',
        },
        handshake: {
          kind: 'word',
          words: ['full', 'half'],
          description:
            'Type TCP; half: SYN, SYN-ACK, RST, so that the program that listens hears nothing of it (where the prober can; else full).',
        },
        idle_close_is_failure: described(boolean, 'A kept connection that the target closes is a failure.'),
        source_address: {
          kind: 'text',
          max: limits.OPTION_ADDRESS_MAX,
          pattern: /^[0-9A-Fa-f:.]+$/,
          description: 'One of HM_SOURCE_ADDRESSES; members of the other family are probed from another.',
        },
        proxy_protocol: { kind: 'word', words: ['v1', 'v2'] },
      },
      'Types HTTP, HTTPS, TCP and TLS-HELLO; source_address UDP-CONNECT too.',
    ),
    tls: object(
      {
        server_name: { kind: 'text', max: limits.OPTION_SERVER_NAME_MAX, pattern: SERVER_NAME },
        alpn: {
          kind: 'list',
          max: limits.OPTION_ALPN_NAMES_MAX,
          item: { kind: 'text', max: limits.OPTION_ALPN_MAX, pattern: /^[!-~]+$/ },
        },
        verify: boolean,
        ca: fileName,
        certificate: fileName,
        key: fileName,
      },
      'Types HTTPS and TLS-HELLO; ca, certificate and key are names of files in HM_TLS_DIR.',
    ),
    http,
    tcp: object(
      {
        send: { kind: 'text', max: limits.OPTION_SEND_MAX, pattern: BASE64 },
        receive: { kind: 'list', max: limits.OPTION_BLOCKS_MAX, item: base64Block },
      },
      'Base64; types TCP and TLS-HELLO. The answer holds the blocks in this order, with anything between them.',
    ),
    udp: object(
      {
        payload: { kind: 'text', max: limits.OPTION_DATAGRAM_MAX, pattern: BASE64, description: 'Base64.' },
        require_reply: boolean,
        reply_pattern: {
          kind: 'text',
          max: limits.OPTION_REPLY_PATTERN_MAX,
          pattern: /^([0-9A-Fa-f]{2}|XX)+$/,
          description: 'Hexadecimal digits of the bytes that the reply starts with; XX = any byte.',
        },
        min_reply_length: {
          kind: 'integer',
          range: limits.OPTION_REPLY_LENGTH,
          description:
            'Bytes; absent = those of the pattern. What a shorter reply has of the pattern must match.',
        },
        max_reply_length: { kind: 'integer', range: limits.OPTION_REPLY_LENGTH, description: 'Bytes.' },
      },
      'Type UDP-CONNECT.',
    ),
    grpc: object(
      {
        service: {
          kind: 'text',
          max: limits.OPTION_GRPC_SERVICE_MAX,
          pattern: /^[A-Za-z0-9_./-]*$/,
          description: 'Empty = the whole server.',
        },
        authority,
        metadata: {
          kind: 'list',
          max: limits.OPTION_HEADERS_MAX,
          item: {
            kind: 'object',
            keys: { name: headerName, value: headerValue },
            required: ['name'],
          },
        },
      },
      'grpc.health.v1 instead of the HTTP request; types HTTP (prior knowledge) and HTTPS.',
    ),
    icmp: object({ count: { kind: 'integer', range: limits.OPTION_ECHO_COUNT } }, 'Type PING.'),
  },
} as const satisfies OptionRule
