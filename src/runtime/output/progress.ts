/**
 * The progress of long work: one line of a terminal that is drawn again and again, and removed when the work is done.
 * If standard error is no terminal, nothing is shown.
 */
import { PROGRESS_EVERY_MS, PROGRESS_SECONDS_AFTER } from '../../domain/limits.ts'

/** A stream that may be a terminal. */
export interface ProgressScreen {
  readonly isTTY?: boolean
  readonly columns?: number
  write(text: string): unknown
}

/** To the first column, and erases the line (ECMA-48: EL). */
const ERASE = '\r\u001b[K'

export class Progress {
  readonly #screen: ProgressScreen
  readonly #now: () => number
  #text = ''
  #step = ''
  #sinceMs = 0
  #drawnMs = Number.NEGATIVE_INFINITY
  #isDrawn = false
  #timer: NodeJS.Timeout | undefined

  /** `now`: monotonic milliseconds. */
  constructor(screen: ProgressScreen = process.stderr, now: () => number = () => performance.now()) {
    this.#screen = screen
    this.#now = now
  }

  /**
   * Shows what is done now. Cheap: it may be called for each row. `step`: what takes the time, if the text has numbers
   * that grow. If a step takes long, its seconds are shown.
   */
  show(text: string, step = text): void {
    if (this.#screen.isTTY !== true) return
    if (this.#step !== step) {
      this.#step = step
      this.#sinceMs = this.#now()
      // The first text of a step is drawn at once.
      this.#drawnMs = Number.NEGATIVE_INFINITY
    }
    this.#text = text
    this.#timer ??= setInterval(() => this.#draw(), 1000).unref()
    if (this.#now() - this.#drawnMs >= PROGRESS_EVERY_MS) this.#draw()
  }

  /** Removes the line for something that is printed; it is drawn again within a second. */
  hide(): void {
    if (this.#isDrawn) this.#screen.write(ERASE)
    this.#isDrawn = false
  }

  /** Removes the line; `show` begins another one. */
  end(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
    this.#step = ''
    this.#drawnMs = Number.NEGATIVE_INFINITY
    this.hide()
  }

  #draw(): void {
    this.#drawnMs = this.#now()
    const seconds = Math.floor((this.#drawnMs - this.#sinceMs) / 1000)
    const line = seconds < PROGRESS_SECONDS_AFTER ? this.#text : `${this.#text}, ${seconds} s`
    // The last column stays free: some terminals begin a new line there.
    this.#screen.write(`${ERASE}${line.slice(0, Math.max(0, (this.#screen.columns ?? 80) - 1))}`)
    this.#isDrawn = true
  }
}
