import assert from 'node:assert/strict'
import { test } from 'node:test'
import { packFlags, unpackFlags } from '../../../../src/domain/result/flags.ts'

test('what a target says of itself comes out as it went in, and other bits mean nothing', () => {
  for (let packed = 0; packed < 8; packed++) {
    const flags = unpackFlags(packed)
    assert.equal(packFlags(flags), packed)
    assert.deepEqual(unpackFlags(packed + 8), flags)
  }
  assert.deepEqual(unpackFlags(0), { degraded: false, warning: false, draining: false })
  assert.deepEqual(unpackFlags(1), { degraded: true, warning: false, draining: false })
  assert.deepEqual(unpackFlags(2), { degraded: false, warning: true, draining: false })
  assert.deepEqual(unpackFlags(4), { degraded: false, warning: false, draining: true })
})
