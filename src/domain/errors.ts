/**
 * Expected refusals. Layers throw them with a stable code and the facts of the case; only `api/` turns them into HTTP,
 * and each dialect into its own words. Programmer errors are never DomainErrors.
 */
export const REFUSALS = [
  // The request itself
  'INVALID_JSON',
  'BODY_TOO_LARGE',
  'BODY_TOO_COMPLEX',
  'UNSUPPORTED_MEDIA_TYPE',
  'NOT_ACCEPTABLE',
  'METHOD_NOT_ALLOWED',
  'ROUTE_NOT_FOUND',
  'HOST_NOT_ALLOWED',
  'MISSING_ENVELOPE',
  'MISSING_FIELD',
  'UNRECOGNIZED_ATTRIBUTE',
  'READ_ONLY_ATTRIBUTE',
  'TOO_LONG',
  'INVALID_FIELD',
  'INVALID_QUERY',
  'PROJECT_MISMATCH',
  // The rules
  'NOT_FOUND',
  'TYPE_DOES_NOT_FIT_POOL',
  'TYPE_IS_IMMUTABLE',
  'POOL_DOES_NOT_FIT_LISTENER',
  'HEALTH_MONITOR_EXISTS',
  'MEMBER_EXISTS',
  'LISTENER_EXISTS',
  'LISTENER_HAS_POOL',
  'IN_USE',
  'IMMUTABLE',
  'QUOTA_EXCEEDED',
  'TARGET_DENIED',
  'TOO_MANY_ITEMS',
  'UNSUPPORTED',
  'NOT_PROBED',
  // Identity
  'UNAUTHENTICATED',
  'FORBIDDEN',
  'TOO_MANY_ATTEMPTS',
  'IDENTITY_UNAVAILABLE',
  // Ourselves
  'CONFLICT',
  'PROJECT_BUSY',
  'PROBE_UNANSWERED',
  'STORE_UNAVAILABLE',
] as const
export type Refusal = (typeof REFUSALS)[number]

export type Facts = Readonly<Record<string, string | number>>

/** An expected refusal; match `code`, never the text. `facts` name the field, resource, id, range … of the case. */
export class DomainError extends Error {
  readonly code: Refusal
  readonly facts: Facts

  constructor(code: Refusal, message: string, facts: Facts = {}, options?: ErrorOptions) {
    super(message, options)
    this.name = 'DomainError'
    this.code = code
    this.facts = facts
  }
}

/** The refusal for an id that does not exist, or that belongs to another project: a client sees no difference. */
export function notFound(resource: string, id: string): DomainError {
  return new DomainError('NOT_FOUND', `${resource} ${id} could not be found`, { resource, id })
}
