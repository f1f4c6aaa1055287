/**
 * The postmaster process: start, wait until it accepts connections, stop, and deal with what an earlier service left.
 *
 * It listens on 127.0.0.1 only, with SCRAM and a random password: no socket file, so no path that is too long and no
 * folder to guard. It runs in a session of its own, because Ctrl-C in a terminal goes to the whole process group and
 * the database must outlive those who still write to it. Should the service be killed with kill -9, a watchdog (a
 * shell that waits for the end of a pipe) asks the postmaster to stop; if that was killed too, the next start finds the
 * live postmaster by postmaster.pid and stops it first.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import {
  POSTGRES_FAST_STOP_MS,
  POSTGRES_IMMEDIATE_STOP_MS,
  POSTGRES_MAX_CONNECTIONS,
  POSTGRES_POLL_MS,
  POSTGRES_START_TIMEOUT_MS,
} from '../../domain/limits.ts'
import { StartRefusal } from '../start-refusal.ts'
import { type Account, runAs } from './account.ts'
import { type Binaries, POSTGRES_ENVIRONMENT } from './binaries.ts'
import { isAlive } from './folder-lock.ts'

export interface PostmasterOptions {
  readonly binaries: Binaries
  readonly account: Account | undefined
  readonly cluster: string
  readonly port: number
  /** Descriptor of the file that takes what the server says. */
  readonly log: number
  /** False only for tests: a crash of the machine may lose what was committed. */
  readonly durable: boolean
}

export interface Postmaster {
  readonly pid: number
  /** Resolves when the process has ended, for whatever reason. */
  readonly ended: Promise<void>
  /** Ends it: fast shutdown (sessions are cut, data is written), then immediate, then SIGKILL; each bounded. */
  stop(): Promise<void>
}

/** Starts a postmaster and waits until it accepts connections; undefined when it ended instead (see its log). */
export async function startPostmaster(options: PostmasterOptions): Promise<Postmaster | undefined> {
  const child = spawn(options.binaries.postgres, serverOptions(options), {
    cwd: '/',
    env: POSTGRES_ENVIRONMENT,
    stdio: ['ignore', options.log, options.log],
    detached: true,
    ...runAs(options.account),
  })
  const { pid } = child
  unref(child)
  const ended = endOf(child)
  if (pid === undefined) return undefined
  const watchdog = watch(pid, options.account)
  const whenEnded = ended.then(() => watchdog.kill('SIGKILL')).then(() => undefined)
  const stop = (): Promise<void> =>
    stopProcess(pid, () => child.exitCode !== null || child.signalCode !== null)
  const deadline = performance.now() + POSTGRES_START_TIMEOUT_MS
  while (child.exitCode === null && child.signalCode === null) {
    if (readPidFile(options.cluster)?.ready === pid) return { pid, ended: whenEnded, stop }
    if (performance.now() > deadline) {
      await stop()
      throw new StartRefusal(
        `the embedded PostgreSQL did not accept connections within ${POSTGRES_START_TIMEOUT_MS / 1000} s`,
      )
    }
    await wait(POSTGRES_POLL_MS)
  }
  await whenEnded
  return undefined
}

function serverOptions({ cluster, port, durable }: PostmasterOptions): readonly string[] {
  const settings: Record<string, string> = {
    listen_addresses: '127.0.0.1',
    port: String(port),
    unix_socket_directories: '',
    max_connections: String(POSTGRES_MAX_CONNECTIONS),
    log_checkpoints: 'off',
    timezone: 'UTC',
    log_timezone: 'UTC',
    ...(durable ? {} : { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' }),
  }
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  return ['-D', cluster, ...flags]
}

/** A running PostgreSQL alone keeps no service alive: listeners, children and timers do. */
function unref(child: ChildProcess): void {
  child.unref()
  // A process that could not be started has no stream, although its type says so.
  const stdin: unknown = child.stdin
  if (stdin instanceof Socket) stdin.unref()
}

function endOf(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.once('exit', () => resolve())
    child.once('error', () => resolve())
  })
}

