import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { makePool, PROJECT, type PoolApi, startPoolApi, writeVerdict } from '../support/pool-api.ts'

const SUBNET = '03e1458a-fe0d-4e2f-bc4a-44f25a045287'

async function addMember(api: PoolApi, poolId: string, port: number, project = PROJECT): Promise<string> {
  const body = { member: { address: '127.0.0.1', protocol_port: port, subnet_id: SUBNET } }
  const answer = await api.call('POST', `/pools/${poolId}/members`, { body, project })
  assert.equal(answer.status, 201, JSON.stringify(answer.body))
  return answer.body.member.id as string
}

async function portsOf(api: PoolApi, search: string, project = PROJECT): Promise<number[]> {
  const answer = await api.call('GET', `/members?sort_key=protocol_port&sort_dir=asc${search}`, { project })
  assert.equal(answer.status, 200)
  return (answer.body.members as { protocol_port: number }[]).map((member) => member.protocol_port)
}

suite('the global list of members', () => {
  test('items are members with the ids of their parents and no cloud server', async (t) => {
    const api = await startPoolApi(t)
    const { poolId, loadBalancerId } = await makePool(api.db)
    const id = await addMember(api, poolId, 1)
    const shown = await api.call('GET', `/pools/${poolId}/members/${id}`)
    assert.deepEqual((await api.call('GET', '/members')).body, {
      members: [
        {
          ...shown.body.member,
          pool_id: poolId,
          loadbalancer_id: loadBalancerId,
          device_id: '',
          device_owner: '',
        },
      ],
    })
  })

  test('it filters by every attribute, by the parents and by the status', async (t) => {
    const api = await startPoolApi(t)
    const [a, b] = await Promise.all([makePool(api.db), makePool(api.db)])
    const monitor = { pool_id: b.poolId, type: 'TCP', delay: 5, timeout: 3, max_retries: 2 }
    await api.call('POST', '/healthmonitors', { body: { healthmonitor: monitor } })
    await addMember(api, a.poolId, 1)
    await addMember(api, b.poolId, 2)
    await writeVerdict(api.db, await addMember(api, b.poolId, 3), { status: 'ONLINE' })
    assert.deepEqual(await portsOf(api, ''), [1, 2, 3])
    assert.deepEqual(await portsOf(api, `&loadbalancer_id=${b.loadBalancerId}`), [2, 3])
    assert.deepEqual(await portsOf(api, `&pool_id=${a.poolId}&pool_id=${b.poolId}`), [1, 2, 3])
    assert.deepEqual(await portsOf(api, `&pool_id=${a.poolId}`), [1])
    assert.deepEqual(await portsOf(api, '&operating_status=OFFLINE'), [2])
    assert.deepEqual(await portsOf(api, '&operating_status=ONLINE&operating_status=NO_MONITOR'), [1, 3])
    assert.deepEqual(await portsOf(api, '&address=127.0.0.1&protocol_port=2'), [2])
    assert.deepEqual(await portsOf(api, '&address=127.0.0.2'), [])
    assert.deepEqual(await portsOf(api, '&device_id=x'), [])
    assert.deepEqual(await portsOf(api, '&device_id=&weight=1&admin_state_up=true&nonsense=1'), [1, 2, 3])
    assert.deepEqual(await portsOf(api, '&loadbalancer_id=nonsense'), [])
  })

  test('pages end and link', async (t) => {
    const api = await startPoolApi(t, { pageMax: 2 })
    const { poolId } = await makePool(api.db)
    for (let port = 1; port <= 5; port++) await addMember(api, poolId, port)
    const seen: number[] = []
    let url: string | undefined = '/members?sort_key=protocol_port&sort_dir=asc'
    for (let page = 0; url !== undefined; page++) {
      assert.ok(page < 5, 'the walk ends')
      const { body } = await api.call('GET', url)
      seen.push(...(body.members as { protocol_port: number }[]).map((member) => member.protocol_port))
      const links = (body.members_links ?? []) as { rel: string; href: string }[]
      url = links.find((link) => link.rel === 'next')?.href
    }
    assert.deepEqual(seen, [1, 2, 3, 4, 5])
  })

  test('it holds the members of one project, and knows no marker of another', async (t) => {
    const api = await startPoolApi(t)
    const [own, foreign] = await Promise.all([makePool(api.db), makePool(api.db, { project: 'project-b' })])
    const id = await addMember(api, own.poolId, 1)
    await addMember(api, foreign.poolId, 2, 'project-b')
    assert.deepEqual(await portsOf(api, ''), [1])
    assert.deepEqual(await portsOf(api, '', 'project-b'), [2])
    assert.deepEqual(await portsOf(api, `&project_id=${PROJECT}`, 'project-b'), [])
    assert.deepEqual(await portsOf(api, `&pool_id=${own.poolId}`, 'project-b'), [])
    const marked = await api.call('GET', `/members?limit=1&marker=${id}`, { project: 'project-b' })
    assert.deepEqual([marked.status, marked.body.error_msg], [404, `member ${id} could not be found.`])
  })
})
