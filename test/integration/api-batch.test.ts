import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { suite, test } from 'node:test'
import { query } from '../../src/store/connection/database.ts'
import { UNLIMITED } from '../support/api.ts'
import {
  configVersion,
  FORBIDDEN_PORT,
  makePool,
  type PoolApi,
  startPoolApi,
  writeVerdict,
} from '../support/pool-api.ts'

const SUBNET = '03e1458a-fe0d-4e2f-bc4a-44f25a045287'
const item = (port: number, extra: object = {}) => ({
  address: '127.0.0.1',
  protocol_port: port,
  subnet_id: SUBNET,
  ...extra,
})

interface WireMember {
  readonly id: string
  readonly name: string
  readonly weight: number
  readonly admin_state_up: boolean
  readonly protocol_port: number
  readonly operating_status: string
}

async function membersOf(api: PoolApi, poolId: string): Promise<WireMember[]> {
  const answer = await api.call('GET', `/pools/${poolId}/members?sort_key=protocol_port&sort_dir=asc`)
  return answer.body.members as WireMember[]
}

async function ports(api: PoolApi, poolId: string): Promise<number[]> {
  return (await membersOf(api, poolId)).map((member) => member.protocol_port)
}

function put(api: PoolApi, poolId: string, body: unknown, project?: string) {
  return api.call('PUT', `/pools/${poolId}/members`, { body, ...(project === undefined ? {} : { project }) })
}

