/**
 * Attempts by whoever makes them, within windows of time: the first attempt begins a window, and all of it ends with the
 * window. So nobody is refused for longer than one window. The oldest windows are forgotten for new ones, so memory is
 * bounded whoever asks.
 */
export interface AttemptWindow {
  /** Attempts so far; who counts them may also take them back. */
  count: number
  /** When it ends, by the clock of `now`. */
  readonly until: number
}

export interface AttemptWindowsOptions {
  /** Monotonic milliseconds. */
  readonly now: () => number
  readonly windowMs: number
  /** Windows that are kept at the same time. */
  readonly windowsMax: number
}

export class AttemptWindows {
  readonly #options: AttemptWindowsOptions
  readonly #windows = new Map<string, AttemptWindow>()

  constructor(options: AttemptWindowsOptions) {
    this.#options = options
  }

  /** The window that `key` is in; a new one when there is none. */
  of(key: string): AttemptWindow {
    const { now, windowMs, windowsMax } = this.#options
    const nowMs = now()
    const known = this.#windows.get(key)
    if (known !== undefined && nowMs < known.until) return known
    this.#windows.delete(key)
    for (const oldest of this.#windows.keys()) {
      if (this.#windows.size < windowsMax) break
      this.#windows.delete(oldest)
    }
    const window = { count: 0, until: nowMs + windowMs }
    this.#windows.set(key, window)
    return window
  }

  /** Whole seconds until a window ends, at least one: when it is worth coming again. */
  secondsLeft({ until }: AttemptWindow): number {
    return Math.max(1, Math.ceil((until - this.#options.now()) / 1000))
  }
}
