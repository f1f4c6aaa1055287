/**
 * The policy as data: every operation of both dialects and of our own, by rule. Names as in Octavia's policy files
 * (os_load-balancer_api:…), so that an operator recognises them; rules of ours are marked in their description.
 *
 * A rule has two columns, one for each set of roles that Octavia comes with: `default_roles`, Keystone's reader, member
 * and admin, which is what its code says today; and `load_balancer_roles`, its own load-balancer_* roles (`advanced
 * RBAC`), which stand in a file that an operator puts into place. Sources: docs/peers/octavia-rbac.md, and the
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
  /** `anyone`: asked before there is a token. */
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

const LBAAS = '/v2.0/lbaas'

function rule(
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

/** The five rules of a collection with ids; `listed` is the check of its list. */
function crud(object: string, collection: string, listed = READ): readonly PolicyRule[] {
  const list = `${LBAAS}/${collection}`
  const item = `${list}/{id}`
  return [
    rule(`${object}:get_all`, listed, `List ${object}s`, [`GET ${list}`]),
    rule(`${object}:post`, WRITE, `Create a ${object}`, [`POST ${list}`]),
    rule(`${object}:get_one`, READ, `Show a ${object}`, [`GET ${item}`]),
    rule(`${object}:put`, WRITE, `Update a ${object}`, [`PUT ${item}`]),
    rule(`${object}:delete`, WRITE, `Delete a ${object}`, [`DELETE ${item}`]),
  ]
}

/** The rules of a collection of which there is nothing: what is there to list, to show and to refuse. */
function none(
  object: string,
  list: string,
  { read, write }: Readonly<Record<'read' | 'write', RoleColumns>>,
): readonly PolicyRule[] {
  return [
    rule(`${object}:get`, read, `List and show ${object}s`, [`GET ${list}`, `GET ${list}/{id}`]),
    rule(`${object}:post`, write, `Create a ${object}, which is refused`, [`POST ${list}`]),
  ]
}

const TAGS = ['loadbalancers', 'listeners'].map((collection) => `/v2.0/{project_id}/${collection}/{id}/tags`)

export const POLICY: readonly PolicyRule[] = [
  rule('versions:get', 'anyone', 'Discover versions', ['GET /', 'GET /v2.0', 'GET /v2', 'GET /v2/lbaas']),
  ...crud('loadbalancer', 'loadbalancers'),
  rule('loadbalancer:get_status', READ, 'Show the status tree of a loadbalancer', [
    `GET ${LBAAS}/loadbalancers/{id}/status`,
    `GET ${LBAAS}/loadbalancers/{id}/statuses`,
  ]),
  rule('loadbalancer:get_stats', READ, 'Show the statistics of a loadbalancer', [
    `GET ${LBAAS}/loadbalancers/{id}/stats`,
  ]),
  rule('loadbalancer:put_failover', ADMIN, 'Fail a loadbalancer over', [
    `PUT ${LBAAS}/loadbalancers/{id}/failover`,
  ]),
  ...crud('listener', 'listeners'),
  rule('listener:get_stats', READ, 'Show the statistics of a listener', [
    `GET ${LBAAS}/listeners/{id}/stats`,
  ]),
  rule('listener:get_one_v3', READ, "Show a listener on elb's v3 path", [
    'GET /v3/{project_id}/elb/listeners/{id}',
  ]),
  rule('listener:put_v3', WRITE, "Update a listener on elb's v3 path", [
    'PUT /v3/{project_id}/elb/listeners/{id}',
  ]),
  ...crud('pool', 'pools'),
  ...crud('member', 'pools/{pool_id}/members', READ_OR_SERVICE),
  rule('member:put_all', WRITE, 'Replace or change many members of a pool', [
    `PUT ${LBAAS}/pools/{pool_id}/members`,
  ]),
  rule('member:get_global', READ, 'List the members of all pools (elb)', [`GET ${LBAAS}/members`]),
  ...crud('healthmonitor', 'healthmonitors'),
  rule('healthmonitor:get_plan', READ, 'Show the plan of a healthmonitor (ours)', [
    `GET ${LBAAS}/healthmonitors/{id}/plan`,
  ]),
  rule('pool:post_traffic', WRITE, 'Report that traffic was seen on a pool (ours)', [
    `POST ${LBAAS}/pools/{id}/traffic`,
  ]),
  rule('quota:get_all', READ_QUOTA, 'List quotas', quotas('GET', '')),
  rule('quota:get_one', READ_QUOTA, 'Show the quota of a project', quotas('GET', '/{project_id}')),
  rule('quota:get_defaults', READ_QUOTA, 'Show the default quotas', [
    ...quotas('GET', '/defaults'),
    ...quotas('GET', '/{project_id}/default'),
  ]),
  rule('quota:put', WRITE_QUOTA, 'Set the quota of a project', quotas('PUT', '/{project_id}')),
  rule('quota:delete', WRITE_QUOTA, 'Reset the quota of a project', quotas('DELETE', '/{project_id}')),
  rule('provider:get_all', READ, 'List providers', [`GET ${LBAAS}/providers`]),
  rule('provider-flavor:get_all', ADMIN, 'List what flavors may tell a provider', [
    `GET ${LBAAS}/providers/{name}/flavor_capabilities`,
  ]),
  rule('provider-availability-zone:get_all', ADMIN, 'List what availability zones may tell a provider', [
    `GET ${LBAAS}/providers/{name}/availability_zone_capabilities`,
  ]),
  ...none('flavor', `${LBAAS}/flavors`, { read: READ, write: ADMIN }),
  ...none('flavor-profile', `${LBAAS}/flavorprofiles`, { read: ADMIN, write: ADMIN }),
  ...none('availability-zone', `${LBAAS}/availabilityzones`, { read: READ, write: ADMIN }),
  ...none('availability-zone-profile', `${LBAAS}/availabilityzoneprofiles`, { read: ADMIN, write: ADMIN }),
  ...none('l7policy', `${LBAAS}/l7policies`, { read: READ, write: WRITE }),
  rule('l7rule:get_all', READ, 'List the rules of an l7policy', [`GET ${LBAAS}/l7policies/{id}/rules`]),
  rule('amphora:get', ADMIN, 'List and show amphorae', [
    'GET /v2.0/octavia/amphorae',
    'GET /v2.0/octavia/amphorae/{id}',
    'GET /v2.0/octavia/amphorae/{id}/stats',
  ]),
  rule('member:get_health', READ, 'Show the health of a member (ours)', [
    `GET ${LBAAS}/pools/{pool_id}/members/{id}/health`,
  ]),
  rule('pool:get_health', READ, 'Show the health of a pool (ours)', [`GET ${LBAAS}/pools/{id}/health`]),
  rule('member:get_transitions', READ, 'List the transitions of a member (ours)', [
    `GET ${LBAAS}/pools/{pool_id}/members/{id}/transitions`,
  ]),
  rule('pool:get_transitions', READ, 'List the transitions of the members of a pool (ours)', [
    `GET ${LBAAS}/pools/{id}/transitions`,
  ]),
  rule('project:get_transitions', READ, 'List the transitions of the members of a project (ours)', [
    `GET ${LBAAS}/transitions`,
  ]),
  rule(
    'tags:get',
    READ,
    'Show the tags of an object (elb)',
    TAGS.map((path) => `GET ${path}`),
  ),
  rule(
    'tags:post_action',
    WRITE,
    'Add and remove tags of an object (elb)',
    TAGS.map((path) => `POST ${path}/action`),
  ),
  ...(
    [
      ['member', 'pools/{pool_id}/members/{id}'],
      ['pool', 'pools/{id}'],
      ['healthmonitor', 'healthmonitors/{id}'],
    ] as const
  ).flatMap(([object, item]) => [
    rule(`${object}:get_maintenance`, READ, `Show the maintenance of a ${object} (ours)`, [
      `GET ${LBAAS}/${item}/maintenance`,
    ]),
    rule(`${object}:put_maintenance`, WRITE, `Set the maintenance of a ${object} (ours)`, [
      `PUT ${LBAAS}/${item}/maintenance`,
    ]),
    rule(`${object}:delete_maintenance`, WRITE, `End the maintenance of a ${object} (ours)`, [
      `DELETE ${LBAAS}/${item}/maintenance`,
    ]),
  ]),
  rule('prober:get_all', ADMIN, 'List the probers and how they are (ours)', ['GET /v1/probers']),
  rule(
    'network:get',
    READ,
    'The reads of the network API that clients make (ours)',
    ['subnets', 'networks', 'ports', 'floatingips', 'security-groups'].flatMap((collection) => [
      `GET /v2.0/${collection}`,
      `GET /v2.0/${collection}/{id}`,
    ]),
  ),
]

/** Terraform and gophercloud leave `lbaas` out of the paths of quotas. */
function quotas(method: Operation['method'], path: string): string[] {
  return [`${method} ${LBAAS}/quotas${path}`, `${method} /v2.0/quotas${path}`]
}
