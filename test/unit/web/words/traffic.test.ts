import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TRAFFIC_KINDS } from '../../../../src/domain/pool-health/traffic.ts'
import { trafficInWords, trafficMark } from '../../../../src/web/words/traffic.ts'

test('the page has words and a mark for everything that a pool may decide, and shows a new word as it is', () => {
  for (const kind of Object.keys(TRAFFIC_KINDS)) {
    assert.notEqual(trafficInWords(kind), kind)
    assert.notEqual(trafficMark(kind).shape, 'unknown', kind)
  }
  assert.equal(trafficInWords('new_kind'), 'new_kind')
  assert.equal(trafficMark('new_kind').shape, 'unknown')
})
