/**
 * From a member and its monitor to what a probe aims at. Pure; the profile of the monitor decides the manners:
 * elb speaks HTTP/1.1 and always names a host, octavia (HAProxy's `option httpchk`) speaks HTTP/1.0 without one unless
 * the monitor asks for 1.1.
 */
import { type CodeSet, parseExpectedCodes } from './expected-codes.ts'
import { httpHost } from './http-host.ts'
import { parseAddress } from './ip-address.ts'
import { timeoutMs } from './profiles.ts'
import type { HttpRequest, ProbeTarget } from './results.ts'
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
>
export type TargetMember = Pick<Member, 'address' | 'protocolPort' | 'monitorAddress' | 'monitorPort'>

/** Default of both dialects when a monitor names none. */
const EXPECTED_CODES_DEFAULT: CodeSet = [{ from: 200, to: 200 }]

/** Where the probes of a check go. The member's own monitor port wins over the monitor's, as the more exact one. */
export function probeEndpoint(
  monitor: Pick<HealthMonitor, 'type' | 'monitorPort'>,
  member: TargetMember,
): Pick<ProbeTarget, 'address' | 'family' | 'port'> {
  const spelled = member.monitorAddress ?? member.address
  const parsed = parseAddress(spelled)
  // What is no plain address is refused by the target policy; nothing is sent to it.
  const address = parsed?.canonical ?? spelled
  const family = parsed?.family ?? 4
  const port =
    monitor.type === 'PING' ? 0 : (member.monitorPort ?? monitor.monitorPort ?? member.protocolPort)
  return { address, family, port }
}

/** The target of a check. */
export function probeTarget(monitor: TargetMonitor, member: TargetMember): ProbeTarget {
  const base = { type: monitor.type, ...probeEndpoint(monitor, member), timeoutMs: timeoutMs(monitor) }
  switch (monitor.type) {
    case 'HTTP':
    case 'HTTPS':
      return { ...base, http: httpRequest(monitor, base) }
    case 'UDP-CONNECT':
      return monitor.profile === 'elb' ? { ...base, echoFirst: true } : base
    case 'PING':
    case 'TCP':
    case 'TLS-HELLO':
    case 'SCTP':
      return base
  }
}

function httpRequest(monitor: TargetMonitor, target: ProbeTarget): HttpRequest {
  const request = {
    method: monitor.httpMethod ?? 'GET',
    path: withoutFragment(monitor.urlPath ?? '/'),
    expectedCodes: parseExpectedCodes(monitor.expectedCodes ?? '200') ?? EXPECTED_CODES_DEFAULT,
  }
  const { address, port } = target
  const host = {
    domainName: monitor.domainName,
    address,
    port,
    defaultPort: monitor.type === 'HTTPS' ? 443 : 80,
  } as const
  if (monitor.profile === 'elb') return { ...request, version: '1.1', host: httpHost(host) }
  if (monitor.httpVersion !== '1.1') return { ...request, version: '1.0' }
  // HAProxy's `hdr Host` names the address without a port when the monitor names no domain.
  return { ...request, version: '1.1', host: httpHost({ ...host, port: host.defaultPort }) }
}

/** A fragment is the client's own and never sent (RFC 9110 section 7.1); both dialects store paths with one. */
function withoutFragment(path: string): string {
  const end = path.indexOf('#')
  return end < 0 ? path : path.slice(0, end)
}
