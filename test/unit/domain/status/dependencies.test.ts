import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dependsOn, shownDependsOn, withDependsOn } from '../../../../src/domain/status/dependencies.ts'

test('what an object depends on is kept, replaced or removed by a change, and other attributes stay', () => {
  const echo = { depends_on: ['a'], other: 1 }
  assert.deepEqual(withDependsOn(echo, undefined), echo)
  assert.deepEqual(withDependsOn(echo, ['b', 'c', 'b']), { depends_on: ['b', 'c'], other: 1 })
  assert.deepEqual(withDependsOn({}, ['b']), { depends_on: ['b'] })
  for (const nothing of [null, []]) assert.deepEqual(withDependsOn(echo, nothing), { other: 1 })
})

test('it is shown where it is set; what is no list of ids is nothing', () => {
  assert.deepEqual(shownDependsOn({ depends_on: ['a', 'b'] }), { depends_on: ['a', 'b'] })
  for (const echo of [{}, { depends_on: [] }, { depends_on: 'a' }]) {
    assert.deepEqual(shownDependsOn(echo), {})
    assert.deepEqual(dependsOn(echo), [])
  }
  assert.deepEqual(dependsOn({ depends_on: ['a', 1, null, 'b'] }), ['a', 'b'])
})
