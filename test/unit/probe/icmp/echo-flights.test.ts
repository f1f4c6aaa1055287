import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ECHO_FLIGHTS, IN_FLIGHT_MAX } from '../../../../src/domain/limits.ts'
import type { ProbeTarget } from '../../../../src/domain/target/probe-target.ts'
import { BatchTargets, NO_FLIGHT } from '../../../../src/probe/batch/batch-targets.ts'
import { EchoFlights } from '../../../../src/probe/icmp/echo-flights.ts'

const target = (address: string): ProbeTarget => ({
  type: 'PING',
  address,
  family: address.includes(':') ? 6 : 4,
  port: 0,
  timeoutMs: 1000,
})

function table(): { targets: BatchTargets; flights: EchoFlights } {
  const targets = new BatchTargets()
  return { targets, flights: new EchoFlights(targets) }
}

test('there are numbers for all probes that may be in flight, and each fits into an echo', () => {
  assert.ok(ECHO_FLIGHTS >= IN_FLIGHT_MAX)
  assert.ok(ECHO_FLIGHTS <= 0x10000)
})

test('no number is in flight twice, whatever starts, goes on and ends; each family is counted', () => {
  const step = fc.tuple(fc.constantFrom('start 4', 'start 6', 'next', 'end'), fc.nat())
  fc.assert(
    fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
      const { targets, flights } = table()
      const flying: number[] = []
      for (const [what, number] of steps) {
        const place = number % Math.max(1, flying.length)
        const chosen = flying[place]
        if (what.startsWith('start') || chosen === undefined) {
          const slot = targets.add(target(what === 'start 6' ? '2001:db8::1' : '10.0.0.1'))
          flying.push(flights.take(slot, 0))
        } else if (what === 'next') {
          const slot = flights.slots[chosen]
          const next = flights.takeNext(chosen, 1)
          assert.notEqual(next, chosen)
          assert.equal(flights.slots[next], slot)
          flying[place] = next
        } else {
          flights.release(chosen)
          flying.splice(place, 1)
        }
        assert.equal(new Set(flying).size, flying.length)
        const of6 = flying.filter((flight) => targets.families[flights.slots[flight] ?? -1] === 6)
        assert.equal(flights.countOf(6), of6.length)
        assert.equal(flights.count, flying.length)
        for (const flight of flying) assert.equal(flights.find(flight), flight)
      }
    }),
    { numRuns: 60 },
  )
})

test('a number that was given back is taken again after all others, with another random word', () => {
  const { targets, flights } = table()
  const slot = targets.add(target('10.0.0.1'))
  const first = flights.take(slot, 0)
  const word = flights.words[first]
  flights.release(first)
  assert.equal(flights.find(first), NO_FLIGHT)
  const others = new Set<number>()
  for (let i = 1; i < ECHO_FLIGHTS; i++) {
    const flight = flights.take(slot, 0)
    others.add(flight)
    flights.release(flight)
  }
  assert.ok(!others.has(first))
  assert.equal(others.size, ECHO_FLIGHTS - 1)
  assert.equal(flights.take(slot, 0), first)
  assert.notEqual(flights.words[first], word)
})

test('when all numbers are in flight there is none, and numbers that are none are not found', () => {
  const { targets, flights } = table()
  for (let i = 0; i < ECHO_FLIGHTS; i++)
    assert.notEqual(flights.take(targets.add(target('10.0.0.1')), 0), NO_FLIGHT)
  const slot = targets.add(target('10.0.0.2'))
  assert.equal(flights.take(slot, 0), NO_FLIGHT)
  assert.equal(flights.takeNext(0, 1), NO_FLIGHT)
  assert.equal(flights.find(0), 0, 'the echo before stays in flight')
  assert.equal(flights.find(ECHO_FLIGHTS), NO_FLIGHT)
  assert.equal(flights.find(0xffff), NO_FLIGHT)
})

test('of the next echo of a probe, the start stays, and what the ones before took is summed', () => {
  const { targets, flights } = table()
  const first = flights.take(targets.add(target('10.0.0.1')), 7)
  const second = flights.takeNext(first, 100)
  const third = flights.takeNext(second, 50)
  assert.equal(flights.startedMs[third], 7)
  assert.equal(flights.answered[third], 2)
  assert.equal(flights.spentUs[third], 150)
  assert.equal(flights.count, 1)
})
