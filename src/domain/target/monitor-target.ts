/**
 * Makes the target of probes from a member and its monitor. Pure; the options of the monitor decide, then its plain
 * fields, then its preset or profile: elb speaks HTTP/1.1 and always names a host, octavia (HAProxy's `option httpchk`)
 * speaks HTTP/1.0 without one unless the monitor asks for 1.1.
 */
import { hostOf, http2Request, httpRequest, versionOf } from './http-target.ts'
import { parseAddress, wireAddress } from '../address/ip-address.ts'
import { FRESH_EVERY_DEFAULT } from '../limits.ts'
import type { MonitorOptions, Preset } from '../options/monitor-options.ts'
import { canBeHalfOpen, CONNECTION, ICMP } from '../options/connection.ts'
import { GRPC, TCP, UDP } from '../options/exchange.ts'
import { setBy } from '../options/setting.ts'
import { speaksTls, TLS } from '../options/tls.ts'
import { hasOwnEndpoint, POOL_ALPN_PROTOCOLS, type PoolSettings } from './pool-settings.ts'
import { presetBehaviour } from '../options/presets.ts'
import { presetOf, timeoutMs } from '../options/profiles.ts'
import type { ConnectionReuse, ProbeTarget, TlsSettings, UdpExchange } from './probe-target.ts'
import type { HealthMonitor } from '../health-monitor.ts'
import type { Member, MonitorType } from '../types.ts'

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
  Partial<Pick<HealthMonitor, 'options' | 'sentFields' | 'echo'>>
export type TargetMember = Pick<Member, 'address' | 'protocolPort' | 'monitorAddress' | 'monitorPort'>

/** Where the probes of a check go. The member's own monitor port wins over the monitor's, as the more exact one. */
export function probeEndpoint(
  monitor: Pick<HealthMonitor, 'type' | 'monitorPort'>,
  member: TargetMember,
): Pick<ProbeTarget, 'address' | 'family' | 'port'> {
  const spelled = member.monitorAddress ?? member.address
  const parsed = parseAddress(spelled)
  // Raw sockets receive answers of an IPv4-mapped address in IPv4 only: as IPv6, no PING was answered and no UDP port
  // was reported as closed.
  const wire = parsed === undefined ? undefined : wireAddress(parsed)
  // The target policy refuses anything but a plain address; nothing is sent to it.
  const address = wire?.canonical ?? spelled
  const family = wire?.family ?? 4
  const port =
    monitor.type === 'PING' ? 0 : (member.monitorPort ?? monitor.monitorPort ?? member.protocolPort)
  return { address, family, port }
}

/** The target of a check; `pool`: the settings of its pool. */
export function probeTarget(
  monitor: TargetMonitor,
  member: TargetMember,
  pool: PoolSettings = {},
): ProbeTarget {
  return targetsOf(monitor, pool)(member)
}

/** What makes the targets of a monitor's checks; what they have in common is made once. */
export function targetsOf(
  monitor: TargetMonitor,
  pool: PoolSettings = {},
): (member: TargetMember) => ProbeTarget {
  const ofPool = targetsWith(monitor, pool)
  const ownEndpoint = Object.keys(pool).length === 0 ? ofPool : targetsWith(monitor, {})
  return (member) => (hasOwnEndpoint(monitor, member) ? ownEndpoint : ofPool)(member)
}

function targetsWith(monitor: TargetMonitor, pool: PoolSettings): (member: TargetMember) => ProbeTarget {
  const { type, options } = monitor
  const common = commonOf(monitor, pool)
  const grpcOptions = options?.grpc
  const grpc = setBy(GRPC, grpcOptions, { type, preset: presetOf(monitor) })
  const isSecure = type === 'HTTPS' || common.tls !== undefined
  const requestOf = type === 'HTTP' || type === 'HTTPS' ? httpRequest(monitor, isSecure) : undefined
  const isByAlpn = choosesByAlpn(monitor, common.tls?.alpn)
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
    if (grpcOptions === undefined) {
      const http = requestOf(endpoint)
      return { ...target, http, ...(isByAlpn ? { http2: http2Request(monitor, http, endpoint) } : {}) }
    }
    const authority = hostOf({ ...monitor, domainName: null, echo: {} }, endpoint, isSecure)
    return { ...target, grpc: { service: '', authority, metadata: [], ...grpc } }
  }
}

/** Whether the target chooses between HTTP/1.x and HTTP/2: both are offered, and the monitor does not say which. */
function choosesByAlpn(monitor: TargetMonitor, alpn: readonly string[] | undefined): boolean {
  const { options } = monitor
  if (options?.grpc !== undefined || options?.http?.version !== undefined) return false
  return alpn?.includes('h2') === true && versionOf(monitor) !== '2'
}

type Common = Omit<
  ProbeTarget,
  'type' | 'address' | 'family' | 'port' | 'timeoutMs' | 'sourceAddress' | 'http' | 'http2' | 'grpc'
>

