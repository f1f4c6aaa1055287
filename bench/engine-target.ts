/**
 * What the engine's bench probes, and the count of what arrived there: an HAProxy that answers, or a Node listener where there
 * is none; for gRPC two Node servers; for UDP a socket that is silent; for PING the kernel, whose count of echo requests is that of the namespace.
 *
 * HAProxy's own TCP check sends no ACK after the SYN-ACK but an RST (TCP_QUICKACK off), so that no accept ever sees it; its
 * checks are counted by the kernel's count of connections that were given up in SYN_RECV (AttemptFails), which is of the
 * namespace. Without a namespace the count holds whatever else this host does. Our half-open probes are in it too: beside
 * HAProxy, what the prober says it made is ours and the rest of the count is HAProxy's.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { startAcceptTarget } from './accept-target.ts'
import type { Case } from './engine-case.ts'
import { type HaProxyTarget, startTarget } from './haproxy.ts'
import { kernelCount } from './kernel-count.ts'
import { freePorts } from './namespace.ts'

const echoes = () => Promise.resolve(kernelCount('Icmp', 'InEchos'))

export type TargetProgram = 'haproxy' | 'node'

export interface Target {
  readonly port: number
  /** Where the peer's checks go, apart from ours. */
  readonly peerPort: number
  /** What arrived from us since some moment before the first probe. */
  ours(): Promise<number>
  theirs(): Promise<number>
  /** Of TLS: handshakes of both sides, and how many of them resumed a session. */
  tls?(): Promise<TlsArrivals>
  readonly stop: () => void
}

export interface TlsArrivals {
  readonly ours: Handshakes
  readonly theirs: Handshakes
}

export interface Handshakes {
  readonly all: number
  readonly resumed: number
}

const FIRST_PORT = 18_081

/** Starts the target of a kind, for the checks of `peer` too; files go to `folder`. */
export async function startTargetOf(
  { kind, target: program, peer }: Pick<Case, 'kind' | 'target' | 'peer'>,
  folder: string,
): Promise<Target> {
  const [port = 0, peerPort = 0] = await freePorts(FIRST_PORT, 2)
  const nothing = { port, peerPort, theirs: () => Promise.resolve(0) }
  const { counted } = kind
  if (counted === 'echoes') return { port, peerPort, ours: echoes, theirs: echoes, stop: () => undefined }
  if (counted === 'handshakes') {
    const target = await startTarget(folder, { ports: { ours: port, theirs: peerPort } })
    const all = () => Promise.resolve(kernelCount('Tcp', 'AttemptFails'))
    // Others than HAProxy complete the handshake.
    const whole = async () => (await target.arrivals('theirs')).connections
    const theirs = peer === 'haproxy' ? all : whole
    return { port, peerPort, ours: all, theirs, stop: () => target.stop() }
  }
  if (counted === 'datagrams') return { ...nothing, ...(await startForked('./udp-target.js', port, counted)) }
  if (kind.peer === 'grpc') return await startGrpcTargets(port, peerPort)
  if (program === 'node') return { ...nothing, ...(await startForked('./target.js', port, counted)) }
  const unwoken = kind.isUnwoken ? await startAcceptTarget(folder, port) : undefined
  const ports = { theirs: peerPort, ...(unwoken === undefined ? { ours: port } : {}) }
  const target = await startTarget(folder, { ports, speaks: kind.peer === 'ping' ? 'http' : kind.peer })
  return {
    port,
    peerPort,
    ours: async () =>
      unwoken === undefined ? (await target.arrivals('ours'))[counted] : await unwoken.accepted(),
    theirs: async () =>
      counted === 'connections' && peer === 'haproxy'
        ? kernelCount('Tcp', 'AttemptFails')
        : (await target.arrivals('theirs'))[counted],
    ...(kind.monitor.type === 'HTTPS' ? { tls: async () => await tlsArrivals(target) } : {}),
    stop: () => {
      target.stop()
      unwoken?.stop()
    },
  }
}

async function tlsArrivals(target: HaProxyTarget): Promise<TlsArrivals> {
  const of = async (name: string): Promise<Handshakes> => {
    const { handshakes: all, resumed } = await target.arrivals(name)
    return { all, resumed }
  }
  return { ours: await of('ours'), theirs: await of('theirs') }
}

/** A server for each side, so that neither waits for the other's requests. */
async function startGrpcTargets(port: number, peerPort: number): Promise<Target> {
  const [mine, theirs] = await Promise.all(
    [port, peerPort].map(async (at) => await startForked('./grpc-target.js', at, 'requests')),
  )
  if (mine === undefined || theirs === undefined) throw new Error('no target')
  return {
    port,
    peerPort,
    ours: mine.ours,
    theirs: theirs.ours,
    stop: () => {
      mine.stop()
      theirs.stop()
    },
  }
}

async function startForked(
  program: string,
  port: number,
  counted: string,
): Promise<Pick<Target, 'ours' | 'stop'>> {
  const child: ChildProcess = fork(fileURLToPath(new URL(program, import.meta.url)), [String(port)])
  await once(child, 'message')
  return {
    ours: async () => {
      child.send('count')
      const [arrived] = (await once(child, 'message')) as [Record<string, number>]
      return arrived[counted] ?? 0
    },
    stop: () => void child.kill('SIGKILL'),
  }
}
