/**
 * HM_AUTH=none: every client that reaches the loopback listener is trusted. The project is `X-Project-Id`, else a
 * default one. Projects are still separate: another project's object is unknown.
 */
import { DomainError } from '../domain/errors.ts'
import { PROJECT_ID_MAX } from '../domain/limits.ts'
import type { Headers, Identity } from './identity.ts'

const PROJECT_ID = /^[\x21-\x7e]+$/

/** Reads the project of a request. The returned function throws INVALID_FIELD for an id that cannot be one. */
export function noIdentity(defaultProjectId: string): (headers: Headers) => Identity {
  return (headers) => {
    const named = headers['x-project-id']
    if (named === undefined || named === '') return confinedTo(defaultProjectId, true)
    return confinedTo(checkedProjectId(named), false)
  }
}

/** An anonymous identity with every right in one project. */
function confinedTo(projectId: string, assumed: boolean): Identity {
  return { projectId, assumed, scope: 'project', roles: [], confined: true }
}

/** A project id that is valid in a header, a path and a column. Throws INVALID_FIELD. */
export function checkedProjectId(named: string | string[]): string {
  if (typeof named === 'string' && named.length <= PROJECT_ID_MAX && PROJECT_ID.test(named)) return named
  throw new DomainError('INVALID_FIELD', 'Invalid input for X-Project-Id. Reason: it is not a project id.', {
    field: 'X-Project-Id',
    reason: 'it is not a project id',
  })
}
