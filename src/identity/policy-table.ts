/**
 * The policy as data: the rules over the objects of OpenStack LBaaS v2, which are the same in every dialect that has
 * these objects, and for the paths outside of the dialects. Rules of only one dialect are in the policy of its folder.
 */
import {
  ADMIN,
  LBAAS,
  type Operation,
  type PolicyRule,
  READ,
  READ_OR_SERVICE,
  READ_QUOTA,
  rule,
  WRITE,
} from './policy-rule.ts'

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

export const LBAAS_POLICY: readonly PolicyRule[] = [
  rule('versions:get', 'anyone', 'Discover versions', ['GET /', 'GET /v2.0', 'GET /v2', 'GET /v2/lbaas']),
  ...crud('loadbalancer', 'loadbalancers'),
  rule('loadbalancer:get_status', READ, 'Show the status tree of a loadbalancer', [
    `GET ${LBAAS}/loadbalancers/{id}/status`,
    `GET ${LBAAS}/loadbalancers/{id}/statuses`,
  ]),
  ...crud('listener', 'listeners'),
  ...crud('pool', 'pools'),
  ...crud('member', 'pools/{pool_id}/members', READ_OR_SERVICE),
  rule('member:put_all', WRITE, 'Replace or change many members of a pool', [
    `PUT ${LBAAS}/pools/{pool_id}/members`,
  ]),
  ...crud('healthmonitor', 'healthmonitors'),
  rule('healthmonitor:get_plan', READ, 'Show the plan of a healthmonitor (ours)', [
    `GET ${LBAAS}/healthmonitors/{id}/plan`,
  ]),
  rule('pool:post_traffic', WRITE, 'Report that traffic was seen on a pool (ours)', [
    `POST ${LBAAS}/pools/{id}/traffic`,
  ]),
  rule('quota:get_all', READ_QUOTA, 'List quotas', quotaOperations('GET', '')),
  rule('quota:get_one', READ_QUOTA, 'Show the quota of a project', quotaOperations('GET', '/{project_id}')),
  rule('member:get_health', READ, 'Show the health of a member (ours)', [
    `GET ${LBAAS}/pools/{pool_id}/members/{id}/health`,
  ]),
  rule('member:post_probe', WRITE, 'Probe a member now (ours)', [
    `POST ${LBAAS}/pools/{pool_id}/members/{id}/probe`,
  ]),
  rule('pool:get_health', READ, 'Show the health of a pool (ours)', [`GET ${LBAAS}/pools/{id}/health`]),
  rule('pool:get_effective_members', READ, 'Show who should get the traffic of a pool (ours)', [
    `GET ${LBAAS}/pools/{id}/effective-members`,
  ]),
  rule('member:get_transitions', READ, 'List the transitions of a member (ours)', [
    `GET ${LBAAS}/pools/{pool_id}/members/{id}/transitions`,
  ]),
  rule('pool:get_transitions', READ, 'List the transitions of the members of a pool (ours)', [
    `GET ${LBAAS}/pools/{id}/transitions`,
  ]),
  rule('project:get_transitions', READ, 'List the transitions of the members of a project (ours)', [
    `GET ${LBAAS}/transitions`,
  ]),
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
]

/** Over what is outside of the dialects. */
export const OWN_POLICY: readonly PolicyRule[] = [
  rule('event:get_all', READ, 'Read events, and get new ones as they come (ours)', ['GET /v1/events']),
  rule('overview:get', READ, 'See a project at a glance (ours)', [
    'GET /v1/overview',
    'GET /v1/overview/loadbalancers',
    'GET /v1/overview/loadbalancers/{id}',
    'GET /v1/overview/pools',
    'GET /v1/overview/pools/{id}',
    'GET /v1/overview/pools/{id}/members',
    'GET /v1/pools/{id}/effective-members',
    'GET /v1/overview/members',
    'GET /v1/overview/members/{id}',
    'GET /v1/overview/members/{id}/transitions',
    'GET /v1/uptime',
    'GET /v1/healthmonitors/{id}/plan',
  ]),
  rule('overview:get_maintenance', READ, 'Show a maintenance, whichever API keeps its object (ours)', [
    'GET /v1/pools/{id}/maintenance',
    'GET /v1/pools/{pool_id}/members/{id}/maintenance',
    'GET /v1/healthmonitors/{id}/maintenance',
  ]),
  rule('overview:put_maintenance', WRITE, 'Set a maintenance, whichever API keeps its object (ours)', [
    'PUT /v1/pools/{id}/maintenance',
    'PUT /v1/pools/{pool_id}/members/{id}/maintenance',
    'PUT /v1/healthmonitors/{id}/maintenance',
  ]),
  rule('overview:delete_maintenance', WRITE, 'End a maintenance, whichever API keeps its object (ours)', [
    'DELETE /v1/pools/{id}/maintenance',
    'DELETE /v1/pools/{pool_id}/members/{id}/maintenance',
    'DELETE /v1/healthmonitors/{id}/maintenance',
  ]),
  rule('overview:post_probe', WRITE, 'Probe a member now, whichever API keeps it (ours)', [
    'POST /v1/pools/{pool_id}/members/{id}/probe',
  ]),
  rule('webhook:get_all', READ, 'List webhooks (ours)', ['GET /v1/webhooks']),
  rule('webhook:post', WRITE, 'Create a webhook (ours)', ['POST /v1/webhooks']),
  rule('webhook:get_one', READ, 'Show a webhook (ours)', ['GET /v1/webhooks/{id}']),
  rule('webhook:put', WRITE, 'Update a webhook (ours)', ['PUT /v1/webhooks/{id}']),
  rule('webhook:delete', WRITE, 'Delete a webhook (ours)', ['DELETE /v1/webhooks/{id}']),
  rule('webhook:post_test', WRITE, 'Send a test to a webhook (ours)', ['POST /v1/webhooks/{id}/test']),
  rule('webhook:get_dead_letters', READ, 'List the dead letters of a webhook (ours)', [
    'GET /v1/webhooks/{id}/dead-letters',
  ]),
  rule('webhook:post_resend', WRITE, 'Send a dead letter of a webhook again (ours)', [
    'POST /v1/webhooks/{id}/dead-letters/{letter_id}/resend',
  ]),
  rule('public_page:get_all', READ, 'List public pages (ours)', ['GET /v1/public-pages']),
  rule('public_page:post', WRITE, 'Create a public page (ours)', ['POST /v1/public-pages']),
  rule('public_page:get_one', READ, 'Show a public page (ours)', ['GET /v1/public-pages/{id}']),
  rule('public_page:put', WRITE, 'Update a public page (ours)', ['PUT /v1/public-pages/{id}']),
  rule('public_page:delete', WRITE, 'Delete a public page (ours)', ['DELETE /v1/public-pages/{id}']),
  rule('public_page:post_rotate', WRITE, 'Give a public page another link (ours)', [
    'POST /v1/public-pages/{id}/rotate',
  ]),
  rule('session:get', READ, 'See who one is (ours)', ['GET /v1/session']),
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
export function quotaOperations(method: Operation['method'], path: string): string[] {
  return [`${method} ${LBAAS}/quotas${path}`, `${method} /v2.0/quotas${path}`]
}
