/**
 * Drives the wheel: one timer for the next occupied slot, and the tick itself in the check phase of the event loop,
 * after the poll phase, so that ready sockets are read before expired deadlines are judged (libuv runs timers, then
 * poll, then check).
 */
import { WHEEL_SLEEP_MAX_MS } from '../../domain/limits.ts'

export interface Ticking {
  /** Does what is due. */
  tick(): void
  /** Milliseconds from now until the next tick; undefined = until `wake` is called. */
  sleepMs(): number | undefined
  /** Called in the timer phase, before sockets are read. */
  noticeTime(): void
}

export class TickDriver {
  readonly #ticking: Ticking
  #timer: NodeJS.Timeout | undefined
  #wakesAt = Number.POSITIVE_INFINITY
  #immediate: NodeJS.Immediate | undefined
  #stopped = false

  constructor(ticking: Ticking) {
    this.#ticking = ticking
  }

  /** Makes the next tick come within `inMs`, or earlier when one is already planned earlier. */
  readonly wake = (inMs: number): void => {
    if (this.#stopped || this.#immediate !== undefined) return
    if (inMs <= 0) {
      this.#immediate = setImmediate(this.#onImmediate)
      return
    }
    const at = performance.now() + inMs
    if (at >= this.#wakesAt) return
    clearTimeout(this.#timer)
    this.#wakesAt = at
    this.#timer = setTimeout(this.#onTimer, inMs)
  }

  stop(): void {
    this.#stopped = true
    clearTimeout(this.#timer)
    clearImmediate(this.#immediate)
  }

  readonly #onTimer = (): void => {
    this.#wakesAt = Number.POSITIVE_INFINITY
    this.#ticking.noticeTime()
    this.#immediate ??= setImmediate(this.#onImmediate)
  }

  readonly #onImmediate = (): void => {
    this.#immediate = undefined
    this.#ticking.tick()
    const sleepMs = this.#ticking.sleepMs()
    if (sleepMs !== undefined) this.wake(Math.min(sleepMs, WHEEL_SLEEP_MAX_MS))
  }
}
