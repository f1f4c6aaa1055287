import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { SourcePorts } from '../../../src/probe/source-ports.ts'

const RANGE_FILE = '/proc/sys/net/ipv4/ip_local_port_range'

function rangeOfHost(): readonly [number, number] {
  if (!existsSync(RANGE_FILE)) return [1024, 65_535]
  const [first = 0, last = 0] = readFileSync(RANGE_FILE, 'utf8').trim().split(/\s+/).map(Number)
  return [first, last]
}

test('source ports are exactly the range of this host (net.ipv4.ip_local_port_range); without one, from 1024 on', () => {
  const ports = new SourcePorts()
  const [first, last] = rangeOfHost()
  assert.ok(first > 0 && last >= first)
  const included = Array.from({ length: 65_536 }, (_, port) => port).filter((port) => ports.includes(port))
  assert.deepEqual([included[0], included.at(-1), included.length], [first, last, last - first + 1])
})
