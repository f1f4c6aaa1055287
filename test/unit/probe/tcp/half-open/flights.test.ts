import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  HALF_OPEN_LANES,
  HALF_OPEN_PORTS,
  IN_FLIGHT_MAX,
  IN_FLIGHT_PER_ADDRESS_MAX,
} from '../../../../../src/domain/limits.ts'
import type { ProbeTarget } from '../../../../../src/domain/target/probe-target.ts'
import { Flights } from '../../../../../src/probe/tcp/half-open/flights.ts'
import { BatchTargets, NO_FLIGHT } from '../../../../../src/probe/batch/batch-targets.ts'

const FIRST_PORT = 65_024

function table(): { targets: BatchTargets; flights: Flights } {
  const targets = new BatchTargets()
  return { targets, flights: new Flights(targets, FIRST_PORT) }
}

const target = (address: string, port = 80): ProbeTarget => ({
  type: 'TCP',
  address,
  family: address.includes(':') ? 6 : 4,
  port,
  timeoutMs: 1000,
  halfOpen: true,
})

test('there are flights for all probes that may be in flight, and ports for all of one address', () => {
  assert.ok(HALF_OPEN_PORTS * HALF_OPEN_LANES >= IN_FLIGHT_MAX)
  assert.ok(HALF_OPEN_PORTS >= IN_FLIGHT_PER_ADDRESS_MAX)
})

test('no two flights have the same port and target, and each is found by its port and number', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: 0, max: 5 }), fc.boolean()), { maxLength: 600 }),
      (steps) => {
        const { targets, flights } = table()
        const flying: number[] = []
        for (const [host, isStart] of steps) {
          if (isStart || flying.length === 0)
            flying.push(flights.take(targets.add(target(`10.0.0.${host}`)), 0))
          else flights.release(flying.splice(host % flying.length, 1)[0] ?? NO_FLIGHT)
        }
        const ends = flying.map((flight) => {
          const slot = flights.slots[flight] ?? -1
          assert.equal(flights.find(flights.portOf(flight), flights.sequences[flight] ?? 0), flight)
          return `${flights.portOf(flight)} ${targets.targetOf(slot).address}`
        })
        assert.equal(new Set(ends).size, ends.length)
        assert.equal(flights.count, flying.length)
      },
    ),
    { numRuns: 50 },
  )
})

test('one target has a flight per port and no more; another target still has all of them', () => {
  const { targets, flights } = table()
  const ports = new Set<number>()
  for (let i = 0; i < HALF_OPEN_PORTS; i++)
    ports.add(flights.portOf(flights.take(targets.add(target('10.0.0.1')), 0)))
  assert.equal(ports.size, HALF_OPEN_PORTS)
  assert.equal(flights.take(targets.add(target('10.0.0.1')), 0), NO_FLIGHT)
  for (const other of [target('10.0.0.1', 81), target('10.0.0.2'), target('::a00:1')])
    assert.notEqual(flights.take(targets.add(other), 0), NO_FLIGHT)
})

test('a number is found on its own port only, and not any more when its flight has ended', () => {
  const { targets, flights } = table()
  const flight = flights.take(targets.add(target('10.0.0.1')), 0)
  const [port, sequence] = [flights.portOf(flight), flights.sequences[flight] ?? 0]
  const otherPort = port === FIRST_PORT ? port + 1 : port - 1
  assert.equal(flights.find(otherPort, sequence), NO_FLIGHT)
  assert.equal(flights.find(port, (sequence + 1) >>> 0), NO_FLIGHT)
  for (const foreign of [0, FIRST_PORT - 1, FIRST_PORT + HALF_OPEN_PORTS])
    assert.equal(flights.find(foreign, sequence), NO_FLIGHT)
  flights.release(flight)
  assert.equal(flights.find(port, sequence), NO_FLIGHT)
})

test('SYNs are sent again after 1, 3, 7, 15, 31 and 63 s, the oldest first, and not after the end', () => {
  const { targets, flights } = table()
  const first = flights.take(targets.add(target('10.0.0.1')), 0)
  const second = flights.take(targets.add(target('10.0.0.2')), 100)
  const ended = flights.take(targets.add(target('10.0.0.3')), 100)
  const again: [atMs: number, flight: number][] = []
  for (let nowMs = 0; nowMs <= 200_000; nowMs += 50) {
    if (nowMs === 500) flights.release(ended)
    for (let flight = flights.nextRepeat(nowMs); flight !== NO_FLIGHT; flight = flights.nextRepeat(nowMs))
      again.push([nowMs, flight])
  }
  const seconds = [1, 3, 7, 15, 31, 63]
  const expected = seconds.flatMap((s) => [
    [s * 1000, first],
    [s * 1000 + 100, second],
  ])
  assert.deepEqual(again, expected)
})
