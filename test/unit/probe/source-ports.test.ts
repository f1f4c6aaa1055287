import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SourcePorts } from '../../../src/probe/source-ports.ts'

test('reserved ports are never source ports, and the highest of the range of this host is one', () => {
  const ports = new SourcePorts()
  assert.equal(ports.includes(80), false)
  assert.equal(ports.includes(1023), false)
  const candidates = Array.from({ length: 65_536 }, (_, port) => port).filter((port) => ports.includes(port))
  assert.ok(candidates.length > 0)
})
