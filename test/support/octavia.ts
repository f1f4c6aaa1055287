/** What the tests of dialect octavia start from. */
import assert from 'node:assert/strict'
import { query } from '../../src/store/connection/database.ts'
import type { Answer, Api, Json } from './api.ts'
import { SUBNET, wrapped } from './api-objects.ts'

export const OCTAVIA = '/load-balancer/v2.0/lbaas'

type Headers = Readonly<Record<string, string>>

/** Creates through dialect octavia and answers the object; asserts 201. */
export async function made(
  api: Api,
  collection: string,
  attributes: object,
  headers: Headers = {},
): Promise<Json> {
  const path = `${OCTAVIA}/${collection}`
  const answer = await api.request('POST', path, wrapped(collection, attributes), headers)
  assert.equal(answer.status, 201, JSON.stringify(answer.body))
  return Object.values(answer.body as object)[0]
}

/** A load balancer; through dialect elb, which shares it. */
export async function aLoadBalancer(api: Api, headers: Headers = {}): Promise<Json> {
  const body = { loadbalancer: { vip_subnet_id: SUBNET } }
  const answer = await api.request('POST', '/elb/v2.0/lbaas/loadbalancers', body, headers)
  assert.equal(answer.status, 201, JSON.stringify(answer.body))
  return answer.body.loadbalancer
}

export async function aPool(
  api: Api,
  loadBalancerId: string,
  attributes: object = {},
  headers: Headers = {},
): Promise<Json> {
  const defaults = { loadbalancer_id: loadBalancerId, protocol: 'HTTP', lb_algorithm: 'ROUND_ROBIN' }
  return await made(api, 'pools', { ...defaults, ...attributes }, headers)
}

export async function aMonitor(api: Api, poolId: string, attributes: object = {}): Promise<Json> {
  const defaults = { pool_id: poolId, type: 'HTTP', delay: 5, timeout: 3, max_retries: 3 }
  return await made(api, 'healthmonitors', { ...defaults, ...attributes })
}

export type ProvisionedTable = 'load_balancer' | 'pool' | 'health_monitor' | 'member' | 'listener'

/** Forces a provisioning status, as no request of ours ever shows one but ACTIVE. */
export async function force(api: Api, table: ProvisionedTable, id: string, status: string): Promise<void> {
  await query(api.db, `update ${table} set provisioning_status = $1 where id = $2`, [status, id])
}

/** Asserts a fault (docs/peers/octavia.md 6). */
export function assertFault(answer: Answer, status: number, fault: string | RegExp): void {
  assert.equal(answer.status, status, JSON.stringify(answer.body))
  assert.deepEqual(Object.keys(answer.body as object), ['faultcode', 'faultstring', 'debuginfo'])
  assert.equal(answer.body.faultcode, status < 500 ? 'Client' : 'Server')
  assert.equal(answer.body.debuginfo, null)
  if (typeof fault === 'string') assert.equal(answer.body.faultstring, fault)
  else assert.match(answer.body.faultstring as string, fault)
}
