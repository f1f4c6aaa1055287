/** Who may do what: who may read and write load balancers of a project may read and write its meshes. */
import { type PolicyRule, READ, rule, WRITE } from '../../../identity/policy-rule.ts'
import { COLLECTIONS } from './collections.ts'

const MESH = '/meshes/{mesh}'
const PROXY = `${MESH}/dataplanes/{name}`

export const kumaPolicy: readonly PolicyRule[] = [
  rule('kuma:get_version', 'anyone', 'See the version that clients ask for', ['GET /']),
  rule('kuma:get_self', READ, 'See what the control plane says of itself and of the caller', [
    'GET /policies',
    'GET /who-am-i',
    'GET /config',
    'GET /versions',
  ]),
  rule('kuma_mesh:get', READ, 'List and show meshes', ['GET /meshes', `GET ${MESH}`]),
  rule('kuma_mesh:put', WRITE, 'Create or replace a mesh', [`PUT ${MESH}`]),
  rule('kuma_mesh:delete', WRITE, 'Delete a mesh', [`DELETE ${MESH}`]),
  ...COLLECTIONS.flatMap(({ type, path }) => [
    rule(`kuma_${type}:get`, READ, `List and show objects of type ${type}`, [
      `GET /${path}`,
      `GET ${MESH}/${path}`,
      `GET ${MESH}/${path}/{name}`,
    ]),
    rule(`kuma_${type}:put`, WRITE, `Create or replace a ${type}`, [`PUT ${MESH}/${path}/{name}`]),
    rule(`kuma_${type}:delete`, WRITE, `Delete a ${type}`, [`DELETE ${MESH}/${path}/{name}`]),
  ]),
  rule('kuma:put_apply', WRITE, 'Create or replace several objects (ours)', ['PUT /_apply']),
  rule('kuma_insight:get', READ, 'See proxies, services and meshes with their status', [
    `GET ${MESH}/dataplanes/_overview`,
    `GET ${MESH}/dataplanes+insights`,
    'GET /dataplanes/_overview',
    'GET /dataplanes+insights',
    `GET ${PROXY}/_overview`,
    `GET ${MESH}/dataplanes+insights/{name}`,
    'GET /dataplane-insights',
    `GET ${MESH}/dataplane-insights`,
    `GET ${MESH}/dataplane-insights/{name}`,
    'GET /service-insights',
    `GET ${MESH}/service-insights`,
    `GET ${MESH}/service-insights/{name}`,
    'GET /mesh-insights',
    'GET /mesh-insights/{mesh}',
  ]),
  rule('kuma_insight:put', WRITE, 'Insights are derived: refused', [`PUT ${MESH}/dataplane-insights/{name}`]),
  rule('kuma_inspection:get', READ, 'See which policies are for which proxies', [
    `GET ${PROXY}/policies`,
    `GET ${PROXY}/_rules`,
    `GET ${PROXY}/_checks`,
    `GET ${MESH}/meshhealthchecks/{name}/dataplanes`,
    `GET ${MESH}/meshhealthchecks/{name}/_resources/dataplanes`,
    `GET ${MESH}/health-checks/{name}/dataplanes`,
  ]),
]
