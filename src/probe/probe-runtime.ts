/**
 * What the probes of one prober share: idle sockets and connections, raw sockets, facts about this host, and results
 * that are computed once for many probes. The prober's engine or probe-once creates it, and closes it when no probe is
 * in flight any more. None of it is state of a module, so two probers of a process share nothing.
 */
import type { CheckConfig } from '../domain/prober/check.ts'
import type { ProbeTarget } from '../domain/target/probe-target.ts'
import { findBatchCalls } from './batch/batch-calls.ts'
import type { BatchCore } from './batch/core.ts'
import { HostDrops } from './batch/host-drops.ts'
import { BodyPatterns } from './http/body-pattern.ts'
import { RenderedRequests } from './http/http-request.ts'
import { Http2Requests } from './http2/http2-request.ts'
import { makePlainHttp } from './http/plain/plain-http.ts'
import { makeBatchedPing } from './icmp/batched-ping.ts'
import { EchoChannel } from './icmp/icmp-echo.ts'
import { RawChannels } from './raw-channels.ts'
import { SctpChannel } from './sctp/sctp-channel.ts'
import { HostAddresses } from './socket-errors.ts'
import { SourcePorts } from './source-ports.ts'
import { HalfOpen } from './tcp/half-open/half-open.ts'
import { KernelSockets } from './tcp/kernel-sockets.ts'
import { findLibc } from './tcp/libc.ts'
import { makePlainTcp } from './tcp/plain/plain-tcp.ts'
import { LeafCertificates } from './tls/leaf-certificates.ts'
import { TlsContexts } from './tls/tls-contexts.ts'
import { TlsSessions } from './tls/tls-sessions.ts'
import { makeBatchedUdp, makeBatchedUdpAfterEcho } from './udp/batched-udp.ts'
import { UdpSockets } from './udp/udp-sockets.ts'
import { IdleConnections } from './wire/idle-connections.ts'
import { IdleRoom } from './wire/idle-room.ts'
import { NodeSockets } from './wire/node-sockets.ts'
import type { StreamParts } from './wire/stream-parts.ts'

/** How plain TCP probes connect: by system calls where these are available. */
export type TcpWay = 'system calls' | 'net.Socket'

