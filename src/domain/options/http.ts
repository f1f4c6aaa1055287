/** Options of the request that HTTP and HTTPS probes make, and of the answer that they expect. */
import { type CodeSet, codesField, parseExpectedCodes, type StatusRange } from '../target/expected-codes.ts'
import {
  HTTP_BODY_MAX_BYTES,
  HTTP_HEAD_MAX_BYTES,
  OPTION_BODY_MAX,
  OPTION_BODY_REGEX_MAX,
  URL_PATH_MAX,
} from '../limits.ts'
import type { EffectiveOption, Fitting, Planning } from './row-context.ts'
import { maskedHeaders } from './secret-headers.ts'
import { isOwnHeader } from '../target/own-headers.ts'
import type { HttpRequest } from '../target/probe-target.ts'
import { AUTHORITY, FIELD_VALUE, HEADER_NAME, HEADER_VALUE, HEADERS_MAX } from './header-forms.ts'
import { group, rowsOf } from './option.ts'

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'TRACE', 'OPTIONS', 'PATCH'] as const
const BODY_METHODS: readonly string[] = ['POST', 'PUT', 'PATCH', 'OPTIONS']

/** Envoy's response_buffer_size, HAProxy's tune.bufsize (docs/peers/probing.md 15 and 24). */
const SEARCHED_BYTES = { envoy: 1024, kuma: 1024, haproxy: 16 * 1024 }

const { integer, word, text, list, statuses } = rowsOf<HttpRequest>()
const encoded = (sent: string): Uint8Array => new TextEncoder().encode(sent)
const status = (start: number, end = start + 1): readonly StatusRange[] => [{ start, end }]

export const HTTP = group({
  description: 'Types HTTP and HTTPS.',
  types: ['HTTP', 'HTTPS'],
  isUsed: ({ target }) => target.http !== undefined,
  keys: {
    version: word({
      words: ['1.0', '1.1', 'h2', 'h2c'],
      description: 'h2 on HTTPS (below TLS), h2c on HTTP (prior knowledge).',
      field: { name: 'httpVersion', shows: (version) => (version.startsWith('h2') ? null : version) },
      // docs/peers/probing.md 17: Kuma's health checks always use HTTP/2, h2 below TLS and h2c without.
      presets: { octavia: '1.0', haproxy: '1.0', keepalived: '1.0', kuma: 'h2' },
      otherwise: '1.1',
      misfit: versionMisfit,
      plan: versionPlan,
    }),
    method: word({
      words: METHODS,
      field: { name: 'httpMethod', shows: (method) => method },
      plan: ({ target, ofField }) => ({ value: target.http?.method, from: ofField('httpMethod') }),
    }),
    path: text({
      max: URL_PATH_MAX,
      pattern: /^\/[!-~]*$/,
      field: { name: 'urlPath', shows: (path) => path },
      plan: pathPlan,
    }),
    host: text({
      ...AUTHORITY,
      description: 'Host header, `:authority` of HTTP/2.',
      field: { name: 'domainName', shows: (host) => host },
      plan: hostPlan,
    }),
    body: text({
      max: OPTION_BODY_MAX,
      description: 'Sent as UTF-8; with POST, PUT, PATCH and OPTIONS only.',
      misfit: bodyMisfit,
      sets: (body) => ({ body: encoded(body) }),
    }),
    headers: list({
      max: HEADERS_MAX,
      item: {
        kind: 'object',
        keys: {
          name: HEADER_NAME,
          value: HEADER_VALUE,
          action: { kind: 'word', words: ['append', 'overwrite'] },
        },
        required: ['name'],
      },
      description:
        'Sent in order, instead of the own User-Agent and Accept where they have that name; without value: empty; overwrite: instead of those before it of that name. The last User-Agent holds. Values of Authorization, Proxy-Authorization and Cookie come back as `***`, which, sent again, keeps them.',
      misfit: (headers) => ownHeader(headers.map(({ name }) => name)),
      plan: headersPlan,
      sets: (headers) => ({
        headers: headers.map(({ name, value = '', action = 'append' }) => ({ name, value, action })),
      }),
    }),
    remove_headers: list({
      max: HEADERS_MAX,
      item: HEADER_NAME,
      description: 'Own headers that are not sent.',
      misfit: ownHeader,
      sets: (names) => ({ removeHeaders: names.map((name) => name.toLowerCase()) }),
    }),
    expected_statuses: statuses({
      of: 'expected',
      description: 'Statuses that pass, from start up to and without end; instead of expected_codes.',
      field: {
        name: 'expectedCodes',
        shows: (ranges) => (ranges.length === 0 ? undefined : codesField(ranges)),
      },
      // docs/peers/probing.md 35: Contrail's curl without -f takes every answer.
      presets: { haproxy: status(200, 400), contrail: status(100, 600), consul: status(200, 300) },
      otherwise: status(200),
      plan: expectedPlan,
    }),
    retriable_statuses: statuses({
      of: 'retriable',
      description: 'Statuses that fail softly, also where a status is a hard failure.',
      sets: (ranges) => ({ retriableCodes: codeSet(ranges) }),
    }),
    warning_statuses: statuses({
      of: 'warning',
      description: 'Statuses that pass with a warning.',
      presets: { consul: status(429) },
      sets: (ranges) => ({ warningCodes: codeSet(ranges) }),
    }),
    draining_statuses: statuses({
      of: 'draining',
      description: 'Statuses by which a target asks to be drained.',
      sets: (ranges) => ({ drainingCodes: codeSet(ranges) }),
    }),
    expected_body: list({
      max: 16,
      item: { kind: 'text', min: 1, max: 1024 },
      description: 'Texts (UTF-8) that the body holds, in this order, with anything between them.',
      misfit: expectedBodyMisfit,
      sets: (blocks) => (blocks.length === 0 ? {} : { expectBody: blocks.map(encoded) }),
    }),
    expected_body_regex: text({
      min: 1,
      max: OPTION_BODY_REGEX_MAX,
      description:
        'A regular expression in the syntax of RE2 that is found in the body (UTF-8), besides expected_body. One whose table of states would be too large is refused.',
      misfit: (source, on) => headMisfit(on) ?? on.surroundings.patternProblem?.(source),
      sets: (source) => ({ expectBodyPattern: { source } }),
    }),
    head_max_bytes: integer({
      range: { min: 256, max: 64 * 1024 },
      unit: 'bytes',
      description: 'Bytes of the head of an answer, interim ones included; absent = 16384.',
      otherwise: HTTP_HEAD_MAX_BYTES,
      sets: (headMaxBytes) => ({ headMaxBytes }),
    }),
    searched_body_bytes: integer({
      range: { min: 0, max: HTTP_BODY_MAX_BYTES },
      unit: 'bytes',
      description: 'Bytes of the body that are searched; 0 = as many as a probe reads.',
      presets: SEARCHED_BYTES,
      plan: searchedPlan,
    }),
    degraded_header: text({
      ...HEADER_NAME,
      description: 'A header by whose presence a target says that it is degraded.',
      presets: { envoy: 'x-envoy-degraded', kuma: 'x-envoy-degraded' },
      sets: (name) => ({ degradedHeader: name.toLowerCase() }),
    }),
    service_name: text({
      min: 1,
      max: 255,
      pattern: FIELD_VALUE,
      description:
        'What the header `x-envoy-upstream-healthchecked-cluster` of a passing answer starts with.',
      sets: (serviceName) => ({ serviceName }),
    }),
  },
})

