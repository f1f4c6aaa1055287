import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ProjectTable } from '../../../../src/schedule/share/project-share.ts'

test('a project is known as long as it has a check here, or a probe in flight', () => {
  const table = new ProjectTable()
  const share = table.hold('p')
  assert.equal(table.hold('p'), share)
  assert.notEqual(table.hold('q'), share)
  assert.equal(table.size, 2)
  table.release(share)
  assert.equal(table.hold('p'), share, 'another check of it is still here')
  share.held += 2
  table.release(share)
  table.release(share)
  assert.equal(table.size, 2, 'its probes have not ended')
  table.giveBack(share)
  assert.equal(table.size, 2)
  table.giveBack(share)
  assert.equal(table.size, 1)
  assert.notEqual(table.hold('p'), share)
})

test('a project that has no check any more and none in flight is forgotten at once', () => {
  const table = new ProjectTable()
  table.release(table.hold('p'))
  assert.equal(table.size, 0)
})
