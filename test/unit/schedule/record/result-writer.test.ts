import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { VerdictWrite } from '../../../../src/domain/prober/check.ts'
import { FLUSH_ROWS_MAX, FLUSH_WITHIN_MS } from '../../../../src/domain/limits.ts'
import type { CheckStatus } from '../../../../src/domain/status/state-machine.ts'
import { createMetrics } from '../../../../src/runtime/metrics/metrics.ts'
import type { Check } from '../../../../src/schedule/loop/check.ts'
import { ResultWriter } from '../../../../src/schedule/record/result-writer.ts'
import { until } from '../../../support/probing.ts'

const SHARD = 3

/** As much of a check as the writer reads. */
function checkOf(memberId: string, status: 'ONLINE' | 'OFFLINE', at = 0, projectId = 'project'): Check {
  return {
    config: { memberId, projectId, generation: 1, shard: SHARD },
    state: { okRun: 0, badRun: 0 },
    verdict: { status, since: at, reason: 'PASSED', detail: '', evidence: {} },
  } as unknown as Check
}

/** `busy`: the pools of `attacker` are being counted. */
type Answer = 'written' | 'busy' | 'fenced' | 'away' | 'refused'

/** When a verdict came, and of whose member. */
interface When {
  readonly at?: number
  readonly projectId?: string
}

/** A writer over a database that answers as the test says, and remembers every statement. */
function harness(t: TestContext) {
  const statements: (readonly VerdictWrite[])[] = []
  const sentAt: number[] = []
  const fenced: number[] = []
  const logged: string[] = []
  const database: {
    answer: Answer | ((rows: readonly VerdictWrite[]) => Answer)
    held: Promise<void> | undefined
  } = {
    answer: 'written',
    held: undefined,
  }
  let epoch: number | undefined = 1
  const metrics = createMetrics('test')
  const writer = new ResultWriter({
    write: async (rows) => {
      statements.push(rows)
      sentAt.push(performance.now())
      await database.held
      const answer = typeof database.answer === 'function' ? database.answer(rows) : database.answer
      if (answer === 'away' || answer === 'refused') throw new Error(answer)
      const busy = answer === 'busy' ? rows.filter(({ projectId }) => projectId === 'attacker') : []
      return {
        held: new Set(answer === 'fenced' ? [] : rows.map((row) => row.shard)),
        putOff: new Set(busy.map(({ memberId }) => memberId)),
      }
    },
    epochOf: () => epoch,
    recentOf: () => new Uint8Array(),
    isAway: (error) => error instanceof Error && error.message === 'away',
    onFenced: (shards) => void fenced.push(...shards),
    metrics,
    log: {
      debug: () => undefined,
      info: (_, message) => void logged.push(message),
      warn: (_, message) => void logged.push(message),
      error: (_, message) => void logged.push(message),
    },
  })
  t.after(() => writer.destroy())
  const tell = (
    memberId: string,
    from: CheckStatus,
    to: 'ONLINE' | 'OFFLINE',
    { at = 0, projectId }: When = {},
  ) => writer.record(checkOf(memberId, to, at, projectId), from)
  return {
    writer,
    statements,
    sentAt,
    fenced,
    logged,
    database,
    metrics,
    tell,
    setEpoch: (to: number | undefined) => void (epoch = to),
  }
}

test('verdicts that come within a tenth of a second are written by one statement', async (t) => {
  const { writer, statements, tell } = harness(t)
  for (const id of ['a', 'b', 'c']) tell(id, 'UNKNOWN', 'ONLINE')
  await until(() => writer.waiting === 0)
  assert.deepEqual(
    statements.map((rows) => rows.map((row) => row.memberId)),
    [['a', 'b', 'c']],
  )
})

test('a statement has at most its rows, and the rest follows', async (t) => {
  const { writer, statements, tell } = harness(t)
  for (let i = 0; i < FLUSH_ROWS_MAX + 5; i++) tell(`m${i}`, 'UNKNOWN', 'ONLINE')
  await writer.drain(5000)
  assert.deepEqual(
    statements.map((rows) => rows.length),
    [FLUSH_ROWS_MAX, 5],
  )
})

