/** Load balancers of dialect octavia that API tests start from, and what its tests ask again and again. */
import assert from 'node:assert/strict'
import { query } from '../../src/store/connection/database.ts'
import { type Answer, type Api, type Json, startApi } from './api.ts'
import { SUBNET } from './api-objects.ts'
import type { Ending } from './database.ts'

export const OCTAVIA = '/load-balancer/v2.0/lbaas'
export const UNKNOWN_ID = '00000000-0000-4000-8000-00000000dead'

export interface OctaviaApi extends Api {
  /** Creates and answers the object; asserts 201. */
  create(collection: string, attributes: object): Promise<Json>
  /** Sends to a path below `/load-balancer/v2.0/lbaas`. */
  send(method: string, path: string, body?: unknown): Promise<Answer>
  /** Creates a load balancer. */
  loadBalancer(attributes?: object): Promise<Json>
  /** Puts any object into a status, as a worker that has not finished would leave it. */
  force(table: string, id: string, provisioningStatus: string): Promise<void>
}

export async function startOctaviaApi(
  t: Ending,
  options: Parameters<typeof startApi>[1] = {},
): Promise<OctaviaApi> {
  const api = await startApi(t, options)
  const send = (method: string, path: string, body?: unknown) =>
    api.request(method, `${OCTAVIA}${path}`, body)
  const create = async (collection: string, attributes: object): Promise<Json> => {
    const envelope = (collection.split('/').at(-1) ?? '').replace(/s$/, '')
    const answer = await send('POST', `/${collection}`, { [envelope]: attributes })
    assert.equal(answer.status, 201, JSON.stringify(answer.body))
    return answer.body[envelope]
  }
  return {
    ...api,
    send,
    create,
    loadBalancer: (attributes = {}) => create('loadbalancers', { vip_subnet_id: SUBNET, ...attributes }),
    force: async (table, id, status) => {
      await query(api.db, `update ${table} set provisioning_status = $1 where id = $2`, [status, id])
    },
  }
}

/** Asserts a fault (docs/peers/octavia.md 6). */
export function assertFault(answer: Answer, status: number, faultstring: string | RegExp): void {
  assert.equal(answer.status, status, JSON.stringify(answer.body))
  assert.deepEqual(Object.keys(answer.body), ['faultcode', 'faultstring', 'debuginfo'])
  assert.equal(answer.body.faultcode, status < 500 ? 'Client' : 'Server')
  assert.equal(answer.body.debuginfo, null)
  if (typeof faultstring === 'string') assert.equal(answer.body.faultstring, faultstring)
  else assert.match(answer.body.faultstring, faultstring)
}
