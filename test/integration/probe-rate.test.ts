/** The bound on a project's probes a second: what would add to it is refused, in the dialect's words for quotas. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Answer, type Api, type Json, startApi } from '../support/api.ts'
import { testDatabase } from '../support/database.ts'
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

test('plain fields count like options: monitors, members, single-call creates and switching on', async (t) => {
  const api = await startApi(t, { probesPerSecondPerProject: 3 })
  const plain = { type: 'TCP', delay: 1, timeout: 1, max_retries: 2 }
  const pool = await aPoolOf(api, 4)
  const post = (healthmonitor: object, base = octavia.OCTAVIA) =>
    api.request('POST', `${base}/healthmonitors`, {
      healthmonitor: { pool_id: pool.id, ...plain, ...healthmonitor },
    })
  octavia.assertFault(await post({}), 403, QUOTA_MET)
  assertElbQuota(await post({}, ELB))
  const off = await post({ admin_state_up: false })
  assert.equal(off.status, 201, 'what is off is not counted')
  const path = `${octavia.OCTAVIA}/healthmonitors/${off.body.healthmonitor.id}`
  const put = (healthmonitor: object) => api.request('PUT', path, { healthmonitor })
  octavia.assertFault(await put({ admin_state_up: true }), 403, QUOTA_MET)
  assert.equal((await put({ admin_state_up: true, delay: 2 })).status, 200)
  octavia.assertFault(await put({ delay: 1 }), 403, QUOTA_MET)
  assert.equal((await put({ max_retries: 3 })).status, 200)

  const members = `${octavia.OCTAVIA}/pools/${pool.id}/members`
  const six = [1, 2, 3, 4, 5, 6].map(target)
  assert.equal((await api.request('PUT', members, { members: six })).status, 202)
  octavia.assertFault(await api.request('POST', members, { member: target(7) }), 403, QUOTA_MET)
  octavia.assertFault(await api.request('PUT', members, { members: [...six, target(7)] }), 403, QUOTA_MET)
  assert.equal((await api.request('PUT', members, { members: [2, 3, 4, 5, 6, 7].map(target) })).status, 202)

  const tree = {
    loadbalancer: {
      vip_subnet_id: elb.SUBNET,
      pools: [
        {
          name: 'p',
          protocol: 'TCP',
          lb_algorithm: 'ROUND_ROBIN',
          members: [target(1)],
          healthmonitor: plain,
        },
      ],
    },
  }
  const before = await elb.contents(api)
  octavia.assertFault(await api.request('POST', `${octavia.OCTAVIA}/loadbalancers`, tree), 403, QUOTA_MET)
  assert.deepEqual(await elb.contents(api), before)
})

test('what is made faster of a pool that has seen traffic is held against the bound', async (t) => {
  const api = await startApi(t, { probesPerSecondPerProject: 15 })
  const pool = await aPoolOf(api, 1)
  const made = await create(api, ELB, pool.id, { interval_ms: 5000, intervals: { no_traffic_ms: 100 } })
  assert.equal(made.status, 201)
  assert.equal((await api.request('POST', `${ELB}/pools/${pool.id}/traffic`, {})).status, 204)
  const other = await aPoolOf(api, 1)
  assert.equal(
    (await create(api, ELB, other.id, { interval_ms: 100 })).status,
    201,
    'its fast times are over',
  )
  const put = (options: object) =>
    api.request('PUT', `${ELB}/healthmonitors/${made.body.healthmonitor.id}`, { healthmonitor: { options } })
  assertElbQuota(await put({ interval_ms: 100 }))
  assert.equal((await put({ interval_ms: 1000 })).status, 200)
})

test('a project beyond the bound may do whatever does not add to it, and one without a bound anything', async (t) => {
  const { db } = await testDatabase(t)
  const before = await startApi(t, { db, probesPerSecondPerProject: -1 })
  const { id } = await aPoolOf(before, 3)
  const made = await create(before, ELB, id, { interval_ms: 100 })
  assert.equal(made.status, 201)
  const api = await startApi(t, { db, probesPerSecondPerProject: 1 })
  const put = (healthmonitor: object) =>
    api.request('PUT', `${ELB}/healthmonitors/${made.body.healthmonitor.id}`, { healthmonitor })
  assert.equal((await put({ name: 'still' })).status, 200)
  assert.equal((await put({ options: { interval_ms: 200 } })).status, 200)
  assertElbQuota(await put({ options: { interval_ms: 190 } }))
  const empty = await octavia.aPool(api, (await elb.aLoadBalancer(api)).id)
  assert.equal((await create(api, ELB, empty.id, { interval_ms: 100 })).status, 201, 'it probes nobody')
  octavia.assertFault(
    await api.request('POST', `${octavia.OCTAVIA}/pools/${empty.id}/members`, { member: target(1) }),
    403,
    QUOTA_MET,
  )
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

const inFlightQuota = 'Quota has been met for resources: probes_in_flight'

test('what a project asks for in flight is bounded: attacker refused, bystander not', async (t) => {
  // Of 60 seconds of waiting after each second: 60 / 61 of a probe for each member.
  const api = await startApi(t, { inFlightPerProject: 3 })
  const attacker = { 'x-project-id': 'attacker' }
  const pool = await octavia.aPool(api, (await octavia.aLoadBalancer(api, attacker)).id, {}, attacker)
  const members = `/pools/${pool.id}/members`
  const add = (port: number) =>
    api.request('POST', octavia.OCTAVIA + members, { member: target(port) }, attacker)
  for (const port of [1, 2, 3]) assert.equal((await add(port)).status, 201)
  const monitor = (attributes: object) => ({
    healthmonitor: { pool_id: pool.id, type: 'TCP', delay: 1, timeout: 1, max_retries: 2, ...attributes },
  })
  const made = await api.request(
    'POST',
    `${octavia.OCTAVIA}/healthmonitors`,
    monitor({ options: { timeout_ms: 60_000 } }),
    attacker,
  )
  assert.equal(made.status, 201, JSON.stringify(made.body))
  octavia.assertFault(await add(4), 403, inFlightQuota)
  const batch = { members: [1, 2, 3, 4].map(target) }
  octavia.assertFault(
    await api.request('PUT', octavia.OCTAVIA + members, batch, attacker),
    403,
    inFlightQuota,
  )
  const path = `/healthmonitors/${made.body.healthmonitor.id}`
  // Waiting longer is asking for more, also where no more probes a second are made.
  const put = (base: string, timeout_ms: number) =>
    api.request('PUT', base + path, { healthmonitor: { options: { timeout_ms } } }, attacker)
  assert.equal((await put(octavia.OCTAVIA, 1000)).status, 200)
  assert.equal((await add(4)).status, 201)
  octavia.assertFault(await put(octavia.OCTAVIA, 60_000), 403, inFlightQuota)
  elb.assertRefused(await put(ELB, 60_000), {
    status: 400,
    code: 'ELB.9807',
    message: "Quota exceeded for resources:['probes_in_flight'].",
  })
  const plan = (await api.request('GET', `${octavia.OCTAVIA}${path}/plan`, undefined, attacker)).body.plan
  assert.equal(plan.probes_in_flight, 2)
  assert.deepEqual(plan.project, {
    probes_per_second: 4,
    probes_per_second_max: 50_000,
    probes_in_flight: 2,
    probes_in_flight_max: 3,
  })
  // Its own project is as free as before.
  const bystander = await aPoolOf(api, 3)
  assert.equal((await create(api, ELB, bystander.id, { timeout_ms: 60_000 })).status, 201)
})

test('without a limit the plan says so, and every rate is accepted', async (t) => {
  const api = await startApi(t, { inFlightPerProject: -1, probesPerSecondPerProject: -1 })
  const pool = await aPoolOf(api, 2)
  const made = await create(api, ELB, pool.id, { interval_ms: 100, timeout_ms: 3_600_000 })
  assert.equal(made.status, 201)
  const { plan } = (await api.request('GET', `${ELB}/healthmonitors/${made.body.healthmonitor.id}/plan`)).body
  assert.deepEqual([plan.project.probes_per_second_max, plan.project.probes_in_flight_max], [null, null])
  assert.equal(plan.probes_in_flight, 2)
})
