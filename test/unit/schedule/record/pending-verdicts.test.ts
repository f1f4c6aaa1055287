import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { VerdictWrite } from '../../../../src/domain/prober/check.ts'
import { PendingVerdicts } from '../../../../src/schedule/record/pending-verdicts.ts'

function write(projectId: string, member: number, sequence: number, shard = member % 4): VerdictWrite {
  const transition = {
    at: sequence,
    from: 'ONLINE',
    to: 'OFFLINE',
    reason: 'CONNECT_REFUSED',
    detail: '',
    evidence: {},
    generation: 1,
    dropped: 0,
    sequence,
  } as const
  return {
    memberId: `${projectId} ${member}`,
    projectId,
    generation: 1,
    shard,
    epoch: 1,
    sequence,
    status: 'OFFLINE',
    since: sequence,
    reason: 'CONNECT_REFUSED',
    detail: '',
    evidence: {},
    okRun: 0,
    badRun: 0,
    transitions: [transition],
  }
}

test('a statement takes one of each project in turn, and who was not served has the first turn of the next', () => {
  const pending = new PendingVerdicts()
  for (let i = 0; i < 1000; i++) pending.add(write('many', i, i))
  pending.add(write('one', 0, 1000))
  for (let i = 0; i < 3; i++) pending.add(write('three', i, 1001 + i))
  const projects = (count: number) => pending.take(count).map(({ projectId }) => projectId)
  assert.deepEqual(projects(2), ['many', 'one'])
  assert.deepEqual(projects(2), ['three', 'many'])
  assert.deepEqual(projects(5), ['three', 'many', 'three', 'many', 'many'])
  assert.equal(pending.size, 1000 + 1 + 3 - 9)
})

test('of one project what has waited longest is taken first', () => {
  const pending = new PendingVerdicts()
  for (const member of [3, 1, 2]) pending.add(write('a', member, member))
  pending.add(write('a', 3, 9))
  assert.deepEqual(
    pending.take(2).map(({ sequence, transitions }) => [sequence, transitions.map(({ at }) => at)]),
    [
      [9, [3, 9]],
      [1, [1]],
    ],
  )
})

test('whatever comes, is taken, put back or dropped in which order: one entry per member, no entry lost or left behind', () => {
  const step = fc.record({
    what: fc.constantFrom('add', 'add', 'add', 'take', 'putBack', 'drop'),
    project: fc.constantFrom('a', 'b', 'c'),
    member: fc.nat(8),
    count: fc.integer({ min: 1, max: 6 }),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const pending = new PendingVerdicts()
      const waiting = new Map<string, { projectId: string; shard: number; sequence: number }>()
      let taken: readonly VerdictWrite[] = []
      let sequence = 0
      for (const { what, project, member, count } of steps) {
        if (what === 'add') {
          const newer = write(project, member, ++sequence)
          pending.add(newer)
          waiting.set(newer.memberId, newer)
        } else if (what === 'take') {
          const before = new Set([...waiting.values()].map(({ projectId }) => projectId))
          taken = pending.take(count)
          assert.equal(taken.length, Math.min(count, waiting.size))
          // No project has a second one before each that waits has had one.
          const first = taken.slice(0, before.size).map(({ projectId }) => projectId)
          assert.equal(new Set(first).size, first.length)
          for (const entry of taken) {
            assert.equal(entry.sequence, waiting.get(entry.memberId)?.sequence)
            waiting.delete(entry.memberId)
          }
        } else if (what === 'putBack') {
          pending.putBack(taken)
          for (const entry of taken) if (!waiting.has(entry.memberId)) waiting.set(entry.memberId, entry)
          taken = []
        } else {
          const gone = [...waiting].filter(([, { shard }]) => shard === member % 4)
          assert.equal(pending.dropShards(new Set([member % 4])), gone.length)
          for (const [memberId] of gone) waiting.delete(memberId)
        }
        assert.equal(pending.size, waiting.size)
      }
      const rest = pending.take(1000)
      assert.deepEqual(rest.map(({ memberId }) => memberId).toSorted(), [...waiting.keys()].toSorted())
      assert.equal(pending.size, 0)
    }),
    { numRuns: 300 },
  )
})