/** Sends the postmaster a fast shutdown when this process is gone: then the other end of the shell's stdin closes. */
function watch(pid: number, account: Account | undefined): ChildProcess {
  const watchdog = spawn(
    '/bin/sh',
    ['-c', 'read -r _; kill -INT "$1"', 'healthmonitor-watchdog', String(pid)],
    {
      cwd: '/',
      env: POSTGRES_ENVIRONMENT,
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
      ...runAs(account),
    },
  )
  watchdog.on('error', () => {
    // Without a shell there is no watchdog: the next start stops what was left.
  })
  unref(watchdog)
  return watchdog
}

/**
 * Makes the cluster free to start: a live postmaster that an earlier service left is stopped; a postmaster.pid whose
 * id now belongs to another program is made harmless.
 */
export async function stopLeftover(cluster: string, log: (message: string) => void): Promise<void> {
  const left = readPidFile(cluster)
  if (left === undefined || !isAlive(left.pid)) return
  if (isPostmasterOf(left.pid, cluster)) {
    log(`stopping PostgreSQL (process ${left.pid}) that an earlier service left running`)
    await stopProcess(left.pid, () => !isAlive(left.pid))
    return
  }
  // PostgreSQL treats any live process of its user as a postmaster. With the id of its own parent it knows that the
  // file is stale, and it still checks the shared memory named there, which deleting the file would prevent.
  const path = join(cluster, 'postmaster.pid')
  writeFileSync(path, readFileSync(path, 'utf8').replace(/^\d+/, String(process.pid)))
}

/** The port of a postmaster that runs on this cluster and accepts connections. */
export function livePort(cluster: string): number | undefined {
  const found = readPidFile(cluster)
  if (found?.ready === undefined || !isAlive(found.pid) || !isPostmasterOf(found.pid, cluster))
    return undefined
  return found.port
}

interface PidFile {
  readonly pid: number
  readonly port: number
  /** The same id once the server accepts connections. */
  readonly ready: number | undefined
}

function readPidFile(cluster: string): PidFile | undefined {
  const path = join(cluster, 'postmaster.pid')
  if (!existsSync(path)) return undefined
  try {
    const lines = readFileSync(path, 'utf8').split('\n')
    const pid = Number(lines[0])
    if (!Number.isSafeInteger(pid) || pid <= 0) return undefined
    return { pid, port: Number(lines[3]), ready: lines[7]?.trim() === 'ready' ? pid : undefined }
  } catch (error) {
    if (existsSync(path)) throw error
    return undefined
  }
}

/** Checks its command line where there is a /proc; elsewhere a live process with that id counts as ours. */
function isPostmasterOf(pid: number, cluster: string): boolean {
  const path = `/proc/${pid}/cmdline`
  if (!existsSync('/proc/self/cmdline')) return true
  return existsSync(path) && readFileSync(path, 'utf8').split('\0').includes(cluster)
}

async function stopProcess(pid: number, hasEnded: () => boolean): Promise<void> {
  const steps = [
    { signal: 'SIGINT', waitMs: POSTGRES_FAST_STOP_MS },
    { signal: 'SIGQUIT', waitMs: POSTGRES_IMMEDIATE_STOP_MS },
    { signal: 'SIGKILL', waitMs: POSTGRES_IMMEDIATE_STOP_MS },
  ] as const
  for (const { signal, waitMs } of steps) {
    if (hasEnded()) return
    process.kill(pid, signal)
    const deadline = performance.now() + waitMs
    while (!hasEnded() && performance.now() < deadline) await wait(POSTGRES_POLL_MS)
  }
  if (!hasEnded()) throw new Error(`PostgreSQL (process ${pid}) does not end`)
}

/** The wanted port if nobody listens there, else a free one that the kernel chooses. */
export async function freePort(wanted: number): Promise<number> {
  return (await tryPort(wanted)) ?? (await tryPort(0)) ?? 0
}

function tryPort(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(undefined))
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
      const address = server.address()
      const found = typeof address === 'object' ? address?.port : undefined
      server.close(() => resolve(found))
    })
  })
}
