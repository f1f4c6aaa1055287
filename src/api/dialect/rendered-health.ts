/** Health on the wire: the same in both dialects, but for the word of the status. Times are RFC 3339 in UTC. */
import type { DetectionWindow, Window } from '../../domain/timing/detection-window.ts'
import type { MemberCertificate } from '../../domain/status/certificate.ts'
import type { Counter, LastProbe, MemberHealth } from '../../domain/status/member-health.ts'
import type { RecentResult } from '../../domain/result/recent-results.ts'
import type { SiteHealth } from '../../domain/site/site-health.ts'
import type { Member } from '../../domain/types.ts'

/** What is known of a member's check; `status` in the dialect's word. */
export function renderHealth(status: string, health: MemberHealth): Record<string, unknown> {
  const { counters, lastProbe, window, recentResults, maintenance, certificate, sites } = health
  return {
    status,
    since: health.since?.toISOString() ?? null,
    reason: health.reason,
    pending: health.pending,
    detail: health.detail,
    stale: health.stale,
    degraded: health.flags.degraded,
    warning: health.flags.warning,
    draining: health.flags.draining,
    counters: counters && { rise: ofThreshold(counters.rise), fall: ofThreshold(counters.fall) },
    last_probe: lastProbe && renderLastProbe(lastProbe),
    as_of: health.asOf?.toISOString() ?? null,
    next_probe_at: health.nextProbeAt?.toISOString() ?? null,
    detection_window: window && renderDetectionWindow(window),
    ...(certificate === undefined ? {} : { certificate: renderCertificate(certificate) }),
    ...(maintenance === undefined ? {} : { maintenance }),
    ...(sites === undefined ? {} : { sites: sites.map(renderSite) }),
    ...(recentResults === undefined ? {} : { recent_results: recentResults.map(renderRecent) }),
  }
}

/** The same of one of the members of a pool. */
export function renderHealthOf(
  { id, name, address, protocolPort }: Member,
  health: Record<string, unknown>,
): Record<string, unknown> {
  return { id, name, address, protocol_port: protocolPort, ...health }
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

function renderCertificate({
  notAfter,
  daysLeft,
  expiring,
  subject,
  issuer,
}: MemberCertificate): Record<string, unknown> {
  return {
    not_after: notAfter.toISOString(),
    days_left: daysLeft,
    expiring,
    subject: subject === '' ? null : subject,
    issuer: issuer === '' ? null : issuer,
  }
}

/** Its status is in the words of transitions, which are those of all dialects. */
function renderSite(site: SiteHealth): Record<string, unknown> {
  return {
    site: site.site,
    status: site.status,
    votes: site.votes,
    served: site.served,
    since: site.since?.toISOString() ?? null,
    reason: site.reason,
    detail: site.detail,
    latency_ms: site.latencyMs,
    as_of: site.asOf?.toISOString() ?? null,
  }
}

function renderRecent({ at, outcome, reason, latencyMs }: RecentResult): Record<string, unknown> {
  return { at: at.toISOString(), result: outcome, reason, latency_ms: latencyMs }
}

/** `up` is null where only a change of the monitor ends OFFLINE. */
export function renderDetectionWindow({ down, up }: DetectionWindow): Record<string, unknown> {
  return { down: renderWindow(down), up: up && renderWindow(up) }
}

function renderWindow({ minSeconds, maxSeconds }: Window): Record<string, number> {
  return { min_seconds: minSeconds, max_seconds: maxSeconds }
}
