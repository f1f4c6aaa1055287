/** What a request may see and do: the policy (src/identity/policy.ts) in the manner of the dialect. */
import { DomainError, notFound } from '../domain/errors.ts'
import type { LoadBalancer } from '../domain/types.ts'
import { decide, type Question, ruleFor } from '../identity/policy.ts'
import type { PolicyRule } from '../identity/policy-table.ts'
import type { Tx } from '../store/database.ts'
import { type LockedPool, lockLoadBalancer, lockPool } from '../store/parents.ts'
import type { ApiContext } from './context.ts'

export interface Access {
  /** The project whose objects are found by their ids; undefined = any, and `authorise` decides. */
  readonly byId: string | undefined
  /** The project whose objects are listed; undefined = all. */
  readonly inLists: string | undefined
  /** Throws FORBIDDEN when an object of this project is not for whoever asks. */
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

/** A body may name the owner there: its handler decides, once it has read it (as Octavia does, also whether there is one). */
const OWNER_IN_BODY = 'os_load-balancer_api:loadbalancer:post'

/** Another project's object is forbidden, an unknown one unknown; without identity as `ownProjectOnly`. */
export const anyProject: AccessRule = (question) => {
  const { rule, identity } = question
  if (identity.confined) return ownProjectOnly(question)
  const decision = decide(question)
  if (decision === 'denied' && rule.name !== OWNER_IN_BODY) throw forbidden(rule)
  return {
    byId: undefined,
    inLists: decision === 'allowed' ? undefined : identity.projectId,
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

/** Who asks for which operation; `path` is the pattern of its route. */
export interface Asked extends Omit<Question, 'rule'> {
  readonly method: string
  readonly path: string
}

/** The access of an identity to an operation. Throws FORBIDDEN. */
export function accessOf(accessRule: AccessRule, { method, path, ...who }: Asked): Access {
  const rule = ruleFor(method, path)
  if (rule === undefined) throw new DomainError('FORBIDDEN', `No policy allows ${method} ${path}.`)
  return accessRule({ rule, ...who })
}

/** A load balancer, locked for whoever asks. Throws NOT_FOUND, FORBIDDEN and IMMUTABLE. */
export async function lockLoadBalancerFor(ctx: ApiContext, tx: Tx, id: string): Promise<LoadBalancer> {
  const loadBalancer = await lockLoadBalancer(tx, id, ctx.state.access.byId)
  if (loadBalancer === undefined) throw notFound('loadbalancer', id)
  ctx.state.access.authorise(loadBalancer.projectId)
  return loadBalancer
}

/** A pool and its load balancer, locked for whoever asks. Throws NOT_FOUND and FORBIDDEN. */
export async function lockPoolFor(ctx: ApiContext, tx: Tx, id: string): Promise<LockedPool> {
  const parents = await lockPool(tx, id, ctx.state.access.byId)
  if (parents === undefined) throw notFound('pool', id)
  ctx.state.access.authorise(parents.pool.projectId)
  return parents
}