test('one project’s 20 000 changes a second do not keep another’s verdict waiting: it is in the next statement', async (t) => {
  const { writer, statements, database, tell } = harness(t)
  let release = (): void => undefined
  database.held = new Promise((resolve) => {
    release = resolve
  })
  for (let i = 0; i < 20_000; i++) tell(`m${i}`, 'ONLINE', 'OFFLINE', { at: i, projectId: 'attacker' })
  await until(() => statements.length === 1)
  tell('his', 'ONLINE', 'OFFLINE', { projectId: 'bystander' })
  release()
  await until(() => statements.length >= 2)
  assert.ok(statements[1]?.some(({ memberId }) => memberId === 'his'))
  assert.equal(await writer.drain(10_000), true)
  assert.equal(statements.flat().length, 20_001)
})

test('while PostgreSQL is away the final state and the first and last transition stay, and the middles are counted', async (t) => {
  const { writer, statements, database, logged, tell } = harness(t)
  database.answer = 'away'
  const flaps: readonly [CheckStatus, 'ONLINE' | 'OFFLINE'][] = [
    ['UNKNOWN', 'ONLINE'],
    ['ONLINE', 'OFFLINE'],
    ['OFFLINE', 'ONLINE'],
    ['ONLINE', 'OFFLINE'],
    ['OFFLINE', 'ONLINE'],
  ]
  for (const [i, [from, to]] of flaps.entries()) {
    tell('a', from, to, { at: i })
    const sent = statements.length
    await until(() => statements.length > sent)
  }
  assert.equal(writer.waiting, 1)
  database.answer = 'written'
  assert.equal(await writer.drain(10_000), true)
  const row = statements.at(-1)?.[0]
  assert.equal(row?.status, 'ONLINE')
  assert.deepEqual(
    row?.transitions.map(({ from, to, at, dropped }) => [from, to, at, dropped]),
    [
      ['UNKNOWN', 'ONLINE', 0, 0],
      ['OFFLINE', 'ONLINE', 4, 3],
    ],
  )
  assert.ok((row?.transitions[0]?.sequence ?? 0) < (row?.transitions[1]?.sequence ?? 0))
  assert.equal(logged.filter((line) => line.includes('cannot be written')).length, 1, 'told once')
})

test('what comes while a statement is under way is written by the next one, in order', async (t) => {
  const { writer, statements, database, tell } = harness(t)
  let release = (): void => undefined
  database.held = new Promise((resolve) => {
    release = resolve
  })
  tell('a', 'UNKNOWN', 'ONLINE')
  await until(() => statements.length === 1)
  tell('a', 'ONLINE', 'OFFLINE')
  release()
  await until(() => statements.length === 2 && writer.waiting === 0)
  assert.deepEqual(
    statements.map((rows) => rows[0]?.transitions.map((transition) => transition.to)),
    [['ONLINE'], ['OFFLINE']],
  )
})

test('rows that the fence refuses are dropped, and the ownership is checked', async (t) => {
  const { writer, database, fenced, tell } = harness(t)
  database.answer = 'fenced'
  tell('a', 'UNKNOWN', 'ONLINE')
  await until(() => writer.waiting === 0)
  assert.deepEqual(fenced, [SHARD])
})

test('rows that are put off are written again with what came meanwhile, and keep nobody else waiting', async (t) => {
  const { writer, statements, database, fenced, logged, tell } = harness(t)
  database.answer = 'busy'
  tell('m', 'ONLINE', 'OFFLINE', { at: 1, projectId: 'attacker' })
  for (let i = 0; i < FLUSH_ROWS_MAX + 5; i++) tell(`b${i}`, 'ONLINE', 'OFFLINE', { projectId: 'bystander' })
  await until(() => writer.waiting === 1)
  const sentTo = (project: string) => statements.flat().filter(({ projectId }) => projectId === project)
  assert.equal(sentTo('bystander').length, FLUSH_ROWS_MAX + 5, 'each once')
  tell('m', 'OFFLINE', 'ONLINE', { at: 2, projectId: 'attacker' })
  database.answer = 'written'
  assert.equal(await writer.drain(5000), true)
  assert.deepEqual(
    sentTo('attacker')
      .at(-1)
      ?.transitions.map(({ to, at }) => [to, at]),
    [
      ['OFFLINE', 1],
      ['ONLINE', 2],
    ],
  )
  assert.deepEqual([fenced, logged], [[], []])
})

test('while all that waits is put off, it is tried again ten times a second at most, and closing ends in time', async (t) => {
  const { writer, statements, sentAt, database, tell } = harness(t)
  database.answer = 'busy'
  tell('m', 'ONLINE', 'OFFLINE', { projectId: 'attacker' })
  await until(() => statements.length === 3)
  const [first = 0, , third = 0] = sentAt
  assert.ok(third - first >= 2 * FLUSH_WITHIN_MS - 5, `${third - first} ms`)
  assert.equal(await writer.close(150), false)
  assert.ok(statements.length <= 3 + 5, `${statements.length - 3} statements while it closed`)
})

