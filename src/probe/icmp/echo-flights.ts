/**
 * Echoes of PING in flight, in arrays. The number of a flight is the sequence number of its echo request. Numbers are
 * taken in turn, so the one of an echo that has ended is taken again as late as possible; and each echo has a random word
 * (`words`) that its answer must bring back, so a late answer never counts for a later echo.
 */
import { ECHO_FLIGHTS } from '../../domain/limits.ts'
import { type BatchTargets, NO_FLIGHT } from '../batch/batch-targets.ts'
import { RandomWords } from '../batch/random-words.ts'

const NOBODY = -1

export class EchoFlights {
  readonly slots = new Int32Array(ECHO_FLIGHTS).fill(NOBODY)
  readonly words = new Uint32Array(ECHO_FLIGHTS)
  /** When the probe started: monotonic milliseconds. */
  readonly startedMs = new Float64Array(ECHO_FLIGHTS)
  /** Microseconds of the wall clock, as the kernel stamps answers: when the echo was sent; 0 = it was not yet. */
  readonly sentUs = new Float64Array(ECHO_FLIGHTS)
  /** Echoes of the same probe that were answered before, and how long these took together. */
  readonly answered = new Uint8Array(ECHO_FLIGHTS)
  readonly spentUs = new Float32Array(ECHO_FLIGHTS)
  readonly #targets: BatchTargets
  readonly #random = new RandomWords()
  #next: number
  #count4 = 0
  #count6 = 0

  constructor(targets: BatchTargets) {
    this.#targets = targets
    this.#next = this.#random.next() % ECHO_FLIGHTS
  }

  /** Echoes in flight, of both families. */
  get count(): number {
    return this.#count4 + this.#count6
  }

  countOf(family: 4 | 6): number {
    return family === 4 ? this.#count4 : this.#count6
  }

  /** The first echo of a probe of this slot that starts now; NO_FLIGHT where every number is taken. */
  take(slot: number, nowMs: number): number {
    const flight = this.#takeNumber(slot)
    if (flight === NO_FLIGHT) return NO_FLIGHT
    this.startedMs[flight] = nowMs
    this.answered[flight] = 0
    this.spentUs[flight] = 0
    return flight
  }

  /** The next echo of a probe whose echo was answered within these microseconds. */
  takeNext(before: number, microseconds: number): number {
    const slot = this.slots[before]!
    const flight = this.#takeNumber(slot)
    if (flight === NO_FLIGHT) return NO_FLIGHT
    this.startedMs[flight] = this.startedMs[before]!
    this.answered[flight] = this.answered[before]! + 1
    this.spentUs[flight] = this.spentUs[before]! + microseconds
    this.#free(before)
    return flight
  }

  /** The probe has ended. */
  release(flight: number): void {
    this.#targets.flights[this.slots[flight]!] = NO_FLIGHT
    this.#free(flight)
  }

  /** The flight whose echo has this sequence number; NO_FLIGHT = there is none. */
  find(sequence: number): number {
    return (this.slots[sequence] ?? NOBODY) === NOBODY ? NO_FLIGHT : sequence
  }

  #takeNumber(slot: number): number {
    for (let i = 0; i < ECHO_FLIGHTS; i++) {
      const flight = this.#next
      this.#next = (this.#next + 1) % ECHO_FLIGHTS
      if (this.slots[flight] !== NOBODY) continue
      this.slots[flight] = slot
      this.words[flight] = this.#random.next()
      this.sentUs[flight] = 0
      this.#targets.flights[slot] = flight
      this.#count(slot, 1)
      return flight
    }
    return NO_FLIGHT
  }

  #free(flight: number): void {
    this.#count(this.slots[flight]!, -1)
    this.slots[flight] = NOBODY
  }

  #count(slot: number, change: number): void {
    if (this.#targets.families[slot] === 4) this.#count4 += change
    else this.#count6 += change
  }
}
