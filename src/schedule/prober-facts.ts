/** What a prober reports about itself: with its heartbeat, and in the metrics. */
import type { ProberFacts } from '../domain/prober/prober-facts.ts'
import type { ProbeRuntime } from '../probe/probe-runtime.ts'
import type { ProberGauges } from '../runtime/metrics/metrics.ts'
import type { ConfigSync } from './configuration/config-sync.ts'
import type { HeapWatch } from './share/heap-watch.ts'
import type { MassFailureBreaker } from './judge/mass-failure-breaker.ts'
import type { Ownership } from './configuration/ownership.ts'
import type { ResultWriter } from './record/result-writer.ts'
import type { Scheduler } from './loop/scheduler.ts'
import type { SelfObservation } from './self-observation.ts'

/** Kept with each heartbeat, for people. */
export function factsOf(parts: {
  readonly scheduler: Scheduler
  readonly sync: ConfigSync
  readonly writer: ResultWriter
  readonly breaker: MassFailureBreaker
  readonly self: SelfObservation
  readonly budget: number
  readonly heap: ProberFacts['heap']
}): ProberFacts {
  const { scheduler, sync, writer, breaker, self, budget, heap } = parts
  return {
    checks: scheduler.size,
    loading: sync.loading,
    inFlight: scheduler.inFlight,
    budget,
    queue: scheduler.queued,
    stale: scheduler.stale,
    unwritten: writer.waiting,
    lag: self.takeLag(),
    inconclusive: self.inconclusive,
    inconclusiveLast: self.inconclusiveLast,
    heap,
    breaker: breaker.facts,
  }
}

/** For the metrics. */
export function gaugesOf({
  scheduler,
  ownership,
  heap,
  runtime,
}: {
  readonly scheduler: Scheduler
  readonly ownership: Ownership
  readonly heap: HeapWatch
  readonly runtime: ProbeRuntime
}): ProberGauges {
  const udp = runtime.udpSockets.counts
  const batched = (runtime.udp.core?.sockets ?? 0) + (runtime.udpAfterEcho.core?.udp.sockets ?? 0)
  return {
    members: scheduler.members,
    stale: scheduler.stale,
    inFlight: scheduler.inFlight,
    queueDepth: scheduler.queued,
    shards: ownership.held.size,
    udpSharedSockets: udp.shared + batched,
    udpOwnSockets: udp.own,
    halfOpenBatched: runtime.halfOpen.way?.by === 'raw socket' ? 1 : 0,
    tcpBatched: runtime.plainTcp.way?.by === 'batch' ? 1 : 0,
    httpBatched: runtime.plainHttp.way?.by === 'batch' ? 1 : 0,
    udpBatched: runtime.udp.way?.by === 'batch' ? 1 : 0,
    udpAfterEchoBatched: runtime.udpAfterEcho.way?.by === 'batch' ? 1 : 0,
    pingBatched: runtime.ping.way?.by === 'batch' ? 1 : 0,
    heapTight: heap.isTight ? 1 : 0,
  }
}
