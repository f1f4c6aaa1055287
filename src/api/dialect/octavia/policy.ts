/** Who may do what in octavia: the rules of LBaaS, and those of the operations that only Octavia has. */
import {
  ADMIN,
  LBAAS,
  type PolicyRule,
  READ,
  READ_QUOTA,
  type RoleColumns,
  rule,
  WRITE,
  WRITE_QUOTA,
} from '../../../identity/policy-rule.ts'
import { LBAAS_POLICY, quotaOperations } from '../../../identity/policy-table.ts'

/** The rules of an empty collection: list, show and refuse. */
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

export const octaviaPolicy: readonly PolicyRule[] = [
  ...LBAAS_POLICY,
  rule('loadbalancer:get_stats', READ, 'Show the statistics of a loadbalancer', [
    `GET ${LBAAS}/loadbalancers/{id}/stats`,
  ]),
  rule('loadbalancer:put_failover', ADMIN, 'Fail a loadbalancer over', [
    `PUT ${LBAAS}/loadbalancers/{id}/failover`,
  ]),
  rule('listener:get_stats', READ, 'Show the statistics of a listener', [
    `GET ${LBAAS}/listeners/{id}/stats`,
  ]),
  rule('quota:get_defaults', READ_QUOTA, 'Show the default quotas', [
    ...quotaOperations('GET', '/defaults'),
    ...quotaOperations('GET', '/{project_id}/default'),
  ]),
  rule('quota:put', WRITE_QUOTA, 'Set the quota of a project', quotaOperations('PUT', '/{project_id}')),
  rule(
    'quota:delete',
    WRITE_QUOTA,
    'Reset the quota of a project',
    quotaOperations('DELETE', '/{project_id}'),
  ),
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
]
