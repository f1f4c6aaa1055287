/**
 * What the probes of one prober share: idle sockets and connections, raw sockets, facts about this host, and results
 * that are computed once for many probes. The prober's engine or probe-once creates it, and closes it when no probe is
 * in flight any more. None of it is state of a module, so two probers of a process share nothing.
 */
import type { ProbeTarget } from '../domain/target/probe-target.ts'
import type { BatchCore } from './batch/core.ts'
import { BodyPatterns } from './http/body-pattern.ts'
import { RenderedRequests } from './http/http-request.ts'
import { EchoChannel } from './icmp/icmp-echo.ts'
import { RawChannels } from './raw-channels.ts'
import { SctpChannel } from './sctp/sctp-channel.ts'
import { HostAddresses } from './socket-errors.ts'
import { SourcePorts } from './source-ports.ts'
import { HalfOpen } from './tcp/half-open/half-open.ts'
import { KernelSockets } from './tcp/kernel-sockets.ts'
import { findLibc } from './tcp/libc.ts'
import { LeafCertificates } from './tls/leaf-certificates.ts'
import { TlsContexts } from './tls/tls-contexts.ts'
import { UdpSockets } from './udp/udp-sockets.ts'
import { IdleConnections } from './wire/idle-connections.ts'
import { NodeSockets } from './wire/node-sockets.ts'
import type { StreamParts } from './wire/stream-parts.ts'

/** How plain TCP probes connect: by system calls where these are available. */
export type TcpWay = 'system calls' | 'net.Socket'

export class ProbeRuntime implements StreamParts {
  readonly hostAddresses = new HostAddresses()
  readonly sourcePorts = new SourcePorts()
  readonly idleConnections = new IdleConnections()
  readonly nodeSockets = new NodeSockets()
  /** The sockets of TCP probes that use system calls; undefined where these are not available. */
  readonly kernelSockets = KernelSockets.open(findLibc(), this.sourcePorts)
  /** Half-open TCP probes, by the batch where that is possible. */
  readonly halfOpen = new HalfOpen(this)
  readonly tlsContexts = new TlsContexts()
  readonly leafCertificates = new LeafCertificates()
  readonly bodyPatterns = new BodyPatterns()
  readonly requests = new RenderedRequests()
  readonly echoChannels = new RawChannels((family) => new EchoChannel(family))
  readonly sctpChannels = new RawChannels((family) => new SctpChannel(family))
  readonly udpSockets = new UdpSockets()

  /** For the log. */
  get tcpWay(): TcpWay {
    return this.kernelSockets === undefined ? 'net.Socket' : 'system calls'
  }

  /** Descriptors that no probe in flight has: connections and sockets that wait for their next use, those of half-open probes. */
  get idle(): number {
    return this.idleConnections.size + (this.kernelSockets?.size ?? 0) + this.halfOpen.descriptors
  }

  /** The core that makes the probes of this target by the batch; undefined = its prober makes them. */
  coreOf(target: ProbeTarget): BatchCore | undefined {
    return this.halfOpen.coreOf(target)
  }

  /** Connections and sockets that may wait, beside the probes in flight. */
  allowIdle({ connections, sockets }: { readonly connections: number; readonly sockets: number }): void {
    this.idleConnections.capacity = connections
    if (this.kernelSockets !== undefined) this.kernelSockets.capacity = sockets
  }

  /** Prepares now what the first probe of this target would otherwise have to prepare. */
  prepare({ http, http2 }: ProbeTarget): void {
    for (const request of [http, http2]) {
      if (request?.expectBodyPattern !== undefined) this.bodyPatterns.table(request.expectBodyPattern)
    }
  }

  /** Closes what waits. */
  close(): void {
    this.idleConnections.closeAll()
    this.kernelSockets?.close()
    this.halfOpen.close()
    this.echoChannels.close()
    this.sctpChannels.close()
  }
}
