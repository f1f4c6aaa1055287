/**
 * What the engine's bench can probe with. A name is a protocol, then how it is done, then what is changed around it:
 * `http-reused`, `tcp-unwoken`, `tcp-public-no-postgres`.
 *
 *   tcp, tcp-half, http, http-reused, https, http2, udp, ping   new connections, unless reused; reused are kept for good, as the option
 *                                       `connection.reuse` makes them
 *   -public                             by public Node APIs alone; without, by the fastest way that there is here
 *                                       (docs/adr/0017-tcp-by-system-calls.md)
 *   -unwoken                            the target is never woken by a connection (accept-target.c; takes a C compiler)
 *   -no-postgres                        scheduler, state machine, metrics and probers alone: what PostgreSQL's part costs
 */
import type { MonitorFields } from './member-rows.ts'

/** What HAProxy can check as we do. */
export type PeerKind = 'tcp' | 'http' | 'https' | 'http2'

/** By which way probes of plain TCP go: the fastest there is, or public Node APIs. */
export type Way = 'fastest' | 'public'

export interface Kind {
  readonly name: string
  readonly monitor: Omit<MonitorFields, 'delaySeconds' | 'timeoutSeconds'>
  readonly way: Way
  /** The check of a peer that is measured beside. */
  readonly peer: PeerKind | 'ping' | undefined
  /** What the target counts of a probe. */
  readonly counted: 'connections' | 'handshakes' | 'requests' | 'datagrams' | 'echoes'
  readonly isUnwoken: boolean
  readonly hasPostgres: boolean
}

/** Reused connections are never renewed in a run. */
const KEPT = { connection: { reuse: true, fresh_every: 1_000_000 } } as const

const PLAIN = {
  profile: 'elb',
  rise: 3,
  fall: 3,
  monitorPort: null,
  domainName: null,
  urlPath: null,
  httpMethod: null,
  httpVersion: null,
  expectedCodes: null,
  options: null,
} as const
const HTTP = {
  ...PLAIN,
  type: 'HTTP',
  domainName: 'bench',
  urlPath: '/',
  httpMethod: 'GET',
  httpVersion: '1.1',
  expectedCodes: '200',
} as const

type Protocol = Pick<Kind, 'monitor' | 'peer' | 'counted'> & { readonly ways: readonly Way[] }

const PROTOCOLS: Readonly<Record<string, Protocol>> = {
  tcp: {
    monitor: { ...PLAIN, type: 'TCP' },
    peer: 'tcp',
    counted: 'connections',
    ways: ['public'],
  },
  // What HAProxy's check does.
  'tcp-half': {
    monitor: { ...PLAIN, type: 'TCP', options: { connection: { handshake: 'half' } } },
    peer: 'tcp',
    counted: 'handshakes',
    ways: [],
  },
  http: { monitor: HTTP, peer: 'http', counted: 'requests', ways: [] },
  'http-reused': {
    monitor: { ...HTTP, options: KEPT },
    peer: 'http',
    counted: 'requests',
    ways: [],
  },
  // A new handshake each time, on both sides.
  https: { monitor: { ...HTTP, type: 'HTTPS' }, peer: 'https', counted: 'requests', ways: [] },
  // In clear text with prior knowledge, on a new connection.
  http2: {
    monitor: { ...HTTP, httpVersion: null, options: { http: { version: 'h2c' } } },
    peer: 'http2',
    counted: 'requests',
    ways: [],
  },
  // The profile elb sends an ICMP echo before.
  udp: {
    monitor: { ...PLAIN, type: 'UDP-CONNECT', profile: 'octavia' },
    peer: undefined,
    counted: 'datagrams',
    ways: [],
  },
  ping: { monitor: { ...PLAIN, type: 'PING' }, peer: 'ping', counted: 'echoes', ways: [] },
}

/** Every kind that runs unless others are asked for. */
export const DEFAULT_KINDS: readonly string[] = Object.entries(PROTOCOLS).flatMap(([name, { ways }]) => [
  name,
  ...ways.map((way) => `${name}-${way}`),
])

/** The kind of a name. Throws for one that there is not. */
export function kindOf(name: string): Kind {
  let rest = name
  const takes = (suffix: string): boolean => {
    if (!rest.endsWith(suffix)) return false
    rest = rest.slice(0, -suffix.length)
    return true
  }
  const hasPostgres = !takes('-no-postgres')
  const isUnwoken = takes('-unwoken')
  const found = Object.entries(PROTOCOLS).flatMap(([protocol, { ways, ...what }]) => {
    if (protocol === rest) return { ...what, way: 'fastest' as const }
    return ways.filter((way) => `${protocol}-${way}` === rest).map((way) => ({ ...what, way }))
  })[0]
  if (found === undefined || (isUnwoken && found.peer !== 'tcp'))
    throw new Error(`no type ${name}: there are ${DEFAULT_KINDS.join(', ')}; see bench/engine-kinds.ts`)
  return { name, ...found, isUnwoken, hasPostgres }
}
