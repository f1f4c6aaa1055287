/** `/metrics/pools` and `/metrics/members`, from PostgreSQL to the text that Prometheus reads. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { request } from 'node:http'
import { type TestContext, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { gunzipSync } from 'node:zlib'
import { figurePages } from '../../src/bin/process/figure-pages.ts'
import { serveMetrics } from '../../src/runtime/scrape/metrics-endpoint.ts'
import { type Db, openDatabase, query } from '../../src/store/connection/database.ts'
import { insertMembers, insertPool } from '../support/configuration.ts'
import { type TestDatabase, testDatabase } from '../support/database.ts'
import { flippingFarm } from '../support/flips.ts'
import { folderOfTest } from '../support/folders.ts'
import { startService } from '../support/service.ts'

const BOTH = { metricsPages: { pools: true, members: true } }

async function aListener(
  t: TestContext,
  database?: Pick<TestDatabase, 'db'>,
  config = BOTH,
): Promise<string> {
  const figures = figurePages(config)
  if (database !== undefined) figures.open(database.db)
  const read = () => Promise.resolve('')
  const listener = await serveMetrics({ host: '127.0.0.1', port: 0 }, { read, pages: figures.pages })
  t.after(() => listener.close())
  return `${listener.url}/metrics`
}

const textOf = async (url: string) => await (await fetch(url)).text()

/** What a checkpoint says of the last probes of these members: milliseconds, or that they failed. */
async function checkpoint(
  db: Db,
  shard: number,
  probes: readonly { readonly id: string; readonly ms?: number }[],
): Promise<void> {
  // The farm gives all its verdicts one generation.
  await query(
    db,
    `update member_state s set generation = d.check_generation from member_detail d where d.id = s.member_id`,
  )
  const rows = await query<{ id: string; n: number }>(
    db,
    'select id, check_generation as n from member_detail',
  )
  const generations = new Map(rows.map(({ id, n }) => [id, n]))
  const all = <Value>(value: Value) => probes.map(() => value)
  await query(
    db,
    `insert into shard_checkpoint (shard, epoch, as_of, member_ids, generations, probed_at, next_at, outcomes, reasons, total_us,
       echo_us, connect_us, tls_us, first_byte_us, ok_runs, bad_runs, stale, flags)
     values ($1, 1, now(), $2::uuid[], $3::bigint[], $4::timestamptz[], $4::timestamptz[], $5::text[], $6::text[], $7::int[],
       $8::int[], $8::int[], $8::int[], $8::int[], $9::smallint[], $9::smallint[], $10::boolean[], $9::smallint[])`,
    [
      shard,
      probes.map(({ id }) => id),
      probes.map(({ id }) => generations.get(id) ?? 0),
      all(new Date()),
      probes.map(({ ms }) => (ms === undefined ? 'failed' : 'passed')),
      all('PASSED'),
      probes.map(({ ms }) => (ms ?? 7) * 1000),
      all(1),
      all(0),
      all(false),
    ],
  )
}

test('each pool has its status, its members by state, the latency of their last probes that passed, and its last transition', async (t) => {
  const database = await testDatabase(t)
  const { db } = database
  const farm = await flippingFarm(db, 4)
  for (const index of [0, 1, 2]) await farm.flip(index)
  await farm.flip(2)
  const [pool] = await query<{ id: string; shard: number }>(db, 'select id, shard from pool')
  const name = 'a "quoted" \\ name\nin two lines'
  await query(db, 'update pool set name = $1', [name])
  const [a = '', b = '', c = ''] = farm.members
  await checkpoint(db, pool?.shard ?? 0, [{ id: a, ms: 2 }, { id: b, ms: 4 }, { id: c }])
  const text = await textOf(`${await aListener(t, database)}/pools`)
  const labels = String.raw`{pool_id="${pool?.id}",pool="a \"quoted\" \\ name\nin two lines",project_id="project-1"`
  const valueOf = (metric: string, more = '') => {
    const line = text.split('\n').find((each) => each.startsWith(`${metric}${labels}${more}} `))
    return line === undefined ? undefined : Number(line.split(' ').at(-1))
  }
  assert.deepEqual(
    ['ONLINE', 'DEGRADED', 'ERROR', 'OFFLINE'].map((status) =>
      valueOf('hm_pool_status', `,status="${status}"`),
    ),
    [0, 1, 0, 0],
  )
  assert.deepEqual(
    ['ONLINE', 'OFFLINE', 'UNKNOWN', 'DISABLED', 'NO_MONITOR'].map((state) =>
      valueOf('hm_pool_members', `,state="${state}"`),
    ),
    [2, 1, 1, 0, 0],
  )
  // Kept counts are counted again when the configuration changes: here the generations changed behind them.
  assert.ok(valueOf('hm_pool_members_pending') !== undefined)
  assert.equal(valueOf('hm_pool_latency_p50_seconds'), 0.002)
  assert.equal(valueOf('hm_pool_latency_p99_seconds'), 0.004)
  const [last] = await query<{ at: Date }>(db, 'select max(since) as at from member_state')
  assert.equal(valueOf('hm_pool_last_transition_timestamp_seconds'), (last?.at.getTime() ?? 0) / 1000)
})

