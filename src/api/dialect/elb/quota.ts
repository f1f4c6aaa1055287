import { RESOURCES } from '../../../domain/types.ts'
import type { QuotaDialect } from '../../quotas.ts'
import { elbPaths } from './paths.ts'

/** Quotas in elb's words: one number per kind, -1 = unlimited. */
export const elbQuotas: QuotaDialect = {
  paths: elbPaths,
  render: (projectId, quotas) => ({
    tenant_id: projectId,
    project_id: projectId,
    ...Object.fromEntries(RESOURCES.map((resource) => [resource, quotas[resource]])),
  }),
}
