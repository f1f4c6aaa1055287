/**
 * Who may do what: the meaning of the rules in policy-table.ts. Pure. Two families of roles are understood, each alone
 * is enough: Keystone's reader, member and admin (Octavia's defaults today), and load-balancer_* (its older ones).
 *
 * What a refusal looks like is the dialect's: in elb another project's object is unknown (404), in octavia it is
 * forbidden (403), and an unknown one is 404 for everybody. So a handler asks after it has found the owner.
 */
import type { Identity } from './identity.ts'
import { POLICY, type PolicyRule } from './policy-table.ts'

/** `own project`: allowed, limited to the objects of the identity's project. */
export type Decision = 'allowed' | 'own project' | 'denied'

/**
 * Decides about an object of `ownerProjectId`, or, without one, about a list or whatever belongs to nobody. A token for
 * a domain or for nothing has no roles here, whatever it carries.
 */
export function decide(rule: PolicyRule, identity: Identity, ownerProjectId?: string): Decision {
  const { everywhere, ownProject } = rolesThatCount(rule, identity)
  if (everywhere) return 'allowed'
  if (!ownProject || identity.projectId === '') return 'denied'
  if (ownerProjectId === undefined) return 'own project'
  return ownerProjectId === identity.projectId ? 'allowed' : 'denied'
}

function rolesThatCount({ check }: PolicyRule, { confined, scope, roles }: Identity) {
  if (check === 'anyone') return { everywhere: true, ownProject: true }
  if (confined) return { everywhere: false, ownProject: true }
  if (scope !== 'project' && scope !== 'system') return { everywhere: false, ownProject: false }
  const has = (names: readonly string[]): boolean => names.some((name) => roles.includes(name))
  return { everywhere: has(check.everywhere), ownProject: has(check.ownProject) }
}

const RULES: ReadonlyMap<string, PolicyRule> = new Map(
  POLICY.flatMap((rule) =>
    rule.operations.map(({ method, path }): [string, PolicyRule] => [operationKey(method, path), rule]),
  ),
)

/** The rule of an operation; `path` with parameters as `{id}` or `:id`. Undefined: nobody wrote one. */
export function ruleFor(method: string, path: string): PolicyRule | undefined {
  return RULES.get(operationKey(method, path))
}

function operationKey(method: string, path: string): string {
  return `${method.toUpperCase()} ${path.replace(/\{[^}]*\}|:\w+/g, '{}')}`
}
