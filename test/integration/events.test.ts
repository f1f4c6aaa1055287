/** Events: from the rows that change something to those who get them. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { query, transaction } from '../../src/store/connection/database.ts'
import {
  purgeOldEvents,
  readEventBounds,
  readEvents,
  readOutboxLag,
  sequenceEvents,
} from '../../src/store/event/events.ts'
import { EventFeed } from '../../src/api/v1/event-feed.ts'
import { EventStreams } from '../../src/api/v1/event-streams.ts'
import { makeEvents, readAllEvents } from '../../src/bin/process/events.ts'
import { startApi } from '../support/api.ts'
import { eventually, PROJECT } from '../support/configuration.ts'
import { openTransaction, testDatabase } from '../support/database.ts'
import { openStream } from '../support/event-stream.ts'
import { aFarm, aProber, live } from '../support/farm.ts'
import { keepingLog } from '../support/prober.ts'
import { sequenceAllEvents } from '../support/sequence.ts'

const asProject = (project: string) => ({ 'x-project-id': project })

test('a verdict, the status of its pool and of its load balancer are events, in this order, each with its object and its parents', async (t) => {
  const { db } = await testDatabase(t)
  const farm = await aFarm(db, await aProber(db))
  await query(db, `update member set name = 'web-1' where id = $1`, [farm.members[0]])
  await query(db, `update pool set name = 'app'`)
  await farm.decide('ONLINE')
  await sequenceAllEvents(db)
  const before = await readEvents(db, { after: 0, upTo: 100, limit: 100, filter: {} })
  await farm.decide('OFFLINE', farm.members.slice(0, 1))
  await sequenceAllEvents(db)
  const events = await readEvents(db, {
    after: before.at(-1)?.position ?? 0,
    upTo: 100,
    limit: 100,
    filter: {},
  })
  assert.deepEqual(
    events.map(({ type, from, to }) => [type, from, to]),
    [
      ['member.status', 'UNKNOWN', 'OFFLINE'],
      ['pool.status', 'ONLINE', 'DEGRADED'],
      ['loadbalancer.status', 'ONLINE', 'DEGRADED'],
    ],
  )
  const ofMember = events.find(({ type }) => type === 'member.status')
  assert.deepEqual(ofMember?.member, {
    id: farm.members[0],
    name: 'web-1',
    address: '127.0.0.1',
    protocolPort: 1001,
  })
  assert.deepEqual([ofMember?.pool, ofMember?.projectId], [{ id: farm.poolId, name: 'app' }, PROJECT])
  assert.equal(ofMember?.data['reason'], 'PASSED')
})

test('a reader by position passes no event of a transaction that commits late', async (t) => {
  const { db } = await testDatabase(t)
  const insert = (to: typeof db | Awaited<ReturnType<typeof openTransaction>>['tx'], name: string) =>
    query(to, `insert into event_outbox (type, data) values ('test', $1)`, [JSON.stringify({ name })])
  const slow = await openTransaction(db)
  await insert(slow.tx, 'first to begin')
  await insert(db, 'first to commit')
  await sequenceAllEvents(db)
  const first = await readEvents(db, { after: 0, upTo: 99, limit: 10, filter: {} })
  assert.deepEqual(
    first.map(({ data }) => data['name']),
    ['first to commit'],
  )
  await slow.commit()
  await sequenceAllEvents(db)
  const rest = await readEvents(db, { after: first[0]?.position ?? 0, upTo: 99, limit: 10, filter: {} })
  assert.deepEqual(
    rest.map(({ data }) => data['name']),
    ['first to begin'],
  )
})

test('many that give positions at once give each event one, in an order that nobody can miss', async (t) => {
  const { db } = await testDatabase(t)
  const seen: number[] = []
  let isWriting = true
  const reader = (async () => {
    for (let after = 0; isWriting || after < 200; ) {
      const events = await readEvents(db, { after, upTo: 10_000, limit: 50, filter: {} })
      seen.push(...events.map(({ data }) => Number(data['n'])))
      after = events.at(-1)?.position ?? after
      if (!isWriting && events.length === 0) break
    }
  })()
  const numbers = Array.from({ length: 200 }, (_, n) => n)
  const writers = [0, 1, 2].map(async (part) => {
    for (const n of numbers.filter((each) => each % 3 === part)) {
      await query(db, `insert into event_outbox (type, data) values ('test', $1)`, [JSON.stringify({ n })])
      await sequenceEvents(db, 2)
    }
  })
  await Promise.all(writers)
  await sequenceAllEvents(db)
  isWriting = false
  await reader
  assert.deepEqual(
    seen.toSorted((a, b) => a - b),
    numbers,
  )
})

test('giving positions reads the rows that it moves, also in a session that did so when there were none', async (t) => {
  const { db } = await testDatabase(t)
  const farm = await aFarm(db, await aProber(db))
  await sequenceAllEvents(db)
  const rows = await transaction(db, async (tx) => {
    await query(tx, `insert into event_outbox (type) values ('test')`)
    await query(tx, 'analyze member_transition, event_outbox')
    await sequenceAllEvents(tx)
    await query(
      tx,
      `insert into member_transition
         (member_id, pool_id, project_id, at, from_state, to_state, reason, generation, epoch, sequence)
       select $1, $2, $3, now(), 'ONLINE', 'OFFLINE', 'CONNECT_REFUSED', 1, 1, n from generate_series(1, 2000) n`,
      [farm.members[0], farm.poolId, PROJECT],
    )
    assert.notEqual(await sequenceEvents(tx, 10), 'none')
    const [read] = await query<{ rows: number }>(
      tx,
      `select seq_tup_read + idx_tup_fetch as rows from pg_stat_xact_user_tables where relname = 'member_transition'`,
    )
    return read?.rows ?? 0
  })
  assert.ok(rows <= 20, `${rows} transitions were read for 10 events`)
})

test('who finds that another one gives positions does not wait, and nothing is lost when that one is killed', async (t) => {
  const { db } = await testDatabase(t)
  const tell = (n: number) =>
    query(db, `insert into event_outbox (type, data) values ('test', $1)`, [JSON.stringify({ n })])
  const numbers = async () => {
    const events = await readEvents(db, { after: 0, upTo: 100, limit: 100, filter: {} })
    return events.map(({ data }) => data['n'])
  }
  for (const n of [1, 2, 3]) await tell(n)
  const killed = await openTransaction(db)
  assert.deepEqual(await sequenceEvents(killed.tx, 2), { last: 2 })
  await tell(4)
  const others = await Promise.all([1, 2, 3].map(() => sequenceEvents(db, 10)))
  assert.deepEqual([others, await numbers()], [['busy', 'busy', 'busy'], []])
  const [session] = await query<{ pid: number }>(killed.tx, 'select pg_backend_pid() as pid')
  await query(db, 'select pg_terminate_backend($1)', [session?.pid])
  await killed.rollback()
  await eventually('the next one moves them', async () => (await sequenceEvents(db, 10)) !== 'busy')
  assert.equal(await sequenceEvents(db, 10), 'none')
  assert.deepEqual(await numbers(), [1, 2, 3, 4])
})

test('a stream gets events of its project only, in order, and a reader that comes back misses nothing and gets nothing twice', async (t) => {
  const { url, farm, other } = await live(t)
  const path = `${url}/v1/events?type=member.status`
  const first = await openStream(path, asProject(PROJECT))
  assert.equal(first.headers['content-type'], 'text/event-stream; charset=utf-8')
  await other.decide('ONLINE')
  await farm.decide('ONLINE')
  const [one, two] = await first.until(2)
  const data = JSON.parse(one?.data ?? '')
  assert.deepEqual([one?.event, one?.id, data.id], ['member.status', data.id, data.id])
  assert.deepEqual([data.project_id, data.to, data.member.id], [PROJECT, 'ONLINE', farm.members[0]])
  first.close()
  await farm.decide('OFFLINE')
  await other.decide('OFFLINE')
  const again = await openStream(path, { ...asProject(PROJECT), 'last-event-id': two?.id ?? '' })
  await again.until(2)
  await farm.decide('ONLINE')
  const heard = (await again.until(4)).map((message) => JSON.parse(message.data))
  assert.deepEqual(
    heard.map(({ project_id, to }) => [project_id, to]),
    [
      [PROJECT, 'OFFLINE'],
      [PROJECT, 'OFFLINE'],
      [PROJECT, 'ONLINE'],
      [PROJECT, 'ONLINE'],
    ],
  )
  assert.equal(new Set(heard.map(({ id }) => id)).size, 4)
  again.close()
})

test('a stream from a position that was deleted gets a gap, then the rest', async (t) => {
  const { url, farm, db } = await live(t)
  await farm.decide('ONLINE')
  await eventually('every event has its position', async () => (await readOutboxLag(db)).rows === 0)
  const { last } = await readEventBounds(db)
  await query(db, `update event set at = now() - interval '9 days'`)
  await purgeOldEvents(db, 8, 1000)
  await farm.decide('OFFLINE')
  const stream = await openStream(`${url}/v1/events?after=0`, asProject(PROJECT))
  const [gap, next] = await stream.until(2)
  const to = String(last)
  assert.deepEqual([gap?.event, gap?.id, JSON.parse(gap?.data ?? '')], ['gap', to, { from: '0', to }])
  assert.ok(Number(next?.id) > last)
  stream.close()
})

test('pages go on after an id, in both directions, and say where', async (t) => {
  const api = await live(t)
  await api.farm.decide('ONLINE')
  await api.farm.decide('OFFLINE')
  const get = async (parameters: string) =>
    (await api.request('GET', `/v1/events?type=member.status&${parameters}`, undefined, asProject(PROJECT)))
      .body
  let all = await get('after=0')
  await eventually('the page has four events', async () => {
    all = await get('after=0')
    return all.events.length === 4
  })
  const ids = all.events.map(({ id }: { id: string }) => id)
  const first = await get('after=0&limit=3')
  assert.deepEqual(
    first.events.map(({ id }: { id: string }) => id),
    ids.slice(0, 3),
  )
  const second = await get(`after=${first.after}&limit=3`)
  assert.deepEqual(
    second.events.map(({ id }: { id: string }) => id),
    ids.slice(3),
  )
  const newest = await get('limit=2')
  assert.deepEqual(
    newest.events.map(({ id }: { id: string }) => id),
    ids.slice(2).toReversed(),
  )
  const older = await get(`limit=2&before=${newest.before}`)
  assert.deepEqual(
    older.events.map(({ id }: { id: string }) => id),
    ids.slice(0, 2).toReversed(),
  )
  const down = await get('after=0&to=OFFLINE')
  assert.deepEqual(
    down.events.map(({ to }: { to: string }) => to),
    ['OFFLINE', 'OFFLINE'],
  )
  assert.deepEqual((await get(`after=0&member_id=${randomUUID()}`)).events, [])
})

test('a page that waits comes with the first event that matches, or empty when the time is over', async (t) => {
  const api = await live(t)
  const get = (parameters: string) =>
    api.request('GET', `/v1/events?${parameters}`, undefined, asProject(PROJECT))
  const { after } = (await get('limit=1')).body
  const waiting = get(`after=${after}&wait=60&to=OFFLINE&type=member.status`)
  await api.farm.decide('ONLINE')
  await api.other.decide('OFFLINE')
  await api.farm.decide('OFFLINE')
  const { events } = (await waiting).body
  assert.deepEqual([events[0].to, events[0].project_id], ['OFFLINE', PROJECT])
  const empty = (await get(`after=${(await get('limit=1')).body.after}&wait=1&member_id=${randomUUID()}`))
    .body
  assert.deepEqual(empty.events, [])
})

test('a page that waits goes on waiting when the feed begins after events that do not match', async (t) => {
  const { db } = await testDatabase(t)
  const owner = await aProber(db)
  const [farm, other] = [await aFarm(db, owner), await aFarm(db, owner, 'another')]
  let hasBegun = false
  const feed = new EventFeed({
    newest: async () => {
      await other.decide('OFFLINE')
      await sequenceAllEvents(db)
      hasBegun = true
      return (await readEventBounds(db)).last
    },
    read: (after, limit) => readAllEvents(db, after, limit),
    onTrouble: (error) => assert.fail(String(error)),
    onRecovery: () => undefined,
  })
  t.after(() => feed.close())
  const api = await startApi(t, { db, events: { feed, streams: new EventStreams() } })
  await sequenceAllEvents(db)
  const get = (parameters: string) =>
    api.request('GET', `/v1/events?${parameters}`, undefined, asProject(PROJECT))
  const { after } = (await get('limit=1')).body
  const waiting = get(`after=${after}&wait=60&type=member.status`)
  await eventually('the feed has begun', () => hasBegun)
  await feed.position()
  await farm.decide('ONLINE')
  await sequenceAllEvents(db)
  feed.notify()
  const { events } = (await waiting).body
  assert.deepEqual([events[0]?.to, events[0]?.project_id], ['ONLINE', PROJECT])
})

test('what events have no filter for is refused, by name, as a problem', async (t) => {
  const api = await startApi(t)
  for (const [parameters, detail] of [
    ['after=x', 'after must be a whole number from 0.'],
    ['limit=0', 'limit must be from 1 to 1000.'],
    ['limit=1001', 'limit must be from 1 to 1000.'],
    ['wait=61', 'wait must be from 0 to 60.'],
    ['after=1&before=2', 'A page is after an event, or before one.'],
    ['type=pool', 'There is no event type pool.'],
    ['pool_id=7', 'pool_id must be a UUID.'],
    ['colour=red', 'There is no parameter colour here.'],
  ]) {
    const { status, headers, body } = await api.request('GET', `/v1/events?${parameters}`)
    assert.deepEqual([status, body.code, body.detail], [400, 'INVALID_QUERY', detail])
    assert.match(String(headers['content-type']), /^application\/problem\+json/)
  }
})

test('a page that waits is answered at once when the process ends, with what there is', async (t) => {
  const database = await testDatabase(t)
  const events = makeEvents(database.db, database.url, keepingLog())
  const api = await startApi(t, { db: database.db, events })
  const { after } = (await api.request('GET', '/v1/events?limit=1')).body
  const waiting = api.request('GET', `/v1/events?after=${after}&wait=60`)
  // It has its place a moment before it notices the end.
  await eventually('a wait', () => events.streams.taken === 1)
  await events.feed.position()
  const startedMs = performance.now()
  await events.close()
  const { status, body } = await waiting
  assert.deepEqual([status, body], [200, { events: [], after }])
  assert.ok(performance.now() - startedMs < 10_000, 'long before its time is over')
  // One that comes later, on a connection that was open, does not wait either.
  const late = await api.request('GET', `/v1/events?after=${after}&wait=60`)
  assert.deepEqual([late.status, late.body], [200, { events: [], after }])
})

test('streams end with the process, so that their readers go to another one', async (t) => {
  const database = await testDatabase(t)
  const events = makeEvents(database.db, database.url, keepingLog())
  const api = await startApi(t, { db: database.db, events })
  const stream = await openStream(`${api.url}/v1/events`)
  await events.close()
  await stream.ended
  assert.deepEqual(stream.messages, [])
})
