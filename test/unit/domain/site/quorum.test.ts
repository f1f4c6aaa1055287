import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import {
  type Quorum,
  QUORUM_WORDS,
  quorumMisfit,
  type SiteView,
  type Vote,
  verdictOf,
  votesNeeded,
} from '../../../../src/domain/site/quorum.ts'
import { SITES_PER_MONITOR_MAX } from '../../../../src/domain/limits.ts'

/** `+` is ONLINE, `-` is OFFLINE, `?` has no vote. */
function views(text: string): readonly SiteView[] {
  const votes: Readonly<Record<string, Vote>> = { '+': 'ONLINE', '-': 'OFFLINE' }
  return Array.from(text, (sign, index) => ({ site: `s${index}`, vote: votes[sign] }))
}

const decided = (quorum: Quorum, text: string): string => verdictOf(quorum, views(text)) ?? 'undecided'

/** Quorum, what the sites see, the verdict. */
const TABLE: readonly (readonly [Quorum, string, string])[] = [
  ['majority', '+', 'ONLINE'],
  ['majority', '-', 'OFFLINE'],
  ['majority', '?', 'undecided'],
  ['majority', '++-', 'ONLINE'],
  ['majority', '+--', 'OFFLINE'],
  ['majority', '+-', 'ONLINE'],
  ['majority', '--', 'OFFLINE'],
  ['majority', '++--', 'ONLINE'],
  ['majority', '+---', 'OFFLINE'],
  ['majority', '--?', 'OFFLINE'],
  ['majority', '+-?', 'ONLINE'],
  ['majority', '-??', 'undecided'],
  ['majority', '-?', 'undecided'],
  ['majority', '--??', 'undecided'],
  ['any', '---+', 'ONLINE'],
  ['any', '----', 'OFFLINE'],
  ['any', '-???', 'OFFLINE'],
  ['any', '????', 'undecided'],
  ['all', '+++', 'ONLINE'],
  ['all', '++-', 'OFFLINE'],
  ['all', '++?', 'undecided'],
  ['all', '--?', 'undecided'],
  [{ at_least: 2 }, '++--', 'ONLINE'],
  [{ at_least: 2 }, '+---', 'OFFLINE'],
  [{ at_least: 2 }, '+-??', 'OFFLINE'],
  [{ at_least: 2 }, '-???', 'undecided'],
  [{ percent: 18 }, '+----', 'ONLINE'],
  [{ percent: 50 }, '+--', 'OFFLINE'],
  [{ percent: 50 }, '++-?', 'ONLINE'],
  [{ percent: 67 }, '++-', 'OFFLINE'],
  [{ percent: 66 }, '++-', 'ONLINE'],
  [{ percent: 75 }, '++??', 'undecided'],
  [{ percent: 100 }, '+++', 'ONLINE'],
]

const aQuorum: fc.Arbitrary<Quorum> = fc.oneof(
  fc.constantFrom(...QUORUM_WORDS),
  fc.integer({ min: 1, max: SITES_PER_MONITOR_MAX }).map((n) => ({ at_least: n })),
  fc.integer({ min: 1, max: 100 }).map((percent) => ({ percent })),
)
const aVote = fc.constantFrom<(Vote | undefined)[]>('ONLINE', 'OFFLINE', undefined)
const someViews = fc
  .array(aVote, { minLength: 1, maxLength: SITES_PER_MONITOR_MAX })
  .map((votes) => votes.map((vote, index): SiteView => ({ site: `s${index}`, vote })))
/** Sites, and one of them. */
const viewsAndOne = someViews.chain((sites) => fc.tuple(fc.constant(sites), fc.nat(sites.length - 1)))

const withVote = (sites: readonly SiteView[], index: number, vote: Vote | undefined): readonly SiteView[] =>
  sites.map((view, i) => (i === index ? { ...view, vote } : view))

describe('the verdict of several sites', () => {
  for (const [quorum, text, expected] of TABLE)
    it(`with ${JSON.stringify(quorum)} of ${text} is ${expected}`, () => {
      assert.equal(decided(quorum, text), expected)
    })

  it('stays what it is when one more site says the same, be it one that had no vote or one that said otherwise', () => {
    fc.assert(
      fc.property(
        aQuorum,
        viewsAndOne,
        fc.constantFrom<Vote[]>('ONLINE', 'OFFLINE'),
        (quorum, [sites, one], vote) => {
          fc.pre(verdictOf(quorum, sites) === vote)
          assert.equal(verdictOf(quorum, withVote(sites, one, vote)), vote)
        },
      ),
    )
  })

  it('stays undecided exactly while fewer sites vote than the quorum needs', () => {
    fc.assert(
      fc.property(aQuorum, someViews, (quorum, sites) => {
        const votes = sites.filter(({ vote }) => vote !== undefined).length
        assert.equal(verdictOf(quorum, sites) === undefined, votes < votesNeeded(quorum, sites.length))
      }),
    )
  })

  it('is what all that vote agree on, wherever enough vote for the quorum to be reached', () => {
    fc.assert(
      fc.property(
        aQuorum,
        viewsAndOne,
        fc.constantFrom<Vote[]>('ONLINE', 'OFFLINE'),
        (quorum, [sites], vote) => {
          const agreed = sites.map((view) => (view.vote === undefined ? view : { ...view, vote }))
          const verdict = verdictOf(quorum, agreed)
          if (verdict !== undefined) assert.equal(verdict, vote)
        },
      ),
    )
  })

  it('does not depend on the order of the sites, nor on what a site without a vote saw before', () => {
    fc.assert(
      fc.property(aQuorum, someViews, (quorum, sites) => {
        assert.equal(verdictOf(quorum, sites.toReversed()), verdictOf(quorum, sites))
      }),
    )
  })

  it('of one site is what that site sees', () => {
    for (const quorum of QUORUM_WORDS) {
      assert.equal(decided(quorum, '+'), 'ONLINE')
      assert.equal(decided(quorum, '-'), 'OFFLINE')
      assert.equal(decided(quorum, '?'), 'undecided')
    }
  })
})

describe('a quorum', () => {
  it('does not fit when it asks for more sites than there are', () => {
    assert.equal(quorumMisfit({ at_least: 3 }, 3), undefined)
    assert.equal(quorumMisfit({ at_least: 4 }, 3), 'quorum asks for 4 sites, and there are 3 in sites')
    assert.equal(quorumMisfit({ at_least: 2 }, 1), 'quorum asks for 2 sites, and there is 1 in sites')
    for (const quorum of [...QUORUM_WORDS, { percent: 100 }]) assert.equal(quorumMisfit(quorum, 1), undefined)
  })
})
