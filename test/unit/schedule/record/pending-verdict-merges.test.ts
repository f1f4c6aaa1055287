import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Transition, VerdictWrite } from '../../../../src/domain/prober/check.ts'
import { PendingVerdicts } from '../../../../src/schedule/record/pending-verdicts.ts'

type Status = VerdictWrite['status']

function transition(sequence: number, to: Status): Transition {
  const from = to === 'ONLINE' ? 'OFFLINE' : 'ONLINE'
  return {
    at: sequence,
    from,
    to,
    reason: 'PASSED',
    detail: '',
    evidence: {},
    generation: 1,
    dropped: 0,
    sequence,
  }
}

/** A write of member `a` with one transition, or with none. */
function write(sequence: number, status: Status, more: Partial<VerdictWrite> = {}): VerdictWrite {
  return {
    memberId: 'a',
    projectId: 'project',
    shard: 3,
    epoch: 1,
    generation: 1,
    sequence,
    status,
    since: sequence,
    reason: 'PASSED',
    detail: '',
    evidence: {},
    okRun: 0,
    badRun: 0,
    transitions: [transition(sequence, status)],
    ...more,
  }
}

const sequencesOf = (row: VerdictWrite | undefined) => row?.transitions.map(({ sequence }) => sequence)

test('what is put back does not overwrite what has come meanwhile: the newer state, and both transitions in order', () => {
  const pending = new PendingVerdicts()
  pending.add(write(1, 'OFFLINE'))
  const failed = pending.take(10)
  pending.add(write(2, 'ONLINE'))
  pending.putBack(failed)
  const [row, ...others] = pending.take(10)
  assert.deepEqual(others, [])
  assert.deepEqual([row?.status, row?.sequence, row?.since], ['ONLINE', 2, 2])
  assert.deepEqual(sequencesOf(row), [1, 2])
})

test('what is put back of an older epoch is forgotten when there is something of the present one', () => {
  const pending = new PendingVerdicts()
  pending.add(write(9, 'OFFLINE'))
  const failed = pending.take(10)
  pending.add(write(10, 'ONLINE', { epoch: 2 }))
  pending.putBack(failed)
  const [row] = pending.take(10)
  assert.deepEqual([row?.epoch, row?.status, sequencesOf(row)], [2, 'ONLINE', [10]])
})

test('a newer write takes the place of an older one, keeps its transition and, without results, its results', () => {
  const pending = new PendingVerdicts()
  const recent = new Uint8Array([1, 2, 3])
  pending.add(write(1, 'OFFLINE', { recent }))
  pending.add(write(2, 'OFFLINE', { transitions: [], badRun: 7 }))
  assert.equal(pending.size, 1)
  const [row] = pending.take(10)
  assert.deepEqual([row?.sequence, row?.badRun, row?.recent], [2, 7, recent])
  assert.deepEqual(sequencesOf(row), [1])
  const newest = new Uint8Array([4])
  pending.add(write(3, 'OFFLINE', { recent }))
  pending.add(write(4, 'ONLINE', { recent: newest }))
  assert.deepEqual(pending.take(10)[0]?.recent, newest)
})

test('of many transitions the first and the last stay, and the last counts those between, however they came', () => {
  const pending = new PendingVerdicts()
  pending.add(write(1, 'OFFLINE'))
  for (let sequence = 2; sequence <= 5; sequence++) {
    const taken = pending.take(10)
    pending.add(write(sequence, sequence % 2 === 0 ? 'ONLINE' : 'OFFLINE'))
    pending.putBack(taken)
  }
  const [row] = pending.take(10)
  assert.deepEqual(sequencesOf(row), [1, 5])
  assert.deepEqual(
    row?.transitions.map(({ dropped }) => dropped),
    [0, 3],
  )
})

test('who waits longest is taken first, no more than the limit, and what was taken is gone', () => {
  const pending = new PendingVerdicts()
  for (const memberId of ['a', 'b', 'c']) pending.add(write(1, 'ONLINE', { memberId }))
  const names = (rows: readonly VerdictWrite[]) => rows.map(({ memberId }) => memberId)
  assert.deepEqual(names(pending.take(2)), ['a', 'b'])
  assert.equal(pending.size, 1)
  assert.deepEqual(names(pending.take(2)), ['c'])
  assert.deepEqual(pending.take(2), [])
})

test('what belongs to shards that are gone is forgotten and counted, the rest stays', () => {
  const pending = new PendingVerdicts()
  pending.add(write(1, 'ONLINE', { memberId: 'a', shard: 1 }))
  pending.add(write(1, 'ONLINE', { memberId: 'b', shard: 2 }))
  pending.add(write(1, 'ONLINE', { memberId: 'c', shard: 1 }))
  assert.equal(pending.dropShards(new Set([1, 7])), 2)
  assert.deepEqual(
    pending.take(10).map(({ memberId }) => memberId),
    ['b'],
  )
})
