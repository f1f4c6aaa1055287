/** Load balancers of dialect octavia that API tests start from, and what its tests ask again and again. */
import { type Answer, type Api, type Json, startApi } from './api.ts'
import { SUBNET } from './api-objects.ts'
import type { Ending } from './database.ts'
import { force, made, OCTAVIA, type ProvisionedTable } from './octavia.ts'

export { assertFault, OCTAVIA } from './octavia.ts'

export const UNKNOWN_ID = '00000000-0000-4000-8000-00000000dead'

export interface OctaviaApi extends Api {
  /** Creates and answers the object; asserts 201. */
  create(collection: string, attributes: object): Promise<Json>
  /** Sends to a path below `/load-balancer/v2.0/lbaas`. */
  send(method: string, path: string, body?: unknown): Promise<Answer>
  /** Creates a load balancer. */
  loadBalancer(attributes?: object): Promise<Json>
  /** Puts any object into a status, as a worker that has not finished would leave it. */
  force(table: ProvisionedTable, id: string, provisioningStatus: string): Promise<void>
}

export async function startOctaviaApi(
  t: Ending,
  options: Parameters<typeof startApi>[1] = {},
): Promise<OctaviaApi> {
  const api = await startApi(t, options)
  const send = (method: string, path: string, body?: unknown) =>
    api.request(method, `${OCTAVIA}${path}`, body)
  const create = (collection: string, attributes: object) => made(api, collection, attributes)
  return {
    ...api,
    send,
    create,
    loadBalancer: (attributes = {}) => create('loadbalancers', { vip_subnet_id: SUBNET, ...attributes }),
    force: (table, id, status) => force(api, table, id, status),
  }
}
