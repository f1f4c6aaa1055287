/** Quotas in Octavia's words (docs/peers/octavia.md 23): one project with one spelling of each, the list with both. */
import { DomainError } from '../../../domain/errors.ts'
import type { ProjectQuotas, QuotaKind, Quotas, SetQuotas } from '../../../store/configuration/quotas.ts'
import type { WrittenQuotaDialect } from '../../resource/quotas.ts'
import { octaviaPaths } from './paths.ts'
import { octaviaQuotaUpdate } from './schema/quota.ts'
import { parseWsme } from './schema/wsme.ts'

const UNLIMITED = -1

export const octaviaQuotas: WrittenQuotaDialect = {
  paths: octaviaPaths,
  render,
  renderSet: renderRow,
  foreign: (projectId) => new DomainError('FORBIDDEN', `The quota of ${projectId} is another project's.`),
  parseUpdate(body) {
    const { load_balancer, health_monitor, ...wire } = parseWsme(body, octaviaQuotaUpdate)
    const changes: Partial<Record<QuotaKind, number | null>> = wire
    if (load_balancer !== undefined) changes.loadbalancer ??= load_balancer
    if (health_monitor !== undefined) changes.healthmonitor ??= health_monitor
    return changes
  },
}

/** The quotas that hold for a project. */
function render(_: string, set: SetQuotas, defaults: Quotas): Record<string, unknown> {
  return {
    load_balancer: set.loadbalancer ?? defaults.loadbalancer,
    listener: set.listener ?? defaults.listener,
    member: set.member ?? defaults.member,
    pool: set.pool ?? defaults.pool,
    health_monitor: set.healthmonitor ?? defaults.healthmonitor,
    l7policy: set.l7policy ?? UNLIMITED,
    l7rule: set.l7rule ?? UNLIMITED,
  }
}

/** What was set for a project; null is the default. */
function renderRow({ projectId, set }: ProjectQuotas): Record<string, unknown> {
  return {
    project_id: projectId,
    loadbalancer: set.loadbalancer ?? null,
    load_balancer: set.loadbalancer ?? null,
    listener: set.listener ?? null,
    member: set.member ?? null,
    pool: set.pool ?? null,
    healthmonitor: set.healthmonitor ?? null,
    health_monitor: set.healthmonitor ?? null,
    l7policy: set.l7policy ?? null,
    l7rule: set.l7rule ?? null,
    tenant_id: projectId,
  }
}
