/**
 * When what happened in the probes of a core, in arrays: microseconds since the start of each, -1 = not yet. What the
 * kernel has stamped (wall clock) is brought to the monotonic clock by the difference of the two when the batch started,
 * and never lies before the connection or after now: the wall clock may be set meanwhile.
 */
import { BATCH_TARGETS_FIRST } from '../../../domain/limits.ts'
import type { Phases } from '../../../domain/result/probe-result.ts'
import { grown } from '../../tcp/plain/destinations.ts'

const NOT_YET = -1

export class ProbeTimes {
  readonly #wallUs: () => number
  /** Wall clock less monotonic clock; NaN = not known. */
  #offsetUs = Number.NaN
  #startedUs = new Float64Array(BATCH_TARGETS_FIRST)
  #connected = new Float64Array(BATCH_TARGETS_FIRST)
  #arrived = new Float64Array(BATCH_TARGETS_FIRST)
  #firstByte = new Float64Array(BATCH_TARGETS_FIRST)
  /** Of the last probe that passed. */
  #passedConnected = new Float64Array(BATCH_TARGETS_FIRST)
  #passedFirstByte = new Float64Array(BATCH_TARGETS_FIRST)

  /** `wallUs`: the clock of the stamps; 0 = not known. */
  constructor(wallUs: () => number) {
    this.#wallUs = wallUs
  }

  /** A batch starts. */
  begin(): void {
    const wallUs = this.#wallUs()
    this.#offsetUs = wallUs > 0 ? wallUs - monotonicUs() : Number.NaN
  }

  start(slot: number): void {
    this.#startedUs[slot] = monotonicUs()
    this.#connected[slot] = NOT_YET
    this.#arrived[slot] = NOT_YET
    this.#firstByte[slot] = NOT_YET
  }

  /** `handshakeMs`: as the kernel measured it, where it did. */
  noteConnected(slot: number, handshakeMs: number | undefined): void {
    this.#connected[slot] = handshakeMs === undefined ? this.#sinceStart(slot) : handshakeMs * 1000
  }

  /** It was no connection after all. */
  noteUnconnected(slot: number): void {
    this.#connected[slot] = NOT_YET
  }

  /** Something has arrived, at `stampUs` by the wall clock; 0 = not known. */
  noteArrival(slot: number, stampUs: number): void {
    const nowUs = this.#sinceStart(slot)
    const stamped = stampUs > 0 ? stampUs - this.#offsetUs - this.#startedUs[slot]! : Number.NaN
    const soonest = Math.max(0, this.#connected[slot]!, this.#arrived[slot]!)
    this.#arrived[slot] = Number.isNaN(stamped) ? nowUs : Math.min(nowUs, Math.max(soonest, stamped))
  }

  /** What arrived last is, or has, the beginning of the answer. */
  noteFirstByte(slot: number): void {
    if (this.#firstByte[slot] === NOT_YET) this.#firstByte[slot] = this.#arrived[slot]!
  }

  notePassed(slot: number): void {
    this.#passedConnected[slot] = this.#connected[slot]!
    this.#passedFirstByte[slot] = this.#firstByte[slot]!
  }

  /** How long a probe took that ends now. */
  elapsedUs(slot: number, isAnswered: boolean): number {
    return Math.round(isAnswered ? this.#arrived[slot]! : this.#sinceStart(slot))
  }

  /** Of the probe that was started last. */
  phasesOf(slot: number, microseconds: number): Phases {
    return phases(this.#connected[slot]!, this.#firstByte[slot]!, microseconds)
  }

  /** Of the one that passed last. */
  passedPhasesOf(slot: number, microseconds: number): Phases {
    return phases(this.#passedConnected[slot]!, this.#passedFirstByte[slot]!, microseconds)
  }

  grow(room: number): void {
    this.#startedUs = grown(this.#startedUs, new Float64Array(room))
    this.#connected = grown(this.#connected, new Float64Array(room))
    this.#arrived = grown(this.#arrived, new Float64Array(room))
    this.#firstByte = grown(this.#firstByte, new Float64Array(room))
    this.#passedConnected = grown(this.#passedConnected, new Float64Array(room))
    this.#passedFirstByte = grown(this.#passedFirstByte, new Float64Array(room))
  }

  #sinceStart(slot: number): number {
    return monotonicUs() - this.#startedUs[slot]!
  }
}

function monotonicUs(): number {
  return performance.now() * 1000
}

function phases(connectedUs: number, firstByteUs: number, totalUs: number): Phases {
  return {
    ...(connectedUs === NOT_YET ? {} : { connectMs: Math.round(connectedUs) / 1000 }),
    ...(firstByteUs === NOT_YET ? {} : { firstByteMs: Math.round(firstByteUs) / 1000 }),
    totalMs: totalUs / 1000,
  }
}
