/** Whose a new load balancer is: the project that the body names, which administrators may choose, else that of the request. */
import { DomainError } from '../../../domain/errors.ts'
import type { Identity } from '../../../identity/identity.ts'
import { decide, ruleFor } from '../../../identity/policy.ts'
import { validationFailure } from '../../schema/wsme.ts'

interface Named {
  readonly project_id?: string | null
  readonly tenant_id?: string | null
}

/** Throws FORBIDDEN where the policy does, and INVALID_FIELD when there is no project at all. */
export function ownerOf({ project_id: projectId, tenant_id: tenantId }: Named, identity: Identity): string {
  const owner = projectId || tenantId || identity.projectId
  if (owner === '') {
    throw validationFailure(
      'Missing project ID in request where one is required. An administrator should check the keystone settings in the Octavia configuration.',
    )
  }
  const rule = ruleFor('POST', '/v2.0/lbaas/loadbalancers')
  if (rule !== undefined && decide(rule, identity, owner) === 'allowed') return owner
  throw new DomainError('FORBIDDEN', `Policy doesn't allow the create of objects of ${owner}.`)
}
