/**
 * Half-open probes in flight, in arrays. A flight has one of our ports and a random sequence number; an answer is found
 * by both, and then compared with the address and the port of the target. Flights with the same port have different
 * targets, so no two have the same connection of TCP (addresses and ports).
 *
 * Flights that wait for an answer are in a list per number of SYNs sent, the oldest first: all of a list wait equally
 * long, so only the first of each is looked at.
 */
import { HALF_OPEN_LANES, HALF_OPEN_PORTS, SYN_AGAIN_MAX, SYN_AGAIN_MS } from '../../../domain/limits.ts'
import { type BatchTargets, NO_FLIGHT } from '../../batch/batch-targets.ts'
import { RandomWords } from '../../batch/random-words.ts'

const FLIGHTS = HALF_OPEN_PORTS * HALF_OPEN_LANES
const NOBODY = -1

export class Flights {
  readonly slots = new Int32Array(FLIGHTS).fill(NOBODY)
  readonly sequences = new Uint32Array(FLIGHTS)
  /** Monotonic milliseconds. */
  readonly startedMs = new Float64Array(FLIGHTS)
  /** Microseconds of the wall clock, as the kernel stamps answers: when the first SYN was sent. */
  readonly sentUs = new Float64Array(FLIGHTS)
  /** SYNs sent again. */
  readonly repeats = new Uint8Array(FLIGHTS)
  count = 0
  readonly #targets: BatchTargets
  readonly #firstPort: number
  /** In flight, by port. */
  readonly #onPort = new Uint16Array(HALF_OPEN_PORTS)
  readonly #older = new Int32Array(FLIGHTS).fill(NOBODY)
  readonly #younger = new Int32Array(FLIGHTS).fill(NOBODY)
  readonly #oldest = new Int32Array(SYN_AGAIN_MAX + 1).fill(NOBODY)
  readonly #youngest = new Int32Array(SYN_AGAIN_MAX + 1).fill(NOBODY)
  readonly #random = new RandomWords()

  constructor(targets: BatchTargets, firstPort: number) {
    this.#targets = targets
    this.#firstPort = firstPort
  }

  /** A flight of a probe of this slot that starts now; NO_FLIGHT where every port is taken. */
  take(slot: number, nowMs: number): number {
    const flight = this.#free(slot)
    if (flight === NO_FLIGHT) return NO_FLIGHT
    this.slots[flight] = slot
    this.sequences[flight] = this.#random.next()
    this.startedMs[flight] = nowMs
    this.sentUs[flight] = 0
    this.repeats[flight] = 0
    this.#onPort[flight % HALF_OPEN_PORTS]! += 1
    this.#targets.flights[slot] = flight
    this.count++
    this.#append(flight)
    return flight
  }

  /** It has ended. */
  release(flight: number): void {
    this.#unlink(flight)
    this.#targets.flights[this.slots[flight]!] = NO_FLIGHT
    this.slots[flight] = NOBODY
    this.#onPort[flight % HALF_OPEN_PORTS]! -= 1
    this.count--
  }

  portOf(flight: number): number {
    return this.#firstPort + (flight % HALF_OPEN_PORTS)
  }

  /** The flight to whose SYN, with this source port and sequence number, something answers; NO_FLIGHT = there is none. */
  find(port: number, sequence: number): number {
    const place = port - this.#firstPort
    let left = this.#onPort[place] ?? 0
    for (let flight = place; left > 0 && flight < FLIGHTS; flight += HALF_OPEN_PORTS) {
      if (this.slots[flight] === NOBODY) continue
      if (this.sequences[flight] === sequence) return flight
      left--
    }
    return NO_FLIGHT
  }

  /** The next one whose SYN is to be sent again; from then on it waits for the next time. NO_FLIGHT = none now. */
  nextRepeat(nowMs: number): number {
    for (let repeats = 0; repeats < SYN_AGAIN_MAX; repeats++) {
      const flight = this.#oldest[repeats]!
      // All waits until then: 1 s, 3 s, 7 s …
      const waitsMs = SYN_AGAIN_MS * (2 ** (repeats + 1) - 1)
      if (flight === NOBODY || nowMs - this.startedMs[flight]! < waitsMs) continue
      this.#unlink(flight)
      this.repeats[flight] = repeats + 1
      this.#append(flight)
      return flight
    }
    return NO_FLIGHT
  }

  /** A free flight on a random port on which the target of this slot is not being probed. */
  #free(slot: number): number {
    const start = this.#random.next() % HALF_OPEN_PORTS
    for (let i = 0; i < HALF_OPEN_PORTS; i++) {
      const flight = this.#freeOn((start + i) % HALF_OPEN_PORTS, slot)
      if (flight !== NO_FLIGHT) return flight
    }
    return NO_FLIGHT
  }

  #freeOn(place: number, slot: number): number {
    let left = this.#onPort[place]!
    if (left === HALF_OPEN_LANES) return NO_FLIGHT
    let free = NO_FLIGHT
    for (
      let flight = place;
      flight < FLIGHTS && (left > 0 || free === NO_FLIGHT);
      flight += HALF_OPEN_PORTS
    ) {
      const other = this.slots[flight]!
      if (other === NOBODY) {
        if (free === NO_FLIGHT) free = flight
        continue
      }
      if (this.#targets.isSameEnd(other, slot)) return NO_FLIGHT
      left--
    }
    return free
  }

  #append(flight: number): void {
    const list = this.repeats[flight]!
    const before = this.#youngest[list]!
    this.#older[flight] = before
    this.#younger[flight] = NOBODY
    if (before === NOBODY) this.#oldest[list] = flight
    else this.#younger[before] = flight
    this.#youngest[list] = flight
  }

  #unlink(flight: number): void {
    const list = this.repeats[flight]!
    const older = this.#older[flight]!
    const younger = this.#younger[flight]!
    if (older === NOBODY) this.#oldest[list] = younger
    else this.#younger[older] = younger
    if (younger === NOBODY) this.#youngest[list] = older
    else this.#older[younger] = older
  }
}
