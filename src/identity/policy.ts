/**
 * Who may do what: the meaning of the rules (policy-rule.ts). Pure. Two families of roles are understood: Keystone's
 * reader, member and admin (Octavia's defaults today), and load-balancer_* (its older ones). HM_RBAC says which of them
 * count; with `both`, one of them is enough.
 *
 * The dialect decides the form of a refusal: another project's object may be unknown (404) or forbidden (403), while an
 * object that does not exist is 404 for everybody. So a handler checks the policy after it has found the owner.
 */
import type { Rbac } from '../domain/types.ts'
import type { Identity } from './identity.ts'
import type { PolicyRule, RoleCheck, RoleColumns } from './policy-rule.ts'

/** `own project`: allowed, limited to the objects of the identity's project. */
export type Decision = 'allowed' | 'own project' | 'denied'

/** An identity, the rule of its operation, and which roles count. */
export interface Question {
  readonly rule: PolicyRule
  readonly identity: Identity
  readonly rbac: Rbac
}

/**
 * Decides about an object of `ownerProjectId`, or, without one, about a list or an object without a project. The roles
 * of a token for a domain, or without a scope, do not count here.
 */
export function decide(question: Question, ownerProjectId?: string): Decision {
  const { identity } = question
  const { everywhere, ownProject } = rightsOf(question)
  if (everywhere) return 'allowed'
  if (!ownProject || identity.projectId === '') return 'denied'
  if (ownerProjectId === undefined) return 'own project'
  return ownerProjectId === identity.projectId ? 'allowed' : 'denied'
}

/** The columns of the table that count. */
const COLUMNS: Readonly<Record<Rbac, readonly (keyof RoleColumns)[]>> = {
  both: ['default_roles', 'load_balancer_roles'],
  default_roles: ['default_roles'],
  load_balancer_roles: ['load_balancer_roles'],
}

function rightsOf({ rule: { check }, identity: { confined, scope, roles }, rbac }: Question) {
  if (check === 'anyone') return { everywhere: true, ownProject: true }
  if (confined) return { everywhere: false, ownProject: true }
  if (scope !== 'project' && scope !== 'system') return { everywhere: false, ownProject: false }
  const has = (where: keyof RoleCheck): boolean =>
    COLUMNS[rbac].some((column) => check[column][where].some((name) => roles.includes(name)))
  return { everywhere: has('everywhere'), ownProject: has('ownProject') }
}

/** Finds the rule of an operation; `path` with parameters as `{id}` or `:id`. Undefined: there is none. */
export type RuleFor = (method: string, path: string) => PolicyRule | undefined

export function policyOf(rules: readonly PolicyRule[]): RuleFor {
  const byOperation = new Map(
    rules.flatMap((rule) =>
      rule.operations.map(({ method, path }): [string, PolicyRule] => [operationKey(method, path), rule]),
    ),
  )
  return (method, path) => byOperation.get(operationKey(method, path))
}

function operationKey(method: string, path: string): string {
  return `${method.toUpperCase()} ${path.replace(/\{[^}]*\}|:\w+/g, '{}')}`
}
