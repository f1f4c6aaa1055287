/**
 * HM_AUTH=none: whoever reaches the loopback listener is trusted. The project is `X-Project-Id`, else a default one; it
 * still separates: another project's object is unknown.
 */
import { DomainError } from '../domain/errors.ts'
import { PROJECT_ID_MAX } from '../domain/limits.ts'

export interface ProjectIdentity {
  readonly projectId: string
  /** Nobody named a project: a path that names one may. */
  readonly assumed: boolean
}

type Headers = Readonly<Record<string, string | string[] | undefined>>

const PROJECT_ID = /^[\x21-\x7e]+$/

/** Reads the project of a request. The returned function throws INVALID_FIELD for an id that cannot be one. */
export function noIdentity(defaultProjectId: string): (headers: Headers) => ProjectIdentity {
  return (headers) => {
    const named = headers['x-project-id']
    if (named === undefined || named === '') return { projectId: defaultProjectId, assumed: true }
    return { projectId: checkedProjectId(named), assumed: false }
  }
}

/** A project id that can stand in a header, a path and a column. Throws INVALID_FIELD. */
export function checkedProjectId(named: string | string[]): string {
  if (typeof named === 'string' && named.length <= PROJECT_ID_MAX && PROJECT_ID.test(named)) return named
  throw new DomainError('INVALID_FIELD', 'Invalid input for X-Project-Id. Reason: it is not a project id.', {
    field: 'X-Project-Id',
    reason: 'it is not a project id',
  })
}
