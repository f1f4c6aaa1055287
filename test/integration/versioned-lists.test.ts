/** Lists keep what they rendered: they answer all the same what a read of each object answers, whatever has changed. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { PAGE_MAX_BYTES } from '../../src/domain/limits.ts'
import { query } from '../../src/store/connection/database.ts'
import { type Json } from '../support/api.ts'
import { makePool, type PoolApi, PROJECT, startPoolApi, writeVerdict } from '../support/pool-api.ts'
import { seededRandom } from '../support/random.ts'

const SUBNET = '03e1458a-fe0d-4e2f-bc4a-44f25a045287'

type Read = (path: string) => Promise<Json>

const collectionsOf = (poolIds: readonly string[]): readonly string[] => [
  'pools',
  'listeners',
  'healthmonitors',
  ...poolIds.map((id) => `pools/${id}/members`),
]

/** Each list of a dialect beside reads of its objects. */
async function assertListsAreReads(name: string, read: Read, poolIds: readonly string[]): Promise<void> {
  for (const collection of collectionsOf(poolIds)) {
    const kind = collection.split('/').at(-1) ?? ''
    const listed: Json[] = (await read(`/${collection}`))[kind]
    for (const object of listed) {
      const shown = (await read(`/${collection}/${object.id}`))[kind.replace(/s$/, '')]
      assert.deepEqual(object, shown, `${name}: ${collection}`)
    }
    const named: Json[] = (await read(`/${collection}?fields=id&fields=name`))[kind]
    assert.deepEqual(
      listed.map(({ id, name: its }) => ({ id, name: its })).toSorted(byId),
      named.toSorted(byId),
      `${name}: the same objects without kept texts: ${collection}`,
    )
  }
}

const byId = (a: Json, b: Json): number => (a.id < b.id ? -1 : 1)

/** What changes something that lists show, by whomever. */
function changes(api: PoolApi, pick: <Item>(items: readonly Item[]) => Item | undefined) {
  const { db } = api
  const idsOf = async (table: string) =>
    (await query<{ id: string }>(db, `select id from ${table}`)).map(({ id }) => id)
  const some = async (table: string) => pick(await idsOf(table))
  const send = async (method: string, path: string, body?: object) =>
    void (await api.call(method, path, { body }))
  let port = 0
  return {
    'a member comes': async () => {
      const member = { address: '127.0.0.1', protocol_port: 1000 + port++, subnet_id: SUBNET }
      await send('POST', `/pools/${await some('pool')}/members`, { member })
    },
    'a member goes': async () => {
      const [row] = await query<{ id: string; pool_id: string }>(
        db,
        'select id, pool_id from member order by random() limit 1',
      )
      if (row !== undefined) await send('DELETE', `/pools/${row.pool_id}/members/${row.id}`)
    },
    'a verdict': async () => {
      const id = await some('member')
      if (id !== undefined)
        await writeVerdict(db, id, { status: pick(['ONLINE', 'OFFLINE'] as const) ?? 'ONLINE' })
    },
    'a monitor comes': async () => {
      const healthmonitor = { pool_id: await some('pool'), type: 'TCP', delay: 5, timeout: 3, max_retries: 2 }
      await send('POST', '/healthmonitors', { healthmonitor })
    },
    'a monitor changes': async () => {
      const id = await some('health_monitor')
      if (id !== undefined)
        await send('PUT', `/healthmonitors/${id}`, { healthmonitor: { delay: pick([6, 7, 8]) } })
    },
    'a monitor goes': async () => {
      const id = await some('health_monitor')
      if (id !== undefined) await send('DELETE', `/healthmonitors/${id}`)
    },
    'a load balancer is switched': async () => {
      await query(db, 'update load_balancer set admin_state_up = not admin_state_up where id = $1', [
        await some('load_balancer'),
      ])
    },
    'a listener takes another pool': async () => {
      await query(db, 'update listener set default_pool_id = $1 where id = $2', [
        await some('pool'),
        await some('listener'),
      ])
    },
    'somebody writes by SQL': async () => {
      const table = pick(['pool', 'listener', 'member', 'health_monitor']) ?? 'pool'
      await query(db, `update ${table} set name = name || 'x' where id = $1`, [await some(table)])
    },
  }
}

test('whatever has changed, a list shows of each object what a read of it shows', async (t: TestContext) => {
  const random = seededRandom(t, 'versioned lists')
  const api = await startPoolApi(t)
  const first = await makePool(api.db)
  const pools = [
    first,
    await makePool(api.db, { loadBalancerId: first.loadBalancerId }),
    await makePool(api.db),
  ]
  for (const [i, { loadBalancerId, poolId }] of pools.entries())
    await query(
      api.db,
      `insert into listener (id, project_id, load_balancer_id, default_pool_id, protocol, protocol_port)
       values (gen_random_uuid(), $1, $2, $3, 'HTTP', $4)`,
      [PROJECT, loadBalancerId, poolId, 80 + i],
    )
  const steps = Object.entries(changes(api, (items) => items[random(Math.max(1, items.length))]))
  const poolIds = pools.map(({ poolId }) => poolId)
  const elb = ['elb', async (path: string) => (await api.call('GET', path)).body] as const
  const octavia = ['octavia', async (path: string) => (await api.octavia(path)).body] as const
  for (const [dialect, read] of [elb, octavia, octavia, elb]) {
    for (const [name, change] of steps) {
      for (const collection of collectionsOf(poolIds)) await read(`/${collection}`)
      await change()
      await assertListsAreReads(`${dialect}, after this: ${name}`, read, poolIds)
    }
  }
})

test('a page of kept texts ends by its bytes, as one of rows that are read', async (t) => {
  const api = await startPoolApi(t)
  const { loadBalancerId } = await makePool(api.db)
  const tags = JSON.stringify([{ key: 'x'.repeat(Math.ceil(PAGE_MAX_BYTES / 4)), value: '' }])
  for (let i = 1; i <= 6; i++)
    await query(
      api.db,
      `insert into listener (id, project_id, name, load_balancer_id, protocol, protocol_port, tags)
       values (gen_random_uuid(), $1, 'l' || $2, $3, 'HTTP', $2::integer, $4::jsonb)`,
      [PROJECT, String(i), loadBalancerId, tags],
    )
  const [last] = await query<{ id: string }>(api.db, `select id from listener where name = 'l6'`)
  const walk = async (rel: 'next' | 'previous') => {
    const names: string[][] = []
    const start = rel === 'next' ? '' : `&marker=${last?.id}&page_reverse=True`
    let next: string | undefined = `/listeners?sort=name&limit=5${start}`
    while (next !== undefined) {
      const { status, body } = await api.octavia(next)
      assert.equal(status, 200, next)
      if (body.listeners.length > 0) names.push(body.listeners.map(({ name }: Json) => name))
      const links: Json[] = body.listeners.length > 0 ? body.listeners_links : []
      next = links.find((link) => link.rel === rel)?.href.replace(/^.*lbaas/, '')
    }
    return names
  }
  for (const what of ['read', 'kept']) {
    assert.deepEqual(
      await walk('next'),
      [
        ['l1', 'l2', 'l3'],
        ['l4', 'l5', 'l6'],
      ],
      what,
    )
    assert.deepEqual(
      await walk('previous'),
      [
        ['l3', 'l4', 'l5'],
        ['l1', 'l2'],
      ],
      what,
    )
  }
})
