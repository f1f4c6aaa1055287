/** What only a lock keeps true: two writers of which each alone is right and both together are wrong. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Db, query, transaction, type Tx } from '../../src/store/connection/database.ts'
import { LOCK_KEYS } from '../../src/store/connection/lock-keys.ts'
import { fitsQuota } from '../../src/store/configuration/quotas.ts'
import { sequenceEvents } from '../../src/store/event/events.ts'
import { type Api, startApi, UNLIMITED } from '../support/api.ts'
import { aLoadBalancer, aPool, created, SUBNET, wrapped } from '../support/api-objects.ts'
import { eventually, PROJECT } from '../support/configuration.ts'
import { type Ending, testDatabase } from '../support/database.ts'

/** Waits until `count` statements of this database wait for an advisory lock. */
async function waiting(db: Db, count: number): Promise<void> {
  await eventually(`${count} wait for a lock`, async () => {
    const rows = await query(
      db,
      `select 1 from pg_locks l join pg_database d on d.oid = l.database
       where d.datname = current_database() and l.locktype = 'advisory' and not l.granted`,
    )
    return rows.length === count
  })
}

/** A promise that the test resolves; made before what waits for it, so that a test that fails ends. */
function gate(t: Ending): { readonly opened: Promise<void>; readonly open: () => void } {
  let open = (): void => undefined
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  t.after(() => open())
  return { opened, open }
}

test('the last place of a quota is given once: the second create waits for the first, and then there is none', async (t) => {
  const [first, claimed] = [gate(t), gate(t)]
  const { db } = await testDatabase(t)
  const claim = {
    projectId: PROJECT,
    resource: 'loadbalancer',
    count: 1,
    defaults: { ...UNLIMITED, loadbalancer: 1 },
  } as const
  const create = (tx: Tx) =>
    query(tx, `insert into load_balancer (id, project_id, provider) values (gen_random_uuid(), $1, 'vlb')`, [
      PROJECT,
    ])
  const creating = transaction(db, async (tx) => {
    const fits = await fitsQuota(tx, claim)
    await create(tx)
    claimed.open()
    await first.opened
    return fits
  })
  await claimed.opened
  const second = transaction(db, (tx) => fitsQuota(tx, claim))
  await waiting(db, 1)
  // Another project, and another kind, wait for nobody.
  assert.equal(await transaction(db, (tx) => fitsQuota(tx, { ...claim, projectId: 'another' })), true)
  const pools = { ...claim, resource: 'pool', defaults: { ...UNLIMITED, pool: 1 } } as const
  assert.equal(await transaction(db, (tx) => fitsQuota(tx, pools)), true)
  first.open()
  assert.deepEqual(await Promise.all([creating, second]), [true, false])
})

test('without a limit no create waits', async (t) => {
  const { db } = await testDatabase(t)
  const claim = { projectId: PROJECT, resource: 'pool', count: 1, defaults: UNLIMITED } as const
  await transaction(db, async (tx) => {
    assert.equal(await fitsQuota(tx, claim), true)
    assert.equal(await transaction(db, (other) => fitsQuota(other, claim)), true)
  })
})

/** Members of two pools below two load balancers: nothing but the lock of dependencies makes their writers wait. */
async function twoMembers(api: Api): Promise<readonly [string, string]> {
  const paths: string[] = []
  for (const address of ['127.0.0.1', '127.0.0.2']) {
    const { id: loadBalancer } = await aLoadBalancer(api)
    const { id: pool } = await aPool(api, loadBalancer)
    const target = { address, protocol_port: 1, subnet_id: SUBNET }
    const { id } = await created(api, `pools/${pool}/members`, target)
    paths.push(`/v2.0/lbaas/pools/${pool}/members/${id}`)
  }
  const [first = '', second = ''] = paths
  return [first, second]
}

const idOf = (path: string): string => path.split('/').at(-1) ?? ''
const dependOn = (path: string) => wrapped('members', { depends_on: [idOf(path)] })

test('two that would come to depend on each other by writes at once do not: one waits, and is refused', async (t) => {
  const [held, locked] = [gate(t), gate(t)]
  const api = await startApi(t)
  const [a, b] = await twoMembers(api)
  // Stops the holder of the lock before it has written, so that the other could not read its rows.
  const holding = transaction(api.db, async (tx) => {
    await query(tx, 'select id from member where id = any($1::uuid[]) for update', [[idOf(a), idOf(b)]])
    locked.open()
    await held.opened
  })
  await locked.opened
  const answers = [api.request('PUT', a, dependOn(b)), api.request('PUT', b, dependOn(a))]
  await waiting(api.db, 1)
  held.open()
  await holding
  const statuses = (await Promise.all(answers)).map((answer) => answer.status)
  assert.deepEqual(
    statuses.toSorted((a, b) => a - b),
    [200, 400],
  )
})

test('writers of dependencies of two projects do not wait for each other', async (t) => {
  const api = await startApi(t)
  const [a, b] = await twoMembers(api)
  await transaction(api.db, async (tx) => {
    await query(tx, `select pg_advisory_xact_lock(hashtextextended('depends_on ' || $1::text, 0))`, [
      'another',
    ])
    assert.equal((await api.request('PUT', a, dependOn(b))).status, 200)
  })
})

test('locks of the whole service have a key each, and that of the sequencer is the one in the database', async (t) => {
  assert.equal(new Set(Object.values(LOCK_KEYS)).size, Object.keys(LOCK_KEYS).length)
  const { db } = await testDatabase(t)
  await query(db, `insert into event_outbox (type, project_id) values ('webhook.test', $1)`, [PROJECT])
  // A release before this one calls the function, and waits.
  const moving = await transaction(db, async (tx) => {
    await query(tx, 'select pg_advisory_xact_lock($1)', [LOCK_KEYS.sequencer])
    assert.equal(await sequenceEvents(db, 10), 'busy')
    const other = query<{ last: number }>(db, 'select sequence_events(10) as last')
    await waiting(db, 1)
    return { other }
  })
  assert.deepEqual(await moving.other, [{ last: 1 }])
})
