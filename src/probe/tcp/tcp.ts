/**
 * TCP: connect within the timeout, then RST, as the ELB manual describes it (umn health_check) and so that neither side
 * keeps a TIME_WAIT; with `close: 'fin'` an orderly end. Phases: connect.
 *
 * Two implementations that make one probe at a time: by system calls (tcp-by-system-calls.ts) on Linux where koffi loads,
 * for targets that allow it, else on a `net.Socket` (tcp-by-node.ts). A scheduler has a third one, by the batch
 * (plain/plain-tcp-core.ts), where that can be opened. All tests run over the three.
 */
import type { Probe } from '../probe.ts'
import type { KernelSockets } from './kernel-sockets.ts'
import { makeProbeTcpByNode, type TcpParts } from './tcp-by-node.ts'
import { makeProbeTcpBySystemCalls, suitsSystemCalls } from './tcp-by-system-calls.ts'

/** The probe of TCP; without `kernelSockets` it uses `net.Socket` for every target. */
export function makeProbeTcp(parts: TcpParts & { readonly kernelSockets: KernelSockets | undefined }): Probe {
  const byNode = makeProbeTcpByNode(parts)
  if (parts.kernelSockets === undefined) return byNode
  const bySystemCalls = makeProbeTcpBySystemCalls(parts.kernelSockets, parts.hostAddresses)
  return (target, done) => (suitsSystemCalls(target) ? bySystemCalls : byNode)(target, done)
}
