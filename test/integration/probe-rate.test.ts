/** The bound on a project's probes a second: only fast probing is refused, in the dialect's words for quotas. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Answer, type Api, type Json, startApi } from '../support/api.ts'
import * as elb from '../support/api-objects.ts'
import * as octavia from '../support/octavia.ts'

const ELB = '/elb/v2.0/lbaas'
const target = (port: number) => ({ address: '127.0.0.1', protocol_port: port })

async function aPoolOf(api: Api, members: number): Promise<Json> {
  const pool = await octavia.aPool(api, (await elb.aLoadBalancer(api)).id)
  for (let port = 1; port <= members; port++) {
    await octavia.made(api, `pools/${pool.id}/members`, target(port))
  }
  return pool
}

const create = (api: Api, base: string, poolId: string, options: object): Promise<Answer> =>
  api.request('POST', `${base}/healthmonitors`, {
    healthmonitor: { pool_id: poolId, type: 'TCP', delay: 5, timeout: 3, max_retries: 2, options },
  })

const QUOTA_MET = 'Quota has been met for resources: probes_per_second'

function assertElbQuota(answer: Answer): void {
  elb.assertRefused(answer, {
    status: 400,
    code: 'ELB.9807',
    message: "Quota exceeded for resources:['probes_per_second'].",
  })
}

test('a monitor that would bring its project over the bound is refused, and changes nothing', async (t) => {
  const api = await startApi(t, { probesPerSecondPerProject: 25 })
  const pool = await aPoolOf(api, 3)
  const before = await elb.contents(api)
  octavia.assertFault(await create(api, octavia.OCTAVIA, pool.id, { interval_ms: 100 }), 403, QUOTA_MET)
  assertElbQuota(await create(api, ELB, pool.id, { interval_ms: 100 }))
  // In the worst of its states.
  assertElbQuota(await create(api, ELB, pool.id, { interval_ms: 5000, intervals: { offline_ms: 100 } }))
  assert.deepEqual(await elb.contents(api), before)
  const made = await create(api, ELB, pool.id, { interval_ms: 200 })
  assert.equal(made.status, 201)
  const path = `/healthmonitors/${made.body.healthmonitor.id}`
  const put = (base: string, healthmonitor: object) => api.request('PUT', `${base}${path}`, { healthmonitor })
  octavia.assertFault(await put(octavia.OCTAVIA, { options: { interval_ms: 110 } }), 403, QUOTA_MET)
  assertElbQuota(await put(ELB, { options: { interval_ms: 110 } }))
  assert.equal((await put(ELB, { name: 'same rate' })).status, 200)
})

test('members of a pool that is probed fast count, alone, in a batch, and with those of other pools', async (t) => {
  const api = await startApi(t, { probesPerSecondPerProject: 25 })
  const pool = await aPoolOf(api, 1)
  assert.equal((await create(api, ELB, pool.id, { interval_ms: 100 })).status, 201)
  const members = `/pools/${pool.id}/members`
  assert.equal((await api.request('POST', octavia.OCTAVIA + members, { member: target(2) })).status, 201)
  octavia.assertFault(
    await api.request('POST', octavia.OCTAVIA + members, { member: target(3) }),
    403,
    QUOTA_MET,
  )
  assertElbQuota(
    await api.request('POST', ELB + members, { member: { ...target(3), subnet_id: elb.SUBNET } }),
  )
  const batch = { members: [1, 2, 3].map(target) }
  octavia.assertFault(await api.request('PUT', octavia.OCTAVIA + members, batch), 403, QUOTA_MET)
  const other = await aPoolOf(api, 1)
  assertElbQuota(await create(api, ELB, other.id, { interval_ms: 100 }))
  assert.equal((await create(api, ELB, other.id, { interval_ms: 200 })).status, 201)
  octavia.assertFault(
    await api.request('POST', `${octavia.OCTAVIA}/pools/${other.id}/members`, { member: target(9) }),
    403,
    QUOTA_MET,
  )
})

test('plain monitors are never refused for their rate, nor anything without a bound', async (t) => {
  const api = await startApi(t, { probesPerSecondPerProject: 1 })
  const pool = await aPoolOf(api, 3)
  const monitor = await octavia.aMonitor(api, pool.id, { delay: 0, options: { rise: 100 } })
  assert.equal(monitor.delay, 0)
  await octavia.made(api, `pools/${pool.id}/members`, target(9))
  const free = await startApi(t, { probesPerSecondPerProject: -1 })
  const { id } = await aPoolOf(free, 2)
  assert.equal((await create(free, ELB, id, { interval_ms: 100 })).status, 201)
})

test('of two writes that fit alone and not together, one is refused', async (t) => {
  const api = await startApi(t, { probesPerSecondPerProject: 15 })
  const pools = await Promise.all([aPoolOf(api, 1), aPoolOf(api, 1), aPoolOf(api, 1)])
  const answers = await Promise.all(pools.map(({ id }) => create(api, ELB, id, { interval_ms: 100 })))
  assert.deepEqual(
    answers.map(({ status }) => status).toSorted((a, b) => a - b),
    [201, 400, 400],
  )
})
