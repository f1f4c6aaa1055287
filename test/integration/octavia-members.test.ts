/** Members of dialect octavia: rules, null semantics, words of their status, and batches. */
import assert from 'node:assert/strict'
import { suite, test, type TestContext } from 'node:test'
import pg from 'pg'
import { query } from '../../src/store/connection/database.ts'
import { type Api, type ApiOptions, type Json, startApi, UNLIMITED } from '../support/api.ts'
import { aLoadBalancer, aMonitor, aPool, assertFault, force, made, OCTAVIA } from '../support/octavia.ts'

interface Pool {
  readonly api: Api
  readonly loadBalancer: Json
  readonly pool: Json
  readonly members: string
  readonly list: (query?: string) => Promise<Json[]>
  readonly batch: (items: readonly object[], query?: string) => Promise<Json>
}

async function poolOf(t: TestContext, options: ApiOptions = {}): Promise<Pool> {
  const api = await startApi(t, options)
  const loadBalancer = await aLoadBalancer(api)
  const pool = await aPool(api, loadBalancer.id)
  const members = `pools/${pool.id}/members`
  return {
    api,
    loadBalancer,
    pool,
    members,
    list: async (search = '') => (await api.request('GET', `${OCTAVIA}/${members}${search}`)).body.members,
    batch: (items, search = '') => api.request('PUT', `${OCTAVIA}/${members}${search}`, { members: items }),
  }
}

const at = (address: string, attributes: object = {}) => ({ address, protocol_port: 80, ...attributes })

async function generations(api: Api): Promise<Readonly<Record<string, number>>> {
  const rows = await query<{ address: string; generation: number }>(
    api.db,
    'select address, generation from member',
  )
  return Object.fromEntries(rows.map(({ address, generation }) => [address, generation]))
}

async function giveVerdict(api: Api, member: Json, status: 'ONLINE' | 'OFFLINE'): Promise<void> {
  await query(
    api.db,
    `insert into member_state (member_id, pool_id, shard, generation, status, since, reason, detail, evidence, ok_run, bad_run,
       epoch, sequence)
     select m.id, p.id, p.shard, greatest(lb.generation, p.generation, m.generation, hm.generation), $1, now(), 'PASSED', '', '{}',
       1, 0, 1, 1
     from member m join pool p on p.id = m.pool_id join load_balancer lb on lb.id = p.load_balancer_id
     join health_monitor hm on hm.pool_id = p.id where m.id = $2`,
    [status, member.id],
  )
}

