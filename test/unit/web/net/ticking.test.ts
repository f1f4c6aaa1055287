import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ticking } from '../../../../src/web/net/ticking.ts'

test('the clock ticks once a second while somebody looks, and is right at once when somebody looks again', (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const surroundings = { ms: 5000, isVisible: true, changed: (): void => assert.fail('nobody waits') }
  const now = ticking({
    nowMs: () => surroundings.ms,
    isVisible: () => surroundings.isVisible,
    onVisibility: (changed) => {
      surroundings.changed = changed
      return () => assert.fail('it never ends')
    },
  })
  const pass = (ms: number): number => {
    surroundings.ms += ms
    t.mock.timers.tick(ms)
    return now.value
  }
  assert.deepEqual([now.value, pass(999), pass(1), pass(2000)], [5000, 5000, 6000, 8000])
  surroundings.isVisible = false
  surroundings.changed()
  assert.equal(pass(60_000), 8000)
  surroundings.isVisible = true
  surroundings.changed()
  assert.equal(now.value, 68_000)
})