export class ProbeRuntime implements StreamParts {
  readonly #hostDrops = new HostDrops()
  readonly hostAddresses = new HostAddresses()
  readonly sourcePorts = new SourcePorts()
  readonly idleRoom = new IdleRoom()
  readonly idleConnections = new IdleConnections(this.idleRoom)
  readonly nodeSockets = new NodeSockets()
  /** The sockets of TCP probes that use system calls; undefined where these are not available. */
  readonly kernelSockets = KernelSockets.open(findLibc(), this.sourcePorts)
  /** Half-open TCP probes, by the batch where that is possible. */
  readonly halfOpen = new HalfOpen(this)
  /** Plain TCP probes, by the batch where that is possible. */
  readonly plainTcp = makePlainTcp(this)
  /** PING, by the batch where that is possible. */
  readonly ping = makeBatchedPing(this.hostAddresses)
  /** UDP-CONNECT without an echo before, by the batch where that is possible. */
  readonly udp = makeBatchedUdp(this.hostAddresses)
  /** The same with an echo before. */
  readonly udpAfterEcho = makeBatchedUdpAfterEcho(this.hostAddresses)
  /** The same on a socket for each probe, while answers on the shared ones are lost. */
  readonly dedicatedPing = makeBatchedPing(this.hostAddresses, findBatchCalls, this.#hostDrops)
  readonly dedicatedUdp = makeBatchedUdp(this.hostAddresses, findBatchCalls, this.#hostDrops)
  readonly dedicatedUdpAfterEcho = makeBatchedUdpAfterEcho(
    this.hostAddresses,
    findBatchCalls,
    this.#hostDrops,
  )
  readonly tlsContexts = new TlsContexts()
  readonly tlsSessions = new TlsSessions()
  readonly leafCertificates = new LeafCertificates()
  readonly bodyPatterns = new BodyPatterns()
  readonly requests = new RenderedRequests()
  readonly http2Requests = new Http2Requests()
  /** HTTP/1.x in plain text, by the batch where that is possible. */
  readonly plainHttp = makePlainHttp(this)
  readonly echoChannels = new RawChannels((family) => new EchoChannel(family))
  readonly sctpChannels = new RawChannels((family) => new SctpChannel(family))
  readonly udpSockets = new UdpSockets()

  /** For the log. */
  get tcpWay(): TcpWay {
    return this.kernelSockets === undefined ? 'net.Socket' : 'system calls'
  }

  /** Descriptors that no probe in flight has: connections and sockets that wait for their next use, and those of cores. */
  get idle(): number {
    return (
      this.idleConnections.size +
      (this.kernelSockets?.size ?? 0) +
      this.halfOpen.descriptors +
      this.plainTcp.descriptors +
      this.plainHttp.descriptors +
      this.ping.descriptors +
      this.udp.descriptors +
      this.udpAfterEcho.descriptors +
      this.dedicatedPing.descriptors +
      this.dedicatedUdp.descriptors +
      this.dedicatedUdpAfterEcho.descriptors
    )
  }

  /** The core that makes the probes of this target by the batch; undefined = its prober makes them. */
  coreOf(target: ProbeTarget): BatchCore | undefined {
    return (
      this.halfOpen.coreOf(target) ??
      this.plainTcp.coreOf(target) ??
      this.plainHttp.coreOf(target) ??
      this.ping.coreOf(target) ??
      this.udp.coreOf(target) ??
      this.udpAfterEcho.coreOf(target)
    )
  }

  /**
   * The core that probes this target on a socket of its own, while answers on the shared sockets of `coreOf` are lost;
   * undefined = none can, or its probes share no socket.
   */
  dedicatedCoreOf(target: ProbeTarget): BatchCore | undefined {
    // A whole handshake, as where there is no raw socket.
    if (this.halfOpen.coreOf(target) !== undefined) return this.plainTcp.coreOf(target)
    return (
      this.dedicatedPing.coreOf(target) ??
      this.dedicatedUdp.coreOf(target) ??
      this.dedicatedUdpAfterEcho.coreOf(target)
    )
  }

  /** Connections and sockets that may wait, beside the probes in flight. */
  allowIdle({ connections, sockets }: { readonly connections: number; readonly sockets: number }): void {
    this.idleRoom.capacity = connections
    if (this.kernelSockets !== undefined) this.kernelSockets.capacity = sockets
    this.plainTcp.allowIdle(sockets)
    this.plainHttp.allowIdle(sockets)
  }

  /**
   * Prepares now what the first probe of this target would otherwise have to prepare. What is kept of its probes is in the
   * share of its project.
   */
  prepare({ target, projectId }: Pick<CheckConfig, 'target' | 'projectId'>): void {
    this.tlsSessions.adopt(target, projectId)
    for (const request of [target.http, target.http2]) {
      if (request?.expectBodyPattern !== undefined) this.bodyPatterns.table(request.expectBodyPattern)
    }
  }

  /** This target will not be probed again. */
  forget(target: ProbeTarget): void {
    this.idleConnections.forget(target)
    this.tlsSessions.forget(target)
  }

  /** Closes what waits. */
  close(): void {
    this.idleConnections.closeAll()
    this.kernelSockets?.close()
    this.halfOpen.close()
    this.plainTcp.close()
    this.plainHttp.close()
    this.ping.close()
    this.udp.close()
    this.udpAfterEcho.close()
    this.dedicatedPing.close()
    this.dedicatedUdp.close()
    this.dedicatedUdpAfterEcho.close()
    this.echoChannels.close()
    this.sctpChannels.close()
  }
}
