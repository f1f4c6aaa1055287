/** Whose a new load balancer is: the project that the body names, which administrators may choose, else that of the request. */
import { DomainError } from '../../../domain/errors.ts'
import type { Identity } from '../../../identity/identity.ts'
import { decide, ruleFor } from '../../../identity/policy.ts'
import { validationFailure } from '../../schema/wsme.ts'

interface Named {
  readonly project_id?: string | null
  readonly tenant_id?: string | null
}

/** Throws FORBIDDEN for another's project, and INVALID_FIELD when there is none at all. */
export function ownerOf({ project_id: projectId, tenant_id: tenantId }: Named, identity: Identity): string {
  const owner = projectId || tenantId || identity.projectId
  if (owner === '') {
    throw validationFailure(
      'Missing project ID in request where one is required. An administrator should check the keystone settings in the Octavia configuration.',
    )
  }
  if (owner === identity.projectId) return owner
  const rule = ruleFor('POST', '/v2.0/lbaas/loadbalancers')
  if (rule !== undefined && decide(rule, identity, owner) === 'allowed') return owner
  throw new DomainError('FORBIDDEN', 'Only an administrator may create objects of another project.')
}
