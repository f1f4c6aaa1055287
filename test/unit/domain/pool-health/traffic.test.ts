import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import {
  type PoolOptions,
  poolOptions,
  shownPoolOptions,
  WHEN_TOO_FEW,
  withPoolOptions,
} from '../../../../src/domain/pool-health/pool-options.ts'
import { poolOptionsMisfit, trafficRule } from '../../../../src/domain/pool-health/traffic-rule.ts'
import {
  memberTraffic,
  type MemberTrafficFacts,
  type PoolCounts,
  trafficOf,
} from '../../../../src/domain/pool-health/traffic.ts'
import { isPassing } from '../../../../src/domain/status/roll-up.ts'

/** `passing` and `failing` first members, then backups. */
function pool(
  passing: number,
  failing = 0,
  backups: { passing?: number; failing?: number } = {},
): PoolCounts {
  const { passing: passingBackup = 0, failing: failingBackup = 0 } = backups
  return {
    switchedOn: true,
    able: passing + failing + passingBackup + failingBackup,
    passing: passing + passingBackup,
    ableBackup: passingBackup + failingBackup,
    passingBackup,
  }
}

const decided = (counts: PoolCounts, options: PoolOptions | null) => {
  const { kind, first, backups } = trafficOf(counts, trafficRule(options))
  return `${kind}: ${first}, ${backups}`
}

describe('a pool without options', () => {
  it('sends to the members that pass, and to backups only when no other passes', () => {
    assert.equal(decided(pool(1, 9, { passing: 2 }), null), 'healthy: passing, none')
    assert.equal(decided(pool(0, 9, { passing: 2 }), null), 'backup: passing, passing')
    assert.equal(decided(pool(0, 9, { failing: 2 }), null), 'too_few: passing, passing')
  })

  it('sends to nobody when it is switched off, or when no member is able', () => {
    assert.equal(decided({ ...pool(3), switchedOn: false }, null), 'switched_off: none, none')
    assert.equal(decided(pool(0), null), 'empty: none, none')
  })
})

describe('a pool with a minimum', () => {
  it('has enough exactly at the number and at the percentage', () => {
    assert.equal(decided(pool(3, 7), { healthy_when: { at_least: 3 } }), 'healthy: passing, none')
    assert.equal(decided(pool(2, 8), { healthy_when: { at_least: 3 } }), 'too_few: passing, passing')
    assert.equal(decided(pool(2, 1), { healthy_when: { percent: 66 } }), 'healthy: passing, none')
    assert.equal(decided(pool(2, 1), { healthy_when: { percent: 67 } }), 'too_few: passing, passing')
  })

  it('lets backups that pass stand in, counted against the first members alone', () => {
    const options: PoolOptions = { healthy_when: { percent: 50 }, when_too_few: 'fail_open' }
    assert.equal(decided(pool(4, 6, { passing: 1 }), options), 'backup: passing, passing')
    assert.equal(decided(pool(3, 7, { passing: 1 }), options), 'fail_open: all, all')
    assert.equal(decided(pool(0, 0, { passing: 1, failing: 1 }), options), 'backup: passing, passing')
  })

  it('opens or closes only when its options say so', () => {
    const below = pool(1, 9)
    const options: PoolOptions = { healthy_when: { at_least: 2 } }
    assert.equal(decided(below, options), 'too_few: passing, passing')
    assert.equal(decided(below, { ...options, when_too_few: 'fail_open' }), 'fail_open: all, all')
    assert.equal(decided(below, { ...options, when_too_few: 'fail_closed' }), 'fail_closed: none, none')
    assert.equal(decided(pool(0, 2), { when_too_few: 'fail_open' }), 'fail_open: all, all')
  })
})

const aPool = fc
  .tuple(fc.nat(30), fc.nat(30), fc.nat(30), fc.nat(30))
  .map(([passing, failing, passingBackup, failingBackup]) =>
    pool(passing, failing, { passing: passingBackup, failing: failingBackup }),
  )