suite('members of dialect octavia', () => {
  test('a member has every attribute, in order, and starts as the pool says', async (t) => {
    const { api, members, pool } = await poolOf(t)
    const first = await made(api, members, at('127.0.0.1'))
    assert.deepEqual(Object.keys(first as object), [
      'id',
      'name',
      'operating_status',
      'provisioning_status',
      'admin_state_up',
      'address',
      'protocol_port',
      'weight',
      'backup',
      'subnet_id',
      'project_id',
      'created_at',
      'updated_at',
      'monitor_address',
      'monitor_port',
      'tags',
      'vnic_type',
      'tenant_id',
    ])
    assert.equal(first.operating_status, 'NO_MONITOR')
    assert.match(first.created_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/)
    await aMonitor(api, pool.id)
    assert.equal((await made(api, members, at('127.0.0.2'))).operating_status, 'OFFLINE')
  })

  test('a member is ONLINE, ERROR, DRAINING, OFFLINE or NO_MONITOR, and lists filter by these words', async (t) => {
    const { api, members, pool, list } = await poolOf(t)
    await aMonitor(api, pool.id)
    const words = { ONLINE: {}, ERROR: {}, DRAINING: { weight: 0 }, OFFLINE: { admin_state_up: false } }
    for (const [i, [word, attributes]] of Object.entries(words).entries()) {
      const member = await made(api, members, at(`127.0.0.${i + 1}`, { name: word, ...attributes }))
      await giveVerdict(api, member, word === 'ERROR' ? 'OFFLINE' : 'ONLINE')
    }
    for (const word of Object.keys(words)) {
      const found = await list(`?operating_status=${word}`)
      assert.deepEqual(
        found.map((member) => [member.name, member.operating_status]),
        [[word, word]],
      )
    }
    const { healthmonitor_id: monitorId } = (await api.request('GET', `${OCTAVIA}/pools/${pool.id}`)).body
      .pool
    await api.request('DELETE', `${OCTAVIA}/healthmonitors/${monitorId}`)
    const after = await list()
    assert.deepEqual(
      after.map((member) => member.operating_status),
      ['NO_MONITOR', 'NO_MONITOR', 'NO_MONITOR', 'OFFLINE'],
    )
  })

  test('null resets what has a default, clears what has none and leaves tags; what Terraform sends clears too', async (t) => {
    const { api, members } = await poolOf(t)
    const sent = {
      weight: 7,
      backup: true,
      monitor_address: '127.0.0.9',
      monitor_port: 99,
      name: 'n',
      tags: ['a'],
    }
    const { id } = await made(api, members, at('127.0.0.1', sent))
    const put = async (attributes: object): Promise<Json> => {
      const answer = await api.request('PUT', `${OCTAVIA}/${members}/${id}`, { member: attributes })
      assert.equal(answer.status, 200, JSON.stringify(answer.body))
      return answer.body.member
    }
    const cleared = await put({ weight: null, backup: null, name: null, tags: null, admin_state_up: null })
    assert.deepEqual(
      [cleared.weight, cleared.backup, cleared.name, cleared.tags, cleared.admin_state_up],
      [1, false, '', ['a'], false],
    )
    const moved = await put({ monitor_address: '', monitor_port: 0 })
    assert.deepEqual([moved.monitor_address, moved.monitor_port], [null, null])
    const unchanged = await put({})
    assert.notEqual(unchanged.updated_at, null)
  })

  test('another target of the probes is another generation; name, weight and tags are not', async (t) => {
    const { api, members } = await poolOf(t)
    const { id } = await made(api, members, at('127.0.0.1'))
    const generation = async () => (await generations(api))['127.0.0.1'] ?? 0
    const first = await generation()
    const put = (attributes: object) =>
      api.request('PUT', `${OCTAVIA}/${members}/${id}`, { member: attributes })
    await put({ name: 'x', weight: 5, tags: ['t'], backup: true })
    assert.equal(await generation(), first)
    await put({ monitor_port: 81 })
    const second = await generation()
    assert.ok(second > first)
    await put({ monitor_address: '127.0.0.2' })
    assert.ok((await generation()) > second)
  })

  test('what may not be probed is refused, for the address of the monitor too', async (t) => {
    const { api, members } = await poolOf(t, {
      targetPolicy: (address) => (address === '127.0.0.66' ? 'the test says no' : undefined),
    })
    const fault = '127.0.0.66 is not a valid option for member'
    const post = (attributes: object) => api.request('POST', `${OCTAVIA}/${members}`, { member: attributes })
    assertFault(await post(at('127.0.0.66')), 400, `${fault} address`)
    assertFault(
      await post(at('127.0.0.1', { monitor_address: '127.0.0.66' })),
      400,
      `${fault} monitor_address`,
    )
    const { id } = await made(api, members, at('127.0.0.1'))
    const put = await api.request('PUT', `${OCTAVIA}/${members}/${id}`, {
      member: { monitor_address: '127.0.0.66' },
    })
    assertFault(put, 400, `${fault} monitor_address`)
  })

  test('below parents that are not ACTIVE nothing is written: the pool is named first', async (t) => {
    const { api, members, pool, loadBalancer, batch, list } = await poolOf(t)
    const { id } = await made(api, members, at('127.0.0.1'))
    await force(api, 'load_balancer', loadBalancer.id, 'PENDING_UPDATE')
    const writes = [
      () => api.request('POST', `${OCTAVIA}/${members}`, { member: at('127.0.0.2') }),
      () => api.request('PUT', `${OCTAVIA}/${members}/${id}`, { member: { weight: 2 } }),
      () => api.request('DELETE', `${OCTAVIA}/${members}/${id}`),
      () => batch([at('127.0.0.3')]),
    ]
    for (const write of writes) {
      assertFault(await write(), 409, `Load Balancer ${loadBalancer.id} is immutable and cannot be updated.`)
    }
    await force(api, 'pool', pool.id, 'ERROR')
    for (const write of writes) {
      assertFault(await write(), 409, `Pool ${pool.id} is immutable and cannot be updated.`)
    }
    assert.equal((await list()).length, 1)
  })

  test('a member of another pool is unknown, and so is one of an unknown pool', async (t) => {
    const { api, members, loadBalancer } = await poolOf(t)
    const { id } = await made(api, members, at('127.0.0.1'))
    const other = await aPool(api, loadBalancer.id)
    for (const method of ['GET', 'DELETE']) {
      const answer = await api.request(method, `${OCTAVIA}/pools/${other.id}/members/${id}`)
      assertFault(answer, 404, `Member ${id} not found.`)
    }
    const unknown = '00000000-0000-4000-8000-00000000dead'
    assertFault(
      await api.request('GET', `${OCTAVIA}/pools/${unknown}/members`),
      404,
      `Pool ${unknown} not found.`,
    )
  })
})

