import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DEDICATED_PROBES, LOST_BEFORE_DEDICATED } from '../../../../src/domain/limits.ts'
import { Detour } from '../../../../src/schedule/loop/detour.ts'

/** A detour whose probe on a shared socket was lost as often. */
function lost(times = LOST_BEFORE_DEDICATED): Detour {
  const detour = new Detour()
  for (let i = 0; i < times; i++) assert.equal(detour.noteShared('PROBER_OVERLOAD'), false)
  return detour
}

test('one lost answer leaves a check on the shared socket, and so does every other result', () => {
  assert.equal(lost(LOST_BEFORE_DEDICATED - 1).isWanted(true), false)
  assert.equal(lost().isWanted(false), true)
  const detour = new Detour()
  for (const reason of ['ICMP_TIMEOUT', 'PROBER_NO_SOCKET', 'CONNECT_REFUSED'] as const)
    for (let i = 0; i < 10; i++) assert.equal(detour.noteShared(reason), false)
  assert.equal(detour.isWanted(true), false)
})

test('failures between lost answers do not put the dedicated socket off, a pass ends the detour', () => {
  const detour = lost(1)
  assert.equal(detour.noteShared('ICMP_TIMEOUT'), false)
  assert.equal(detour.noteShared('PROBER_OVERLOAD'), false)
  assert.equal(detour.isWanted(false), true)
  assert.equal(detour.noteShared('PASSED'), true)
})

test('after some dedicated probes one is shared, and when its answer is lost the next ones are dedicated again', () => {
  const detour = lost()
  for (let round = 0; round < 3; round++) {
    for (let i = 0; i < DEDICATED_PROBES; i++) {
      assert.equal(detour.isWanted(false), true)
      detour.noteDedicated()
    }
    assert.equal(detour.isWanted(false), false)
    detour.noteShared('PROBER_OVERLOAD')
  }
})

test('while results in a row lead to another status, the shared socket is not tried', () => {
  const detour = lost()
  for (let i = 0; i < 3 * DEDICATED_PROBES; i++) detour.noteDedicated()
  assert.equal(detour.isWanted(true), true)
  assert.equal(detour.isWanted(false), false)
})
