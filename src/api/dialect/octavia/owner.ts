/**
 * The project of a new load balancer: the one in the body, which administrators may choose, else that of the request.
 */
import type { Asker } from '../../resource/load-balancers.ts'
import { isObject } from '../../schema/attributes.ts'
import { OCTAVIA_PROJECT_ID_MAX } from './limits.ts'
import { validationFailure } from './schema/wsme.ts'

interface Named {
  readonly project_id?: string | null
  readonly tenant_id?: string | null
}

/** Throws FORBIDDEN where the policy does, and INVALID_FIELD when there is no project at all. */
export function ownerOf(
  { project_id: projectId, tenant_id: tenantId }: Named,
  { identity, access }: Asker,
): string {
  const owner = projectId || tenantId || identity.projectId
  if (owner === '') {
    throw validationFailure(
      'Missing project ID in request where one is required. An administrator should check the keystone settings in the Octavia configuration.',
    )
  }
  access.authorise(owner)
  return owner
}

/** What a body that is not parsed yet names; what cannot be the id of a project is for its parser to refuse. */
export function namedIn(body: unknown): Named {
  const root = isObject(body) ? body['loadbalancer'] : undefined
  if (!isObject(root)) return {}
  const { project_id: project, tenant_id: tenant } = root
  return {
    ...(mayBeId(project) ? { project_id: project } : {}),
    ...(mayBeId(tenant) ? { tenant_id: tenant } : {}),
  }
}

function mayBeId(value: unknown): value is string {
  return typeof value === 'string' && value.length <= OCTAVIA_PROJECT_ID_MAX
}
