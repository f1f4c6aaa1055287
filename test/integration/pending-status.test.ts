/**
 * What is published between a change of configuration and the first verdict after it: what was published before. Verdicts
 * are written by hand here; the last test has a prober.
 */
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { suite, test } from 'node:test'
import { query } from '../../src/store/connection/database.ts'
import { type Api, type Json, startApi } from '../support/api.ts'
import * as elb from '../support/api-objects.ts'
import { eventually } from '../support/configuration.ts'
import { type Ending, testDatabase } from '../support/database.ts'
import * as octavia from '../support/octavia.ts'
import { writeVerdict } from '../support/pool-api.ts'
import { testProber } from '../support/prober.ts'

const ELB = '/elb/v2.0/lbaas'

interface World {
  readonly api: Api
  readonly loadBalancerId: string
  readonly poolId: string
  readonly memberId: string
  /** Changes an object through dialect elb. */
  readonly put: (path: string, attributes: object) => Promise<Json>
  /** A monitor, through dialect elb. */
  readonly monitor: (attributes?: object) => Promise<string>
  /** elb's and Octavia's words of the member, Octavia's of pool and load balancer, and whether it is pending. */
  readonly seen: () => Promise<readonly [string, string, string, string, boolean]>
}

/** A pool on a listener with one member. */
async function world(t: Ending, port = 8080): Promise<World> {
  const api = await startApi(t)
  const loadBalancer = await octavia.made(api, 'loadbalancers', { vip_subnet_id: elb.SUBNET })
  const pool = await octavia.aPool(api, loadBalancer.id as string, { protocol: 'TCP' })
  const listener = { loadbalancer_id: loadBalancer.id, protocol: 'TCP', protocol_port: 80 }
  await octavia.made(api, 'listeners', { ...listener, default_pool_id: pool.id })
  const poolId = pool.id as string
  const member = await octavia.made(api, `pools/${poolId}/members`, {
    address: '127.0.0.1',
    protocol_port: port,
  })
  const read = async (path: string): Promise<Json> => {
    const answer = await api.request('GET', path)
    assert.equal(answer.status, 200, JSON.stringify(answer.body))
    return Object.values(answer.body as object)[0]
  }
  const member_ = `pools/${poolId}/members/${member.id}`
  return {
    api,
    loadBalancerId: loadBalancer.id as string,
    poolId,
    memberId: member.id as string,
    async put(path, attributes) {
      const envelope = path.split('/').at(-2)?.replace(/s$/, '') ?? ''
      const answer = await api.request('PUT', `${ELB}/${path}`, { [envelope]: attributes })
      assert.equal(answer.status, 200, JSON.stringify(answer.body))
      return answer.body[envelope]
    },
    async monitor(attributes = {}) {
      const healthmonitor = {
        pool_id: poolId,
        type: 'TCP',
        delay: 1,
        timeout: 1,
        max_retries: 2,
        ...attributes,
      }
      const answer = await api.request('POST', `${ELB}/healthmonitors`, { healthmonitor })
      assert.equal(answer.status, 201, JSON.stringify(answer.body))
      return answer.body.healthmonitor.id as string
    },
    async seen() {
      const [inElb, inOctavia, ofPool, ofLoadBalancer, health] = await Promise.all([
        read(`${ELB}/${member_}`),
        read(`${octavia.OCTAVIA}/${member_}`),
        read(`${octavia.OCTAVIA}/pools/${poolId}`),
        read(`${octavia.OCTAVIA}/loadbalancers/${loadBalancer.id}`),
        read(`${ELB}/${member_}/health`),
      ])
      return [
        inElb.operating_status,
        inOctavia.operating_status,
        ofPool.operating_status,
        ofLoadBalancer.operating_status,
        health.pending,
      ]
    },
  }
}

const UNCHECKED = ['NO_MONITOR', 'NO_MONITOR', 'ONLINE', 'ONLINE', false] as const
const UP = ['ONLINE', 'ONLINE', 'ONLINE', 'ONLINE', false] as const
const DOWN = ['OFFLINE', 'ERROR', 'ERROR', 'ERROR', false] as const
const pending = ([inElb, inOctavia, pool, loadBalancer]: readonly [
  string,
  string,
  string,
  string,
  boolean,
]) => [inElb, inOctavia, pool, loadBalancer, true] as const

