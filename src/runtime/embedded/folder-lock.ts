/**
 * One service per data folder: two would share one embedded PostgreSQL, and the first to end would stop it under the
 * other. The lock is a file with the process id and its start time, so that neither a crash nor a reused id keeps it.
 */
import { existsSync, linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { FOLDER_LOCK_WAIT_MS, POSTGRES_POLL_MS } from '../../domain/limits.ts'
import { StartRefusal } from '../start-refusal.ts'

/**
 * Takes the lock of the folder, or refuses with the id of the process that keeps it for longer than
 * `FOLDER_LOCK_WAIT_MS` (one that is just ending is waited for). Returns what gives the lock back.
 */
export async function lockFolder(dataDir: string): Promise<() => void> {
  const path = join(dataDir, 'service.pid')
  const mine = `${process.pid} ${startTime(process.pid) ?? ''}`
  const draft = `${path}.${process.pid}`
  writeFileSync(draft, mine, { mode: 0o600 })
  try {
    const deadline = performance.now() + FOLDER_LOCK_WAIT_MS
    while (!tryLink(draft, path)) {
      const holder = liveHolder(path)
      if (holder === undefined) {
        removeStale(path, draft)
      } else if (performance.now() > deadline) {
        throw new StartRefusal(
          `another healthmonitor (process ${holder}) is using the data folder ${dataDir}: stop it, or set HM_DATA_DIR to another folder, or set DATABASE_URL so that both share a server`,
        )
      } else {
        await wait(POSTGRES_POLL_MS)
      }
    }
    return () => release(path, mine)
  } finally {
    rmSync(draft, { force: true })
  }
}

function tryLink(draft: string, path: string): boolean {
  try {
    linkSync(draft, path)
    return true
  } catch (error) {
    if (existsSync(path)) return false
    throw error
  }
}

function liveHolder(path: string): number | undefined {
  const [pid = '', since = ''] = existsSync(path) ? readFileSync(path, 'utf8').split(' ') : []
  const id = Number(pid)
  if (!Number.isSafeInteger(id) || id <= 0 || !isAlive(id)) return undefined
  const started = startTime(id)
  return started === undefined || since === '' || started === since ? id : undefined
}

/** Removes the stale file, and puts it back if another process had made it a new lock meanwhile. */
function removeStale(path: string, draft: string): void {
  const aside = `${draft}.stale`
  try {
    renameSync(path, aside)
  } catch (error) {
    if (existsSync(path)) throw error
    return
  }
  if (liveHolder(aside) !== undefined) tryLink(aside, path)
  rmSync(aside, { force: true })
}

function release(path: string, mine: string): void {
  if (existsSync(path) && readFileSync(path, 'utf8') === mine) rmSync(path, { force: true })
}

/** Whether a process with this id exists, of whatever user. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

/**
 * Clock ticks since boot at which the process began (proc(5), field 22); undefined where there is no /proc, and 'ended'
 * for a zombie, which is alive to kill -0.
 */
function startTime(pid: number): string | undefined {
  const stat = `/proc/${pid}/stat`
  if (!existsSync(stat)) return undefined
  const afterName = (readFileSync(stat, 'utf8').split(') ').at(-1) ?? '').split(' ')
  return afterName[0] === 'Z' || afterName[0] === 'X' ? 'ended' : afterName[19]
}
