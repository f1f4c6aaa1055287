/** Work that goes on until it is stopped: after a failure, again in a while. The first failure of several is logged. */
import { setTimeout as wait } from 'node:timers/promises'
import { RELAY_RETRY_MS } from '../../domain/limits.ts'
import type { Log } from '../log.ts'

export interface Retrying {
  /** What it does, for the log: `results of the site`. */
  readonly what: string
  readonly log: Log
  readonly isStopped: () => boolean
  /** Ends the wait between two times. */
  readonly signal: AbortSignal
  /** Once; it may take as long as it likes. Milliseconds until it is done again. */
  readonly work: () => Promise<number>
}

/** Resolves when it is stopped. Never rejects. */
export async function retrying({ what, log, isStopped, signal, work }: Retrying): Promise<void> {
  let isTroubled = false
  while (!isStopped()) {
    try {
      const restMs = await work()
      if (isTroubled) log.info({}, `${what}: it works again`)
      isTroubled = false
      await rest(restMs, signal)
    } catch (error) {
      if (isStopped()) return
      if (!isTroubled) log.warn({ err: error }, `${what}: it does not work, and is tried again`)
      isTroubled = true
      await rest(RELAY_RETRY_MS, signal)
    }
  }
}

/** As long, or until it is stopped. */
async function rest(ms: number, signal: AbortSignal): Promise<void> {
  await wait(ms, undefined, { signal }).catch(() => undefined)
}
