/**
 * What the engine's bench can probe with. A name is a protocol, then how it is done, then what is changed around it:
 * `http-reused`, `tcp-unwoken`, `tcp-public-no-postgres`.
 *
 *   tcp, tcp-half, http, https, https-rsa, http2, grpc, udp, ping
 *                                       new connections; the target's key is ECDSA P-256, or RSA of 2 048 bits
 *   http-reused, http2-reused, grpc-reused
 *                                       connections are kept for good, as the option `connection.reuse` makes them
 *   -resumed                            TLS sessions are resumed, as probes do by default, by the peer too; without, none is
 *   -public                             by public Node APIs alone; without, by the fastest way that there is here
 *                                       (docs/adr/0017-tcp-by-system-calls.md)
 *   -unwoken                            the target is never woken by a connection (accept-target.c; takes a C compiler)
 *   -no-postgres                        scheduler, state machine, metrics and probers alone: what PostgreSQL's part costs
 */
import type { MonitorFields } from './member-rows.ts'

/** What a peer can check as we do. */
export type PeerKind = 'tcp' | 'http' | 'https' | 'https-rsa' | 'http2' | 'grpc'

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
  /** Whether connections are kept between checks. */
  readonly isReused: boolean
  /** Whether TLS sessions are resumed. */
  readonly isResumed: boolean
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

const WHOLE_HANDSHAKES = { tls: { resume: false } } as const
const HTTPS = { ...HTTP, type: 'HTTPS', options: WHOLE_HANDSHAKES } as const

/** In clear text with prior knowledge. */
const HTTP2 = { ...HTTP, httpVersion: null, options: { http: { version: 'h2c' } } } as const
const GRPC = { ...HTTP, httpVersion: null, options: { grpc: {} } } as const

type Protocol = Pick<Kind, 'monitor' | 'peer' | 'counted'> & {
  readonly ways: readonly Way[]
  /** Takes more than a host of two cores has for 5 000 probes a second and their target: runs when it is asked for. */
  readonly isHeavy?: true
}

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
  https: heavy(HTTPS, 'https'),
  'https-rsa': heavy(HTTPS, 'https-rsa'),
  http2: heavy(HTTP2, 'http2'),
  'http2-reused': heavy({ ...HTTP2, options: { ...HTTP2.options, ...KEPT } }, 'http2'),
  grpc: heavy(GRPC, 'grpc'),
  'grpc-reused': heavy({ ...GRPC, options: { ...GRPC.options, ...KEPT } }, 'grpc'),
  // The profile elb sends an ICMP echo before.
  udp: {
    monitor: { ...PLAIN, type: 'UDP-CONNECT', profile: 'octavia' },
    peer: undefined,
    counted: 'datagrams',
    ways: [],
  },
  ping: { monitor: { ...PLAIN, type: 'PING' }, peer: 'ping', counted: 'echoes', ways: [] },
}

/** Of requests that arrive at a target of this kind. */
function heavy(monitor: Kind['monitor'], peer: PeerKind): Protocol {
  return { monitor, peer, counted: 'requests', ways: [], isHeavy: true }
}

const KINDS: readonly { readonly name: string; readonly isHeavy: boolean }[] = Object.entries(
  PROTOCOLS,
).flatMap(([protocol, { ways, isHeavy = false }]) =>
  [protocol, ...ways.map((way) => `${protocol}-${way}`)].map((name) => ({ name, isHeavy })),
)

/** Every kind that runs unless others are asked for. */
export const DEFAULT_KINDS: readonly string[] = KINDS.filter(({ isHeavy }) => !isHeavy).map(
  ({ name }) => name,
)

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
  const isResumed = takes('-resumed')
  const found = Object.entries(PROTOCOLS).flatMap(([protocol, { ways, monitor, peer, counted }]) => {
    const what = { monitor, peer, counted }
    if (protocol === rest) return { ...what, way: 'fastest' as const }
    return ways.filter((way) => `${protocol}-${way}` === rest).map((way) => ({ ...what, way }))
  })[0]
  const hasTls = found?.monitor.type === 'HTTPS'
  if (found === undefined || (isUnwoken && found.peer !== 'tcp') || (isResumed && !hasTls)) {
    const names = KINDS.map((kind) => kind.name).join(', ')
    throw new Error(`no type ${name}: there are ${names}; see bench/engine-kinds.ts`)
  }
  const monitor = isResumed ? { ...found.monitor, options: null } : found.monitor
  return { name, ...found, monitor, isReused: rest.endsWith('-reused'), isResumed, isUnwoken, hasPostgres }
}
