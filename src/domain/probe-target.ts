/**
 * From a member and its monitor to what a probe aims at. Pure; the options of the monitor decide, then its plain fields,
 * then the manners of its preset or profile: elb speaks HTTP/1.1 and always names a host, octavia (HAProxy's `option
 * httpchk`) speaks HTTP/1.0 without one unless the monitor asks for 1.1.
 */
import { hostOf, httpRequest } from './http-target.ts'
import { parseAddress, wireAddress } from './ip-address.ts'
import { FRESH_EVERY_DEFAULT, type Range } from './limits.ts'
import type { MonitorOptions } from './monitor-options.ts'
import { presetManners } from './presets.ts'
import { mannersOf, timeoutMs } from './profiles.ts'
import type { ConnectionReuse, ProbeTarget, TcpExchange, TlsManners, UdpExchange } from './results.ts'
import type { HealthMonitor, Member } from './types.ts'

export type TargetMonitor = Pick<
  HealthMonitor,
  | 'type'
  | 'profile'
  | 'timeoutSeconds'
  | 'monitorPort'
  | 'domainName'
  | 'urlPath'
  | 'httpMethod'
  | 'httpVersion'
  | 'expectedCodes'
> &
  Partial<Pick<HealthMonitor, 'options' | 'echo'>>
export type TargetMember = Pick<Member, 'address' | 'protocolPort' | 'monitorAddress' | 'monitorPort'>

/** Where the probes of a check go. The member's own monitor port wins over the monitor's, as the more exact one. */
export function probeEndpoint(
  monitor: Pick<HealthMonitor, 'type' | 'monitorPort'>,
  member: TargetMember,
): Pick<ProbeTarget, 'address' | 'family' | 'port'> {
  const spelled = member.monitorAddress ?? member.address
  const parsed = parseAddress(spelled)
  // Raw sockets hear of an IPv4-mapped address in IPv4 only: a PING was never answered, and no UDP port was ever closed.
  const wire = parsed === undefined ? undefined : wireAddress(parsed)
  // What is no plain address is refused by the target policy; nothing is sent to it.
  const address = wire?.canonical ?? spelled
  const family = wire?.family ?? 4
  const port =
    monitor.type === 'PING' ? 0 : (member.monitorPort ?? monitor.monitorPort ?? member.protocolPort)
  return { address, family, port }
}

/** The target of a check. */
export function probeTarget(monitor: TargetMonitor, member: TargetMember): ProbeTarget {
  return targetsOf(monitor)(member)
}

/** What makes the targets of a monitor's checks; what they have in common is made once. */
export function targetsOf(monitor: TargetMonitor): (member: TargetMember) => ProbeTarget {
  const { type, options } = monitor
  const common = commonOf(monitor)
  const asksGrpc = options?.grpc
  const requestOf = type === 'HTTP' || type === 'HTTPS' ? httpRequest(monitor) : undefined
  const source = options?.connection?.source_address
  const sourceFamily = source === undefined ? undefined : parseAddress(source)?.family
  return (member) => {
    const endpoint = probeEndpoint(monitor, member)
    const target: ProbeTarget = {
      type,
      ...endpoint,
      timeoutMs: timeoutMs(monitor),
      ...common,
      ...(source === undefined || sourceFamily !== endpoint.family ? {} : { sourceAddress: source }),
    }
    if (requestOf === undefined) return target
    if (asksGrpc === undefined) return { ...target, http: requestOf(endpoint) }
    const { service = '', metadata = [] } = asksGrpc
    const authority = asksGrpc.authority ?? hostOf({ ...monitor, domainName: null, echo: {} }, endpoint)
    return { ...target, grpc: { service, authority, metadata } }
  }
}

type Common = Omit<
  ProbeTarget,
  'type' | 'address' | 'family' | 'port' | 'timeoutMs' | 'sourceAddress' | 'http' | 'grpc'
>

