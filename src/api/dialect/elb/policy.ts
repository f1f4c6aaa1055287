/** Who may do what in elb: the rules of LBaaS, and those of the operations that only elb has. */
import { LBAAS, type PolicyRule, READ, rule, WRITE } from '../../../identity/policy-rule.ts'
import { LBAAS_POLICY } from '../../../identity/policy-table.ts'

const TAGS = ['loadbalancers', 'listeners'].map((collection) => `/v2.0/{project_id}/${collection}/{id}/tags`)

export const elbPolicy: readonly PolicyRule[] = [
  ...LBAAS_POLICY,
  rule('listener:get_one_v3', READ, "Show a listener on elb's v3 path", [
    'GET /v3/{project_id}/elb/listeners/{id}',
  ]),
  rule('listener:put_v3', WRITE, "Update a listener on elb's v3 path", [
    'PUT /v3/{project_id}/elb/listeners/{id}',
  ]),
  rule('member:get_global', READ, 'List the members of all pools (elb)', [`GET ${LBAAS}/members`]),
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
]
