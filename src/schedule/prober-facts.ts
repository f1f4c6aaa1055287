/** What a prober reports about itself: with its heartbeat, and in the metrics. */
import type { ProberFacts } from '../domain/prober/prober-facts.ts'
import type { ProbeRuntime } from '../probe/probe-runtime.ts'
import type { ProberGauges } from '../runtime/metrics.ts'
import type { ConfigSync } from './config-sync.ts'
import type { HeapWatch } from './heap-watch.ts'
import type { MassFailureBreaker } from './mass-failure-breaker.ts'
import type { Ownership } from './ownership.ts'
import type { ResultWriter } from './result-writer.ts'
import type { Scheduler } from './scheduler.ts'
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
  return {
    members: scheduler.members,
    stale: scheduler.stale,
    inFlight: scheduler.inFlight,
    queueDepth: scheduler.queued,
    shards: ownership.held.size,
    udpSharedSockets: udp.shared,
    udpOwnSockets: udp.own,
    halfOpenBatched: runtime.halfOpen.way?.by === 'raw socket' ? 1 : 0,
    heapTight: heap.isTight ? 1 : 0,
  }
}
