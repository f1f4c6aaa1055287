import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { IN_FLIGHT_MAX } from '../../../../src/domain/limits.ts'
import type { ProbeTarget } from '../../../../src/domain/target/probe-target.ts'
import { NO_FLIGHT, WORDS_PER_ADDRESS } from '../../../../src/probe/batch/batch-targets.ts'
import { NO_SLOT } from '../../../../src/probe/batch/core.ts'
import { IPV4, IPV6 } from '../../../../src/probe/batch/ip-family.ts'
import { UdpFlights } from '../../../../src/probe/udp/udp-flights.ts'

const target = (address: string, port = 53): ProbeTarget => ({
  type: 'UDP-CONNECT',
  address,
  family: address.includes(':') ? 6 : 4,
  port,
  timeoutMs: 1000,
})

/** The flight that what comes from the target of this slot on this socket belongs to. */
function found(flights: UdpFlights, slot: number, fd: number): number {
  const { addresses, families, ports } = flights.targets
  const at = { words: addresses, from: slot * WORDS_PER_ADDRESS }
  return flights.find(fd, families[slot] === 6 ? IPV6 : IPV4, ports[slot] ?? 0, at)
}

test('whatever starts and ends, each flight is found by its socket and its end, and no other is', () => {
  const step = fc.tuple(fc.constantFrom('hold', 'start', 'end', 'release'), fc.nat({ max: 1000 }))
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const flights = new UdpFlights()
      const held: number[] = []
      const flying = new Map<number, { flight: number; fd: number }>()
      let fd = 3
      for (const [what, number] of steps) {
        const slot = held[number % Math.max(1, held.length)]
        if (what === 'hold' || slot === undefined) {
          const address = number % 2 === 0 ? `10.0.0.${number % 5}` : `2001:db8::${number % 5}`
          held.push(flights.hold(target(address, 50 + (number % 3))))
        } else if (what === 'start' && !flying.has(slot)) {
          const flight = flights.take(slot, number)
          // A socket sends to an end once.
          flights.fds[flight] = ++fd
          flying.set(slot, { flight, fd })
        } else if (what !== 'start') {
          const ended = flying.get(slot)
          if (ended !== undefined) flights.land(ended.flight)
          flying.delete(slot)
          if (what === 'release') {
            flights.release(slot)
            held.splice(held.indexOf(slot), 1)
          }
        }
        assert.equal(flights.count, flying.size)
        for (const [one, { flight, fd: own }] of flying) {
          assert.equal(found(flights, one, own), flight)
          assert.equal(found(flights, one, own + 1000), NO_FLIGHT)
        }
      }
    }),
    { numRuns: 100 },
  )
})

test('a lane has sent to an end when it has to any target there, and the port is held until the last is released', () => {
  const flights = new UdpFlights()
  const [one, same, other] = [target('10.0.0.1'), target('10.0.0.1'), target('10.0.0.2')].map((each) =>
    flights.hold(each),
  )
  assert.ok(one !== undefined && same !== undefined && other !== undefined)
  flights.noteLane(7, one)
  assert.deepEqual(
    [one, same, other].map((slot) => flights.isNewOn(7, slot)),
    [false, false, true],
  )
  assert.equal(flights.isNewOn(8, one), true)
  assert.equal(flights.heldPorts[53], 3)
  for (const slot of [one, same, other]) flights.release(slot)
  assert.equal(flights.heldPorts[53], 0)
  // An end that is held again may have been sent to by every lane up to the last that was.
  const again = flights.hold(target('10.0.0.1'))
  assert.deepEqual([flights.isNewOn(7, again), flights.isNewOn(8, again)], [false, true])
})

test('there are as many flights as probes may be in flight, and an address that is none has no slot', () => {
  const flights = new UdpFlights()
  const slots = Array.from({ length: IN_FLIGHT_MAX + 1 }, (_, i) =>
    flights.hold(target(`10.1.${i >> 8}.${i & 255}`)),
  )
  const taken = new Set(slots.slice(0, IN_FLIGHT_MAX).map((slot) => flights.take(slot, 0)))
  assert.equal(taken.size, IN_FLIGHT_MAX)
  assert.equal(flights.take(slots[IN_FLIGHT_MAX] ?? NO_SLOT, 0), NO_FLIGHT)
  assert.equal(flights.hold(target('no address')), NO_SLOT)
})
