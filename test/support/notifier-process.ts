/** `healthmonitor notifier` as a child process: what is done to it must not be done to the process of the test. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { TestDatabase } from './database.ts'
import { PROGRAM } from './service.ts'

export interface NotifierProcess {
  readonly child: ChildProcess
  /** Its log so far. */
  log(): string
  /** Sends a signal that ends it, and waits for that. */
  end(signal: NodeJS.Signals): Promise<void>
}

/** Starts one; it is killed before the database goes. */
export function startNotifierProcess(
  database: Pick<TestDatabase, 'url' | 'beforeDrop'>,
  environment: NodeJS.ProcessEnv = {},
): NotifierProcess {
  const child = spawn(process.execPath, [PROGRAM, 'notifier'], {
    env: { PATH: process.env['PATH'], DATABASE_URL: database.url, HM_METRICS_LISTEN: 'off', ...environment },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let text = ''
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk
  })
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'exit')
    child.kill(signal)
    await gone
  }
  database.beforeDrop(() => end('SIGKILL'))
  return { child, log: () => text, end }
}

/** Whether this process is the one that delivers. */
export function isDelivering(notifier: NotifierProcess): boolean {
  return notifier.log().includes('this process delivers events')
}
