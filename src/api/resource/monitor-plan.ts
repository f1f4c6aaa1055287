/** `GET …/healthmonitors/{id}/plan`: what a monitor will do, in numbers, and the source of each. */
import { detectionWindow } from '../../domain/timing/detection-window.ts'
import { effectiveOptions } from '../../domain/options/effective-options.ts'
import { DomainError, notFound } from '../../domain/errors.ts'
import { PLANNED_PROBES } from '../../domain/limits.ts'
import { isProbed, knownCheck } from '../../domain/status/member-health.ts'
import { hasOwnEndpoint } from '../../domain/target/pool-settings.ts'
import { checkRate, nextProbeTimes } from '../../domain/timing/probe-forecast.ts'
import { statePolicy } from '../../domain/options/profiles.ts'
import type { HealthMonitor } from '../../domain/health-monitor.ts'
import { isUuid } from '../../domain/uuid.ts'
import { findMemberFacts, type MemberFacts } from '../../store/status/health.ts'
import { findHealthMonitor } from '../../store/configuration/health-monitors.ts'
import { type PlanFacts, readPlanFacts } from '../../store/configuration/monitor-plans.ts'
import { readProbedMembers } from '../../store/configuration/probe-rates.ts'
import { type ApiContext, type ApiDependencies, pathId, type Route } from '../http/context.ts'
import { renderDetectionWindow } from '../dialect/rendered-health.ts'
import { demandMax, demandOfAll, memberDemand, type ProbeDemand } from '../write/probe-rate.ts'
import { queryOf } from '../http/query.ts'

export interface MonitorPlanDialect {
  readonly paths: (path: string) => readonly string[]
}

export function monitorPlanRoutes(deps: ApiDependencies, dialect: MonitorPlanDialect): Route[] {
  return [
    {
      method: 'get',
      paths: dialect.paths('/healthmonitors/:id/plan'),
      handler: (ctx) => show(ctx, deps),
    },
  ]
}

async function show(ctx: ApiContext, deps: ApiDependencies): Promise<void> {
  const { reach } = ctx.state
  const id = pathId(ctx, 'id', 'healthmonitor')
  const monitor = await findHealthMonitor(deps.db, id, ctx.state.access.byId, reach)
  if (monitor === undefined) throw notFound('healthmonitor', id)
  ctx.state.access.authorise(monitor.projectId)
  const sent = memberIdOf(ctx)
  const facts = await readPlanFacts(deps.db, monitor)
  const memberId = sent ?? facts.firstMemberId
  const member =
    memberId === null
      ? undefined
      : await findMemberFacts(
          deps.db,
          { poolId: monitor.poolId, id: memberId, projectId: monitor.projectId },
          reach,
        )
  if (sent !== undefined && member === undefined) throw notFound('member', sent)
  const ofProject = demandOfAll(await readProbedMembers(deps.db, monitor.projectId))
  ctx.body = {
    plan: { ...planOf(monitor, facts, member), project: renderProject(ofProject, demandMax(deps)) },
  }
}

/** The member whose probes are asked for; undefined = any. Throws NOT_FOUND for what cannot be an id. */
function memberIdOf(ctx: ApiContext): string | undefined {
  const sent = queryOf(ctx).get('member_id')
  if (sent === null || sent === '') return undefined
  if (!isUuid(sent)) {
    const id = sent.slice(0, 255)
    throw new DomainError('NOT_FOUND', `member ${id} could not be found`, { resource: 'member', id })
  }
  return sent.toLowerCase()
}

function planOf(
  monitor: HealthMonitor,
  { probedMembers, trafficSeen, pool }: PlanFacts,
  member: MemberFacts | undefined,
): Record<string, unknown> {
  const isOwn = hasOwnEndpoint(monitor, member?.member ?? { monitorAddress: null, monitorPort: null })
  const rate = probedMembers * checkRate(statePolicy(monitor, trafficSeen))
  return {
    healthmonitor_id: monitor.id,
    options: effectiveOptions(monitor, trafficSeen, isOwn ? {} : pool),
    detection_window: renderDetectionWindow(detectionWindow(monitor, trafficSeen)),
    traffic_seen: trafficSeen,
    members: probedMembers,
    probes_per_second: rounded(rate),
    probes_in_flight: rounded(probedMembers * memberDemand(monitor, trafficSeen).inFlight),
    member_id: member?.id ?? null,
    next_probes: member === undefined ? [] : nextProbes(monitor, member, trafficSeen),
  }
}

/** The rate of all monitors of the project in the worst case, and its limit; null = no limit. */
function renderProject(demand: ProbeDemand, max: ProbeDemand): Record<string, number | null> {
  const bound = (of: number) => (of < 0 ? null : of)
  return {
    probes_per_second: rounded(demand.perSecond),
    probes_per_second_max: bound(max.perSecond),
    probes_in_flight: rounded(demand.inFlight),
    probes_in_flight_max: bound(max.inFlight),
  }
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000
}

function nextProbes(monitor: HealthMonitor, facts: MemberFacts, trafficSeen: boolean): string[] {
  if (!isProbed(facts)) return []
  const policy = statePolicy(monitor, trafficSeen)
  const times = nextProbeTimes(policy, knownCheck(facts), { now: Date.now(), count: PLANNED_PROBES })
  return times.map((at) => new Date(at).toISOString())
}
