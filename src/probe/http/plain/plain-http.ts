/** HTTP/1.x by the batch: which targets, and whether this process can (plain-http-core.ts). */
import type { ProbeTarget } from '../../../domain/target/probe-target.ts'
import type { HostAddresses } from '../../socket-errors.ts'
import type { SourcePorts } from '../../source-ports.ts'
import { KernelCalls } from '../../tcp/kernel-calls.ts'
import { SocketCoreOnDemand, trialOfRefusal } from '../../tcp/plain/socket-core.ts'
import { isMapped } from '../../tcp/tcp-by-system-calls.ts'
import type { IdleRoom } from '../../wire/idle-room.ts'
import type { BodyPatterns } from '../body-pattern.ts'
import type { RenderedRequests } from '../http-request.ts'
import { PlainHttpCore } from './plain-http-core.ts'
import { PlainRequests } from './plain-requests.ts'
import { findStreamCalls, type StreamCalls } from './stream-calls.ts'
import { StreamSockets } from './stream-sockets.ts'

export interface PlainHttpParts {
  readonly hostAddresses: HostAddresses
  readonly sourcePorts: SourcePorts
  readonly requests: RenderedRequests
  readonly bodyPatterns: BodyPatterns
  readonly idleRoom: IdleRoom
}

export type PlainHttp = SocketCoreOnDemand<PlainHttpCore, StreamCalls>

export function makePlainHttp(
  parts: PlainHttpParts,
  findCalls: () => StreamCalls | undefined = findStreamCalls,
): PlainHttp {
  const kind = {
    suits: isPlainHttp,
    make: (calls: StreamCalls) => {
      const tcp = new KernelCalls(calls, 'conversations')
      return new PlainHttpCore(tcp, new StreamSockets(calls), {
        ...parts,
        requests: new PlainRequests(parts),
      })
    },
    trial: (core: PlainHttpCore, calls: StreamCalls) => trialOfRefusal(core, calls, TRIED),
  }
  return new SocketCoreOnDemand(kind, findCalls)
}

/** In plain text, without a header before it, and in the version that the monitor sets. */
function isPlainHttp(target: ProbeTarget): boolean {
  const { type, http, tls, grpc, proxyProtocol } = target
  if (type !== 'HTTP' || http === undefined || http.version === '2') return false
  const isMore = tls !== undefined || grpc !== undefined || proxyProtocol !== undefined
  return !isMore && !isMapped(target)
}

/** Any request: it is never sent. */
const TRIED = {
  type: 'HTTP',
  http: { method: 'GET', path: '/', version: '1.1', host: 'localhost', expectedCodes: [] },
} as const
