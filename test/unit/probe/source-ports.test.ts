import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mayBeSourcePort } from '../../../src/probe/source-ports.ts'

test('reserved ports are never source ports, and the highest of the range of this host is one', () => {
  assert.equal(mayBeSourcePort(80), false)
  assert.equal(mayBeSourcePort(1023), false)
  const candidates = Array.from({ length: 65_536 }, (_, port) => port).filter((port) => mayBeSourcePort(port))
  assert.ok(candidates.length > 0)
})
