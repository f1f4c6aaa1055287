/** The order in which results come into the database. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { VerdictWrite } from '../../../src/domain/prober/check.ts'
import type { RelayDatabase } from '../../../src/site/relay/relay-database.ts'
import { ResultIntake, type StoredResult } from '../../../src/site/relay/result-intake.ts'
import type { ResultMessage } from '../../../src/site/wire/results.ts'
import { keepingLog } from '../../support/prober.ts'
import { aVerdict } from '../../support/verdicts.ts'

class Away extends Error {}

/** What was asked of the database, in order. `answer` may refuse rows, or put members off. */
function intake(answer: (rows: readonly VerdictWrite[]) => readonly string[] = () => []) {
  const asked: string[] = []
  const counted: Record<string, number> = {}
  let isWorking = true
  const database = {
    claimed: (leases: readonly { readonly id: number; readonly epoch: number }[]) => {
      asked.push(`claim ${leases.map(({ id, epoch }) => `${id}@${epoch}`).join()}`)
      return Promise.resolve()
    },
    released: () => Promise.resolve(void asked.push('release')),
    writeVerdicts: (owner: string, rows: readonly VerdictWrite[]) => {
      const putOff = new Set(answer(rows))
      asked.push(`${owner} ${rows.map(({ memberId, sequence }) => `${memberId}${sequence}`).join()}`)
      return Promise.resolve({ held: new Set(rows.map(({ shard }) => shard)), putOff })
    },
    isAway: (error: unknown) => error instanceof Away,
  } as unknown as RelayDatabase
  const metrics = {
    relayed: () => undefined,
    relayedRows: (what: string, count: number) => {
      counted[what] = (counted[what] ?? 0) + count
    },
  }
  const made = new ResultIntake({ database, metrics, log: keepingLog(), isWorking: () => isWorking }, 0)
  return { made, asked, counted, stop: () => (isWorking = false) }
}

const verdicts = (owner: string, ...rows: readonly VerdictWrite[]): ResultMessage => ({
  kind: 'verdicts',
  owner,
  rows,
})
const claim = (shard: number, epoch: number): ResultMessage => ({ kind: 'claim', owner: 'b', shard, epoch })
const stored = (...messages: readonly ResultMessage[]): readonly StoredResult[] =>
  messages.map((message, i) => ({ position: i + 1, correctionMs: 0, message }))

test('what was sent before a claim is written before it, what was sent after it later', async () => {
  const { made, asked } = intake()
  await made.take(
    stored(
      verdicts('a', aVerdict('m', 1, 1)),
      verdicts('a', aVerdict('n', 1, 2)),
      claim(1, 2),
      claim(2, 2),
      verdicts('b', aVerdict('m', 1, 1, { epoch: 2 })),
    ),
  )
  assert.deepEqual(asked, ['a m1,n2', 'claim 1@2,2@2', 'b m1'])
  assert.equal(made.stored, 5)
})

test('verdicts on one member are written one after the other', async () => {
  const { made, asked } = intake()
  await made.take(stored(verdicts('a', aVerdict('m', 1, 1)), verdicts('a', aVerdict('m', 1, 2))))
  assert.deepEqual(asked, ['a m1', 'a m2'])
})

test('what is put off keeps no other member waiting, but its own later verdicts, claims and the position', async () => {
  let isLocked = true
  const { made, asked, counted } = intake((rows) =>
    rows.flatMap(({ memberId }) => (isLocked && memberId === 'm' ? memberId : [])),
  )
  await made.take(
    stored(verdicts('a', aVerdict('m', 1, 1), aVerdict('n', 1, 2)), verdicts('a', aVerdict('n', 1, 3))),
  )
  assert.deepEqual(asked, ['a m1,n2', 'a n3'])
  assert.deepEqual([made.stored, made.read], [0, 2])
  isLocked = false
  await made.take([{ position: 3, correctionMs: 0, message: claim(1, 2) }])
  assert.deepEqual(asked.slice(2), ['a m1', 'claim 1@2'])
  assert.deepEqual([made.stored, counted['written'], counted['put_off']], [3, 3, 1])
})

test('a row that PostgreSQL refuses takes no other with it', async () => {
  const { made, asked, counted } = intake((rows) => {
    if (rows.some(({ memberId }) => memberId === 'bad')) throw new Error('refused')
    return []
  })
  await made.take(stored(verdicts('a', aVerdict('m', 1, 1), aVerdict('bad', 1, 2), aVerdict('n', 1, 3))))
  assert.deepEqual(asked.toSorted(), ['a m1', 'a n3'])
  assert.deepEqual([made.stored, counted['refused'], counted['written']], [1, 1, 2])
})

test('a relay that was replaced while PostgreSQL was away notes nothing of what it did not write', async () => {
  const { made, stop } = intake(() => {
    stop()
    throw new Away()
  })
  await made.take(stored(verdicts('a', aVerdict('m', 1, 1))))
  assert.deepEqual([made.stored, made.read], [0, 0])
})

test('times of a clock that is wrong are corrected, and the evidence says by how much', async () => {
  const rows: VerdictWrite[] = []
  const { made, counted } = intake((some) => {
    rows.push(...some)
    return []
  })
  const given = aVerdict('m', 1, 1)
  await made.take([{ position: 1, correctionMs: -60_000, message: verdicts('a', given) }])
  assert.deepEqual(
    [rows[0]?.since, rows[0]?.transitions[0]?.at, rows[0]?.evidence['clock_corrected_ms']],
    [given.since - 60_000, (given.transitions[0]?.at ?? 0) - 60_000, -60_000],
  )
  assert.equal(counted['corrected'], 1)
})
