/** Pauses of deliveries: one that news cut short, and one that they do not. Neither rejects. */
import { setTimeout as sleep } from 'node:timers/promises'

/** A pause that ends after its time, or when it is woken. */
export class WakeablePause {
  #end: (() => void) | undefined

  /** Returns at once when the signal is aborted; whoever aborts it later also calls `wake`. */
  async wait(ms: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms)
      this.#end = () => {
        clearTimeout(timer)
        resolve()
      }
    })
    this.#end = undefined
  }

  readonly wake = (): void => {
    this.#end?.()
  }
}

/** A pause that only the signal cuts short: each notification would be one more question to a PostgreSQL in trouble. */
export async function backOff(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined)
}
