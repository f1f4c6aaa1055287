/**
 * Places that are held for a while, divided by key (see fair-share.ts). A request without a place waits: within a key
 * first come, first served, and keys in turn, so that a key with a thousand requests is served no sooner than one with
 * a single request.
 */
import { FairShare } from './fair-share.ts'
import { InTurn } from './in-turn.ts'

/** Starts a timer that calls `expire` when the wait has taken too long; the returned function stops it. */
export type StartClock = (expire: () => void) => () => void

export class FairGate {
  readonly #places: FairShare
  readonly #waiting = new InTurn<() => void>()
  readonly #waitingMax: number

  /** `waitingMax`: how many of one key may wait. */
  constructor(options: { readonly places: number; readonly waitingMax: number }) {
    this.#places = new FairShare(options.places)
    this.#waitingMax = options.waitingMax
  }

  /** Places that nobody holds. */
  get free(): number {
    return this.#places.free
  }

  waiting(key: string): number {
    return this.#waiting.count(key)
  }

  /** Takes a place now, if the key may have one: it never overtakes a waiting request of the same key. */
  tryEnter(key: string): boolean {
    return this.#waiting.count(key) === 0 && this.#places.take(key)
  }

  /** Waits for a place while the clock runs. False when the clock ran out, or when too many of this key wait already. */
  async enter(key: string, startClock: StartClock): Promise<boolean> {
    if (this.tryEnter(key)) return true
    if (this.#waiting.count(key) >= this.#waitingMax) return false
    return await new Promise<boolean>((resolve) => {
      const granted = () => {
        stopClock()
        resolve(true)
      }
      this.#waiting.add(key, granted)
      const stopClock = startClock(() => {
        if (this.#waiting.remove(key, granted)) resolve(false)
      })
    })
  }

  /** Gives a place back, and passes it to the next in turn that may have one. */
  leave(key: string): void {
    this.#places.give(key)
    for (;;) {
      const next = this.#places.free > 0 ? this.#waiting.next((other) => this.#places.take(other)) : undefined
      if (next === undefined) return
      next()
    }
  }
}
