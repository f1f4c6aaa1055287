import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { query } from '../../src/store/connection/database.ts'
import {
  configVersion,
  makePool,
  PROJECT,
  type PoolApi,
  startPoolApi,
  writeVerdict,
} from '../support/pool-api.ts'

const SUBNET = '03e1458a-fe0d-4e2f-bc4a-44f25a045287'
const member = (extra: object = {}) => ({
  address: '127.0.0.1',
  protocol_port: 8080,
  subnet_id: SUBNET,
  ...extra,
})

interface WireMember {
  readonly id: string
  readonly name: string
  readonly weight: number
  readonly admin_state_up: boolean
  readonly operating_status: string
}

async function created(api: PoolApi, poolId: string, extra: object = {}): Promise<WireMember> {
  const answer = await api.call('POST', `/pools/${poolId}/members`, { body: { member: member(extra) } })
  assert.equal(answer.status, 201, JSON.stringify(answer.body))
  return answer.body['member'] as WireMember
}

async function rows(api: PoolApi): Promise<number> {
  return (await query<{ n: number }>(api.db, 'select count(*) as n from member'))[0]?.n ?? -1
}

suite('members', () => {
  test('a created member comes back with every key of dialect elb, its defaults and both names of the project', async (t) => {
    const api = await startPoolApi(t)
    const { poolId } = await makePool(api.db)
    const answer = await api.call('POST', `/pools/${poolId}/members`, { body: { member: member() } })
    assert.equal(answer.status, 201)
    const { id, ...rest } = answer.body['member'] as WireMember
    assert.match(id, /^[0-9a-f-]{36}$/)
    assert.deepEqual(rest, {
      name: '',
      tenant_id: PROJECT,
      project_id: PROJECT,
      address: '127.0.0.1',
      protocol_port: 8080,
      subnet_id: SUBNET,
      admin_state_up: true,
      weight: 1,
      operating_status: 'NO_MONITOR',
    })
    const shown = await api.call('GET', `/pools/${poolId}/members/${id}`)
    assert.deepEqual([shown.status, shown.body], [200, answer.body])
    const listed = await api.call('GET', `/pools/${poolId}/members`)
    assert.deepEqual(listed.body, { members: [answer.body['member']] })
  })

  test('what was sent is echoed: name, weight, admin_state_up, and what Neutron would convert', async (t) => {
    const api = await startPoolApi(t)
    const { poolId } = await makePool(api.db)
    const made = await created(api, poolId, {
      name: 'web ü',
      weight: '0',
      admin_state_up: 'False',
      protocol_port: '81',
    })
    assert.deepEqual([made.name, made.weight, made.admin_state_up], ['web ü', 0, false])
    const v6 = await api.call('POST', `/pools/${poolId}/members`, {
      body: { member: member({ address: '0:0:0:0:0:0:0:1' }) },
    })
    assert.equal((v6.body['member'] as { address: string }).address, '0:0:0:0:0:0:0:1')
  })

  test('only name, weight and admin_state_up change; everything else is read-only', async (t) => {
    const api = await startPoolApi(t)
    const { poolId } = await makePool(api.db)
    const { id } = await created(api, poolId)
    const path = `/pools/${poolId}/members/${id}`
    const changed = await api.call('PUT', path, {
      body: { member: { name: 'b', weight: 100, admin_state_up: false } },
    })
    assert.equal(changed.status, 200)
    const { name, weight, admin_state_up } = changed.body['member'] as WireMember
    assert.deepEqual([name, weight, admin_state_up], ['b', 100, false])
    const empty = await api.call('PUT', path, { body: { member: {} } })
    assert.deepEqual([empty.status, empty.body], [200, changed.body])
    for (const key of [
      'id',
      'tenant_id',
      'project_id',
      'address',
      'protocol_port',
      'subnet_id',
      'operating_status',
    ]) {
      const answer = await api.call('PUT', path, { body: { member: { [key]: 'x' } } })
      assert.deepEqual(
        [answer.status, answer.body['error_code'], answer.body['error_msg']],
        [400, 'ELB.9899', `Cannot update read-only attribute ${key}`],
      )
    }
    assert.deepEqual((await api.call('GET', path)).body, changed.body)
  })

  test('a deleted member is gone, and deleting it again is 404', async (t) => {
    const api = await startPoolApi(t)
    const { poolId } = await makePool(api.db)
    const { id } = await created(api, poolId)
    const gone = await api.call('DELETE', `/pools/${poolId}/members/${id}`)
    assert.deepEqual([gone.status, gone.body], [204, undefined])
    const again = await api.call('DELETE', `/pools/${poolId}/members/${id}`)
    assert.deepEqual([again.status, again.body['error_msg']], [404, `member ${id} could not be found.`])
    assert.equal(await rows(api), 0)
  })

  test('a member may not be aimed where the port of the monitor of its pool is forbidden', async (t) => {
    const api = await startPoolApi(t)
    const { poolId } = await makePool(api.db)
    const monitor = { pool_id: poolId, type: 'TCP', delay: 5, timeout: 3, max_retries: 2, monitor_port: 9876 }
    assert.equal(
      (await api.call('POST', '/healthmonitors', { body: { healthmonitor: monitor } })).status,
      201,
    )
    const answer = await api.call('POST', `/pools/${poolId}/members`, { body: { member: member() } })
    assert.deepEqual(
      [answer.status, answer.body['error_msg']],
      [400, 'Invalid input for address. Reason: a listener of this service is never probed.'],
    )
  })

  test('one address and port per pool, in whatever spelling; another pool may have it too', async (t) => {
    const api = await startPoolApi(t)
    const { poolId } = await makePool(api.db)
    const other = await makePool(api.db)
    await created(api, poolId, { address: '::1' })
    const again = await api.call('POST', `/pools/${poolId}/members`, {
      body: { member: member({ address: '0:0:0:0:0:0:0:1' }) },
    })
    assert.deepEqual(
      [again.status, again.body['error_code'], again.body['error_msg']],
      [
        409,
        'ELB.8907',
        `Member with address 0:0:0:0:0:0:0:1 and protocol_port 8080 already present in pool ${poolId}.`,
      ],
    )
    await created(api, poolId, { address: '::1', protocol_port: 8081 })
    await created(api, other.poolId, { address: '::1' })
  })

  test('of twenty creates of one target at once, one is 201 and the others are 409', async (t) => {
    const api = await startPoolApi(t)
    const { poolId } = await makePool(api.db)
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        api.call('POST', `/pools/${poolId}/members`, {
          body: { member: member({ address: i % 2 === 0 ? '::1' : '0:0:0:0:0:0:0:1' }) },
        }),
      ),
    )
    assert.deepEqual(
      answers.map((answer) => answer.status).toSorted((a, b) => a - b),
      [201, ...Array.from({ length: 19 }, () => 409)],
    )
    assert.equal(await rows(api), 1)
  })

  test('a member that is not of this pool, and a pool that is not there, are 404 each by its name', async (t) => {
    const api = await startPoolApi(t)
    const { poolId } = await makePool(api.db)
    const other = await makePool(api.db)
    const { id } = await created(api, poolId)
    for (const [method, body] of [['GET'], ['PUT', { member: { weight: 2 } }], ['DELETE']] as const) {
      const foreign = await api.call(method, `/pools/${other.poolId}/members/${id}`, body && { body })
      assert.deepEqual([foreign.status, foreign.body['error_msg']], [404, `member ${id} could not be found.`])
      const nowhere = await api.call(method, `/pools/${id}/members/${id}`, body && { body })
      assert.deepEqual([nowhere.status, nowhere.body['error_msg']], [404, `pool ${id} could not be found.`])
      const nonsense = await api.call(method, `/pools/${poolId}/members/x`, body && { body })
      assert.deepEqual([nonsense.status, nonsense.body['error_msg']], [404, 'member x could not be found.'])
    }
    assert.equal((await api.call('GET', `/pools/${id}/members`)).status, 404)
    assert.equal((await api.call('POST', `/pools/${id}/members`, { body: { member: member() } })).status, 404)
    assert.deepEqual((await api.call('GET', `/pools/${other.poolId}/members`)).body, { members: [] })
  })

  test('the quota holds under concurrency', async (t) => {
    const api = await startPoolApi(t, {
      quotas: { loadbalancer: -1, listener: -1, pool: -1, member: 3, healthmonitor: -1 },
    })
    const pools = await Promise.all([makePool(api.db), makePool(api.db)])
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, i) =>
        api.call('POST', `/pools/${pools[i % 2]?.poolId}/members`, {
          body: { member: member({ protocol_port: 1000 + i }) },
        }),
      ),
    )
    assert.equal(answers.filter((answer) => answer.status === 201).length, 3)
    const refused = answers.find((answer) => answer.status !== 201)
    assert.deepEqual(
      [refused?.status, refused?.body['error_code'], refused?.body['error_msg']],
      [400, 'ELB.9807', `Quota exceeded for resources:['member'].`],
    )
  })

  test('name and weight leave the check alone; switching off notifies probers, switching on voids the verdict', async (t) => {
    const api = await startPoolApi(t)
    const { poolId } = await makePool(api.db)
    const monitor = { pool_id: poolId, type: 'TCP', delay: 5, timeout: 3, max_retries: 2 }
    await api.call('POST', '/healthmonitors', { body: { healthmonitor: monitor } })
    const { id, operating_status } = await created(api, poolId)
    assert.equal(operating_status, 'OFFLINE')
    await writeVerdict(api.db, id, { status: 'ONLINE' })
    const version = await configVersion(api.db, poolId)
    const put = async (change: object) => {
      const answer = await api.call('PUT', `/pools/${poolId}/members/${id}`, { body: { member: change } })
      return (answer.body['member'] as WireMember).operating_status
    }
    assert.equal(await put({ name: 'x', weight: 0 }), 'ONLINE')
    assert.equal(await put({ admin_state_up: true }), 'ONLINE')
    assert.equal(await configVersion(api.db, poolId), version)
    assert.equal(await put({ admin_state_up: false }), 'OFFLINE')
    assert.equal(await configVersion(api.db, poolId), version + 1)
    assert.equal(await put({ admin_state_up: true }), 'OFFLINE', 'the old verdict does not come back')
    assert.equal(await configVersion(api.db, poolId), version + 2)
  })

  test('lists filter, sort and page; a full last page links to an empty one', async (t) => {
    const api = await startPoolApi(t)
    const { poolId } = await makePool(api.db)
    const made = []
    for (let i = 0; i < 4; i++)
      made.push(await created(api, poolId, { protocol_port: 1000 + i, weight: i, name: `m${i % 2}` }))
    const names = async (path: string) =>
      ((await api.call('GET', `/pools/${poolId}/members${path}`)).body['members'] as WireMember[]).map(
        (m) => m.weight,
      )
    assert.deepEqual(
      (await names('?name=m1')).toSorted((a, b) => a - b),
      [1, 3],
    )
    assert.deepEqual(await names('?name=m1&weight=3'), [3])
    assert.deepEqual(await names('?weight=1&weight=2&sort_key=weight&sort_dir=desc'), [2, 1])
    assert.deepEqual(await names('?operating_status=ONLINE'), [])
    assert.deepEqual(await names('?operating_status=NO_MONITOR&sort_key=weight&sort_dir=asc'), [0, 1, 2, 3])
    assert.deepEqual(await names('?unknown=1&sort_key=protocol_port&sort_dir=asc'), [0, 1, 2, 3])
    const walked: number[] = []
    let url: string | undefined = `/pools/${poolId}/members?limit=2&sort_key=weight&sort_dir=asc`
    for (let page = 0; url !== undefined && page < 5; page++) {
      const answer = await api.call('GET', url)
      walked.push(...(answer.body['members'] as WireMember[]).map((m) => m.weight))
      const links = (answer.body['members_links'] ?? []) as { rel: string; href: string }[]
      url = links.find((link) => link.rel === 'next')?.href
    }
    assert.deepEqual(walked, [0, 1, 2, 3])
    assert.equal(made.length, 4)
  })

  test('another project knows neither pool nor members, and its markers are unknown here', async (t) => {
    const api = await startPoolApi(t)
    const { poolId } = await makePool(api.db)
    const foreign = await makePool(api.db, { project: 'project-b' })
    const { id } = await created(api, poolId)
    const project = 'project-b'
    assert.equal((await api.call('GET', `/pools/${poolId}/members`, { project })).status, 404)
    assert.equal((await api.call('GET', `/pools/${poolId}/members/${id}`, { project })).status, 404)
    assert.equal((await api.call('GET', `/pools/${foreign.poolId}/members/${id}`, { project })).status, 404)
    const body = { member: { weight: 9 } }
    assert.equal((await api.call('PUT', `/pools/${poolId}/members/${id}`, { project, body })).status, 404)
    assert.equal((await api.call('DELETE', `/pools/${poolId}/members/${id}`, { project })).status, 404)
    const create = { member: member({ protocol_port: 1 }) }
    assert.equal((await api.call('POST', `/pools/${poolId}/members`, { project, body: create })).status, 404)
    const marked = await api.call('GET', `/pools/${foreign.poolId}/members?limit=1&marker=${id}`, { project })
    assert.deepEqual([marked.status, marked.body['error_msg']], [404, `member ${id} could not be found.`])
    assert.equal(await rows(api), 1)
  })
})
