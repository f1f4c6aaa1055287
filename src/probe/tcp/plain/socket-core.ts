/** Cores on sockets that are used again: how many may wait, and their trial on loopback. */
import { BATCH_TRIAL_MS } from '../../../domain/limits.ts'
import type { ProbeTarget } from '../../../domain/target/probe-target.ts'
import type { BatchCore } from '../../batch/core.ts'
import { CoreOnDemand, type OpenCore } from '../../batch/core-on-demand.ts'
import { tryOnce } from '../../batch/trial.ts'
import { KernelCalls } from '../kernel-calls.ts'
import type { Libc } from '../libc.ts'

/** A core whose sockets wait for their next use. */
export interface SocketCore extends OpenCore {
  /** How many may wait. */
  capacity: number
}

export class SocketCoreOnDemand<Core extends SocketCore, Calls> extends CoreOnDemand<Core, Calls> {
  #capacity: number | undefined

  /** Sockets that may wait for the next probe, also of a core that is opened later. */
  allowIdle(sockets: number): void {
    this.#capacity = sockets
    if (this.core !== undefined) this.core.capacity = sockets
  }

  override coreOf(target: ProbeTarget): Core | undefined {
    const core = super.coreOf(target)
    if (core !== undefined && this.#capacity !== undefined) core.capacity = this.#capacity
    return core
  }
}

/** What did not work, where nothing is known of it but that. */
export const TRIAL_ON_LOOPBACK = 'the trial on loopback'

/**
 * Undefined where a core finds that `like` (a target, but for where it is) is refused at a port on which nobody listens,
 * because a socket that does not listen is bound to it.
 */
export function trialOfRefusal(
  core: BatchCore,
  libc: Libc,
  like: Pick<ProbeTarget, 'type' | 'http'>,
): string | undefined {
  const tcp = new KernelCalls(libc)
  const fd = tcp.open(4)
  try {
    const port = fd < 0 ? fd : tcp.reservePort(fd)
    if (port < 0) return TRIAL_ON_LOOPBACK
    const where = { address: '127.0.0.1', family: 4, port, timeoutMs: BATCH_TRIAL_MS } as const
    const isRefused = tryOnce(core, { ...like, ...where })?.reason === 'CONNECT_REFUSED'
    return isRefused ? undefined : TRIAL_ON_LOOPBACK
  } finally {
    if (fd >= 0) tcp.close(fd)
    tcp.end()
  }
}