suite('between a change and the first verdict', () => {
  test('a new monitor leaves a member NO_MONITOR and its pool ONLINE', async (t) => {
    const { seen, monitor } = await world(t)
    assert.deepEqual(await seen(), UNCHECKED)
    await monitor()
    assert.deepEqual(await seen(), pending(UNCHECKED))
  })

  test('a monitor that was deleted takes its verdicts with it: below the next one NO_MONITOR stays', async (t) => {
    const { api, memberId, seen, monitor } = await world(t)
    const id = await monitor()
    await writeVerdict(api.db, memberId, { status: 'OFFLINE' })
    await api.request('DELETE', `${ELB}/healthmonitors/${id}`)
    assert.deepEqual(await seen(), UNCHECKED)
    await monitor()
    assert.deepEqual(await seen(), pending(UNCHECKED))
  })

  test('another type and another port leave what was published, good or bad', async (t) => {
    const { api, memberId, seen, monitor, put } = await world(t)
    const id = await monitor()
    for (const [status, published] of [
      ['ONLINE', UP],
      ['OFFLINE', DOWN],
    ] as const) {
      await writeRolledUp(api, memberId, status)
      assert.deepEqual(await seen(), published)
      await put(`healthmonitors/${id}`, { type: status === 'ONLINE' ? 'HTTP' : 'TCP' })
      assert.deepEqual(await seen(), pending(published))
      await writeRolledUp(api, memberId, status)
      await put(`healthmonitors/${id}`, { monitor_port: status === 'ONLINE' ? 81 : 82 })
      assert.deepEqual(await seen(), pending(published))
    }
  })

  test('switched off and on: a monitor leaves NO_MONITOR, member, pool and load balancer OFFLINE', async (t) => {
    const { api, loadBalancerId, poolId, memberId, seen, monitor, put } = await world(t)
    const id = await monitor()
    await writeRolledUp(api, memberId, 'ONLINE')
    await put(`healthmonitors/${id}`, { admin_state_up: false })
    assert.deepEqual(await seen(), UNCHECKED)
    await put(`healthmonitors/${id}`, { admin_state_up: true })
    assert.deepEqual(await seen(), pending(UNCHECKED))
    for (const path of [
      `pools/${poolId}/members/${memberId}`,
      `pools/${poolId}`,
      `loadbalancers/${loadBalancerId}`,
    ]) {
      await writeRolledUp(api, memberId, 'ONLINE')
      await put(path, { admin_state_up: false })
      assert.deepEqual((await seen()).slice(0, 2), ['OFFLINE', 'OFFLINE'], path)
      await put(path, { admin_state_up: true })
      assert.deepEqual(await seen(), ['OFFLINE', 'OFFLINE', 'OFFLINE', 'ONLINE', true], path)
    }
  })

  test('a member that is added again is a new one: OFFLINE below a monitor, whatever the old one was', async (t) => {
    const { api, poolId, memberId, monitor } = await world(t)
    await monitor()
    await writeRolledUp(api, memberId, 'ONLINE')
    await api.request('DELETE', `${ELB}/pools/${poolId}/members/${memberId}`)
    const again = { address: '127.0.0.1', protocol_port: 8080 }
    const member = await octavia.made(api, `pools/${poolId}/members`, again)
    assert.equal(member.operating_status, 'OFFLINE')
  })

  test('what leaves target and question as they were is no change: no generation, nothing pending', async (t) => {
    const { api, poolId, memberId, seen, monitor, put } = await world(t)
    const id = await monitor()
    await writeRolledUp(api, memberId, 'ONLINE')
    await put(`healthmonitors/${id}`, { monitor_port: 8080 })
    assert.deepEqual(await seen(), UP)
    const member = `${octavia.OCTAVIA}/pools/${poolId}/members/${memberId}`
    for (const same of [{ monitor_port: 8080 }, { monitor_address: '127.0.0.1' }, { monitor_port: null }]) {
      const answer = await api.request('PUT', member, { member: same })
      assert.equal(answer.status, 200, JSON.stringify(answer.body))
      assert.deepEqual(await seen(), UP, JSON.stringify(same))
    }
    await api.request('PUT', member, { member: { monitor_port: 8081 } })
    assert.deepEqual(await seen(), pending(UP))
    await put(`healthmonitors/${id}`, { monitor_port: 9 })
    await writeRolledUp(api, memberId, 'ONLINE')
    await put(`healthmonitors/${id}`, { monitor_port: 10 })
    assert.deepEqual(await seen(), UP, "the member's own port wins over the monitor's")
    const batch = { members: [{ address: '127.0.0.1', protocol_port: 8080, monitor_port: 8081, weight: 7 }] }
    assert.equal((await api.request('PUT', `${octavia.OCTAVIA}/pools/${poolId}/members`, batch)).status, 202)
    assert.deepEqual(await seen(), UP, 'a batch that says the same target')
  })

  test('a start that is chosen is published from the start, in reads, lists, health and roll-up', async (t) => {
    for (const options of [{ initial: { status: 'ONLINE' } }, { preset: 'contrail' }]) {
      const { api, poolId, seen, monitor } = await world(t)
      await monitor({ options })
      assert.deepEqual(await seen(), pending(UP), JSON.stringify(options))
      const listed = await api.request('GET', `${ELB}/pools/${poolId}/members?operating_status=ONLINE`)
      assert.equal(listed.body.members.length, 1)
      const counts = (await api.request('GET', `${ELB}/pools/${poolId}/health`)).body.health.counts
      assert.equal(counts.ONLINE, 1)
      const rows = await query<{ operating_status: string }>(
        api.db,
        'select operating_status from member_status',
      )
      assert.deepEqual(rows, [{ operating_status: 'ONLINE' }])
    }
    const { seen, monitor } = await world(t)
    await monitor({ options: { initial: { status: 'OFFLINE' } } })
    assert.deepEqual((await seen()).slice(0, 3), ['OFFLINE', 'OFFLINE', 'OFFLINE'])
  })
})

