/**
 * The attributes of Octavia's listeners that we only store and return: limits, timeouts, headers, TLS. Absent in the
 * store is the default, so that what elb stored of the same names (connection_limit, references) is shown too.
 */
import type { Echo } from '../../../domain/types.ts'
import { assertListBound } from './list-bounds.ts'
import type { OctaviaListenerEcho } from './schema/listener.ts'

/** In the order of answers; what null resets to. */
const DEFAULTS = {
  connection_limit: -1,
  default_tls_container_ref: null,
  sni_container_refs: [],
  insert_headers: {},
  timeout_client_data: 50_000,
  timeout_member_connect: 5000,
  timeout_member_data: 50_000,
  timeout_tcp_inspect: 0,
  client_ca_tls_container_ref: null,
  client_authentication: 'NONE',
  client_crl_container_ref: null,
  allowed_cidrs: null,
  tls_ciphers: null,
  tls_versions: null,
  alpn_protocols: null,
  hsts_max_age: null,
  hsts_include_subdomains: false,
  hsts_preload: false,
} as const satisfies Required<OctaviaListenerEcho>

const NAMES = Object.keys(DEFAULTS) as readonly (keyof typeof DEFAULTS)[]

/** What was sent over what is stored; null removes. Throws INVALID_FIELD when a list is too long. */
export function listenerEchoAfter(wire: OctaviaListenerEcho, stored: Echo): Echo {
  const echo: Record<string, unknown> = { ...stored }
  for (const name of NAMES) {
    const sent = wire[name]
    assertListBound(name, sent, stored[name])
    // A sent default is stored as an absent value.
    if (sent === null || sent === DEFAULTS[name]) delete echo[name]
    else if (sent !== undefined) echo[name] = sent
  }
  return echo
}

export function renderListenerEcho(echo: Echo): Record<string, unknown> {
  return Object.fromEntries(NAMES.map((name) => [name, echo[name] ?? DEFAULTS[name]]))
}
