/** Dialect elb: whose address is in the Host header of a monitor without a domain name. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadPools } from '../../src/store/probing/checks.ts'
import { query } from '../../src/store/connection/database.ts'
import { type Api, startApi } from '../support/api.ts'
import { aLoadBalancer, aMonitor, aPool, created, SUBNET } from '../support/api-objects.ts'

const BASE = '/elb/v2.0/lbaas'

/** A member at 127.0.0.9:8080 below such a load balancer; what its probes name, and what the plan says of it. */
async function named(api: Api, loadBalancer: object, monitor: object = {}) {
  const pool = await aPool(api, (await aLoadBalancer(api, loadBalancer)).id, { protocol: 'HTTP' })
  await created(api, `pools/${pool.id}/members`, {
    address: '127.0.0.9',
    protocol_port: 8080,
    subnet_id: SUBNET,
  })
  const { id } = await aMonitor(api, pool.id, { type: 'HTTP', ...monitor })
  return { id, ask: () => asked(api, pool.id, id) }
}

async function asked(api: Api, poolId: string, monitorId: string) {
  const [pool] = await loadPools(api.db, [poolId])
  const { address, http } = pool?.checks[0]?.config.target ?? assert.fail('nothing is probed')
  const { body } = await api.request('GET', `${BASE}/healthmonitors/${monitorId}/plan`)
  return { address, host: http?.host, planned: body.plan.options['http.host'] }
}

test("the Host is the load balancer's address when a client gave it one; the plan says so, and a domain name wins", async (t) => {
  const api = await startApi(t)
  const { id, ask } = await named(api, { vip_address: '10.9.8.7' })
  const ofVip = {
    address: '127.0.0.9',
    host: '10.9.8.7',
    planned: { value: '10.9.8.7', from: 'profile' },
  }
  assert.deepEqual(await ask(), ofVip)
  const put = (domain_name: string | null) =>
    api.request('PUT', `${BASE}/healthmonitors/${id}`, { healthmonitor: { domain_name } })
  await put('www.example.org')
  assert.deepEqual(await ask(), {
    address: '127.0.0.9',
    host: 'www.example.org',
    planned: { value: 'www.example.org', from: 'field' },
  })
  await put(null)
  assert.deepEqual(await ask(), ofVip)
})

test("an address from HM_VIP_RANGE is never the Host: the member's is, as with older monitors", async (t) => {
  const api = await startApi(t)
  const { ask } = await named(api, {})
  assert.deepEqual(await ask(), { address: '127.0.0.9', host: '127.0.0.9:8080', planned: undefined })
  const before = await named(api, { vip_address: '10.9.8.7' })
  await query(api.db, `update health_monitor set echo = '{}'::jsonb where id = $1`, [before.id])
  assert.deepEqual((await before.ask()).host, '127.0.0.9:8080')
})
