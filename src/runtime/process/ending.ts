/**
 * The orderly end of a process: what was started last ends first. The first SIGINT, SIGTERM or (under a terminal, see
 * `reload.ts`) SIGHUP begins it; a second one, or an end that takes longer than it may, ends the process at once.
 */
import { POSTGRES_FAST_STOP_MS, DRAIN_TIMEOUT_MS } from '../../domain/limits.ts'
import type { Log } from '../output/log.ts'

type Step = () => Promise<void> | void

export class Ending {
  readonly #steps: { readonly name: string; readonly run: Step; readonly now: Step | undefined }[] = []
  readonly #log: Log
  #running: Promise<void> | undefined

  constructor(log: Log) {
    this.#log = log
  }

  /** Adds what ends something that has just been started; `now` ends it without waiting when there is no time. */
  add(name: string, run: Step, now?: Step): void {
    this.#steps.push({ name, run, now })
  }

  /**
   * Listens for the signals that ask a process to end. With `hangUp`, SIGHUP is none of them: it calls `hangUp`, as
   * long as the process does not end.
   */
  listenForSignals(hangUp?: () => void): void {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => {
        if (signal === 'SIGHUP' && hangUp !== undefined) {
          if (this.#running === undefined) hangUp()
        } else if (this.#running === undefined) this.exit(0, signal)
        else this.#exitNow(`${signal} again`)
      })
    }
  }

  /**
   * Runs every step, then exits with the code; a failed step is logged, does not stop the others, and makes the code 1.
   */
  exit(code: number, why: string): void {
    this.#log.info({ why }, 'ending')
    const late = setTimeout(
      () => this.#exitNow('the end took too long'),
      2 * DRAIN_TIMEOUT_MS + POSTGRES_FAST_STOP_MS,
    )
    late.unref()
    void this.run().then(
      () => this.#leave(code),
      () => this.#leave(1),
    )
  }

  /** Exits when the last lines are written, or cannot be. */
  #leave(code: number): void {
    this.#log.flush(() => process.exit(code))
  }

  /** Runs every step once; rejects with the first failure after all have run. */
  run(): Promise<void> {
    this.#running ??= this.#runAll()
    return this.#running
  }

  async #runAll(): Promise<void> {
    const failures: unknown[] = []
    while (this.#steps.length > 0) {
      const step = this.#steps.at(-1)
      try {
        await step?.run()
      } catch (err) {
        this.#log.error({ err, step: step?.name }, 'could not end in order')
        failures.push(err)
      }
      this.#steps.pop()
    }
    if (failures.length > 0) throw new AggregateError(failures, 'the process did not end in order')
  }

  #exitNow(why: string): void {
    this.#log.warn({ why, unfinished: this.#steps.map(({ name }) => name) }, 'ending at once')
    for (const { now } of this.#steps) void now?.()
    process.exit(1)
  }
}
