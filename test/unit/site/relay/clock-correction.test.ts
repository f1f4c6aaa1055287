/** Times of a clock that is wrong, corrected: all of those that people see, and nothing else. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  RECENT_BYTES,
  RECENT_HEADER_BYTES,
  packHeader,
  recentWord,
  unpackRecent,
} from '../../../../src/domain/result/recent-results.ts'
import { correctedCheckpoint, correctedVerdict } from '../../../../src/site/relay/clock-correction.ts'
import { aVerdict } from '../../../support/verdicts.ts'

const AT = 1_700_000_000_000

/** One result, at AT. */
function recentAt(): Uint8Array {
  const view = new DataView(new ArrayBuffer(RECENT_HEADER_BYTES + RECENT_BYTES))
  packHeader(view, 0, AT)
  view.setUint32(RECENT_HEADER_BYTES + 4, recentWord('PASSED', 1), true)
  return new Uint8Array(view.buffer)
}

const timesOf = (recent: Uint8Array | undefined) =>
  unpackRecent(recent ?? new Uint8Array(8)).map(({ at }) => at.getTime())

test('a verdict: since, transitions and recent results; the evidence says by how much', () => {
  const row = aVerdict('a', 1, 5, { recent: recentAt() })
  const { since, evidence, transitions, recent, ...rest } = correctedVerdict(row, -420_000)
  assert.equal(since, row.since - 420_000)
  assert.equal(transitions[0]?.at, (row.transitions[0]?.at ?? 0) - 420_000)
  assert.deepEqual(evidence, { ...row.evidence, clock_corrected_ms: -420_000 })
  assert.deepEqual(timesOf(recent), [AT - 420_000])
  assert.deepEqual(timesOf(row.recent), [AT], 'what was given stays as it was')
  assert.deepEqual([rest.epoch, rest.sequence], [row.epoch, row.sequence])
})

test('a checkpoint: when it was made, and of each check the last probe and the next', () => {
  const entry = {
    memberId: 'a',
    generation: 1,
    probedAt: AT - 1000,
    nextAt: AT + 1000,
    outcome: 'passed',
    reason: 'PASSED',
    phases: { totalMs: 1 },
    okRun: 1,
    badRun: 0,
    stale: false,
    flags: 0,
  } as const
  const part = { id: 3, epoch: 2, owner: 'one', asOf: AT, entries: [entry], recent: recentAt() }
  const corrected = correctedCheckpoint(part, 5000)
  assert.deepEqual(
    { ...corrected, recent: timesOf(corrected.recent) },
    {
      ...part,
      asOf: AT + 5000,
      entries: [{ ...entry, probedAt: AT + 4000, nextAt: AT + 6000 }],
      recent: [AT + 5000],
    },
  )
  const later = { ...part, recent: new Uint8Array() }
  assert.deepEqual(correctedCheckpoint(later, 5000).recent, later.recent, 'only the first part has results')
  assert.equal(correctedCheckpoint(part, 0), part)
})
