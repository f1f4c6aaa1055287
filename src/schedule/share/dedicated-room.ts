/**
 * The room for probes on sockets of their own (loop/detour.ts), divided by project: a project may hold SHARE_PER_FREE times
 * what is free. So whoever floods the prober cannot take all of it with checks of their own.
 */
import { DEDICATED_IN_FLIGHT_MAX } from '../../domain/limits.ts'
import { mayTake } from './turns.ts'

/** Who has a part of it. */
export interface DedicatedHolder {
  /** Its probes in flight on sockets of their own. */
  dedicated: number
}

export class DedicatedRoom {
  #held = 0

  /** Takes room for one probe; false = there is none for this project now. */
  take(project: DedicatedHolder): boolean {
    if (!mayTake({ held: project.dedicated }, DEDICATED_IN_FLIGHT_MAX - this.#held)) return false
    this.#held++
    project.dedicated++
    return true
  }

  giveBack(project: DedicatedHolder): void {
    this.#held--
    project.dedicated--
  }
}
