/**
 * Whether UDP-CONNECT of this process is made by the batch, without an echo before (udp-core.ts) and with one
 * (udp-after-echo-core.ts). Everything is tried when the first such probe is wanted: a datagram to a port of this host where
 * nobody listens must be reported as undelivered.
 * Where anything is missing or does other than expected (not Linux, no koffi, a firewall that stops ICMP on loopback),
 * these probes go the way of udp-connect.ts.
 */
import { BATCH_TRIAL_MS } from '../../domain/limits.ts'
import type { ProbeResult } from '../../domain/result/probe-result.ts'
import type { ProbeTarget } from '../../domain/target/probe-target.ts'
import { type BatchCalls, findBatchCalls } from '../batch/batch-calls.ts'
import { CoreOnDemand } from '../batch/core-on-demand.ts'
import type { HostDrops } from '../batch/host-drops.ts'
import { IPV4, IPV6 } from '../batch/ip-family.ts'
import { isLittleEndian } from '../batch/message-batch.ts'
import { tryOnce } from '../batch/trial.ts'
import { trialOfDedicatedEcho, trialOfEcho } from '../icmp/batched-ping.ts'
import { EchoCore } from '../icmp/echo-core.ts'
import type { HostAddresses } from '../socket-errors.ts'
import { isMapped } from '../tcp/tcp-by-system-calls.ts'
import { UdpAfterEchoCore } from './udp-after-echo-core.ts'
import { UdpCore } from './udp-core.ts'

export type BatchedUdp = CoreOnDemand<UdpCore, BatchCalls>

/** `dedicated`: each probe has a socket of its own, for checks whose answers are lost on the shared ones. */
export function makeBatchedUdp(
  hosts: HostAddresses,
  findCalls: () => BatchCalls | undefined = findBatchCalls,
  dedicated?: HostDrops,
): BatchedUdp {
  const kind = {
    suits: (target: ProbeTarget) =>
      target.type === 'UDP-CONNECT' && target.echoFirst !== true && !isMapped(target),
    make: (calls: BatchCalls) => new UdpCore(calls, hosts, dedicated),
    trial: trialOfUdp,
  }
  return new CoreOnDemand(kind, findCalls)
}

export type BatchedUdpAfterEcho = CoreOnDemand<UdpAfterEchoCore, BatchCalls>

/** The same for UDP-CONNECT with an echo before, which needs CAP_NET_RAW. */
export function makeBatchedUdpAfterEcho(
  hosts: HostAddresses,
  findCalls: () => BatchCalls | undefined = findBatchCalls,
  dedicated?: HostDrops,
): BatchedUdpAfterEcho {
  const tryEcho = dedicated === undefined ? trialOfEcho : trialOfDedicatedEcho
  const kind = {
    suits: (target: ProbeTarget) =>
      target.type === 'UDP-CONNECT' && target.echoFirst === true && !isMapped(target),
    make: (calls: BatchCalls) =>
      new UdpAfterEchoCore({
        echo: new EchoCore(calls, hosts, dedicated),
        udp: new UdpCore(calls, hosts, dedicated),
      }),
    trial: ({ echo, udp }: UdpAfterEchoCore, calls: BatchCalls) => tryEcho(echo) ?? trialOfUdp(udp, calls),
  }
  return new CoreOnDemand(kind, findCalls)
}

/** Undefined = it works; without IPv6 for IPv4 alone. */
function trialOfUdp(core: UdpCore, calls: BatchCalls): string | undefined {
  for (const family of core.families) {
    const address = family === 4 ? '127.0.0.1' : '::1'
    const port = closedPort(calls, family)
    const target = { type: 'UDP-CONNECT', address, family, port, timeoutMs: BATCH_TRIAL_MS } as const
    const attempt = (): ProbeResult | undefined => (port === 0 ? undefined : tryOnce(core, target))
    const isReported = (result: ProbeResult | undefined): boolean => result?.reason === 'ICMP_UNREACHABLE'
    const result = attempt()
    // Where the host is flooded, an answer may be lost.
    if (isReported(result) || isReported(attempt())) continue
    if (family === 4) return `the trial on loopback (${result?.detail ?? 'no port'})`
    core.closeFamily(6)
  }
  return undefined
}

const SOCK_DGRAM_CLOEXEC = 0o2000002

/** A port of loopback on which nobody listens; 0 = there is none. */
function closedPort(calls: BatchCalls, version: 4 | 6): number {
  const { af, nameLength, addressAt } = version === 4 ? IPV4 : IPV6
  const name = new Uint8Array(nameLength)
  const view = new DataView(name.buffer)
  view.setUint16(0, af, isLittleEndian)
  if (version === 4) name.set([127, 0, 0, 1], addressAt)
  else name[addressAt + 15] = 1
  const fd = calls.socket(af, SOCK_DGRAM_CLOEXEC, 0)
  if (fd < 0) return 0
  const length = new Uint32Array([nameLength])
  const isNamed =
    calls.bind(fd, name, nameLength) === 0 && calls.getsockname(fd, name, new Uint8Array(length.buffer)) === 0
  calls.close(fd)
  return isNamed ? view.getUint16(2) : 0
}