const someOptions: fc.Arbitrary<PoolOptions> = fc.record(
  {
    healthy_when: fc.oneof(
      fc.constant('any' as const),
      fc.record(
        { at_least: fc.integer({ min: 1, max: 40 }), percent: fc.integer({ min: 1, max: 100 }) },
        { requiredKeys: [] },
      ),
    ),
    when_too_few: fc.constantFrom(...WHEN_TOO_FEW),
  },
  { requiredKeys: [] },
)
const levelOptions: fc.Arbitrary<PoolOptions> = fc.record({
  healthy_when: fc.record({ percent: fc.integer({ min: 1, max: 100 }) }),
  when_too_few: fc.constantFrom(...WHEN_TOO_FEW),
  overprovisioning_percent: fc.integer({ min: 100, max: 1000 }),
})

describe('any rule', () => {
  it('without levels never has too few because one more member passes', () => {
    fc.assert(
      fc.property(aPool, someOptions, fc.boolean(), (counts, options, isBackup) => {
        const failing = isBackup
          ? counts.ableBackup - counts.passingBackup
          : counts.able - counts.ableBackup - (counts.passing - counts.passingBackup)
        fc.pre(failing > 0)
        const better = {
          ...counts,
          passing: counts.passing + 1,
          passingBackup: counts.passingBackup + (isBackup ? 1 : 0),
        }
        const rule = trafficRule(options)
        assert.ok(!trafficOf(better, rule).isTooFew || trafficOf(counts, rule).isTooFew)
      }),
      { numRuns: 3000 },
    )
  })

  it('sends something somewhere while a member passes, unless it fails closed', () => {
    fc.assert(
      fc.property(aPool, fc.oneof(someOptions, levelOptions), (counts, options) => {
        fc.pre(counts.passing > 0 && options.when_too_few !== 'fail_closed')
        const { first, backups } = trafficOf(counts, trafficRule(options))
        const passingFirst = counts.passing - counts.passingBackup
        const reached =
          (first !== 'none' && passingFirst > 0) ||
          (backups !== 'none' && counts.passingBackup > 0) ||
          first === 'all' ||
          backups === 'all'
        assert.ok(reached)
      }),
      { numRuns: 3000 },
    )
  })

  it('sends to members that do not pass only when it fails open with too few', () => {
    fc.assert(
      fc.property(aPool, fc.oneof(someOptions, levelOptions), (counts, options) => {
        const { kind, isTooFew, first, backups } = trafficOf(counts, trafficRule(options))
        const isOpen = first === 'all' || backups === 'all'
        assert.equal(isOpen, kind === 'fail_open')
        assert.ok(!isOpen || (isTooFew && options.when_too_few === 'fail_open'))
      }),
      { numRuns: 3000 },
    )
  })
})