/** As a prober writes it, for roll-ups too. */
async function writeRolledUp(api: Api, memberId: string, status: 'ONLINE' | 'OFFLINE'): Promise<void> {
  await writeVerdict(api.db, memberId, { status })
  await query(
    api.db,
    'update member_state s set pool_id = m.pool_id from member m where m.id = s.member_id and m.id = $1',
    [memberId],
  )
}

test('a member that answers is at no moment OFFLINE when its pool gets a monitor, another type, or it off and on', async (t) => {
  const server = createServer((_, response) => response.end('up'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  const { port } = server.address() as AddressInfo
  const database = await testDatabase(t)
  const api = await startApi(t, { db: database.db })
  const pool = await octavia.aPool(api, (await elb.aLoadBalancer(api)).id as string)
  const member = await octavia.made(api, `pools/${pool.id}/members`, {
    address: '127.0.0.1',
    protocol_port: port,
  })
  testProber(database)
  const seen: string[] = []
  const look = async (): Promise<string> => {
    const answer = await api.request('GET', `${ELB}/pools/${pool.id}/members/${member.id}/health`)
    const { status, pending: isPending } = answer.body.health as { status: string; pending: boolean }
    if (seen.at(-1) !== status) seen.push(status)
    return `${status}${isPending ? ' pending' : ''}`
  }
  const settles = (wanted: string) =>
    eventually(`the member is ${wanted}`, async () => (await look()) === wanted)
  const monitor = await octavia.aMonitor(api, pool.id as string, { type: 'TCP', delay: 1, timeout: 1 })
  await settles('ONLINE')
  const put = async (attributes: object) =>
    assert.equal(
      (await api.request('PUT', `${ELB}/healthmonitors/${monitor.id}`, { healthmonitor: attributes })).status,
      200,
    )
  for (const change of [{ type: 'HTTP' }, { monitor_port: port }, { type: 'TCP' }]) {
    await put(change)
    await settles('ONLINE')
  }
  await put({ admin_state_up: false })
  await settles('NO_MONITOR')
  await put({ admin_state_up: true })
  await settles('ONLINE')
  assert.deepEqual(seen, ['NO_MONITOR', 'ONLINE', 'NO_MONITOR', 'ONLINE'])
  const transitions = await query<{ from_state: string; to_state: string }>(
    api.db,
    'select from_state, to_state from member_transition order by id',
  )
  const begun = { from_state: 'UNKNOWN', to_state: 'ONLINE' }
  assert.deepEqual(
    transitions,
    [begun, begun],
    'one when it got a monitor, one when that was switched on again',
  )
})
