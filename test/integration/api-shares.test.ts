/** Two projects, attacker and bystander: what one asks for at one time takes nothing from the other. */
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'node:test'
import { LARGE_BODY_MAX_BYTES, PROJECT_WAITING_MAX, RETRY_AFTER_SECONDS } from '../../src/domain/limits.ts'
import { type Db, openDatabase, query, transaction } from '../../src/store/connection/database.ts'
import { type Answer, type Api, type Json, startApi } from '../support/api.ts'
import { assertRefused, created, SUBNET } from '../support/api-objects.ts'
import { eventually } from '../support/configuration.ts'
import { type Ending, testDatabase } from '../support/database.ts'
import { assertFault, OCTAVIA } from '../support/octavia.ts'

const ATTACKER = { 'x-project-id': 'attacker' }
const BYSTANDER = { 'x-project-id': 'bystander' }
/** Two are kept from projects. Of the other six one project alone gets four: then two are free, and five would be more than four times one. */
const CONNECTIONS = 8
const HELD_ALONE = 4
const LBS = '/v2.0/lbaas/loadbalancers'
const BUSY = 'The project has too many requests under way at one time. Please try again.'

interface Attack {
  readonly api: Api
  /** Of the attacker's batches. */
  readonly answers: readonly Promise<Answer>[]
  /** Lets the attacker's batches go on. */
  readonly release: () => Promise<void>
}

async function aPoolOf(api: Api, headers: Readonly<Record<string, string>>): Promise<Json> {
  const lb = await created(api, 'loadbalancers', { vip_subnet_id: SUBNET }, headers)
  const pool = { loadbalancer_id: lb.id, protocol: 'TCP', lb_algorithm: 'ROUND_ROBIN' }
  return await created(api, 'pools', pool, headers)
}

/** As many batches of the attacker on its own pool, which wait for a lock that somebody holds. */
async function attack(t: Ending, batches: number, waitMs: number): Promise<Attack> {
  const { url } = await testDatabase(t)
  let release: () => void = () => undefined
  const released = new Promise<void>((resolve) => {
    release = resolve
  })
  t.after(() => release())
  const open = (maxConnections: number) => {
    const db = openDatabase({ url, applicationName: 'healthmonitor test', maxConnections })
    t.after(() => db.destroy())
    return db
  }
  const other = open(2)
  const api = await startApi(t, { db: open(CONNECTIONS), admission: { connections: CONNECTIONS, waitMs } })
  const pool = await aPoolOf(api, ATTACKER)
  const held = transaction(
    other,
    async (tx) => {
      await query(tx, 'select from load_balancer for update')
      await released
    },
    { timeoutMs: 60_000 },
  )
  await eventually('the lock is held', async () => (await locksOf(other, 'load_balancer')) > 0)
  const answers = Array.from({ length: batches }, (_, i) =>
    api.request(
      'PUT',
      `${OCTAVIA}/pools/${pool.id}/members?additive_only=true`,
      { members: [{ address: '192.0.2.1', protocol_port: i + 1 }] },
      ATTACKER,
    ),
  )
  return {
    api,
    answers,
    release: async () => {
      release()
      await held
    },
  }
}

async function locksOf(db: Db, table: string): Promise<number> {
  const rows = await query<{ locks: number }>(
    db,
    `select count(*) as locks from pg_locks where relation = $1::regclass and mode = 'RowShareLock' and granted`,
    [table],
  )
  return rows[0]?.locks ?? 0
}

