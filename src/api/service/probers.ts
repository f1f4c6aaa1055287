/**
 * `GET /v1/probers`: every prober, its state, and its inconclusive results. For administrators; outside of the
 * dialects.
 */
import type { Context } from 'koa'
import { PROBERS_SHOWN_MAX } from '../../domain/limits.ts'
import type { BreakerFacts } from '../../domain/prober/prober-facts.ts'
import { policyOf } from '../../identity/policy.ts'
import { OWN_POLICY } from '../../identity/policy-table.ts'
import { listProbers, type ProberRecord } from '../../store/probers.ts'
import { accessOf, anyProject } from '../http/access.ts'
import type { Admission } from '../http/admission.ts'
import { clientAddress } from '../http/client-address.ts'
import type { ApiDependencies } from '../http/context.ts'
import { noIdentityGuard } from '../http/guards.ts'
import { sharerOf } from '../http/sharer.ts'

export const PROBERS_PATH = '/v1/probers'
const ownRuleFor = policyOf(OWN_POLICY)

/** Throws UNAUTHORIZED, FORBIDDEN and PROJECT_BUSY. */
export async function answerProbers(
  ctx: Context,
  deps: ApiDependencies,
  admission: Admission,
): Promise<void> {
  noIdentityGuard(deps.settings)(ctx)
  const identity = await deps.identify(ctx.headers, clientAddress(ctx, deps.settings.trustedProxies))
  ctx.state['identity'] = identity
  accessOf(anyProject, {
    ruleFor: ownRuleFor,
    identity,
    rbac: deps.settings.rbac,
    method: 'get',
    path: PROBERS_PATH,
  })
  await admission.admit(sharerOf(identity), async () => {
    const probers = await listProbers(deps.db, PROBERS_SHOWN_MAX)
    ctx.body = { probers: probers.map(render) }
  })
}

function render({ facts, ...prober }: ProberRecord): Record<string, unknown> {
  return {
    id: prober.id,
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
  }
}
