/** Health in elb's words. Times are RFC 3339 in UTC. */
import type { Counter, LastProbe, MemberHealth } from '../../../domain/member-health.ts'
import type { Window } from '../../../domain/detection-window.ts'
import type { RecentResult } from '../../../domain/recent-results.ts'
import { operatingStatus } from '../../../domain/member-status.ts'
import type { MemberHealthDialect } from '../../member-health.ts'
import type { PoolHealthDialect } from '../../pool-health.ts'
import { elbPaths } from './paths.ts'

export const elbHealth: MemberHealthDialect & PoolHealthDialect = {
  paths: elbPaths,
  renderHealth,
  renderMemberHealth: (member, health) => ({
    id: member.id,
    name: member.name,
    address: member.address,
    protocol_port: member.protocolPort,
    ...renderHealth(health),
  }),
  renderCounts(counts) {
    const sums = { ONLINE: 0, OFFLINE: 0, NO_MONITOR: 0, stale: 0 }
    for (const { state, members, stale } of counts) {
      sums[operatingStatus(state)] += members
      sums.stale += stale
    }
    return sums
  },
}

function renderHealth(health: MemberHealth): Record<string, unknown> {
  const { counters, lastProbe, window, recentResults } = health
  return {
    status: operatingStatus(health.state),
    since: health.since?.toISOString() ?? null,
    reason: health.reason,
    detail: health.detail,
    stale: health.stale,
    counters: counters && { rise: ofThreshold(counters.rise), fall: ofThreshold(counters.fall) },
    last_probe: lastProbe && renderLastProbe(lastProbe),
    as_of: health.asOf?.toISOString() ?? null,
    next_probe_at: health.nextProbeAt?.toISOString() ?? null,
    detection_window: window && { down: renderWindow(window.down), up: renderWindow(window.up) },
    ...(recentResults === undefined ? {} : { recent_results: recentResults.map(renderRecent) }),
  }
}

function ofThreshold({ run, threshold }: Counter): string {
  return `${run}/${threshold}`
}

function renderLastProbe({ at, outcome, reason, phases, target }: LastProbe): Record<string, unknown> {
  return {
    at: at.toISOString(),
    result: outcome,
    reason,
    latency_ms: phases.totalMs,
    phases: {
      echo_ms: phases.echoMs,
      connect_ms: phases.connectMs,
      tls_ms: phases.tlsMs,
      first_byte_ms: phases.firstByteMs,
      total_ms: phases.totalMs,
    },
    address: target,
  }
}

function renderRecent({ at, outcome, reason, latencyMs }: RecentResult): Record<string, unknown> {
  return { at: at.toISOString(), result: outcome, reason, latency_ms: latencyMs }
}

function renderWindow({ minSeconds, maxSeconds }: Window): Record<string, number> {
  return { min_seconds: minSeconds, max_seconds: maxSeconds }
}
