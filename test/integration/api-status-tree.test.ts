import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { suite, test } from 'node:test'
import { query } from '../../src/store/connection/database.ts'
import { readStatusTree } from '../../src/store/status/status-tree.ts'
import { makePool, PROJECT, type PoolApi, startPoolApi, writeVerdict } from '../support/pool-api.ts'

const SUBNET = '03e1458a-fe0d-4e2f-bc4a-44f25a045287'

interface Built {
  readonly loadBalancerId: string
  readonly listenerId: string
  readonly attached: string
  readonly loose: string
  readonly monitorId: string
  readonly members: readonly string[]
}

async function addMember(api: PoolApi, poolId: string, extra: object): Promise<string> {
  const body = { member: { address: '127.0.0.1', protocol_port: 1, subnet_id: SUBNET, ...extra } }
  const answer = await api.call('POST', `/pools/${poolId}/members`, { body })
  assert.equal(answer.status, 201, JSON.stringify(answer.body))
  return answer.body.member.id as string
}

/** A listener with a monitored pool of four members, and a pool that hangs from the load balancer alone. */
async function build(api: PoolApi): Promise<Built> {
  const { loadBalancerId, poolId: attached } = await makePool(api.db)
  const { poolId: loose } = await makePool(api.db, { loadBalancerId })
  const listenerId = randomUUID()
  await query(
    api.db,
    `insert into listener (id, project_id, name, load_balancer_id, default_pool_id, protocol, protocol_port)
     values ($1, $2, 'front', $3, $4, 'HTTP', 80)`,
    [listenerId, PROJECT, loadBalancerId, attached],
  )
  const monitor = { name: 'hm', pool_id: attached, type: 'TCP', delay: 5, timeout: 3, max_retries: 2 }
  const made = await api.call('POST', '/healthmonitors', { body: { healthmonitor: monitor } })
  const members = []
  for (const extra of [{}, { weight: 0 }, {}, { admin_state_up: false }]) {
    members.push(await addMember(api, attached, { protocol_port: members.length + 1, ...extra }))
  }
  members.push(await addMember(api, loose, { weight: 0 }))
  for (const id of members.slice(0, 2)) await writeVerdict(api.db, id, { status: 'ONLINE' })
  return {
    loadBalancerId,
    listenerId,
    attached,
    loose,
    monitorId: made.body.healthmonitor.id as string,
    members,
  }
}

interface TreePool {
  readonly id: string
  readonly operating_status: string
  readonly members: readonly { readonly id: string; readonly operating_status: string }[]
}

async function tree(api: PoolApi, id: string) {
  const answer = await api.call('GET', `/loadbalancers/${id}/statuses`)
  assert.equal(answer.status, 200)
  const root = answer.body.statuses.loadbalancer as {
    operating_status: string
    listeners: { operating_status: string; pools: TreePool[] }[]
    pools: TreePool[]
  }
  const words: Record<string, string> = {}
  for (const pool of root.pools) for (const member of pool.members) words[member.id] = member.operating_status
  return { root, words }
}

