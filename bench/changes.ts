/** Changes of the statuses of members beside a measurement, made by a process of its own (changes-process.ts). */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const PROGRAM = fileURLToPath(new URL('./changes-process.js', import.meta.url))
const TURN_MS = 100

export interface ChangesBeside {
  /** Changes so many members as fast as it can. */
  next(count: number): Promise<void>
  /** So many a second, evenly, until the end. */
  each(perSecond: number, ended: AbortSignal): Promise<void>
  /** Ends its process. */
  end(): Promise<void>
}

/** Starts the process; the members of api-rows.ts are in this database. */
export async function startChanges(databaseUrl: string): Promise<ChangesBeside> {
  const child = fork(PROGRAM, [databaseUrl])
  await saidBy(child)
  const next = async (count: number): Promise<void> => {
    child.send(count)
    await saidBy(child)
  }
  return {
    next,
    each: async (perSecond, ended) => {
      while (!ended.aborted) await Promise.all([next((perSecond * TURN_MS) / 1000), wait(TURN_MS)])
    },
    end: async () => {
      const gone = once(child, 'exit')
      child.disconnect()
      await gone
    },
  }
}

/** Waits for its next message; rejects when it ends without one. */
async function saidBy(child: ChildProcess): Promise<void> {
  const waiting = new AbortController()
  const ended = once(child, 'exit', { signal: waiting.signal }).then(() => {
    throw new Error('the process that changes members has ended')
  })
  try {
    await Promise.race([once(child, 'message', { signal: waiting.signal }), ended])
  } finally {
    ended.catch(() => undefined)
    waiting.abort()
  }
}
