/** What makes the same checks beside ours: HAProxy, Prometheus' blackbox_exporter, or fping (Debian's packages). */
import type { Case } from './engine-case.ts'
import { startBlackbox } from './blackbox.ts'
import { startFping } from './fping.ts'
import { startPeer } from './haproxy.ts'
import { loopbackAddress } from './member-rows.ts'

export const PEER_PROGRAMS = ['haproxy', 'blackbox', 'fping'] as const
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
  const { peer: kind } = what.kind
  if (what.peer === undefined || kind === undefined) return undefined
  const checks = {
    addresses: Array.from({ length: what.members }, (_, n) => loopbackAddress(n)),
    port,
    intervalMs: what.intervalSeconds * 1000,
    timeoutMs: what.timeoutSeconds * 1000,
  }
  if (kind === 'ping') return what.peer === 'fping' ? startFping(checks) : undefined
  if (what.peer === 'haproxy') return await startPeer(folder, { ...checks, kind })
  if (what.peer === 'blackbox' && kind !== 'http2') return await startBlackbox(folder, { ...checks, kind })
  return undefined
}
