import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { decide, type SiteVerdict, type VotedMember } from '../../../../src/domain/site/member-verdict.ts'
import type { Vote } from '../../../../src/domain/site/quorum.ts'

const NOW = 1_700_000_000_000

function vote(site: string, status: Vote, more: Partial<SiteVerdict> = {}): SiteVerdict {
  const reason = status === 'ONLINE' ? 'PASSED' : 'CONNECT_TIMEOUT'
  return { site, status, reason, evidence: { port: 1 }, okRun: 1, badRun: 2, ...more }
}

function member(votes: readonly SiteVerdict[], more: Partial<VotedMember> = {}): VotedMember {
  return {
    generation: 7,
    sites: ['fra', 'ams', 'nyc'],
    quorum: 'majority',
    votes,
    published: undefined,
    startsOnline: false,
    ...more,
  }
}

const published = (status: Vote, more: Partial<NonNullable<VotedMember['published']>> = {}) => ({
  generation: 7,
  status,
  since: NOW - 60_000,
  isUndecided: false,
  ...more,
})

const DOWN = [vote('fra', 'OFFLINE'), vote('ams', 'OFFLINE'), vote('nyc', 'ONLINE')]
const UP = [vote('fra', 'ONLINE'), vote('ams', 'ONLINE')]

describe('what votes decide of a member', () => {
  it('is a transition from what was published, now, with who sees what', () => {
    const decision = decide(member(DOWN, { published: published('ONLINE') }), NOW)
    assert.deepEqual(decision, {
      kind: 'decided',
      verdict: {
        generation: 7,
        status: 'OFFLINE',
        since: NOW,
        site: 'fra',
        reason: 'CONNECT_TIMEOUT',
        detail: 'OFFLINE from fra and ams, ONLINE from nyc',
        evidence: { port: 1, site: 'fra' },
        okRun: 1,
        badRun: 2,
        from: 'ONLINE',
      },
    })
  })

  it('is no transition where the same was published, by an older generation or by how the monitor starts', () => {
    const old = decide(member(UP, { published: published('ONLINE', { generation: 6 }) }), NOW)
    assert.ok(old.kind === 'decided')
    assert.deepEqual([old.verdict.from, old.verdict.since], [undefined, NOW - 60_000])
    const started = decide(member(UP, { startsOnline: true }), NOW)
    assert.ok(started.kind === 'decided')
    assert.deepEqual([started.verdict.from, started.verdict.since], [undefined, NOW])
    const first = decide(member(UP), NOW)
    assert.ok(first.kind === 'decided')
    assert.equal(first.verdict.from, 'UNKNOWN')
  })

  it('is nothing new while the status is the same, whoever else sees it so', () => {
    assert.deepEqual(decide(member(UP, { published: published('ONLINE') }), NOW), { kind: 'unchanged' })
    const more = [...UP, vote('nyc', 'OFFLINE')]
    assert.deepEqual(decide(member(more, { published: published('ONLINE') }), NOW), { kind: 'unchanged' })
  })

  it('is undecided once while too few vote, and decided again with the same status when they do', () => {
    const few = [vote('fra', 'OFFLINE')]
    assert.deepEqual(decide(member(few, { published: published('ONLINE') }), NOW), { kind: 'undecided' })
    for (const before of [undefined, published('ONLINE', { generation: 6 })])
      assert.deepEqual(
        decide(member(few, { published: before }), NOW),
        { kind: 'unchanged' },
        'it is pending',
      )
    const marked = published('ONLINE', { isUndecided: true })
    assert.deepEqual(decide(member(few, { published: marked }), NOW), { kind: 'unchanged' })
    const again = decide(member(UP, { published: marked }), NOW)
    assert.ok(again.kind === 'decided')
    assert.deepEqual([again.verdict.from, again.verdict.since], [undefined, NOW - 60_000])
  })

  it('has the reason that most of those have who see it so, and of several the first site of the monitor', () => {
    const refused = { reason: 'CONNECT_REFUSED' } as const
    const reasonOf = (votes: readonly SiteVerdict[]): string => {
      const decision = decide(member(votes, { sites: ['a', 'b', 'c', 'd'] }), NOW)
      return decision.kind === 'decided'
        ? `${decision.verdict.site} ${decision.verdict.reason}`
        : decision.kind
    }
    const others = [vote('d', 'ONLINE'), vote('c', 'OFFLINE', refused), vote('b', 'OFFLINE', refused)]
    assert.equal(reasonOf([vote('a', 'OFFLINE'), ...others]), 'b CONNECT_REFUSED')
    assert.equal(
      reasonOf([vote('b', 'OFFLINE'), vote('a', 'OFFLINE', refused), vote('c', 'ONLINE')]),
      'a CONNECT_REFUSED',
    )
  })

  it('has a reason of OFFLINE also where the quorum is not reached because of one site alone', () => {
    const votes = [vote('fra', 'ONLINE'), vote('ams', 'OFFLINE'), vote('nyc', 'ONLINE')]
    const decision = decide(member(votes, { quorum: 'all' }), NOW)
    assert.ok(decision.kind === 'decided')
    assert.deepEqual([decision.verdict.status, decision.verdict.site], ['OFFLINE', 'ams'])
  })

  it('counts no vote of a site that the monitor does not name', () => {
    const votes = [vote('old', 'OFFLINE'), vote('older', 'OFFLINE'), vote('fra', 'ONLINE')]
    const decision = decide(member(votes, { published: published('ONLINE') }), NOW)
    assert.deepEqual(decision, { kind: 'undecided' })
  })
})
