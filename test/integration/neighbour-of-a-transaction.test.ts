/**
 * One project changes the members of a large pool in a transaction that is counted and not committed yet, so that it holds
 * every lock that it will ever hold. The verdicts and the requests of another project go on. (ADR 24.)
 */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import { shardOf } from '../../src/domain/prober/shard.ts'
import { type Database, type Db, query, transaction, type Tx } from '../../src/store/connection/database.ts'
import { claimShards } from '../../src/store/probing/shards.ts'
import { writeVerdicts } from '../../src/store/probing/verdicts.ts'
import { checkRollUps } from '../../src/store/status/roll-up.ts'
import { type Api, startApi } from '../support/api.ts'
import { insertMembers, insertPool, statuses } from '../support/configuration.ts'
import { openTransaction } from '../support/database.ts'
import { aLoadBalancer, aMonitor, aPool, made, OCTAVIA } from '../support/octavia.ts'
import { aVerdict } from '../support/verdicts.ts'

const MEMBERS = 2000
/** Milliseconds: a wait for a lock longer than this is an error, and the lock is held until the test has looked. */
const LOCK_WITHIN_MS = 1000
const NONE = '00000000-0000-0000-0000-000000000000'

const ADD = `insert into member (id, project_id, pool_id, address, protocol_port)
  select gen_random_uuid(), project_id, pool_id, address, protocol_port + 10000 from member where pool_id = $1`
const ATTACKS = {
  adds: ADD,
  changes: 'update member set weight = 0, admin_state_up = false where pool_id = $1',
  deletes: 'delete from member where pool_id = $1',
}

interface World {
  readonly api: Api
  /** Of the prober. */
  readonly owner: string
  readonly attacker: { readonly poolId: string; readonly member: string }
  readonly bystander: { readonly loadBalancerId: string; readonly poolId: string; readonly member: string }
}

async function twoProjects(t: TestContext): Promise<World> {
  const api = await startApi(t)
  const owner = randomUUID()
  await claimShards(api.db, { owner, count: 256, foreignToo: false })
  const { poolId } = await insertPool(api.db, {}, 'attacker')
  const targets = Array.from({ length: MEMBERS }, (_, i) => ({ address: '127.0.0.1', port: 1 + i }))
  const [member = assert.fail()] = await insertMembers(api.db, poolId, targets)
  const loadBalancer = await aLoadBalancer(api)
  const pool = await aPool(api, loadBalancer.id)
  const listener = { loadbalancer_id: loadBalancer.id, protocol: 'HTTP', protocol_port: 80 }
  await made(api, 'listeners', { ...listener, default_pool_id: pool.id })
  await aMonitor(api, pool.id)
  const his = await made(api, `pools/${pool.id}/members`, { address: '127.0.0.1', protocol_port: 80 })
  return {
    api,
    owner,
    attacker: { poolId, member },
    bystander: { loadBalancerId: loadBalancer.id, poolId: pool.id, member: his.id },
  }
}

let sequence = 0

/** One batch with a verdict of each project; which members of it were put off. */
async function write(world: World, status: 'ONLINE' | 'OFFLINE'): Promise<ReadonlySet<string>> {
  const { api, owner, attacker, bystander } = world
  const rows = await query<{ id: string; pool_id: string; generation: number }>(
    api.db,
    'select id, pool_id, check_generation as generation from member_detail where id = any($1::uuid[])',
    [[attacker.member, bystander.member]],
  )
  const verdicts = rows.map(({ id, pool_id, generation }) =>
    aVerdict(id, shardOf(pool_id), ++sequence, { status, generation }),
  )
  return await transaction(api.db, async (tx) => {
    await query(tx, `set local lock_timeout = ${LOCK_WITHIN_MS}`)
    const { putOff } = await writeVerdicts(tx, owner, verdicts)
    // What else happens when it commits, while the limit of waiting holds.
    await query(tx, 'set constraints all immediate')
    return putOff
  })
}

async function useTheApi({ api, bystander: { loadBalancerId, poolId, member } }: World): Promise<void> {
  const members = `${OCTAVIA}/pools/${poolId}/members`
  const asked = async (method: string, path: string, body?: object) => {
    const answer = await api.request(method, path, body)
    assert.ok(answer.status < 300, `${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`)
    return answer.body
  }
  const added = await asked('POST', members, { member: { address: '127.0.0.1', protocol_port: 81 } })
  await asked('PUT', `${members}/${added.member.id}`, { member: { weight: 3 } })
  await asked('DELETE', `${members}/${added.member.id}`)
  await asked('PUT', `${OCTAVIA}/pools/${poolId}`, { pool: { name: 'his' } })
  await asked('GET', `${OCTAVIA}/loadbalancers/${loadBalancerId}/status`)
  await asked('GET', `${members}/${member}/health`)
}

/** The transaction ends also when `work` fails: nothing else could end then. */
async function whileOpen(db: Database, work: (tx: Tx) => Promise<void>): Promise<void> {
  const open = await openTransaction(db)
  try {
    await work(open.tx)
  } finally {
    await open.commit()
  }
}

const stateOf = async (db: Db, member: string) => (await statuses(db)).get(member)?.state

for (const [what, statement] of Object.entries(ATTACKS)) {
  test(`while a project ${what} thousands of members, another one’s verdicts and requests wait for nothing`, async (t) => {
    const world = await twoProjects(t)
    const { api, attacker, bystander } = world
    assert.deepEqual(await write(world, 'ONLINE'), new Set())
    await whileOpen(api.db, async (attack) => {
      await query(attack, statement, [attacker.poolId])
      await query(attack, 'set constraints all immediate')
      assert.deepEqual(await write(world, 'OFFLINE'), new Set([attacker.member]))
      assert.equal(await stateOf(api.db, bystander.member), 'OFFLINE')
      assert.equal(await stateOf(api.db, attacker.member), 'ONLINE')
      await useTheApi(world)
    })
    assert.deepEqual(await write(world, 'OFFLINE'), new Set())
    const expected = { adds: 'OFFLINE', changes: 'DISABLED', deletes: undefined }[what]
    assert.equal(await stateOf(api.db, attacker.member), expected)
    assert.deepEqual((await checkRollUps(api.db, NONE, 1_000_000)).wrong, [])
  })
}

test('a first verdict forgets old notes for uptime, and waits for nobody who deletes members that have such notes', async (t) => {
  const world = await twoProjects(t)
  const { api, attacker, bystander } = world
  await write(world, 'ONLINE')
  const both = [attacker.member, bystander.member]
  const notes = async () =>
    await query(api.db, "select object_id as id from set_aside where begin_at < now() - interval '32 days'")
  await query(
    api.db,
    "update member set generation = nextval('check_generation') where id = any($1::uuid[])",
    [both],
  )
  await query(
    api.db,
    `insert into set_aside (object_id, kind, begin_at)
     select id, 'verdict', now() - interval '40 days' from unnest($1::uuid[]) id`,
    [both],
  )
  await whileOpen(api.db, async (attack) => {
    // Its notes go with the statement; the counts of its pool only when the transaction ends.
    await query(attack, 'delete from member where pool_id = $1', [attacker.poolId])
    assert.deepEqual(await write(world, 'OFFLINE'), new Set())
    assert.equal(await stateOf(api.db, bystander.member), 'OFFLINE')
    assert.deepEqual(await notes(), [{ id: attacker.member }], 'those of the other are forgotten')
  })
  assert.deepEqual(await notes(), [])
})
