/** The whole program as a process, as a person starts it: for tests of starts, ends and crashes. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { Ending } from './database.ts'

export const PROGRAM = resolve(import.meta.dirname, '../../src/bin/healthmonitor.js')
/** Milliseconds that a start may take on a busy machine. */
const START_MS = 60_000
/** A child's name and process id in the log. */
const STARTED = /"child":"([^"]+)","child_pid":(\d+),"msg":"child process started"/g

export interface Finished {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

export interface Service {
  readonly pid: number
  /** Base URLs, without a slash at the end. */
  readonly api: string
  readonly metrics: string
  readonly dataDir: string
  /** Process ids of the probers that were started so far, in order. */
  probers(): readonly number[]
  /** Of the notifiers. */
  notifiers(): readonly number[]
  /** Process id of the embedded PostgreSQL. */
  postmaster(): number
  /** Ids of every process of the service that lives: parent, probers, notifier, PostgreSQL. */
  alive(): readonly number[]
  kill(signal: NodeJS.Signals): void
  /** What it has printed so far. */
  output(): string
  /** What it has logged so far. */
  log(): string
  readonly finished: Promise<Finished>
}

function environment(extra: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { DATABASE_URL: _, ...rest } = process.env
  const inherited = Object.entries(rest).filter(
    ([name]) => !name.startsWith('HM_') && !name.startsWith('NODE_TEST'),
  )
  return { ...Object.fromEntries(inherited), ...extra }
}

/** Runs a command of the program to its end. */
export async function runProgram(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Finished> {
  return await startProgram(args, env).finished
}

/**
 * Starts `serve` on free ports and waits until it says that it is ready. It has a session of its own, as under a service
 * manager: no terminal controls it, wherever the tests run.
 */
export async function startService(
  t: Ending,
  dataDir: string,
  env: NodeJS.ProcessEnv = {},
): Promise<Service> {
  const running = startProgram(['serve'], {
    HM_DATA_DIR: dataDir,
    HM_LISTEN: '127.0.0.1:0',
    HM_METRICS_LISTEN: '127.0.0.1:0',
    ...env,
  })
  const { child, output, finished } = running
  let ended = false
  void finished.then(() => {
    ended = true
  })
  t.after(async () => {
    child.kill('SIGTERM')
    await finished
  })
  await until(() => ended || output.out.includes('is ready'), 'the service to be ready')
  if (ended) throw new Error(`the service ended: ${output.out}${output.err}`)
  const pid = child.pid ?? 0
  const probers = () =>
    [...output.err.matchAll(STARTED)].filter(([, name]) => name !== 'notifier').map(([, , id]) => Number(id))
  const notifiers = () =>
    [...output.err.matchAll(STARTED)].filter(([, name]) => name === 'notifier').map(([, , id]) => Number(id))
  const postmaster = () => postmasterOf(dataDir)
  return {
    pid,
    api: /API +(\S+?)\/v2\.0/.exec(output.out)?.[1] ?? '',
    metrics: /metrics +(\S+?)\/metrics/.exec(output.out)?.[1] ?? '',
    dataDir,
    probers,
    notifiers,
    postmaster,
    alive: () => [pid, ...probers(), ...notifiers(), postmaster()].filter((id) => id > 0 && isRunning(id)),
    kill: (signal) => child.kill(signal),
    output: () => output.out,
    log: () => output.err,
    finished,
  }
}

/** Starts a command of the program; `output` grows while it runs. */
export function startProgram(args: readonly string[], env: NodeJS.ProcessEnv) {
  const child = spawn(process.execPath, ['--enable-source-maps', PROGRAM, ...args], {
    env: environment(env),
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  const output = { out: '', err: '' }
  child.stdout.on('data', (data: Buffer) => {
    output.out += data.toString()
  })
  child.stderr.on('data', (data: Buffer) => {
    output.err += data.toString()
  })
  // Not 'close': children that outlive a killed parent keep its standard error open.
  const finished = once(child, 'exit').then(
    ([code]): Finished => ({ code: code as number | null, ...output }),
  )
  return { child, output, finished }
}

function postmasterOf(dataDir: string): number {
  const path = join(dataDir, 'postgresql', 'postmaster.pid')
  return existsSync(path) ? Number(readFileSync(path, 'utf8').split('\n')[0]) : 0
}

/** Whether a process with this id runs; one that only waits for its parent to notice its end does not. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
  } catch {
    return false
  }
  const stat = `/proc/${pid}/stat`
  return !existsSync(stat) || !/\) [ZX] /.test(readFileSync(stat, 'utf8'))
}

/** Waits for a condition, with a bound that only a broken program reaches. */
export async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const deadline = performance.now() + START_MS
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`waited in vain for ${what}`)
    await wait(20)
  }
}
