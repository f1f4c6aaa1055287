/** Standard output is for people. */
import type { Log } from './log.ts'
import { writerOf } from './standard-streams.ts'

/** Says something to the person who started the process; the log says when that could not be written. */
export function announce(text: string, log: Log): void {
  const chunk = Buffer.from(text)
  writerOf(1).write(chunk, (err, bytes) => {
    if (err !== null || bytes < chunk.length) log.warn({ err }, 'standard output could not be written')
  })
}
