/**
 * A rule of the policy. Names are as in Octavia's policy files (os_load-balancer_api:…), so that an operator recognises
 * them; rules of ours are marked in their description.
 *
 * A rule has two columns, one for each set of roles that Octavia comes with: `default_roles`, Keystone's reader, member
 * and admin, which is what its code says today; and `load_balancer_roles`, its own load-balancer_* roles (`advanced
 * RBAC`), which are in a file that an operator installs. Sources: docs/peers/octavia-rbac.md, and the
 * recordings under test/vectors/octavia-golden/auth, made where both columns counted.
 */

/** Roles that allow an operation: in every project, and in the project of the token. */
export interface RoleCheck {
  readonly everywhere: readonly string[]
  readonly ownProject: readonly string[]
}

/** A check of each set of roles. */
export interface RoleColumns {
  readonly default_roles: RoleCheck
  readonly load_balancer_roles: RoleCheck
}

export interface Operation {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** Below the dialect's mount; parameters in braces. */
  readonly path: string
}

export interface PolicyRule {
  readonly name: string
  /** `anyone`: the operation is used before there is a token. */
  readonly check: RoleColumns | 'anyone'
  readonly description: string
  readonly operations: readonly Operation[]
}

/** Administrators of the cloud are administrators here, whichever roles count. */
const ADMIN_ROLES = ['admin']
const LB_ADMIN_ROLES = ['admin', 'load-balancer_admin']

export const ADMIN: RoleColumns = {
  default_roles: { everywhere: ADMIN_ROLES, ownProject: [] },
  load_balancer_roles: { everywhere: LB_ADMIN_ROLES, ownProject: [] },
}
export const READ: RoleColumns = {
  default_roles: { everywhere: ADMIN_ROLES, ownProject: ['reader', 'member'] },
  load_balancer_roles: {
    everywhere: [...LB_ADMIN_ROLES, 'load-balancer_global_observer'],
    ownProject: ['load-balancer_observer', 'load-balancer_member'],
  },
}
export const WRITE: RoleColumns = {
  default_roles: { everywhere: ADMIN_ROLES, ownProject: ['member'] },
  load_balancer_roles: { everywhere: LB_ADMIN_ROLES, ownProject: ['load-balancer_member'] },
}
export const READ_QUOTA: RoleColumns = {
  default_roles: READ.default_roles,
  load_balancer_roles: alsoEverywhere(READ.load_balancer_roles, 'load-balancer_quota_admin'),
}
export const WRITE_QUOTA: RoleColumns = {
  default_roles: ADMIN.default_roles,
  load_balancer_roles: alsoEverywhere(ADMIN.load_balancer_roles, 'load-balancer_quota_admin'),
}
/** Aodh's alarms look at the members of a pool as the user `aodh`, whose role in the project of services is `service`. */
export const READ_OR_SERVICE: RoleColumns = {
  default_roles: alsoEverywhere(READ.default_roles, 'service'),
  load_balancer_roles: alsoEverywhere(READ.load_balancer_roles, 'service'),
}

function alsoEverywhere(check: RoleCheck, role: string): RoleCheck {
  return { ...check, everywhere: [...check.everywhere, role] }
}

/** Path of the collections of OpenStack LBaaS v2, below a dialect's mount. */
export const LBAAS = '/v2.0/lbaas'

/** A rule over operations as `GET /path`. */
export function rule(
  name: string,
  check: PolicyRule['check'],
  description: string,
  operations: readonly string[],
): PolicyRule {
  return {
    name: `os_load-balancer_api:${name}`,
    check,
    description,
    operations: operations.map((operation) => {
      const [method, path = ''] = operation.split(' ')
      return { method: method as Operation['method'], path }
    }),
  }
}
