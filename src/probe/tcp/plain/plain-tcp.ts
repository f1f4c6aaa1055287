/** Plain TCP probes by the batch: which targets, and whether this process can (plain-tcp-core.ts). */
import type { ProbeTarget } from '../../../domain/target/probe-target.ts'
import type { HostAddresses } from '../../socket-errors.ts'
import type { SourcePorts } from '../../source-ports.ts'
import { KernelCalls } from '../kernel-calls.ts'
import { findLibc, type Libc } from '../libc.ts'
import { isMapped } from '../tcp-by-system-calls.ts'
import { needsExchange } from '../tcp-exchange.ts'
import { PlainTcpCore } from './plain-tcp-core.ts'
import { SocketCoreOnDemand, trialOfRefusal } from './socket-core.ts'

export interface PlainTcpParts {
  readonly hostAddresses: HostAddresses
  readonly sourcePorts: SourcePorts
}

export type PlainTcp = SocketCoreOnDemand<PlainTcpCore, Libc>

export function makePlainTcp(parts: PlainTcpParts, findCalls: () => Libc | undefined = findLibc): PlainTcp {
  const kind = {
    suits: isPlainTcp,
    make: (libc: Libc) => new PlainTcpCore(new KernelCalls(libc), parts),
    trial: (core: PlainTcpCore, libc: Libc) => trialOfRefusal(core, libc, { type: 'TCP' }),
  }
  return new SocketCoreOnDemand(kind, findCalls)
}

function isPlainTcp(target: ProbeTarget): boolean {
  return target.type === 'TCP' && !needsExchange(target) && !isMapped(target)
}
