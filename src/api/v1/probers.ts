/** `GET /v1/probers`: every prober, its state, and its inconclusive results. For administrators. */
import { PROBERS_SHOWN_MAX } from '../../domain/limits.ts'
import type { BreakerFacts } from '../../domain/prober/prober-facts.ts'
import { listProbers, type ProberRecord } from '../../store/probing/probers.ts'
import type { ApiDependencies, Route } from '../http/context.ts'

export function proberRoutes(deps: ApiDependencies): Route[] {
  return [
    {
      method: 'get',
      paths: ['/v1/probers'],
      handler: async (ctx) => {
        const probers = await listProbers(deps.db, PROBERS_SHOWN_MAX)
        ctx.body = { probers: probers.map(render) }
      },
    },
  ]
}

function render({ facts, ...prober }: ProberRecord): Record<string, unknown> {
  return {
    id: prober.id,
    site: prober.site,
    host: prober.host,
    pid: prober.pid,
    alive: prober.isAlive,
    started_at: prober.startedAt.toISOString(),
    last_heartbeat_at: prober.beatAt.toISOString(),
    lease_until: prober.leaseUntil.toISOString(),
    shards: prober.shards,
    checks: facts.checks ?? null,
    loading: facts.loading ?? null,
    in_flight: facts.inFlight ?? null,
    in_flight_max: facts.budget ?? null,
    queue: facts.queue ?? null,
    stale: facts.stale ?? null,
    unwritten: facts.unwritten ?? null,
    lag: facts.lag === undefined ? null : { p99_ms: facts.lag.p99Ms, max_ms: facts.lag.maxMs },
    inconclusive: facts.inconclusive ?? {},
    inconclusive_last: facts.inconclusiveLast ?? {},
    heap:
      facts.heap === undefined
        ? null
        : { used_bytes: facts.heap.usedBytes, limit_bytes: facts.heap.limitBytes },
    breaker: facts.breaker === undefined ? null : renderBreaker(facts.breaker),
  }
}

function renderBreaker(breaker: BreakerFacts): Record<string, unknown> {
  return {
    state: breaker.state,
    canaries: breaker.canaries,
    canaries_answer: breaker.canariesAnswer,
    mass_failures: breaker.massFailures,
    trips: breaker.trips,
    held: breaker.held,
    suspect: breaker.suspect ?? false,
  }
}
