/** What is wrong with an object, field by field, and the refusals that say so: a title, a detail and the findings. */
import { DomainError, type Refusal } from '../../../domain/errors.ts'

export interface Finding {
  /** `conf.http.expectedStatuses[0]`; empty = the object as a whole. */
  readonly field: string
  readonly message: string
}

/** A refusal whose answer has this title; the code decides the status. */
export function refusal(
  code: Refusal,
  {
    title,
    details,
    findings = [],
  }: { readonly title: string; readonly details: string; readonly findings?: readonly Finding[] },
): DomainError {
  return new DomainError(code, details, { title, findings: JSON.stringify(findings) })
}

export const NOT_VALID = 'Resource is not valid'

/** An object that is not valid. `process`: of a kind that says so before it looks what is stored. */
export function notValid(
  findings: readonly Finding[],
  doing: 'process' | 'create' | 'update' = 'process',
): DomainError {
  return refusal('INVALID_FIELD', { title: `Could not ${doing} a resource`, details: NOT_VALID, findings })
}

/** A body that is no such object at all. */
export function badRequest(type: string, why: string): DomainError {
  return refusal('INVALID_JSON', {
    title: 'Bad Request',
    details: `invalid ${type} object: ${JSON.stringify(why)}`,
  })
}

export function absent(doing: 'retrieve' | 'delete', what = 'a resource'): DomainError {
  return refusal('NOT_FOUND', { title: `Could not ${doing} ${what}`, details: 'Not found' })
}

/** The findings of a refusal. */
export function findingsOf({ facts }: DomainError): readonly Finding[] {
  const { findings } = facts
  return typeof findings === 'string' ? (JSON.parse(findings) as readonly Finding[]) : []
}
