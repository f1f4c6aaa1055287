/**
 * UDP probes in flight, in arrays, and the ends that they go to. An end is an address and a port, which targets of many
 * checks may share. A socket sends to an end at most once, so what comes back on this socket from this end answers one
 * probe: it is found by the end (a table over addresses and ports) and, among the few flights to it, by the socket.
 */
import { randomBytes } from 'node:crypto'
import { IN_FLIGHT_MAX } from '../../domain/limits.ts'
import type { ProbeTarget } from '../../domain/target/probe-target.ts'
import { BatchTargets, NO_FLIGHT, WORDS_PER_ADDRESS } from '../batch/batch-targets.ts'
import { NO_SLOT } from '../batch/core.ts'
import type { IpFamily } from '../batch/ip-family.ts'

const NOBODY = -1
/** A power of 2. */
const TABLE_SIZE = 32_768
const PORTS = 65_536

export class UdpFlights {
  readonly slots = new Int32Array(IN_FLIGHT_MAX).fill(NOBODY)
  /** The socket that it was sent on. */
  readonly fds = new Int32Array(IN_FLIGHT_MAX)
  /** Monotonic milliseconds. */
  readonly startedMs = new Float64Array(IN_FLIGHT_MAX)
  /** Microseconds of the wall clock: when it was sent. */
  readonly sentUs = new Float64Array(IN_FLIGHT_MAX)
  /** 1 = an error that may pass was received. */
  readonly doubts = new Uint8Array(IN_FLIGHT_MAX)
  /** Targets that are held, by port: no socket of ours may have such a port. */
  readonly heldPorts = new Uint32Array(PORTS)
  readonly targets = new BatchTargets()
  count = 0
  /** Of ends, `flights` is the first flight to it, and `#nextToEnd` the next one. */
  readonly #ends = new BatchTargets()
  readonly #endOf: number[] = []
  readonly #holders: number[] = []
  readonly #lastLane: number[] = []
  #lanes = 0
  /** The youngest lane that has sent to an end that is not held any more: it may be held again. */
  #forgottenLane = 0
  readonly #first = new Int32Array(TABLE_SIZE).fill(NOBODY)
  readonly #nextInTable: number[] = []
  readonly #seed = randomBytes(4).readInt32BE()
  readonly #nextToEnd = new Int32Array(IN_FLIGHT_MAX).fill(NOBODY)
  readonly #free = Int32Array.from({ length: IN_FLIGHT_MAX }, (_, i) => IN_FLIGHT_MAX - 1 - i)

  /** A slot for a target; NO_SLOT for an address that is none. */
  hold(target: ProbeTarget): number {
    const slot = this.targets.add(target)
    if (slot === NO_SLOT) return NO_SLOT
    const end = this.#endFor(target)
    this.#endOf[slot] = end
    this.#holders[end]! += 1
    this.heldPorts[target.port]! += 1
    return slot
  }

  release(slot: number): void {
    const end = this.#endOf[slot]!
    this.heldPorts[this.targets.ports[slot]!]! -= 1
    this.targets.remove(slot)
    if (--this.#holders[end]! > 0) return
    this.#forgottenLane = Math.max(this.#forgottenLane, this.#lastLane[end]!)
    this.#unlinkEnd(end)
    this.#ends.remove(end)
  }

  /** A flight of a probe of this slot that starts now; NO_FLIGHT where there are too many. */
  take(slot: number, nowMs: number): number {
    if (this.count === IN_FLIGHT_MAX) return NO_FLIGHT
    const flight = this.#free[IN_FLIGHT_MAX - 1 - this.count]!
    this.count++
    this.slots[flight] = slot
    this.startedMs[flight] = nowMs
    this.sentUs[flight] = 0
    this.doubts[flight] = 0
    this.fds[flight] = NOBODY
    this.targets.flights[slot] = flight
    const end = this.#endOf[slot]!
    this.#nextToEnd[flight] = this.#ends.flights[end]!
    this.#ends.flights[end] = flight
    return flight
  }

  /** It has ended. */
  land(flight: number): void {
    const slot = this.slots[flight]!
    const end = this.#endOf[slot]!
    this.#unlinkFlight(flight, end)
    this.targets.flights[slot] = NO_FLIGHT
    this.slots[flight] = NOBODY
    this.count--
    this.#free[IN_FLIGHT_MAX - 1 - this.count] = flight
  }

  /** The number of a lane that is opened now, larger than those of all before. */
  nextLane(): number {
    return ++this.#lanes
  }

  /** Whether this lane, the youngest of its family, has certainly not sent to the end of this slot yet. */
  isNewOn(lane: number, slot: number): boolean {
    return lane > this.#forgottenLane && this.#lastLane[this.#endOf[slot]!] !== lane
  }

  /** The lane sends to the end of this slot. */
  noteLane(lane: number, slot: number): void {
    this.#lastLane[this.#endOf[slot]!] = lane
  }

  /** The flight on socket `fd` to this port of the address at `words[from]`; NO_FLIGHT = there is none. */
  find(
    fd: number,
    family: IpFamily,
    port: number,
    at: { readonly words: Uint32Array; from: number },
  ): number {
    const place = this.#placeOf(at.words, at.from, family.words, port)
    for (let end = this.#first[place]!; end !== NOBODY; end = this.#nextInTable[end]!) {
      if (this.#ends.ports[end] !== port || !this.#ends.isAt(end, family, at.words, at.from)) continue
      for (let flight = this.#ends.flights[end]!; flight !== NO_FLIGHT; flight = this.#nextToEnd[flight]!)
        if (this.fds[flight] === fd) return flight
    }
    return NO_FLIGHT
  }

  #endFor(target: ProbeTarget): number {
    const end = this.#ends.add(target)
    const place = this.#placeOfEnd(end)
    for (let other = this.#first[place]!; other !== NOBODY; other = this.#nextInTable[other]!) {
      if (!this.#ends.isSameEnd(other, end)) continue
      this.#ends.remove(end)
      return other
    }
    this.#holders[end] = 0
    this.#lastLane[end] = 0
    this.#nextInTable[end] = this.#first[place]!
    this.#first[place] = end
    return end
  }

  #unlinkEnd(end: number): void {
    const place = this.#placeOfEnd(end)
    if (this.#first[place] === end) {
      this.#first[place] = this.#nextInTable[end]!
      return
    }
    let before = this.#first[place]!
    while (this.#nextInTable[before] !== end) before = this.#nextInTable[before]!
    this.#nextInTable[before] = this.#nextInTable[end]!
  }

  #unlinkFlight(flight: number, end: number): void {
    if (this.#ends.flights[end] === flight) {
      this.#ends.flights[end] = this.#nextToEnd[flight]!
      return
    }
    let before = this.#ends.flights[end]!
    while (this.#nextToEnd[before] !== flight) before = this.#nextToEnd[before]!
    this.#nextToEnd[before] = this.#nextToEnd[flight]!
  }

  #placeOfEnd(end: number): number {
    const words = this.#ends.families[end] === 6 ? WORDS_PER_ADDRESS : 1
    return this.#placeOf(this.#ends.addresses, end * WORDS_PER_ADDRESS, words, this.#ends.ports[end]!)
  }

  /** Where an end is in the table. The seed keeps whoever chooses addresses from choosing their places. */
  #placeOf(words: Uint32Array, from: number, count: number, port: number): number {
    let hash = port ^ this.#seed
    for (let word = 0; word < count; word++) {
      hash = Math.imul(hash ^ words[from + word]!, 0x9e37_79b1)
      hash ^= hash >>> 15
    }
    return hash & (TABLE_SIZE - 1)
  }
}