test('a pool has the end of the first of the certificates that its members show, and none where they show none', async (t) => {
  const database = await testDatabase(t)
  const { db } = database
  for (const port of [1, 100]) {
    const { poolId } = await insertPool(db, { type: 'HTTPS' })
    await insertMembers(
      db,
      poolId,
      [0, 1, 2].map((i) => ({ address: '127.0.0.1', port: port + i })),
    )
  }
  // The members of one pool; the third has been changed since it showed the one that ends first.
  await query(
    db,
    `insert into member_certificate (member_id, project_id, generation, not_after, subject, issuer)
     select d.id, d.project_id, d.check_generation - (d.protocol_port = 3)::int,
       to_timestamp(2000000000 - 1000 * d.protocol_port), 'one.example', 'one.example'
     from member_detail d where d.protocol_port < 100`,
  )
  const lines = (await textOf(`${await aListener(t, database)}/pools`))
    .split('\n')
    .filter((line) => line.startsWith('hm_pool_certificate_expiry_timestamp_seconds{'))
  assert.deepEqual(
    lines.map((line) => line.split(' ').at(-1)),
    ['1999998000'],
  )
})

test('each member is up, down or neither, with its names, its latency and since when', async (t) => {
  const database = await testDatabase(t)
  const { db } = database
  const farm = await flippingFarm(db, 3)
  await farm.flip(0)
  await farm.flip(1)
  await farm.flip(1)
  const [up = '', down = '', none = ''] = farm.members
  const [pool] = await query<{ id: string; shard: number }>(db, 'select id, shard from pool')
  await query(db, `update member set name = 'web-1' where id = $1`, [up])
  await checkpoint(db, pool?.shard ?? 0, [{ id: up, ms: 2.5 }, { id: down }])
  const text = await textOf(`${await aListener(t, database)}/members`)
  const linesOf = (id: string) =>
    Object.fromEntries(
      text
        .split('\n')
        .filter((line) => line.includes(`member_id="${id}"`))
        .map((line) => [/^hm_member_(\w+)/.exec(line)?.[1], Number(line.split(' ').at(-1))] as const),
    )
  const sinceOf = async (id: string) => {
    const [row] = await query<{ at: Date }>(db, 'select since as at from member_state where member_id = $1', [
      id,
    ])
    return (row?.at.getTime() ?? 0) / 1000
  }
  const known = { info: 1, pending: 0, stale: 1 }
  assert.deepEqual(linesOf(up), {
    ...known,
    up: 1,
    latency_seconds: 0.0025,
    since_timestamp_seconds: await sinceOf(up),
  })
  assert.deepEqual(linesOf(down), { ...known, up: 0, since_timestamp_seconds: await sinceOf(down) })
  assert.deepEqual(linesOf(none), { info: 1, pending: 1, stale: 1 })
  assert.match(text, /^hm_member_info\{.*member="web-1",address="127\.0\.0\.1",port="1001",pool=""\} 1$/m)
  assert.match(text, /^hm_members_truncated 0$/m)
})

