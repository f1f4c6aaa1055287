/** What processes and PostgreSQL used, read from the outside: /proc and the statistics views. Linux only. */
import { readdirSync, readFileSync } from 'node:fs'
import type { Db } from '../src/store/connection/database.ts'
import { query } from '../src/store/connection/database.ts'

/** Clock ticks per second of /proc/PID/stat; fixed by the kernel's ABI. */
const TICKS_PER_SECOND = 100

export interface ProcessUsage {
  readonly pid: number
  readonly name: string
  /** User and system seconds since its start, in steps of 10 ms. */
  readonly cpuSeconds: number
  readonly residentMegabytes: number
  readonly descriptors: number
}

/** A process and all below it. */
export function usageOfTree(root: number): ProcessUsage[] {
  const parents = new Map<number, number>()
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue
    const fields = statOf(Number(entry))
    if (fields !== undefined) parents.set(Number(entry), Number(fields[1]))
  }
  const below = (pid: number): number[] => [
    pid,
    ...[...parents].filter(([, parent]) => parent === pid).flatMap(([child]) => below(child)),
  ]
  return below(root).flatMap((pid) => usageOf(pid) ?? [])
}

/** Fields of /proc/PID/stat after the command: state, parent, … undefined when the process is gone. */
function statOf(pid: number): string[] | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  } catch {
    return undefined
  }
}

/**
 * User and system seconds that a process has used, all its threads; 0 when it is gone. Nanoseconds of the scheduler where
 * the kernel keeps them (/proc/PID/task/TID/schedstat), else ticks of 10 ms. A thread that runs at this moment is behind by
 * at most a tick of the scheduler.
 */
export function cpuSecondsOf(pid: number): number {
  // A thread that has ended is only in the ticks; what is below a tick is only in the nanoseconds.
  return Math.max(scheduledSeconds(pid), tickSecondsOf(pid))
}

/** Seconds for which the threads that a process has now were on a CPU; 0 when it is gone or the kernel does not keep it. */
function scheduledSeconds(pid: number): number {
  try {
    const threads = readdirSync(`/proc/${pid}/task`)
    const nanoseconds = threads.map((tid) => {
      const [onCpu] = readFileSync(`/proc/${pid}/task/${tid}/schedstat`, 'utf8').split(' ')
      return Number(onCpu)
    })
    return nanoseconds.reduce((sum, each) => sum + each, 0) / 1e9
  } catch {
    return 0
  }
}

/** The same in steps of 10 ms, user and system rounded down one by one; with threads that have ended. */
function tickSecondsOf(pid: number): number {
  const fields = statOf(pid)
  return (Number(fields?.[11] ?? 0) + Number(fields?.[12] ?? 0)) / TICKS_PER_SECOND
}

function usageOf(pid: number): ProcessUsage | undefined {
  const fields = statOf(pid)
  if (fields === undefined) return undefined
  try {
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
    const resident = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
    return {
      pid,
      name: nameOf(command),
      cpuSeconds: tickSecondsOf(pid),
      residentMegabytes: Number(resident?.[1] ?? 0) / 1024,
      descriptors: readdirSync(`/proc/${pid}/fd`).length,
    }
  } catch {
    return undefined
  }
}

function nameOf(command: string): string {
  const subcommand = /healthmonitor\.js (\S+)/.exec(command)?.[1]
  return subcommand ?? (/postgres/.test(command) ? 'postgres' : command.slice(0, 40))
}

export interface PostgresUsage {
  readonly transactions: number
  /** Counted by pg_stat_statements. */
  readonly statements: number
  readonly rowsWritten: number
  readonly walBytes: number
}

/**
 * CPU seconds of the PostgreSQL behind `db`: its postmaster, all its processes, and those that have ended. undefined when
 * it does not run on this host.
 */
export async function postgresCpuSeconds(db: Db): Promise<number | undefined> {
  const [row] = await query<{ pid: number }>(db, 'select pg_backend_pid() as pid')
  const postmaster = Number(statOf(row?.pid ?? 0)?.[1] ?? 0)
  const processes = postmaster === 0 ? [] : usageOfTree(postmaster)
  if (processes.find(({ pid }) => pid === row?.pid)?.name !== 'postgres') return undefined
  const ended = statOf(postmaster)
  const endedTicks = Number(ended?.[13] ?? 0) + Number(ended?.[14] ?? 0)
  return processes.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, endedTicks / TICKS_PER_SECOND)
}

/**
 * CPU seconds that processes of this host have used, what was stolen from it included, and those of one tree of them. What
 * both have grown by apart is what others took meanwhile.
 */
export function hostUsage(root: number): { readonly allSeconds: number; readonly treeSeconds: number } {
  const [user = 0, nice = 0, system = 0, , , , , steal = 0] = readFileSync('/proc/stat', 'utf8')
    .slice('cpu '.length)
    .trimStart()
    .split(' ', 8)
    .map(Number)
  return {
    allSeconds: (user + nice + system + steal) / TICKS_PER_SECOND,
    treeSeconds: usageOfTree(root).reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0),
  }
}

/** Descriptors that a process has open; 0 when it is gone. */
export function descriptorsOf(pid: number): number {
  try {
    return readdirSync(`/proc/${pid}/fd`).length
  } catch {
    return 0
  }
}

/** Counters of the current database since its statistics began, without those of asking; needs pg_stat_statements. */
export async function postgresUsage(db: Db): Promise<PostgresUsage> {
  const [row] = await query<{ xacts: number; rows: number; wal: string; calls: number }>(
    db,
    `select xact_commit + xact_rollback as xacts, tup_inserted + tup_updated + tup_deleted as rows,
       pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::text as wal,
       (select coalesce(sum(calls), 0)::bigint from pg_stat_statements
        where dbid = pg_stat_database.datid and query not like '%pg_stat_statements%') as calls
     from pg_stat_database where datname = current_database()`,
  )
  if (row === undefined) throw new Error('no statistics of this database')
  return { transactions: row.xacts, statements: row.calls, rowsWritten: row.rows, walBytes: Number(row.wal) }
}
