/** What a request may see and do: the policy (src/identity/policy.ts) in the manner of the dialect. */
import { DomainError } from '../../domain/errors.ts'
import { type Decision, decide, type Question, type RuleFor } from '../../identity/policy.ts'
import type { PolicyRule } from '../../identity/policy-rule.ts'

export interface Access {
  /** The project whose objects are found by their ids; undefined = any, and `authorise` decides. */
  readonly byId: string | undefined
  /** The project whose objects are listed; undefined = all. */
  readonly inLists: string | undefined
  /** Throws FORBIDDEN when the identity may not access objects of this project. */
  readonly authorise: (ownerProjectId: string) => void
}

/** The access of a request to an operation. Throws FORBIDDEN, also for an operation without a rule. */
export type AccessRule = (question: Question) => Access

/** Another project's object is unknown, to administrators too: everything happens in the identity's own project. */
export const ownProjectOnly: AccessRule = (question) => {
  const { projectId } = question.identity
  if (projectId === '' || decide(question, projectId) === 'denied') throw forbidden(question.rule)
  return { byId: projectId, inLists: projectId, authorise: authorising(question) }
}

/** Another project's object is forbidden, an unknown one unknown; without identity as `ownProjectOnly`. */
export const anyProject: AccessRule = (question) => {
  if (question.identity.confined) return ownProjectOnly(question)
  const decision = decide(question)
  if (decision === 'denied') throw forbidden(question.rule)
  return everywhere(question, decision)
}

/** Refuses nothing yet: only the handler knows the owner of the object, and calls `authorise` with it. */
export const ownerDecides: AccessRule = (question) =>
  question.identity.confined ? ownProjectOnly(question) : everywhere(question, decide(question))

function everywhere(question: Question, decision: Decision): Access {
  return {
    byId: undefined,
    inLists: decision === 'allowed' ? undefined : question.identity.projectId,
    authorise: authorising(question),
  }
}

function authorising(question: Question): Access['authorise'] {
  return (ownerProjectId) => {
    if (decide(question, ownerProjectId) === 'denied') throw forbidden(question.rule)
  }
}

function forbidden({ name }: PolicyRule): DomainError {
  return new DomainError('FORBIDDEN', `Policy doesn't allow ${name} to be performed.`, { rule: name })
}

/** The identity, the operation and the dialect's policy; `path` is the pattern of the route. */
export interface AccessQuestion extends Omit<Question, 'rule'> {
  readonly ruleFor: RuleFor
  readonly method: string
  readonly path: string
}

/** The access of an identity to an operation. Throws FORBIDDEN. */
export function accessOf(accessRule: AccessRule, { ruleFor, method, path, ...who }: AccessQuestion): Access {
  const rule = ruleFor(method, path)
  if (rule === undefined) throw new DomainError('FORBIDDEN', `No policy allows ${method} ${path}.`)
  return accessRule({ rule, ...who })
}