function commonOf(monitor: TargetMonitor): Common {
  const { type, options } = monitor
  const manners = presetManners(mannersOf(monitor))
  const { connection, tls, tcp, udp, icmp } = options ?? {}
  const isConnected = type === 'HTTP' || type === 'HTTPS' || type === 'TCP' || type === 'TLS-HELLO'
  const close = isConnected ? (connection?.close ?? manners.close) : undefined
  const echoCount = type === 'PING' ? (icmp?.count ?? manners.echoCount) : undefined
  const reuse = connectionReuse(monitor)
  return {
    ...(type === 'UDP-CONNECT' && mannersOf(monitor) === 'elb' ? { echoFirst: true } : {}),
    ...(tls === undefined ? {} : { tls: tlsManners(tls) }),
    ...(tcp === undefined ? {} : { tcp: tcpExchange(tcp) }),
    ...(udp === undefined ? {} : { udp: udpExchange(udp, manners.replyLength) }),
    ...(connection?.proxy_protocol === undefined
      ? {}
      : { proxyProtocol: connection.proxy_protocol === 'v1' ? (1 as const) : (2 as const) }),
    ...(reuse === undefined ? {} : { reuse }),
    ...(close === undefined ? {} : { close }),
    ...(isHalfOpen(monitor) ? { halfOpen: true as const } : {}),
    ...(echoCount === undefined ? {} : { echoCount }),
  }
}

/** Whether there is nothing that a whole connection is needed for. */
export function canBeHalfOpen({ tcp, connection }: MonitorOptions): boolean {
  return (
    tcp === undefined &&
    connection?.proxy_protocol === undefined &&
    connection?.source_address === undefined &&
    connection?.close !== 'fin'
  )
}

/** Whether the handshakes of a TCP check are broken off. */
export function isHalfOpen(monitor: Pick<TargetMonitor, 'type' | 'profile' | 'options'>): boolean {
  const { type, profile, options } = monitor
  const handshake =
    options?.connection?.handshake ??
    presetManners(mannersOf({ profile, options: options ?? null })).handshake
  return type === 'TCP' && handshake === 'half' && canBeHalfOpen(options ?? {})
}

/** How connections are kept; undefined = each probe makes its own. A TCP check that expects no answer keeps none (Envoy). */
export function connectionReuse({
  type,
  profile,
  options,
}: Pick<TargetMonitor, 'type' | 'profile' | 'options'>): ConnectionReuse | undefined {
  const manners = presetManners(mannersOf({ profile, options: options ?? null }))
  const { reuse = manners.reuse, fresh_every, idle_close_is_failure } = options?.connection ?? {}
  const isKept = type === 'HTTP' || type === 'HTTPS' || (options?.tcp?.receive ?? []).length > 0
  if (!reuse || !isKept || type === 'TLS-HELLO') return undefined
  return {
    freshEvery: fresh_every ?? FRESH_EVERY_DEFAULT,
    // Envoy's HTTP and gRPC checks connect anew; only its TCP check takes it for a failure.
    idleCloseIsFailure: idle_close_is_failure ?? (type === 'TCP' && manners.idleCloseIsFailure),
  }
}

function tlsManners(tls: NonNullable<MonitorOptions['tls']>): TlsManners {
  const { server_name, alpn, verify, ca, certificate, key } = tls
  return {
    // Who names a CA wants it asked.
    verify: verify ?? ca !== undefined,
    ...(server_name === undefined ? {} : { serverName: server_name }),
    ...(alpn === undefined ? {} : { alpn }),
    ...(ca === undefined ? {} : { caFile: ca }),
    ...(certificate === undefined ? {} : { certificateFile: certificate }),
    ...(key === undefined ? {} : { keyFile: key }),
  }
}

function tcpExchange({ send, receive = [] }: NonNullable<MonitorOptions['tcp']>): TcpExchange {
  return { ...(send === undefined ? {} : { send: decoded(send) }), receive: receive.map(decoded) }
}

function udpExchange(udp: NonNullable<MonitorOptions['udp']>, ofPattern?: Range): UdpExchange {
  const { payload, reply_pattern } = udp
  const manners = reply_pattern === undefined ? undefined : ofPattern
  const { min_reply_length: min = manners?.min, max_reply_length: max = manners?.max } = udp
  return {
    requireReply: requiresReply(udp),
    ...(payload === undefined ? {} : { payload: decoded(payload) }),
    ...(reply_pattern === undefined ? {} : { replyPattern: patternOf(reply_pattern) }),
    ...(min === undefined ? {} : { minReplyBytes: min }),
    ...(max === undefined ? {} : { maxReplyBytes: max }),
  }
}

/** Whether a UDP target has to reply: who says what a reply must be wants one. */
export function requiresReply(udp: MonitorOptions['udp']): boolean {
  const { require_reply, reply_pattern, min_reply_length, max_reply_length } = udp ?? {}
  return require_reply ?? (reply_pattern ?? min_reply_length ?? max_reply_length) !== undefined
}

function patternOf(digits: string): readonly (number | null)[] {
  const bytes = digits.match(/../g) ?? []
  return bytes.map((byte) => (byte === 'XX' ? null : Number.parseInt(byte, 16)))
}

function decoded(base64: string): Uint8Array {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))
}
