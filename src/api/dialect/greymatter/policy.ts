/** Who may do what in Grey Matter's control API. */
import { type PolicyRule, READ, rule, WRITE } from '../../../identity/policy-rule.ts'

const CLUSTER = '/v1.0/cluster'
const INSTANCES = ['instance', 'instances'].map((word) => `${CLUSTER}/{cluster_key}/${word}`)

export const greymatterPolicy: readonly PolicyRule[] = [
  rule('cluster:get_all', READ, 'List clusters (greymatter)', [`GET ${CLUSTER}`]),
  rule('cluster:post', WRITE, 'Create a cluster (greymatter)', [`POST ${CLUSTER}`]),
  rule('cluster:get_one', READ, 'Show a cluster (greymatter)', [`GET ${CLUSTER}/{cluster_key}`]),
  rule('cluster:put', WRITE, 'Update a cluster (greymatter)', [`PUT ${CLUSTER}/{cluster_key}`]),
  rule('cluster:delete', WRITE, 'Delete a cluster (greymatter)', [`DELETE ${CLUSTER}/{cluster_key}`]),
  rule('cluster:get_health', READ, 'Show the health of a cluster (greymatter, ours)', [
    `GET ${CLUSTER}/{cluster_key}/health`,
  ]),
  rule(
    'cluster:post_instance',
    WRITE,
    'Add an instance to a cluster (greymatter)',
    INSTANCES.map((path) => `POST ${path}`),
  ),
  rule(
    'cluster:delete_instance',
    WRITE,
    'Remove an instance from a cluster (greymatter)',
    INSTANCES.map((path) => `DELETE ${path}/{instance}`),
  ),
  rule('objects:apply', WRITE, 'Apply zones and clusters of a file (greymatter, ours)', ['PUT /v1.0/_apply']),
  rule('zone:get_all', READ, 'List zones (greymatter)', ['GET /v1.0/zone']),
  rule('zone:post', WRITE, 'Create a zone (greymatter)', ['POST /v1.0/zone']),
  rule('zone:get_one', READ, 'Show a zone (greymatter)', ['GET /v1.0/zone/{zone_key}']),
  rule('zone:put', WRITE, 'Update a zone (greymatter)', ['PUT /v1.0/zone/{zone_key}']),
  rule('zone:delete', WRITE, 'Delete a zone (greymatter)', ['DELETE /v1.0/zone/{zone_key}']),
  rule(
    'routing:get_all',
    READ,
    'List the objects that route traffic, of which there are none (greymatter)',
    ['domain', 'proxy', 'shared_rules', 'route', 'listener'].map((collection) => `GET /v1.0/${collection}`),
  ),
]
