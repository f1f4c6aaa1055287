/** `healthmonitor prober` as a child process: what chaos does not do to the process of the test. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'
import { type Db, query } from '../../src/store/connection/database.ts'
import { eventually } from './configuration.ts'
import type { TestDatabase } from './database.ts'

const PROGRAM = resolve(import.meta.dirname, '../../src/bin/healthmonitor.js')

export interface ProberProcess {
  readonly child: ChildProcess
  readonly pid: number
  /** Lines of its log, as they were written. */
  readonly log: readonly string[]
  /** Sends a signal and, where it ends the process, waits for that. */
  end(signal: NodeJS.Signals): Promise<void>
}

/**
 * Starts one; it is killed before the database goes. `url` when it reaches its database by another way; `within`: a
 * command that becomes the prober (`ip netns exec NAME`); `flags`: of the command.
 */
export function startProberProcess(
  database: Pick<TestDatabase, 'url' | 'beforeDrop'>,
  environment: NodeJS.ProcessEnv = {},
  within: readonly string[] = [],
  flags: readonly string[] = [],
): ProberProcess {
  return startCommand(database, environment, [...within, process.execPath, PROGRAM, 'prober', ...flags])
}

/** The same of `healthmonitor relay`. */
export function startRelayProcess(
  database: Pick<TestDatabase, 'url' | 'beforeDrop'>,
  environment: NodeJS.ProcessEnv,
): ProberProcess {
  return startCommand(database, environment, [process.execPath, PROGRAM, 'relay'])
}

function startCommand(
  database: Pick<TestDatabase, 'url' | 'beforeDrop'>,
  environment: NodeJS.ProcessEnv,
  [command = '', ...args]: readonly string[],
): ProberProcess {
  const child = spawn(command, args, {
    env: { PATH: process.env['PATH'], DATABASE_URL: database.url, HM_METRICS_LISTEN: 'off', ...environment },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const log: string[] = []
  child.stderr
    ?.setEncoding('utf8')
    .on('data', (text: string) => log.push(...text.split('\n').filter(Boolean)))
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'exit')
    child.kill(signal)
    await gone
  }
  database.beforeDrop(() => end('SIGKILL'))
  if (child.pid === undefined) throw new Error('the process did not start')
  return { child, pid: child.pid, log, end }
}

/** Shards of each prober process, by process id. */
export async function shardsByPid(db: Db): Promise<ReadonlyMap<number, readonly number[]>> {
  const rows = await query<{ pid: number; ids: number[] }>(
    db,
    'select p.pid, array_agg(s.id::int) as ids from shard s join prober p on p.id = s.owner group by p.pid',
  )
  return new Map(rows.map((row) => [row.pid, row.ids]))
}

/** Waits until all shards are owned, in equal shares, by exactly these processes. */
export async function balanced(db: Db, probers: readonly ProberProcess[]): Promise<void> {
  await eventually(
    `${probers.length} probers share the shards`,
    async () => {
      const shards = await shardsByPid(db)
      const share = 256 / probers.length
      return shards.size === probers.length && probers.every(({ pid }) => shards.get(pid)?.length === share)
    },
    20_000,
  )
}
