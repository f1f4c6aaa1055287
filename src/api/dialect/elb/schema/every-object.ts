/** Attributes that every elb object has. */
import { DomainError } from '../../../../domain/errors.ts'
import { NAME_MAX, PROJECT_ID_MAX } from '../../../../domain/limits.ts'
import { boolean, readOnly, text } from '../../../schema/attributes.ts'

export const NAMED = { name: text(NAME_MAX), admin_state_up: boolean() }
/** At create: the project by either name, and it must be the one of the request. */
export const OWNED = { tenant_id: text(PROJECT_ID_MAX), project_id: text(PROJECT_ID_MAX) }
/** Attributes that answers show and no request may change. */
export const FIXED = { id: readOnly(), tenant_id: readOnly(), project_id: readOnly() }

export interface Owned {
  readonly tenant_id?: string
  readonly project_id?: string
}

/** Throws PROJECT_MISMATCH when a body names a project that is not the one of the request. */
export function assertOwnProject(attributes: Owned, projectId: string): void {
  const { tenant_id: tenantId, project_id: bodyProjectId } = attributes
  if (tenantId !== undefined && bodyProjectId !== undefined && tenantId !== bodyProjectId) {
    throw new DomainError('PROJECT_MISMATCH', "'project_id' and 'tenant_id' do not match")
  }
  const named = bodyProjectId ?? tenantId
  if (named !== undefined && named !== projectId) {
    throw new DomainError('PROJECT_MISMATCH', 'Tenant_id in token mismatches with tenant_id in body.')
  }
}
