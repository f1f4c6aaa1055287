/** How late events of members are at a reader of the stream, read by a process of its own (stream-process.ts). */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const PROGRAM = fileURLToPath(new URL('./stream-process.js', import.meta.url))

/** Of the events since the last time, from the decision to the reader. */
export interface Lateness {
  readonly events: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
}

export interface StreamReader {
  take(): Promise<Lateness>
  /** Ends its process. */
  end(): Promise<void>
}

/** Opens the stream of the API at this address. */
export async function readStream(apiUrl: string): Promise<StreamReader> {
  const child = fork(PROGRAM, [apiUrl])
  const gone = once(child, 'exit')
  const nextMessage = async (): Promise<unknown> => {
    const ended = gone.then(() => Promise.reject(new Error('the process that reads the stream has ended')))
    const [message] = (await Promise.race([once(child, 'message'), ended])) as [unknown]
    return message
  }
  await nextMessage()
  return {
    take: async () => {
      const next = nextMessage()
      child.send('take')
      return (await next) as Lateness
    },
    end: async () => {
      child.disconnect()
      await gone
    },
  }
}
