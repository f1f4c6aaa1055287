/**
 * What a pool adds to the probes of its checks, as HAProxy does where Octavia configures it: a server line with
 * `send-proxy` or `ssl` is checked that way too, unless the check has an address or a port of its own (HAProxy's `addr`
 * and `port`: "the transport layer used by the checks is the same as for the production traffic" only without them).
 */
import type { Member, Pool } from '../types.ts'

/** ALPN names that Octavia knows. */
export const POOL_ALPN_PROTOCOLS = ['h2', 'http/1.1', 'http/1.0'] as const
/** Versions of TLS that a pool can name, oldest first; OpenSSL 3 speaks no SSLv3 any more. */
export const TLS_VERSIONS = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'] as const
export type TlsVersion = (typeof TLS_VERSIONS)[number]
/** OpenSSL's cipher strings as Octavia takes them. */
export const CIPHER_STRING = /^[A-Za-z0-9\-+!:@=_.]+$/

/** Its certificates are not verified. */
export interface PoolTls {
  /** As the pool has them, in its order; absent = it has none. */
  readonly alpn?: readonly string[]
  readonly versions?: readonly TlsVersion[]
  readonly ciphers?: string
}

export interface PoolSettings {
  readonly proxyProtocol?: 1 | 2
  readonly tls?: PoolTls
  /** References to certificates in a key manager, by their names: they are shown, and no probe can use them. */
  readonly containers?: Readonly<Record<string, string>>
}

const CONTAINERS = ['tls_container_ref', 'ca_tls_container_ref', 'crl_container_ref'] as const

/** What a pool adds. HAProxy has no UDP or SCTP pools: they add nothing. */
export function poolSettings({ protocol, echo }: Pick<Pool, 'protocol' | 'echo'>): PoolSettings {
  if (protocol === 'UDP' || protocol === 'SCTP') return {}
  const proxyProtocol = protocol === 'PROXY' ? 1 : protocol === 'PROXYV2' ? 2 : undefined
  const isSecure = echo['tls_enabled'] === true
  const containers = Object.fromEntries(
    CONTAINERS.flatMap((name) => (typeof echo[name] === 'string' ? [[name, echo[name]]] : [])),
  )
  return {
    ...(proxyProtocol === undefined ? {} : { proxyProtocol }),
    ...(isSecure ? { tls: tlsOf(echo) } : {}),
    ...(isSecure && Object.keys(containers).length > 0 ? { containers } : {}),
  }
}

/** Unknown names are left out: the row of the pool may be older than the rules of its API. */
function tlsOf(echo: Pool['echo']): PoolTls {
  const alpn = namesOf(echo['alpn_protocols'], POOL_ALPN_PROTOCOLS)
  const versions = namesOf(echo['tls_versions'], TLS_VERSIONS)
  const ciphers = echo['tls_ciphers']
  return {
    ...(alpn.length === 0 ? {} : { alpn }),
    ...(versions.length === 0 ? {} : { versions }),
    ...(typeof ciphers === 'string' && CIPHER_STRING.test(ciphers) ? { ciphers } : {}),
  }
}

function namesOf<Name extends string>(value: unknown, known: readonly Name[]): readonly Name[] {
  if (!Array.isArray(value)) return []
  const named: ReadonlySet<unknown> = new Set(value.slice(0, LISTED_MAX))
  const order = [...named]
  return known.filter((name) => named.has(name)).toSorted((a, b) => order.indexOf(a) - order.indexOf(b))
}

/** Entries of a list that are looked at. */
const LISTED_MAX = 64

/** Whether a check goes to an address or a port of its own: then the pool adds nothing to it. */
export function hasOwnEndpoint(
  monitor: { readonly monitorPort: number | null },
  member: Pick<Member, 'monitorAddress' | 'monitorPort'>,
): boolean {
  return (member.monitorPort ?? member.monitorAddress ?? monitor.monitorPort) !== null
}
