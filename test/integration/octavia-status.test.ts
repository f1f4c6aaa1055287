import assert from 'node:assert/strict'
import { test } from 'node:test'
import { query } from '../../src/store/connection/database.ts'
import { aMonitor, aPool, created, SUBNET } from '../support/api-objects.ts'
import { assertFault, type OctaviaApi, startOctaviaApi, UNKNOWN_ID } from '../support/octavia-api.ts'

/** Made through elb, shown through octavia. */
const aMember = (api: OctaviaApi, poolId: string, attributes: object) =>
  created(api, `pools/${poolId}/members`, { subnet_id: SUBNET, ...attributes })

/** What a prober would write. */
async function judge(api: OctaviaApi, memberId: string, status: 'ONLINE' | 'OFFLINE'): Promise<void> {
  await query(
    api.db,
    `insert into member_state (member_id, pool_id, generation, status, since, reason, ok_run, bad_run, shard, epoch, sequence)
     select m.id, m.pool_id, greatest(lb.generation, p.generation, m.generation, hm.generation), $1, now(), 'PASSED',
       0, 0, 0, 1, 1
     from member m join pool p on p.id = m.pool_id join load_balancer lb on lb.id = p.load_balancer_id
     join health_monitor hm on hm.pool_id = p.id where m.id = $2
     on conflict (member_id) do update set status = excluded.status, generation = excluded.generation`,
    [status, memberId],
  )
}

test('the status tree has the shape of Octavia, and only pools of listeners', async (t) => {
  const api = await startOctaviaApi(t)
  const lb = await api.loadBalancer({ name: 'lb1' })
  const pool = await aPool(api, lb.id, { name: 'po2' })
  await aPool(api, lb.id, { name: 'on no listener' })
  const monitor = await aMonitor(api, pool.id, { type: 'HTTP' })
  const member = await aMember(api, pool.id, { address: '127.0.0.30', protocol_port: 80 })
  const listener = await api.create('listeners', {
    name: 'ls1',
    loadbalancer_id: lb.id,
    protocol: 'HTTP',
    protocol_port: 80,
    default_pool_id: pool.id,
  })
  const tree = {
    statuses: {
      loadbalancer: {
        id: lb.id,
        name: 'lb1',
        operating_status: 'ONLINE',
        provisioning_status: 'ACTIVE',
        listeners: [
          {
            id: listener.id,
            name: 'ls1',
            operating_status: 'ONLINE',
            provisioning_status: 'ACTIVE',
            pools: [
              {
                id: pool.id,
                name: 'po2',
                provisioning_status: 'ACTIVE',
                operating_status: 'OFFLINE',
                health_monitor: {
                  id: monitor.id,
                  name: monitor.name,
                  type: 'HTTP',
                  provisioning_status: 'ACTIVE',
                  operating_status: 'ONLINE',
                },
                members: [
                  {
                    id: member.id,
                    name: member.name,
                    operating_status: 'OFFLINE',
                    provisioning_status: 'ACTIVE',
                    address: '127.0.0.30',
                    protocol_port: 80,
                  },
                ],
              },
            ],
          },
        ],
      },
    },
  }
  assert.deepEqual((await api.send('GET', `/loadbalancers/${lb.id}/status`)).body, tree)
  assert.deepEqual((await api.send('GET', `/loadbalancers/${lb.id}/statuses`)).body, tree)
  assertFault(
    await api.send('GET', `/loadbalancers/${UNKNOWN_ID}/status`),
    404,
    `Load Balancer ${UNKNOWN_ID} not found.`,
  )
})

test('tree and lists show the same status of every object while members come and go', async (t) => {
  const api = await startOctaviaApi(t)
  const lb = await api.loadBalancer()
  const pool = await aPool(api, lb.id)
  await api.create('listeners', {
    loadbalancer_id: lb.id,
    protocol: 'HTTP',
    protocol_port: 80,
    default_pool_id: pool.id,
  })
  const shown = async (): Promise<string[]> => {
    const { loadbalancer } = (await api.send('GET', `/loadbalancers/${lb.id}/status`)).body.statuses
    const read = (await api.send('GET', `/loadbalancers/${lb.id}`)).body.loadbalancer
    assert.equal(read.operating_status, loadbalancer.operating_status)
    const [one] = loadbalancer.listeners[0].pools
    const filtered = await api.send('GET', `/loadbalancers?operating_status=${read.operating_status}`)
    assert.deepEqual(filtered.body.loadbalancers, [read])
    const inSql = await query<{ operating_status: string }>(
      api.db,
      'select operating_status from pool_status where pool_id = $1',
      [pool.id],
    )
    assert.equal(inSql[0]?.operating_status, one.operating_status)
    const members = one.members.map((member: { operating_status: string }) => member.operating_status)
    return [loadbalancer.operating_status, one.operating_status, ...members.toSorted()]
  }
  assert.deepEqual(await shown(), ['ONLINE', 'ONLINE'])
  const first = await aMember(api, pool.id, { address: '127.0.0.1', protocol_port: 1 })
  assert.deepEqual(await shown(), ['ONLINE', 'ONLINE', 'NO_MONITOR'])
  await aMonitor(api, pool.id)
  // Nothing is known of it yet: what was published stays.
  assert.deepEqual(await shown(), ['ONLINE', 'ONLINE', 'NO_MONITOR'])
  await judge(api, first.id, 'ONLINE')
  assert.deepEqual(await shown(), ['ONLINE', 'ONLINE', 'ONLINE'])
  const second = await aMember(api, pool.id, { address: '127.0.0.1', protocol_port: 2 })
  await judge(api, second.id, 'OFFLINE')
  assert.deepEqual(await shown(), ['DEGRADED', 'DEGRADED', 'ERROR', 'ONLINE'])
  await judge(api, first.id, 'OFFLINE')
  assert.deepEqual(await shown(), ['ERROR', 'ERROR', 'ERROR', 'ERROR'])
  await judge(api, first.id, 'ONLINE')
  await query(api.db, 'update member set weight = 0 where id = $1', [first.id])
  assert.deepEqual(await shown(), ['ERROR', 'ERROR', 'DRAINING', 'ERROR'])
  await query(api.db, 'update member set admin_state_up = false')
  assert.deepEqual(await shown(), ['ERROR', 'ERROR', 'OFFLINE', 'OFFLINE'])
  await api.send('PUT', `/loadbalancers/${lb.id}`, { loadbalancer: { admin_state_up: false } })
  assert.deepEqual((await shown()).slice(0, 2), ['OFFLINE', 'OFFLINE'])
})
