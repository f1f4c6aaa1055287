import { notFound } from '../../../domain/errors.ts'
import type { Quotas, SetQuotas } from '../../../store/configuration/quotas.ts'
import type { QuotaDialect } from '../../resource/quotas.ts'
import { elbPaths } from './paths.ts'
import { ELB_QUOTA_KINDS } from './words.ts'

/** Quotas in elb's words: one number per kind, -1 = unlimited; another project's is unknown. */
export const elbQuotas: QuotaDialect = {
  paths: elbPaths,
  render,
  foreign: (projectId) => notFound('quota', projectId),
}

function render(projectId: string, set: SetQuotas, defaults: Quotas): Record<string, unknown> {
  return {
    tenant_id: projectId,
    project_id: projectId,
    ...Object.fromEntries(ELB_QUOTA_KINDS.map((kind) => [kind, set[kind] ?? defaults[kind]])),
  }
}