/** Ranges of options as probers hold them: both ends are in. */
export function codeSet(ranges: readonly StatusRange[]): CodeSet {
  return ranges.map(({ start, end }) => ({ from: start, to: end - 1 }))
}

function versionMisfit(version: string, { type }: Fitting): string | undefined {
  return (version === 'h2' && type !== 'HTTPS') || (version === 'h2c' && type !== 'HTTP')
    ? `${version} does not fit type ${type}: h2 is for HTTPS, h2c for HTTP`
    : undefined
}

function ownHeader(names: readonly string[]): string | undefined {
  const own = names.find(isOwnHeader)
  return own === undefined ? undefined : `${own} is set by the probe itself`
}

function methodOf({ options, httpMethod }: Fitting): string {
  return options.http?.method ?? httpMethod ?? 'GET'
}

function bodyMisfit(_body: string, on: Fitting): string | undefined {
  const method = methodOf(on)
  return BODY_METHODS.includes(method)
    ? undefined
    : `HTTP health check cannot specify a request payload with method '${method}'. Only methods that support a request body (POST, PUT, PATCH, OPTIONS) are allowed`
}

function headMisfit(on: Fitting): string | undefined {
  return methodOf(on) === 'HEAD' ? `an answer to method 'HEAD' has no body` : undefined
}

function expectedBodyMisfit(blocks: readonly string[], on: Fitting): string | undefined {
  const { http, preset } = on.options
  const ofPreset = preset === undefined ? undefined : HTTP.keys.searched_body_bytes.presets?.[preset]
  // 0: as many as a probe reads.
  const size = (http?.searched_body_bytes ?? ofPreset ?? 0) || HTTP_BODY_MAX_BYTES
  const length = encoded(blocks.join('')).byteLength
  if (blocks.length > 0 && methodOf(on) === 'HEAD') return headMisfit(on)
  return length > size
    ? `The expected response length '${length}' is over than http health response buffer size '${size}'`
    : undefined
}

/** HTTP/2 as the option says it: with prior knowledge, or below TLS. */
function versionPlan({ type, monitor, target, pool, ofPreset }: Planning): EffectiveOption {
  const spoken = target.http?.version
  const isSecure = type === 'HTTPS' || pool.tls !== undefined
  const shown = spoken === '2' ? (isSecure ? 'h2' : 'h2c') : spoken
  return {
    value: monitor.options?.http?.version ?? shown,
    from: spoken === monitor.httpVersion ? 'field' : ofPreset,
  }
}

/** As it is written, not as it is encoded on the wire. */
function pathPlan({ monitor, ofField }: Planning): EffectiveOption {
  return { value: monitor.options?.http?.path ?? monitor.urlPath ?? '/', from: ofField('urlPath') }
}

function hostPlan({ monitor, hostAddress }: Planning): EffectiveOption {
  const { domainName, options } = monitor
  const ownHost = (domainName ?? '') === '' ? undefined : domainName
  return {
    value: options?.http?.host ?? ownHost ?? hostAddress,
    from: ownHost === undefined ? 'profile' : 'field',
  }
}

function searchedPlan({ monitor, target, ofPreset }: Planning): EffectiveOption {
  const given = monitor.options?.http?.searched_body_bytes
  return { value: given ?? target.http?.searchedBodyBytes, from: ofPreset }
}

/** Values of secret headers are masked. */
function headersPlan({ monitor }: Planning): EffectiveOption {
  return { value: maskedHeaders(monitor.options?.http?.headers), from: 'options' }
}

function expectedPlan({ monitor, target, isSent, ofPreset }: Planning): EffectiveOption {
  const field = isSent('expectedCodes') ? monitor.expectedCodes : null
  const isField = field !== null && parseExpectedCodes(field) !== undefined
  return {
    value: target.http?.expectedCodes.map(({ from, to }) => ({ start: from, end: to + 1 })),
    from: isField ? 'field' : ofPreset,
  }
}
