/** Objects that API tests start from. */
import assert from 'node:assert/strict'
import { query } from '../../src/store/connection/database.ts'
import type { Api, Json } from './api.ts'

export const SUBNET = '5f1b3c1e-0000-4000-8000-000000000001'

/** Creates through the API and answers the object; asserts 201. */
export async function created(
  api: Api,
  collection: string,
  attributes: object,
  headers: Readonly<Record<string, string>> = {},
): Promise<Json> {
  const answer = await api.request(
    'POST',
    `/v2.0/lbaas/${collection}`,
    wrapped(collection, attributes),
    headers,
  )
  assert.equal(answer.status, 201, JSON.stringify(answer.body))
  return Object.values(answer.body as object)[0]
}

/** `pools`, {…} → {pool: {…}}; `pools/{id}/members` → {member: {…}}. */
export function wrapped(collection: string, attributes: object): object {
  return { [(collection.split('/').at(-1) ?? '').replace(/s$/, '')]: attributes }
}

export const aLoadBalancer = (api: Api, attributes: object = {}): Promise<Json> =>
  created(api, 'loadbalancers', { vip_subnet_id: SUBNET, ...attributes })

export const aListener = (api: Api, loadBalancerId: string, attributes: object = {}): Promise<Json> =>
  created(api, 'listeners', {
    loadbalancer_id: loadBalancerId,
    protocol: 'HTTP',
    protocol_port: 80,
    ...attributes,
  })

export const aPool = (api: Api, loadBalancerId: string, attributes: object = {}): Promise<Json> =>
  created(api, 'pools', {
    loadbalancer_id: loadBalancerId,
    protocol: 'HTTP',
    lb_algorithm: 'ROUND_ROBIN',
    ...attributes,
  })

export const aMonitor = (api: Api, poolId: string, attributes: object = {}): Promise<Json> =>
  created(api, 'healthmonitors', {
    pool_id: poolId,
    type: 'TCP',
    delay: 5,
    timeout: 3,
    max_retries: 2,
    ...attributes,
  })

/** One count and hash per configuration table: equal before and after = nothing changed. */
export async function contents(api: Api): Promise<Readonly<Record<string, string>>> {
  const tables = ['load_balancer', 'listener', 'pool', 'member', 'health_monitor', 'quota']
  const entries = await Promise.all(
    tables.map(async (table) => {
      const rows = await query<{ all: string }>(
        api.db,
        `select count(*) || ' ' || coalesce(md5(string_agg(t::text, ',' order by t::text)), '') as all from ${table} t`,
      )
      return [table, rows[0]?.all ?? ''] as const
    }),
  )
  return Object.fromEntries(entries)
}

/** Asserts a refusal in elb's shape. */
export function assertRefused(
  answer: { readonly status: number; readonly headers: object; readonly body: Json },
  expected: { readonly status: number; readonly code: string; readonly message?: string | RegExp },
): void {
  assert.equal(answer.status, expected.status, JSON.stringify(answer.body))
  assert.deepEqual(Object.keys(answer.body as object).sort(), ['error_code', 'error_msg', 'request_id'])
  assert.equal(answer.body.error_code, expected.code, JSON.stringify(answer.body))
  assert.equal(answer.body.request_id, (answer.headers as Json)['x-openstack-request-id'])
  if (typeof expected.message === 'string') assert.equal(answer.body.error_msg, expected.message)
  else if (expected.message !== undefined) assert.match(answer.body.error_msg as string, expected.message)
}