test('nothing is kept for a shard that is not ours, or no longer', async (t) => {
  const { writer, statements, tell, setEpoch } = harness(t)
  tell('a', 'UNKNOWN', 'ONLINE')
  writer.dropShards(new Set([SHARD]))
  assert.equal(writer.waiting, 0)
  setEpoch(undefined)
  tell('b', 'UNKNOWN', 'ONLINE')
  assert.equal(writer.waiting, 0)
  assert.equal(statements.length, 0)
})

test('a verdict of an older epoch does not slip in with one of the present epoch', async (t) => {
  const { writer, statements, database, tell, setEpoch } = harness(t)
  database.answer = 'away'
  tell('a', 'UNKNOWN', 'OFFLINE')
  await until(() => statements.length === 1)
  setEpoch(2)
  tell('a', 'UNKNOWN', 'ONLINE')
  database.answer = 'written'
  await writer.drain(5000)
  assert.deepEqual(
    statements.at(-1)?.map((row) => [row.epoch, row.transitions.map((transition) => transition.to)]),
    [[2, ['ONLINE']]],
  )
})

test('one row that PostgreSQL refuses is found and dropped; the others arrive', async (t) => {
  const { writer, statements, database, logged, tell } = harness(t)
  database.answer = (rows) => (rows.some((row) => row.memberId === 'bad') ? 'refused' : 'written')
  for (const id of ['a', 'bad', 'b', 'c']) tell(id, 'UNKNOWN', 'ONLINE')
  assert.equal(await writer.drain(20_000), true)
  assert.equal(logged.filter((line) => line.includes('is dropped')).length, 1)
  const written = statements.filter((rows) => !rows.some((row) => row.memberId === 'bad')).flat()
  assert.deepEqual(written.map((row) => row.memberId).toSorted(), ['a', 'b', 'c'])
})

test('close writes what waits and ends in time when it cannot; destroy writes nothing', async (t) => {
  const first = harness(t)
  first.tell('a', 'UNKNOWN', 'ONLINE')
  assert.equal(await first.writer.close(1000), true)
  assert.equal(first.statements.length, 1)

  const second = harness(t)
  second.database.answer = 'away'
  second.tell('a', 'UNKNOWN', 'ONLINE')
  assert.equal(await second.writer.close(300), false)

  const third = harness(t)
  third.tell('a', 'UNKNOWN', 'ONLINE')
  third.writer.destroy()
  assert.equal(await third.writer.drain(100), false)
  assert.equal(third.statements.length, 0)
})

test('a writer that has closed leaves no timer, so that its process can end', async (t) => {
  const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
  const { writer, tell } = harness(t)
  const before = timers()
  tell('a', 'UNKNOWN', 'ONLINE')
  await writer.close(60_000)
  assert.equal(timers(), before)
})

test('writes are counted by what became of them, and changes of status only when they are written', async (t) => {
  const { writer, statements, database, metrics, tell } = harness(t)
  const counted = async (): Promise<readonly string[]> => {
    const text = await metrics.registry.metrics()
    return [...text.matchAll(/^hm_(?:flushes|transitions)_total\{(.*)\} (\d+)$/gm)]
      .filter(([, , count]) => count !== '0')
      .map(([, labels, count]) => `${labels} ${count}`)
      .toSorted()
  }
  tell('a', 'ONLINE', 'OFFLINE')
  tell('b', 'OFFLINE', 'ONLINE')
  tell('c', 'UNKNOWN', 'ONLINE')
  await writer.drain(1000)
  const written = ['outcome="written" 1', 'to="OFFLINE" 1', 'to="ONLINE" 2']
  assert.deepEqual(await counted(), written)
  database.answer = 'fenced'
  tell('a', 'OFFLINE', 'ONLINE')
  await writer.drain(1000)
  assert.deepEqual(await counted(), ['outcome="fenced" 1', ...written])
  database.answer = 'refused'
  tell('a', 'OFFLINE', 'ONLINE')
  await writer.drain(1000)
  assert.deepEqual(await counted(), ['outcome="failed" 1', 'outcome="fenced" 1', ...written])
  database.answer = 'busy'
  tell('d', 'OFFLINE', 'ONLINE', { projectId: 'attacker' })
  const sent = statements.length
  await until(() => statements.length === sent + 2)
  assert.ok((await counted()).some((line) => line.startsWith('outcome="put_off"')))
})
