import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isTooFew, type SiteFacts, siteHealth } from '../../../../src/domain/site/site-health.ts'

const SINCE = new Date(1_700_000_000_000)
const UP: NonNullable<SiteFacts['verdict']> = {
  status: 'ONLINE',
  since: SINCE,
  reason: 'PASSED',
  detail: '',
  isStale: false,
  totalMs: 0.3,
}
const DENIED = { asOf: SINCE, outcome: 'inconclusive', reason: 'TARGET_DENIED', totalMs: 0 }
const facts = (more: Partial<SiteFacts>): SiteFacts => ({
  site: 'fra',
  isServed: true,
  isLost: false,
  ...more,
})

/** Status, whether it votes, reason. */
const shown = (more: Partial<SiteFacts>): string => {
  const { status, votes, reason } = siteHealth(facts(more))
  return `${status} ${votes} ${reason}`
}

describe('the health of a member at one site', () => {
  it('is its verdict, which votes while it is not stale and the site is not lost', () => {
    assert.equal(shown({ verdict: UP }), 'ONLINE true PASSED')
    assert.equal(shown({ verdict: { ...UP, isStale: true } }), 'ONLINE false PASSED')
    assert.equal(shown({ verdict: UP, isLost: true }), 'ONLINE false PASSED')
  })

  it('names what keeps the site from a vote before what it saw last', () => {
    assert.equal(shown({}), 'null false NOT_YET_PROBED')
    assert.equal(shown({ isServed: false }), 'null false NO_PROBER')
    assert.equal(shown({ isServed: false, verdict: UP }), 'ONLINE true NO_PROBER')
    assert.equal(shown({ probe: DENIED }), 'null false TARGET_DENIED')
    assert.equal(shown({ verdict: { ...UP, isStale: true }, probe: DENIED }), 'ONLINE false TARGET_DENIED')
    assert.equal(shown({ verdict: UP, probe: DENIED }), 'ONLINE true PASSED')
  })

  it('has latency and time of its last probe', () => {
    const probe = { asOf: SINCE, outcome: 'passed', reason: 'PASSED', totalMs: 1.5 }
    const { latencyMs, asOf } = siteHealth(facts({ verdict: UP, probe }))
    assert.deepEqual([latencyMs, asOf], [1.5, SINCE])
  })

  it('has those of the probe that decided where no later one is known', () => {
    const before = { asOf: new Date(0), outcome: 'passed', reason: 'PASSED', totalMs: 1.5 }
    const fell = { ...UP, status: 'OFFLINE', reason: 'CONNECT_REFUSED' } as const
    const { latencyMs, asOf } = siteHealth(facts({ verdict: fell, probe: before }))
    assert.deepEqual([latencyMs, asOf], [0.3, SINCE])
  })
})

it('too few sites vote when the quorum needs more of all of them', () => {
  const sites = [
    facts({ verdict: UP }),
    facts({ site: 'ams' }),
    facts({ site: 'nyc', verdict: UP, isLost: true }),
  ].map(siteHealth)
  assert.deepEqual(
    ['any', 'majority', 'all'].map((quorum) => isTooFew(sites, quorum as 'any')),
    [false, true, true],
  )
  assert.deepEqual(
    ['any', 'majority', 'all'].map((quorum) => isTooFew(sites, quorum as 'any', 'served')),
    [false, false, false],
    'all of them are there',
  )
})
