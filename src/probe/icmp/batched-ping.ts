/**
 * Whether PING of this process is made by the batch (echo-core.ts). The sockets are opened when the first PING is wanted
 * and tried on loopback: an echo of ours must be answered, and the answer to an echo with another identifier must not be
 * received. Where anything is missing or does other than expected (not Linux, no koffi, no CAP_NET_RAW, a host that
 * answers no echoes), PING goes the way of ping.ts.
 */
import { BATCH_TRIAL_MS } from '../../domain/limits.ts'
import type { ProbeTarget } from '../../domain/target/probe-target.ts'
import { type BatchCalls, findBatchCalls } from '../batch/batch-calls.ts'
import { NO_SLOT } from '../batch/core.ts'
import { CoreOnDemand } from '../batch/core-on-demand.ts'
import type { HostDrops } from '../batch/host-drops.ts'
import { tryOnce } from '../batch/trial.ts'
import type { HostAddresses } from '../socket-errors.ts'
import { EchoCore } from './echo-core.ts'

export type BatchedPing = CoreOnDemand<EchoCore, BatchCalls>

/** `dedicated`: each probe has a socket of its own, for checks whose answers are lost on the shared one. */
export function makeBatchedPing(
  hosts: HostAddresses,
  findCalls: () => BatchCalls | undefined = findBatchCalls,
  dedicated?: HostDrops,
): BatchedPing {
  const kind = {
    suits: ({ type }: { readonly type: string }) => type === 'PING',
    make: (calls: BatchCalls) => new EchoCore(calls, hosts, dedicated),
    trial: dedicated === undefined ? trialOfEcho : trialOfDedicatedEcho,
  }
  return new CoreOnDemand(kind, findCalls)
}
/** Undefined = it works; without IPv6 for IPv4 alone. */
export function trialOfEcho(core: EchoCore): string | undefined {
  for (const family of core.families) {
    const target = loopback(family)
    const before = core.received
    const slot = core.hold(target)
    if (slot !== NO_SLOT) core.sendForeign(slot)
    const hasPassed = tryOnce(core, target)?.reason === 'PASSED'
    core.release(slot)
    if (hasPassed && core.received === before + 1) continue
    if (family === 4) return `the trial on loopback (${hasPassed ? 'filter' : 'no answer'})`
    core.closeFamily(6)
  }
  return undefined
}

/**
 * The same where each probe has a socket. The host is flooded meanwhile: an answer may be lost, and a socket has what
 * arrived before it had its filter.
 */
export function trialOfDedicatedEcho(core: EchoCore): string | undefined {
  for (const family of core.families) {
    const target = loopback(family)
    const passes = (): boolean => tryOnce(core, target)?.reason === 'PASSED'
    if (passes() || passes()) continue
    if (family === 4) return 'the trial on loopback (no answer)'
    core.closeFamily(6)
  }
  return undefined
}

function loopback(family: 4 | 6): ProbeTarget {
  const address = family === 4 ? '127.0.0.1' : '::1'
  return { type: 'PING', address, family, port: 0, timeoutMs: BATCH_TRIAL_MS }
}
