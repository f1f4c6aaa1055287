/**
 * From a member and its monitor to what a probe aims at. Pure; the profile of the monitor decides the manners:
 * elb speaks HTTP/1.1 and always names a host, octavia (HAProxy's `option httpchk`) speaks HTTP/1.0 without one unless
 * the monitor asks for 1.1.
 */
import { type CodeSet, parseExpectedCodes } from './expected-codes.ts'
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
    path: monitor.urlPath ?? '/',
    expectedCodes: parseExpectedCodes(monitor.expectedCodes ?? '200') ?? EXPECTED_CODES_DEFAULT,
  }
  const bracketed = target.family === 6 ? `[${target.address}]` : target.address
  if (monitor.profile === 'elb') {
    const defaultPort = monitor.type === 'HTTPS' ? 443 : 80
    const authority = target.port === defaultPort ? bracketed : `${bracketed}:${target.port}`
    return { ...request, version: '1.1', host: monitor.domainName ?? authority }
  }
  if (monitor.httpVersion !== '1.1') return { ...request, version: '1.0' }
  return { ...request, version: '1.1', host: monitor.domainName ?? bracketed }
}