async function lockWaiters(db: Db): Promise<number> {
  const rows = await query<{ waiting: number }>(
    db,
    `select count(*) as waiting from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
  )
  return rows[0]?.waiting ?? 0
}

const statuses = (answers: readonly Answer[]): Record<number, number> =>
  answers.reduce<Record<number, number>>((counts, { status }) => {
    counts[status] = (counts[status] ?? 0) + 1
    return counts
  }, {})

test('batches that wait for a lock hold the connections of their project only', async (t) => {
  const { api, answers, release } = await attack(t, 32, 60_000)
  await eventually('the attacker holds what it may', async () => (await lockWaiters(api.db)) === HELD_ALONE)
  // All of it with the attack going on: reads, writes, the service's own routes, an administrator.
  const pool = await aPoolOf(api, BYSTANDER)
  const members = `${OCTAVIA}/pools/${pool.id}/members`
  for (let port = 1; port <= 10; port++) {
    const member = { address: '192.0.2.1', protocol_port: port }
    assert.equal((await api.request('POST', members, { member }, BYSTANDER)).status, 201)
    assert.equal((await api.request('GET', members, undefined, BYSTANDER)).body.members.length, port)
  }
  assert.equal((await api.request('GET', '/healthcheck')).status, 200)
  assert.equal((await api.request('GET', '/v1/probers', undefined, { 'x-project-id': 'admin' })).status, 200)
  // One that has waited for as long as PostgreSQL lets it is followed by the next.
  await eventually('it still holds as much', async () => (await lockWaiters(api.db)) === HELD_ALONE)
  await release()
  // In the end the attacker, too, is answered: what waited longer for the lock than PostgreSQL lets it was refused.
  const counts = statuses(await Promise.all(answers))
  assert.deepEqual((counts[202] ?? 0) + (counts[409] ?? 0), 32, JSON.stringify(counts))
  assert.equal((await api.request('GET', LBS, undefined, ATTACKER)).status, 200)
})

test('a project that waits too long is 503 with Retry-After, in both dialects, and no other project is', async (t) => {
  const { api, answers, release } = await attack(t, HELD_ALONE, 2000)
  await eventually('the attacker holds what it may', async () => (await lockWaiters(api.db)) === HELD_ALONE)
  const waited = await api.request('GET', LBS, undefined, ATTACKER)
  assertRefused(waited, { status: 503, code: 'ELB.8906', message: BUSY })
  assert.equal(waited.headers['retry-after'], String(RETRY_AFTER_SECONDS))
  const octavia = await api.request('GET', `${OCTAVIA}/pools`, undefined, ATTACKER)
  assertFault(octavia, 503, BUSY)
  assert.equal(octavia.headers['retry-after'], String(RETRY_AFTER_SECONDS))
  assert.equal((await api.request('GET', LBS, undefined, BYSTANDER)).status, 200)
  await release()
  await Promise.all(answers)
  assert.equal((await api.request('GET', LBS, undefined, ATTACKER)).status, 200)
})

test('so many of one project may wait, and what comes on top is 503 at once', async (t) => {
  const extra = 50
  const { api, answers, release } = await attack(t, HELD_ALONE + PROJECT_WAITING_MAX + extra, 60_000)
  let refused = 0
  for (const answer of answers) void answer.then(({ status }) => (refused += status === 503 ? 1 : 0))
  await eventually('those beyond the queue are refused', () => refused > 0)
  assert.equal((await api.request('GET', LBS, undefined, BYSTANDER)).status, 200)
  await release()
  const counts = statuses(await Promise.all(answers))
  assert.ok((counts[503] ?? 0) > 0 && (counts[503] ?? 0) <= extra, JSON.stringify(counts))
})

test('a body that comes slowly holds no connection', async (t) => {
  const { db } = await testDatabase(t)
  const api = await startApi(t, { db, admission: { connections: 4, waitMs: 60_000 } })
  const pool = await aPoolOf(api, ATTACKER)
  // Of two places the attacker may have one.
  const sockets = await Promise.all(Array.from({ length: 20 }, () => halfABody(api.port, pool.id)))
  t.after(() => sockets.forEach((socket) => socket.destroy()))
  for (const headers of [ATTACKER, BYSTANDER]) {
    assert.equal((await api.request('GET', LBS, undefined, headers)).status, 200)
  }
})

/** A connection on which a batch has begun to come in. */
async function halfABody(port: number, poolId: string) {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => undefined)
  const head = [
    `PUT /v2.0/lbaas/pools/${poolId}/members HTTP/1.1`,
    'Host: localhost',
    'X-Project-Id: attacker',
    'Content-Type: application/json',
    'Content-Length: 1000',
    'Expect: 100-continue',
  ]
  socket.write(`${head.join('\r\n')}\r\n\r\n`)
  // The head was read; what comes now is body.
  await new Promise((resolve) => socket.once('data', resolve))
  socket.write('{"members":[')
  return socket
}

test('the memory for bodies is divided: one project cannot fill it', async (t) => {
  const { db } = await testDatabase(t)
  const api = await startApi(t, { db })
  const pool = await aPoolOf(api, ATTACKER)
  // 64 MiB for all: twelve bodies of 4 MiB that do not end are the attacker's, the thirteenth is too much.
  const padding = Buffer.alloc(LARGE_BODY_MAX_BYTES - 1, ' ')
  const answers: string[] = []
  for (let i = 0; i < 16; i++) {
    const socket = connect(api.port, '127.0.0.1')
    t.after(() => void socket.destroy())
    socket.on('error', () => undefined)
    socket.on('data', (data: Buffer) => answers.push(data.toString()))
    socket.write(
      `PUT /v2.0/lbaas/pools/${pool.id}/members HTTP/1.1\r\nHost: localhost\r\nX-Project-Id: attacker\r\n` +
        `Content-Type: application/json\r\nContent-Length: ${LARGE_BODY_MAX_BYTES}\r\n\r\n`,
    )
    socket.write(padding)
  }
  await eventually('the attacker is refused', () => answers.length > 0)
  for (const answer of answers) assert.ok(answer.startsWith('HTTP/1.1 503 '), answer)
  const mine = await aPoolOf(api, BYSTANDER)
  const members = Array.from({ length: 200 }, (_, i) => ({ address: '192.0.2.1', protocol_port: i + 1 }))
  const put = await api.request('PUT', `${OCTAVIA}/pools/${mine.id}/members`, { members }, BYSTANDER)
  assert.equal(put.status, 202)
})