describe('a member', () => {
  const member: MemberTrafficFacts = { state: 'ONLINE', memberUp: true, weight: 1, backup: false }
  const saysOf = (
    facts: Partial<MemberTrafficFacts>,
    counts: PoolCounts,
    options: PoolOptions | null = null,
  ) => {
    const { receives, why } = memberTraffic({ ...member, ...facts }, trafficOf(counts, trafficRule(options)))
    return `${receives ? 'yes' : 'no'}, ${why}`
  }
  const open: PoolOptions = { healthy_when: { percent: 50 }, when_too_few: 'fail_open' }
  const closed: PoolOptions = { ...open, when_too_few: 'fail_closed' }

  it('gets traffic while it passes or nobody checks it', () => {
    assert.equal(saysOf({}, pool(1)), 'yes, healthy')
    assert.equal(saysOf({ state: 'NO_MONITOR' }, pool(1)), 'yes, not_monitored')
  })

  it('gets none while it fails or has no verdict, unless the pool fails open', () => {
    assert.equal(saysOf({ state: 'OFFLINE' }, pool(1, 1)), 'no, failing')
    assert.equal(saysOf({ state: 'UNKNOWN' }, pool(1, 1)), 'no, not_judged_yet')
    assert.equal(saysOf({ state: 'OFFLINE' }, pool(1, 9), open), 'yes, fail_open')
    assert.equal(saysOf({ state: 'UNKNOWN' }, pool(1, 9), open), 'yes, fail_open')
    assert.equal(saysOf({}, pool(1, 9), open), 'yes, healthy')
  })

  it('gets none when the pool fails closed, even if it passes', () => {
    assert.equal(saysOf({}, pool(1, 9), closed), 'no, fail_closed')
    assert.equal(saysOf({ state: 'OFFLINE' }, pool(1, 9), closed), 'no, failing')
  })

  it('that is a backup stands by until it is needed', () => {
    assert.equal(saysOf({ backup: true }, pool(1, 0, { passing: 1 })), 'no, standby')
    assert.equal(saysOf({ backup: true }, pool(0, 1, { passing: 1 })), 'yes, backup')
  })

  it('that is switched off or has no weight gets none, whatever the pool decides', () => {
    assert.equal(saysOf({ memberUp: false, state: 'DISABLED' }, pool(1, 9), open), 'no, switched_off')
    assert.equal(saysOf({ weight: 0 }, pool(1, 9), open), 'no, draining')
    assert.equal(saysOf({ weight: 0, state: 'OFFLINE' }, pool(1, 9), open), 'no, weight_0')
    assert.equal(saysOf({}, { ...pool(1), switchedOn: false }), 'no, switched_off')
  })

  it('is passing for its pool exactly when it would get traffic from a pool that takes who passes', () => {
    for (const state of ['ONLINE', 'OFFLINE', 'UNKNOWN', 'NO_MONITOR', 'DISABLED'] as const)
      for (const weight of [0, 1]) {
        const { receives } = memberTraffic(
          { ...member, state, weight },
          trafficOf(pool(1), trafficRule(null)),
        )
        assert.equal(receives, isPassing({ state, weight }), `${state}, weight ${weight}`)
      }
  })
})

describe('options of a pool', () => {
  it('are a merge patch: null removes, healthy_when is replaced as a whole, and nothing is left of none', () => {
    const stored = withPoolOptions({ tls_enabled: true }, { healthy_when: { percent: 50 }, preset: 'aws' })
    assert.deepEqual(poolOptions(stored), { healthy_when: { percent: 50 }, preset: 'aws' })
    const changed = withPoolOptions(stored, { healthy_when: { at_least: 2 }, preset: null })
    assert.deepEqual(poolOptions(changed), { healthy_when: { at_least: 2 } })
    assert.equal(withPoolOptions(stored, undefined), stored)
    assert.deepEqual(withPoolOptions(stored, null), { tls_enabled: true })
    assert.deepEqual(withPoolOptions(stored, { healthy_when: null, preset: null }), { tls_enabled: true })
    assert.deepEqual(shownPoolOptions({ tls_enabled: true }), {})
  })

  it('win over their preset', () => {
    const preset = trafficRule({ preset: 'envoy' })
    const own = trafficRule({ preset: 'envoy', when_too_few: 'fail_closed' })
    assert.deepEqual(own, { ...preset, whenTooFew: 'fail_closed' })
  })

  it('with overprovisioning need a percentage, and no number', () => {
    assert.equal(poolOptionsMisfit({ preset: 'envoy' }), undefined)
    assert.equal(poolOptionsMisfit({ preset: 'envoy', healthy_when: { percent: 30 } }), undefined)
    assert.match(poolOptionsMisfit({ preset: 'envoy', healthy_when: { at_least: 2 } }) ?? '', /percent/)
    assert.match(poolOptionsMisfit({ overprovisioning_percent: 140 }) ?? '', /percent/)
  })
})