suite('batches of members', () => {
  test('the answer is 202 without a body, and the default action replaces the list', async (t) => {
    const api = await startPoolApi(t)
    const { poolId } = await makePool(api.db)
    const answer = await put(api, poolId, { members: [item(1), item(2)] })
    assert.deepEqual(
      [answer.status, answer.body, answer.headers['content-type']],
      [202, undefined, undefined],
    )
    assert.deepEqual(await ports(api, poolId), [1, 2])
    assert.equal((await put(api, poolId, { members: [item(2), item(3)], action: 'replace' })).status, 202)
    assert.deepEqual(await ports(api, poolId), [2, 3])
  })

  test('a member that a replacement keeps has its id and verdict, and absent attributes as at create', async (t) => {
    const api = await startPoolApi(t)
    const { poolId } = await makePool(api.db)
    const monitor = { pool_id: poolId, type: 'TCP', delay: 5, timeout: 3, max_retries: 2 }
    await api.call('POST', '/healthmonitors', { body: { healthmonitor: monitor } })
    await put(api, poolId, {
      members: [item(1, { address: '::1', name: 'a', weight: 9 }), item(2, { name: 'b', weight: 9 })],
    })
    const [first] = await membersOf(api, poolId)
    assert.ok(first)
    await writeVerdict(api.db, first.id, { status: 'ONLINE' })
    const version = await configVersion(api.db, poolId)
    const generations = () =>
      query<{ generation: number }>(
        api.db,
        'select generation::int from member where pool_id = $1 order by protocol_port',
        [poolId],
      )
    const before = await generations()
    await put(api, poolId, {
      members: [item(1, { address: '0:0::1', weight: 3 }), item(2, { name: 'b', weight: 9 })],
    })
    assert.deepEqual(await generations(), before, 'what is known of them is known of the same check')
    const [kept] = await membersOf(api, poolId)
    assert.deepEqual(
      [kept?.id, kept?.name, kept?.weight, kept?.operating_status],
      [first.id, '', 3, 'ONLINE'],
    )
    assert.equal(await configVersion(api.db, poolId), version, 'nothing that is probed changed')
    const off = { members: [item(1, { address: '::1', admin_state_up: false }), item(2)] }
    await put(api, poolId, off)
    assert.equal(await configVersion(api.db, poolId), version + 1)
    await put(api, poolId, { members: [item(1, { address: '::1' }), item(2)] })
    const [switched, other] = await generations()
    assert.ok((switched?.generation ?? 0) > (before[0]?.generation ?? 0))
    assert.deepEqual(other, before[1], 'only the one whose check changed')
    assert.equal(
      (await membersOf(api, poolId))[0]?.operating_status,
      'OFFLINE',
      'switched on again: not yet probed',
    )
  })

  test('add creates beside what is there, and refuses all when one is there already', async (t) => {
    const api = await startPoolApi(t)
    const { poolId } = await makePool(api.db)
    assert.equal((await put(api, poolId, { members: [item(1), item(2)], action: 'add' })).status, 202)
    const answer = await put(api, poolId, {
      members: [item(3), item(2, { address: '127.0.0.1' })],
      action: 'add',
    })
    assert.deepEqual(
      [answer.status, answer.body.error_code, answer.body.error_msg],
      [
        409,
        'ELB.8907',
        `Member with address 127.0.0.1 and protocol_port 2 already present in pool ${poolId}.`,
      ],
    )
    assert.deepEqual(await ports(api, poolId), [1, 2])
  })

  test('delete takes ids; one that is not of this pool refuses all; one named twice is deleted once', async (t) => {
    const api = await startPoolApi(t)
    const [{ poolId }, other] = await Promise.all([makePool(api.db), makePool(api.db)])
    await put(api, poolId, { members: [item(1), item(2), item(3)] })
    await put(api, other.poolId, { members: [item(1)] })
    const [a, b] = await membersOf(api, poolId)
    const [stranger] = await membersOf(api, other.poolId)
    for (const id of [stranger?.id, randomUUID()]) {
      const refused = await put(api, poolId, { members: [{ id: a?.id }, { id }], action: 'delete' })
      assert.deepEqual([refused.status, refused.body.error_msg], [404, `member ${id} could not be found.`])
    }
    assert.deepEqual(await ports(api, poolId), [1, 2, 3])
    const twice = { members: [{ id: a?.id }, { id: b?.id }, { id: a?.id }], action: 'delete' }
    assert.equal((await put(api, poolId, twice)).status, 202)
    assert.deepEqual(await ports(api, poolId), [3])
    assert.deepEqual(await ports(api, other.poolId), [1])
  })

  test('an empty list removes all when it replaces, and does nothing when it adds or deletes', async (t) => {
    const api = await startPoolApi(t)
    const { poolId } = await makePool(api.db)
    await put(api, poolId, { members: [item(1)] })
    const version = await configVersion(api.db, poolId)
    for (const action of ['add', 'delete'])
      assert.equal((await put(api, poolId, { members: [], action })).status, 202)
    assert.deepEqual([await ports(api, poolId), await configVersion(api.db, poolId)], [[1], version])
    assert.equal((await put(api, poolId, { members: [] })).status, 202)
    assert.deepEqual([await ports(api, poolId), await configVersion(api.db, poolId)], [[], version + 1])
  })

  test('every refusal has its status, code and sentence, and changes nothing', async (t) => {
    const api = await startPoolApi(t)
    const { poolId } = await makePool(api.db)
    await put(api, poolId, { members: [item(1)] })
    const id = randomUUID()
    const invalid = (field: string, reason: string) => `Invalid input for ${field}. Reason: ${reason}.`
    const twice = (address: string) =>
      invalid('members', `address '${address}' with protocol_port '5' is in the list more than once`)
    const cases: readonly (readonly [unknown, string, string])[] = [
      [{}, 'ELB.0002', 'Member is null, request is invalid.'],
      [[], 'ELB.0002', 'Member is null, request is invalid.'],
      [{ members: {} }, 'ELB.0002', 'Member is null, request is invalid.'],
      [{ members: [null] }, 'ELB.0002', 'Member is null, request is invalid.'],
      [{ members: [item(1), 'x'] }, 'ELB.0002', 'Member is null, request is invalid.'],
      [{ members: [], extra: 1 }, 'ELB.9899', `Unrecognized attribute(s) 'extra'`],
      [
        { members: [], action: 'set' },
        'ELB.9899',
        invalid('action', `'set' is not in ('add', 'delete', 'replace')`),
      ],
      [
        { members: [item(1), item(2, { weight: 101 })] },
        'ELB.9899',
        invalid('weight', `'101' is too large - must be no larger than '100'`),
      ],
      [
        { members: [{ address: '127.0.0.1', subnet_id: SUBNET }] },
        'ELB.9805',
        'RequestBody member[protocol_port] is null, this is a required parameter.',
      ],
      [
        { members: [item(1, { tenant_id: 'other' })] },
        'ELB.9808',
        'Tenant_id in token mismatches with tenant_id in body.',
      ],
      [{ members: [item(5), item(5)] }, 'ELB.9899', twice('127.0.0.1')],
      [
        { members: [item(5, { address: '::1' }), item(5, { address: '0::1' })], action: 'add' },
        'ELB.9899',
        twice('0::1'),
      ],
      [
        { members: [item(2), item(FORBIDDEN_PORT)] },
        'ELB.9899',
        invalid('address', 'a listener of this service is never probed'),
      ],
      [
        { members: [{ id, address: '127.0.0.1' }], action: 'delete' },
        'ELB.9899',
        `Unrecognized attribute(s) 'address'`,
      ],
      [
        { members: [{}], action: 'delete' },
        'ELB.9805',
        'RequestBody member[id] is null, this is a required parameter.',
      ],
      [{ members: [{ id: 'x' }], action: 'delete' }, 'ELB.9899', invalid('id', `'x' is not a valid UUID`)],
      [{ members: [item(2, { id })] }, 'ELB.9899', 'Cannot update read-only attribute id'],
      [
        { members: Array.from({ length: 201 }, (_, i) => item(i + 1)) },
        'ELB.8902',
        'A maximum of 200 members can be modified at a time.',
      ],
    ]
    for (const [body, code, message] of cases) {
      const answer = await put(api, poolId, body)
      assert.deepEqual([answer.status, answer.body.error_code, answer.body.error_msg], [400, code, message])
    }
    assert.deepEqual(await ports(api, poolId), [1])
    assert.equal((await put(api, randomUUID(), { members: [] })).status, 404)
  })

  test('two hundred members are one request', async (t) => {
    const api = await startPoolApi(t)
    const { poolId } = await makePool(api.db)
    const answer = await put(api, poolId, { members: Array.from({ length: 200 }, (_, i) => item(i + 1)) })
    assert.equal(answer.status, 202)
    assert.equal((await ports(api, poolId)).length, 200)
  })

  test('the quota counts the growth: an exchange and a shrinking list fit, one more does not', async (t) => {
    const api = await startPoolApi(t, { quotas: { ...UNLIMITED, member: 2 } })
    const { poolId } = await makePool(api.db)
    assert.equal((await put(api, poolId, { members: [item(1), item(2)] })).status, 202)
    assert.equal((await put(api, poolId, { members: [item(3), item(4)] })).status, 202)
    const grown = await put(api, poolId, { members: [item(3), item(4), item(5)] })
    assert.deepEqual([grown.status, grown.body.error_code], [400, 'ELB.9807'])
    assert.deepEqual(await ports(api, poolId), [3, 4])
    assert.equal((await put(api, poolId, { members: [item(5)], action: 'add' })).status, 400)
    await query(api.db, `insert into quota (project_id, resource, quota) values ('project-a', 'member', 0)`)
    assert.equal((await put(api, poolId, { members: [item(5)] })).status, 202)
    assert.deepEqual(await ports(api, poolId), [5])
  })

  test('another project can neither see the pool nor name its members', async (t) => {
    const api = await startPoolApi(t)
    const { poolId } = await makePool(api.db)
    const foreign = await makePool(api.db, { project: 'project-b' })
    await put(api, poolId, { members: [item(1)] })
    const [member] = await membersOf(api, poolId)
    const removal = { members: [{ id: member?.id }], action: 'delete' }
    assert.equal((await put(api, poolId, { members: [] }, 'project-b')).status, 404)
    assert.equal((await put(api, poolId, removal, 'project-b')).status, 404)
    const answer = await put(api, foreign.poolId, removal, 'project-b')
    assert.deepEqual(
      [answer.status, answer.body.error_msg],
      [404, `member ${member?.id} could not be found.`],
    )
    assert.deepEqual(await ports(api, poolId), [1])
  })

  test('batches at once leave one of the lists, whole', async (t) => {
    const api = await startPoolApi(t)
    const { poolId } = await makePool(api.db)
    const lists = Array.from({ length: 6 }, (_, i) => [i * 10 + 1, i * 10 + 2, 99])
    const answers = await Promise.all(
      lists.map((list) => put(api, poolId, { members: list.map((port) => item(port)) })),
    )
    assert.ok(answers.every((answer) => answer.status === 202))
    const left = await ports(api, poolId)
    assert.ok(
      lists.some((list) => list.join() === left.join()),
      `a mixture: ${left.join()}`,
    )
  })
})
