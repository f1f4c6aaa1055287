/** Events of statuses as alerts of Alertmanager's API v2. */
import type { ServiceEvent } from '../event/event.ts'
import { healthPath } from '../event/event-document.ts'
import { ALERT_LASTS_MS } from '../limits.ts'

/** Statuses that are an alert until there is another one. */
export const FIRING: ReadonlySet<string> = new Set(['OFFLINE', 'DEGRADED', 'ERROR'])

const NAMES: Readonly<Record<string, string>> = {
  'member.status': 'HealthMonitorMember',
  'pool.status': 'HealthMonitorPool',
  'loadbalancer.status': 'HealthMonitorLoadBalancer',
}
/** Of a test: Alertmanager refuses an alert without labels. */
const NAME_OF_TEST = 'HealthMonitorTest'

export function isFiring({ to }: ServiceEvent): boolean {
  return FIRING.has(to ?? '')
}

export interface Alert {
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  readonly startsAt: string
  readonly endsAt: string
  readonly generatorURL?: string
}

/**
 * An alert that fires, or its end. Alertmanager identifies an alert by its labels, so labels contain only what never
 * changes. An alert that fires ends by itself unless it is sent again in time. `base`: the base of links; absent = no
 * links.
 */
export function alertOf(
  event: ServiceEvent,
  { nowMs, base }: { readonly nowMs: number; readonly base: string | undefined },
): Alert {
  const path = healthPath(event)
  return {
    labels: labelsOf(event),
    annotations: annotationsOf(event),
    startsAt: event.at.toISOString(),
    endsAt: isFiring(event) ? new Date(nowMs + ALERT_LASTS_MS).toISOString() : event.at.toISOString(),
    ...(base === undefined || path === undefined ? {} : { generatorURL: `${base}${path}` }),
  }
}

function labelsOf({ type, projectId, loadBalancer, pool, member }: ServiceEvent): Record<string, string> {
  // The load balancer of a pool may change; a pool of a member does not.
  const ofLoadBalancer = pool === undefined && loadBalancer !== undefined
  return {
    alertname: NAMES[type] ?? NAME_OF_TEST,
    ...(projectId === null ? {} : { project_id: projectId }),
    ...(ofLoadBalancer ? { loadbalancer_id: loadBalancer.id } : {}),
    ...(pool === undefined ? {} : { pool_id: pool.id }),
    ...(member === undefined ? {} : { member_id: member.id }),
  }
}

function annotationsOf({ from, to, data, loadBalancer, pool, member }: ServiceEvent): Record<string, string> {
  const texts: Record<string, unknown> = {
    status: to,
    previous_status: from,
    reason: data['reason'],
    description: data['detail'],
    loadbalancer_name: loadBalancer?.name,
    pool_name: pool?.name,
    member_name: member?.name,
    address: member?.address,
    protocol_port: member?.protocolPort?.toString(),
  }
  return Object.fromEntries(
    Object.entries(texts).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  )
}

/** Where alerts are posted: the URL of a webhook may be that of Alertmanager, or of its API. */
export function alertsUrl(url: string): string {
  const parsed = new URL(url)
  if (!parsed.pathname.endsWith('/api/v2/alerts')) {
    parsed.pathname = `${parsed.pathname.replace(/\/+$/, '')}/api/v2/alerts`
  }
  return parsed.href
}