suite('batches of members of dialect octavia', () => {
  test('what is in the list is created or reset, what is not goes; names and tags stay when absent', async (t) => {
    const { batch, list } = await poolOf(t)
    const full = { weight: 9, backup: true, name: 'n', tags: ['t'], monitor_port: 99, admin_state_up: false }
    assert.equal((await batch([at('127.0.0.1', full), at('127.0.0.2')])).status, 202)
    const before = await list('?sort=address')
    const answer = await batch([at('127.0.0.1'), at('127.0.0.3')])
    assert.deepEqual([answer.status, answer.body], [202, undefined])
    const after = await list('?sort=address')
    assert.deepEqual(
      after.map((member) => member.address),
      ['127.0.0.1', '127.0.0.3'],
    )
    const { id, name, tags, weight, backup, monitor_port: port, admin_state_up: up } = after[0]
    assert.equal(id, before[0].id)
    assert.deepEqual([name, tags, weight, backup, port, up], ['n', ['t'], 1, false, null, true])
  })

  test('additive_only takes nothing away', async (t) => {
    const { batch, list } = await poolOf(t)
    await batch([at('127.0.0.1')])
    assert.equal((await batch([at('127.0.0.2')], '?additive_only=true')).status, 202)
    assert.equal((await list()).length, 2)
    assertFault(await batch([], '?additive=true'), 400, 'Unknown argument: "additive"')
    await batch([])
    assert.equal((await list()).length, 0)
  })

  test('a target comes once: one that is there 400, a new one 409, and nothing has changed', async (t) => {
    const { batch, list } = await poolOf(t)
    await batch([at('127.0.0.1')])
    const message = 'Validation failure: Member must be updated only once in the same request.'
    assertFault(await batch([at('127.0.0.1'), at('127.0.0.1')]), 400, message)
    const taken = 'Another member on this pool is already using ip 127.0.0.2 on protocol_port 80'
    assertFault(await batch([at('127.0.0.2'), at('127.0.0.2')]), 409, taken)
    assert.deepEqual(
      (await list()).map((member) => member.address),
      ['127.0.0.1'],
    )
  })

  test('the quota counts what the pool grows by', async (t) => {
    const { batch, list } = await poolOf(t, { quotas: { ...UNLIMITED, member: 2 } })
    assert.equal((await batch([at('127.0.0.1'), at('127.0.0.2')])).status, 202)
    assertFault(
      await batch([at('127.0.0.3')], '?additive_only=true'),
      403,
      'Quota has been met for resources: Member',
    )
    assert.equal((await batch([at('127.0.0.3'), at('127.0.0.4')])).status, 202)
    assert.equal((await list()).length, 2)
  })

  test('5 000 members are one call of a handful of statements; 5 001 are refused', async (t) => {
    const { api, batch, members } = await poolOf(t)
    const many = Array.from({ length: 5000 }, (_, i) => at(`127.1.${i >> 8}.${i & 255}`))
    const statements = t.mock.method(pg.Client.prototype, 'query').mock
    assert.equal((await batch(many)).status, 202)
    assert.equal((await batch(many.map((item) => ({ ...item, weight: 2 })))).status, 202)
    assert.ok(statements.callCount() < 40, `${statements.callCount()} statements`)
    assert.equal((await batch([...many, at('127.2.0.1')])).status, 400)
    const page = await api.request('GET', `${OCTAVIA}/${members}?limit=2&weight=2&fields=weight`)
    assert.deepEqual(page.body.members, [{ weight: 2 }, { weight: 2 }])
  })
})