suite('the status tree', () => {
  test('it holds every node with every key of dialect elb, and a listener’s pool in both places', async (t) => {
    const api = await startPoolApi(t)
    const built = await build(api)
    const answer = await api.call('GET', `/loadbalancers/${built.loadBalancerId}/statuses`)
    const node = (id: string, name: string) => ({
      id,
      name,
      provisioning_status: 'ACTIVE',
      operating_status: 'ONLINE',
    })
    const member = (index: number, port: number, operating_status: string) => ({
      id: built.members[index],
      address: '127.0.0.1',
      protocol_port: port,
      operating_status,
      provisioning_status: 'ACTIVE',
    })
    const byId = (a: { id?: string | undefined }, b: { id?: string | undefined }) =>
      (a.id ?? '').localeCompare(b.id ?? '')
    const attached = {
      ...node(built.attached, 'pool'),
      healthmonitor: { id: built.monitorId, name: 'hm', type: 'TCP', provisioning_status: 'ACTIVE' },
      members: [
        member(0, 1, 'ONLINE'),
        member(1, 2, 'OFFLINE'),
        member(2, 3, 'OFFLINE'),
        member(3, 4, 'DISABLED'),
      ].toSorted(byId),
    }
    const loose = { ...node(built.loose, 'pool'), healthmonitor: {}, members: [member(4, 1, 'NO_MONITOR')] }
    assert.deepEqual(answer.body, {
      statuses: {
        loadbalancer: {
          ...node(built.loadBalancerId, 'lb'),
          listeners: [{ ...node(built.listenerId, 'front'), l7policies: [], pools: [attached] }],
          pools: [attached, loose].toSorted(byId),
        },
      },
    })
    const alias = await api.call('GET', `/loadbalancers/${built.loadBalancerId}/status`)
    assert.deepEqual([alias.status, alias.body], [200, answer.body])
  })

  test('members that fail do not degrade their parents', async (t) => {
    const api = await startPoolApi(t)
    const built = await build(api)
    for (const id of built.members) await writeVerdict(api.db, id, { status: 'OFFLINE' })
    const { root } = await tree(api, built.loadBalancerId)
    assert.deepEqual(
      [
        root.operating_status,
        root.listeners[0]?.operating_status,
        ...root.pools.map((p) => p.operating_status),
      ],
      ['ONLINE', 'ONLINE', 'ONLINE', 'ONLINE'],
    )
  })

  test('a pool that is switched off disables its members, a load balancer everything below it', async (t) => {
    const api = await startPoolApi(t)
    const built = await build(api)
    const [a, b, c, d, looseMember] = built.members
    await query(api.db, 'update pool set admin_state_up = false where id = $1', [built.attached])
    const poolOff = await tree(api, built.loadBalancerId)
    for (const id of [a, b, c, d]) assert.equal(poolOff.words[id ?? ''], 'DISABLED')
    assert.equal(poolOff.words[looseMember ?? ''], 'NO_MONITOR')
    assert.ok(poolOff.root.pools.every((pool) => pool.operating_status === 'ONLINE'))
    await query(api.db, 'update load_balancer set admin_state_up = false where id = $1', [
      built.loadBalancerId,
    ])
    const { root, words } = await tree(api, built.loadBalancerId)
    assert.deepEqual([...new Set(Object.values(words))], ['DISABLED'])
    assert.deepEqual(
      [root, ...root.listeners, ...root.pools].map((node) => node.operating_status),
      ['DISABLED', 'DISABLED', 'DISABLED', 'DISABLED'],
    )
  })

  test('members of a pool without a listener are not read where they are not shown', async (t) => {
    const api = await startPoolApi(t)
    const { loadBalancerId, poolId } = await makePool(api.db)
    await addMember(api, poolId, {})
    const read = async (membersOf: 'every pool' | 'listened pools') => {
      const found = await readStatusTree(api.db, {
        id: loadBalancerId,
        projectId: PROJECT,
        membersMax: 10,
        membersOf,
      })
      return found?.members.length
    }
    assert.deepEqual([await read('every pool'), await read('listened pools')], [1, 0])
    await query(
      api.db,
      `insert into listener (id, project_id, load_balancer_id, protocol, protocol_port, default_pool_id)
       values (gen_random_uuid(), $1, $2, 'HTTP', 80, $3)`,
      [PROJECT, loadBalancerId, poolId],
    )
    assert.deepEqual([await read('every pool'), await read('listened pools')], [1, 1])
  })

  test('an empty load balancer has an empty tree', async (t) => {
    const api = await startPoolApi(t)
    const id = randomUUID()
    await query(api.db, `insert into load_balancer (id, project_id, provider) values ($1, $2, 'vlb')`, [
      id,
      PROJECT,
    ])
    const { root } = await tree(api, id)
    assert.deepEqual([root.listeners, root.pools], [[], []])
  })

  test('another project, and an id that is none, are 404', async (t) => {
    const api = await startPoolApi(t)
    const { loadBalancerId } = await makePool(api.db)
    const path = `/loadbalancers/${loadBalancerId}/statuses`
    const answer = await api.call('GET', path, { project: 'project-b' })
    assert.deepEqual(
      [answer.status, answer.body.error_code, answer.body.error_msg],
      [404, 'ELB.8904', `loadbalancer ${loadBalancerId} could not be found.`],
    )
    assert.equal((await api.call('GET', '/loadbalancers/x/status')).status, 404)
  })
})
