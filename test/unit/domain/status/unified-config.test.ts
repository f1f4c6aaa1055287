import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DomainError } from '../../../../src/domain/errors.ts'
import { FLAP_DEFAULT, UNIFIED_DEFAULT } from '../../../../src/domain/limits.ts'
import { parseUnifiedConfig } from '../../../../src/domain/status/unified-config.ts'

/** What is refused in a configuration; undefined = nothing. */
function refused(config: unknown): unknown {
  try {
    parseUnifiedConfig(config)
    return undefined
  } catch (error) {
    assert.ok(error instanceof DomainError && error.code === 'INVALID_FIELD')
    return error.facts['field']
  }
}

test('what a configuration does not say has the default of the model, and null says nothing', () => {
  const plain = {
    rise: UNIFIED_DEFAULT.rise,
    fall: UNIFIED_DEFAULT.fall,
    initialStatus: 'UNKNOWN',
    firstRise: 1,
    firstFall: 1,
    unknownFall: 1,
    intervals: { online: UNIFIED_DEFAULT.intervalMs },
    hardFailures: [],
    recoveryExtra: 0,
    haltWhenOffline: false,
    invert: false,
  }
  assert.deepEqual(parseUnifiedConfig({}), plain)
  const nothing = { rise: null, fall: null, anchor: null, inconclusive: null, passive: null, flap: null }
  assert.deepEqual(parseUnifiedConfig({ ...nothing, hardFail: null, invert: null }), plain)
})

test('every setting of the results reaches the policy', () => {
  assert.deepEqual(
    parseUnifiedConfig({
      rise: 4,
      fall: 5,
      initialStatus: 'ONLINE',
      firstRise: null,
      firstFall: 2,
      unknownFall: 3,
      hardFail: ['network_fail', 'timeout'],
      passive: 'hard',
      inconclusive: 'break_run',
      invert: true,
      doubleCheckOnRecovery: 1,
      haltWhenOffline: true,
      anchor: 'start',
      intervals: { online: 1000, offline: 2000, undecided: 0 },
      flap: { window: 21, high: 50, low: 25, hold: 9 },
    }),
    {
      rise: 4,
      fall: 5,
      initialStatus: 'ONLINE',
      firstRise: 4,
      firstFall: 2,
      unknownFall: 3,
      hardFailures: ['network', 'timeout'],
      passive: 'hard',
      inconclusive: 'break_run',
      invert: true,
      recoveryExtra: 1,
      haltWhenOffline: true,
      anchor: 'start',
      intervals: { online: 1000, offline: 2000, undecided: 0 },
      flap: { window: 21, highPercent: 50, lowPercent: 25, holdMs: 9 },
    },
  )
  assert.deepEqual(parseUnifiedConfig({ flap: {} }).flap, { ...FLAP_DEFAULT, holdMs: 0 })
})

test('the names of the model mean the same, and a failure seen on traffic in the list of hard ones is `passive`', () => {
  const { initialStatus, firstRise, firstFall, unknownFall, recoveryExtra, intervals } = parseUnifiedConfig({
    interval: 700,
    initial: { status: 'OFFLINE', rise: 2, fall: 3, unknownFall: 4 },
    recoveryExtra: 2,
    timeout: 'not of the results',
  })
  assert.deepEqual([initialStatus, firstRise, firstFall, unknownFall], ['OFFLINE', 2, 3, 4])
  assert.deepEqual([recoveryExtra, intervals], [2, { online: 700 }])
  assert.equal(parseUnifiedConfig({ hardFail: ['passive_fail'] }).passive, 'hard')
  assert.equal(parseUnifiedConfig({ hardFail: ['passive_fail'], passive: 'off' }).passive, undefined)
})

test('a word, a number or a key that means nothing is refused by its name, and so is what is said twice', () => {
  for (const [field, config] of [
    ['unified_config', []],
    ['unified_config', { other: 1 }],
    ['rise', { rise: 0 }],
    ['fall', { fall: 1.5 }],
    ['doubleCheckOnRecovery', { doubleCheckOnRecovery: -1 }],
    ['anchor', { anchor: 'end' }],
    ['inconclusive', { inconclusive: 'ignore' }],
    ['passive', { passive: 'soft' }],
    ['invert', { invert: 1 }],
    ['hardFail', { hardFail: 'network_fail' }],
    ['hardFail', { hardFail: ['success'] }],
    ['hardFail', { hardFail: ['retriable_fail'] }],
    ['intervals', { intervals: { never: 1 } }],
    ['flap', { flap: { low: 31, high: 30 } }],
    ['initialStatus', { initialStatus: 'ONLINE', initial: { status: 'ONLINE' } }],
    ['interval', { interval: 1, intervals: { online: 2 } }],
  ] as const)
    assert.equal(refused(config), field, JSON.stringify(config))
  assert.equal(refused({ flap: { low: 30, high: 30 } }), undefined)
  assert.equal(refused({ interval: 2, intervals: { online: 2 } }), undefined)
  assert.equal(refused({ intervals: { undecided: 0 } }), undefined)
})
