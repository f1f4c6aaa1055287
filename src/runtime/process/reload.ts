/**
 * SIGHUP: reads anew what may change while the process runs (certificates, log level). Each part reads and checks its
 * file first; if that fails, what it had stays in use and the log says why. Where a terminal controls the process,
 * SIGHUP means that the terminal is gone: there the process ends.
 */
import { closeSync, constants, openSync } from 'node:fs'
import type { Log } from '../output/log.ts'

interface Part {
  readonly name: string
  /**
   * Reads the file again and uses it; returns what may be logged. Throws, with nothing changed, when it cannot be used.
   */
  readonly read: () => object
}

export class Reload {
  readonly #parts: Part[] = []
  readonly #log: Log
  readonly #done: (isSuccessful: boolean) => void

  /** `done` is called after each time, with whether everything could be read. */
  constructor(log: Log, done: (isSuccessful: boolean) => void = () => undefined) {
    this.#log = log
    this.#done = done
  }

  add(name: string, read: Part['read']): void {
    this.#parts.push({ name, read })
  }

  /** Reads every part. One that cannot be used does not stop the others. */
  run(): void {
    let isSuccessful = true
    for (const { name, read } of this.#parts) {
      try {
        // First read: it may change the level, and with it what `info` does.
        const facts = read()
        this.#log.info({ part: name, ...facts }, 'read anew')
      } catch (error) {
        isSuccessful = false
        const why = error instanceof Error ? error.message : String(error)
        this.#log.error({ part: name, why }, 'cannot be read anew; what was read before stays in use')
      }
    }
    this.#done(isSuccessful)
  }
}

/**
 * Whether a terminal controls this process: SIGHUP then means that the terminal is gone. Ask at the start: later it may
 * be gone.
 */
export function hasControllingTerminal(): boolean {
  try {
    closeSync(openSync('/dev/tty', constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK))
    return true
  } catch {
    return false
  }
}