function commonOf(monitor: TargetMonitor, pool: PoolSettings): Common {
  const { type, options } = monitor
  const { connection, tcp, udp, icmp } = options ?? {}
  const setter = { type, preset: presetOf(monitor) }
  const behaviour = presetBehaviour(setter.preset)
  const isConnected = type === 'HTTP' || type === 'HTTPS' || type === 'TCP' || type === 'TLS-HELLO'
  const reuse = connectionReuse(monitor)
  const proxy = isConnected ? proxyProtocolOf(monitor, pool) : undefined
  const tls = isConnected ? tlsOf(monitor, pool) : undefined
  return {
    ...(type === 'UDP-CONNECT' && behaviour.echoFirst === true ? { echoFirst: true } : {}),
    ...(tls === undefined ? {} : { tls }),
    ...(tcp === undefined ? {} : { tcp: { receive: [], ...setBy(TCP, tcp, setter) } }),
    ...(udp === undefined ? {} : { udp: udpExchange(udp, setter) }),
    ...(proxy === undefined ? {} : { proxyProtocol: proxy }),
    ...(reuse === undefined ? {} : { reuse }),
    ...(isHalfOpen(monitor, pool) ? { halfOpen: true as const } : {}),
    ...setBy(CONNECTION, connection, setter),
    ...setBy(ICMP, icmp, setter),
  }
}

/** Whether the handshakes of a TCP check are half ones: TLS and PROXY headers of the pool need full ones. */
export function isHalfOpen(
  monitor: Pick<TargetMonitor, 'type' | 'profile' | 'options'>,
  pool: PoolSettings = {},
): boolean {
  const { type, profile, options } = monitor
  if (pool.tls !== undefined || proxyProtocolOf(monitor, pool) !== undefined) return false
  const handshake =
    options?.connection?.handshake ??
    presetBehaviour(presetOf({ profile, options: options ?? null })).handshake
  return type === 'TCP' && handshake === 'half' && canBeHalfOpen(options ?? {})
}

/** How connections are kept; undefined = each probe makes its own. A TCP check that expects no answer keeps none (Envoy). */
export function connectionReuse({
  type,
  profile,
  options,
}: Pick<TargetMonitor, 'type' | 'profile' | 'options'>): ConnectionReuse | undefined {
  const behaviour = presetBehaviour(presetOf({ profile, options: options ?? null }))
  const { reuse = behaviour.reuse, fresh_every, idle_close_is_failure } = options?.connection ?? {}
  const isKept = type === 'HTTP' || type === 'HTTPS' || (options?.tcp?.receive ?? []).length > 0
  if (!reuse || !isKept || type === 'TLS-HELLO') return undefined
  return {
    freshEvery: fresh_every ?? FRESH_EVERY_DEFAULT,
    // Envoy's HTTP and gRPC checks open a new connection; only for its TCP check that is a failure.
    idleCloseIsFailure: idle_close_is_failure ?? (type === 'TCP' && behaviour.idleCloseIsFailure),
  }
}

/** The PROXY header: as options say, else as the pool's protocol does. */
export function proxyProtocolOf(
  { options }: Pick<TargetMonitor, 'options'>,
  pool: PoolSettings,
): 1 | 2 | undefined {
  const given = options?.connection?.proxy_protocol
  return given === undefined ? pool.proxyProtocol : given === 'v1' ? 1 : 2
}

/** The TLS settings, where options or the pool have any. */
function tlsOf(monitor: TargetMonitor, pool: PoolSettings): TlsSettings | undefined {
  const { tls: given } = monitor.options ?? {}
  const set = setBy({ keys: TLS.keys }, given, { type: monitor.type, preset: presetOf(monitor) })
  // Of a type that speaks TLS where its pool does, options alone make no TLS.
  const isSecure = speaksTls({ type: monitor.type, pool })
  if (!isSecure || (pool.tls === undefined && Object.keys(set).length === 0)) return undefined
  const { versions, ciphers } = pool.tls ?? {}
  const alpn = pool.tls === undefined ? undefined : poolAlpn(monitor, pool.tls)
  return {
    // A CA is named to verify certificates with it.
    verify: given?.ca !== undefined,
    ...(alpn === undefined ? {} : { alpn }),
    ...(versions === undefined ? {} : { versions }),
    ...(ciphers === undefined ? {} : { ciphers }),
    ...set,
  }
}

/**
 * The names that are offered for a pool: what it says, else, where HTTP is spoken, what Octavia's API fills in for it. A
 * version that options or the preset want leaves only its own names.
 */
export function poolAlpn(
  monitor: TargetMonitor,
  { alpn }: NonNullable<PoolSettings['tls']>,
): readonly string[] | undefined {
  const { type, options } = monitor
  if (type !== 'HTTP' && type !== 'HTTPS') return alpn
  if (options?.grpc !== undefined || versionOf(monitor) === '2') return ['h2']
  const offered = alpn ?? POOL_ALPN_PROTOCOLS
  if (options?.http?.version === undefined) return offered
  const others = offered.filter((name) => name !== 'h2')
  return others.length === 0 ? undefined : others
}

function udpExchange(
  udp: NonNullable<MonitorOptions['udp']>,
  setter: { readonly type: MonitorType; readonly preset: Preset },
): UdpExchange {
  const held = udp.reply_pattern === undefined ? undefined : presetBehaviour(setter.preset).replyLength
  const { min_reply_length: min = held?.min, max_reply_length: max = held?.max } = udp
  return {
    requireReply: requiresReply(udp),
    ...(min === undefined ? {} : { minReplyBytes: min }),
    ...(max === undefined ? {} : { maxReplyBytes: max }),
    ...setBy(UDP, udp, setter),
  }
}

/** Whether a UDP target has to reply: an expected reply implies that. */
export function requiresReply(udp: MonitorOptions['udp']): boolean {
  const { require_reply, reply_pattern, min_reply_length, max_reply_length } = udp ?? {}
  return require_reply ?? (reply_pattern ?? min_reply_length ?? max_reply_length) !== undefined
}