test('rows of more than one fetch are all there, once', async (t) => {
  const database = await testDatabase(t)
  const { poolId } = await insertPool(database.db)
  const targets = Array.from({ length: 1201 }, (_, i) => ({ address: '127.0.0.1', port: 1 + i }))
  const members = await insertMembers(database.db, poolId, targets)
  const text = await textOf(`${await aListener(t, database)}/members`)
  const ids = [...text.matchAll(/^hm_member_info\{member_id="([^"]+)"/gm)].map(([, id]) => id)
  assert.equal(ids.length, members.length)
  assert.deepEqual(new Set(ids), new Set(members))
})

test('the text comes compressed to those who want it so, and as it is to others; and only where it is switched on', async (t) => {
  const database = await testDatabase(t)
  await insertPool(database.db)
  const base = await aListener(t, database, { metricsPages: { pools: true, members: false } })
  const raw = (encoding: string) =>
    new Promise<{ readonly coding: unknown; readonly body: Buffer }>((resolve, reject) => {
      const asked = request(`${base}/pools`, { headers: { 'accept-encoding': encoding } }, (answer) => {
        const chunks: Buffer[] = []
        answer.on('data', (chunk: Buffer) => chunks.push(chunk))
        answer.on('end', () =>
          resolve({ coding: answer.headers['content-encoding'], body: Buffer.concat(chunks) }),
        )
      })
      asked.on('error', reject).end()
    })
  const [plain, packed, refused] = await Promise.all([raw('identity'), raw('gzip'), raw('gzip;q=0')])
  assert.deepEqual([plain.coding, packed.coding, refused.coding], [undefined, 'gzip', undefined])
  assert.deepEqual(gunzipSync(packed.body), plain.body)
  assert.deepEqual(refused.body, plain.body)
  assert.equal((await fetch(`${base}/members`)).status, 404)
  assert.equal((await fetch(`${base}/pools`, { method: 'POST' })).status, 405)
  assert.equal(await (await fetch(`${base}/pools`, { method: 'HEAD' })).text(), '')
})

test('before the database is there, and while it is away, the pages are refused and /metrics is not', async (t) => {
  const away = openDatabase({
    url: 'postgresql://nobody@127.0.0.1:1/nothing',
    applicationName: 'healthmonitor test',
    maxConnections: 1,
  })
  t.after(() => away.destroy())
  for (const [database, why] of [
    [undefined, /^starting\n$/],
    [{ db: away }, /ECONNREFUSED/],
  ] as const) {
    const base = await aListener(t, database)
    const answer = await fetch(`${base}/pools`)
    assert.deepEqual([answer.status, answer.headers.get('retry-after')], [503, '2'])
    assert.match(await answer.text(), why)
    assert.equal((await fetch(base)).status, 200)
  }
})

test('promtool accepts both pages of a running service', async (t) => {
  if (spawnSync('promtool', ['--version']).error !== undefined)
    return t.skip('needs promtool (package prometheus)')
  const service = await startService(t, folderOfTest(), {
    HM_METRICS_POOLS: 'true',
    HM_METRICS_MEMBERS: 'true',
    HM_PROBERS: '1',
  })
  const post = async (path: string, body: object) => {
    const answer = await fetch(`${service.api}/v2.0/lbaas/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    const [made] = Object.values((await answer.json()) as Record<string, { id: string }>)
    return made?.id ?? ''
  }
  const subnet = '7c4f6d3a-2c1e-4f0a-9b53-0d6f3f1c9a11'
  const loadbalancer_id = await post('loadbalancers', { loadbalancer: { vip_subnet_id: subnet } })
  const pool = { loadbalancer_id, protocol: 'TCP', lb_algorithm: 'ROUND_ROBIN', name: 'ä "b" \\' }
  const pool_id = await post('pools', { pool })
  const member = { address: '127.0.0.1', protocol_port: 1, subnet_id: subnet }
  assert.notEqual(await post(`pools/${pool_id}/members`, { member }), '')
  for (const page of ['pools', 'members']) {
    let text = ''
    // A reading from before there was something is served for some seconds.
    for (let tries = 0; tries < 60 && !text.includes(`pool_id="${pool_id}"`); tries += 1) {
      text = await textOf(`${service.metrics}/metrics/${page}`)
      await wait(500)
    }
    assert.match(text, new RegExp(`pool_id="${pool_id}"`))
    const judged = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' })
    assert.deepEqual([judged.status, judged.stdout, judged.stderr], [0, '', ''])
  }
})
