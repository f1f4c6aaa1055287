import assert from 'node:assert/strict'
import { it } from 'node:test'
import {
  invalidatesResults,
  mergeOptions,
  type MonitorOptions,
} from '../../../../src/domain/options/monitor-options.ts'
import { siteCount, votingSites } from '../../../../src/domain/site/monitor-sites.ts'

it('sites vote unless `local` alone probes, named or not', () => {
  assert.deepEqual([null, {}, { sites: ['local'] }].map(votingSites), [null, null, null])
  assert.deepEqual(votingSites({ sites: ['fra'] }), ['fra'])
  assert.deepEqual(votingSites({ sites: ['local', 'fra'] }), ['local', 'fra'])
  assert.deepEqual([siteCount(null), siteCount({}), siteCount({ sites: ['a', 'b'] })], [1, 1, 2])
})

it('other sites or another quorum of them begin anew; their order, and a quorum of `local` alone, do not', () => {
  const begins = (before: MonitorOptions | null, after: MonitorOptions | null): boolean => {
    assert.equal(invalidatesResults(before, after), invalidatesResults(after, before))
    return invalidatesResults(before, after)
  }
  assert.equal(begins(null, { sites: ['fra'] }), true)
  assert.equal(begins({ sites: ['fra'] }, { sites: ['fra', 'ams'] }), true)
  assert.equal(begins({ sites: ['a', 'b'] }, { sites: ['a', 'b'], quorum: 'all' }), true)
  assert.equal(
    begins({ sites: ['a', 'b'], quorum: { percent: 50 } }, { sites: ['a', 'b'], quorum: { percent: 51 } }),
    true,
  )
  assert.equal(begins({ sites: ['a', 'b'] }, { sites: ['b', 'a'] }), false)
  assert.equal(begins({ sites: ['a', 'b'] }, { sites: ['a', 'b'], quorum: 'majority' }), false)
  assert.equal(begins(null, { sites: ['local'], quorum: 'all' }), false)
})

it('a quorum is replaced as a whole', () => {
  const stored: MonitorOptions = { sites: ['a', 'b'], quorum: { at_least: 2 } }
  assert.deepEqual(mergeOptions(stored, { quorum: { percent: 50 } })?.quorum, { percent: 50 })
  assert.deepEqual(mergeOptions(stored, { quorum: 'any' })?.quorum, 'any')
  assert.deepEqual(mergeOptions(stored, { quorum: null }), { sites: ['a', 'b'] })
  assert.deepEqual(mergeOptions(stored, { sites: ['a', 'b', 'c'] })?.quorum, { at_least: 2 })
})
