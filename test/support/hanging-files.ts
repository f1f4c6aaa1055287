/**
 * Ends test files that run for too long, with every process that they have started: a service and its PostgreSQL would
 * go on for ever, and slow the tests that come after. Each is asked to end (SIGTERM), and killed when it has not.
 */
import { execFileSync } from 'node:child_process'
import { setTimeout as wait } from 'node:timers/promises'
import { isRunning } from './service.ts'

/** Milliseconds between looks at what runs, and from SIGTERM to SIGKILL. */
const LOOK_EVERY_MS = 5000
const END_WITHIN_MS = 5000
/** Milliseconds between looks whether all have ended. */
const ENDED_EVERY_MS = 50

export interface HangingFiles {
  /** Paths of the files, each run by a child of this process that has the path on its command line. */
  readonly files: readonly string[]
  /** Milliseconds that one may take, to within `everyMs`. */
  readonly timeoutMs: number
  readonly everyMs?: number
  /** Called with the path of one that is ended, and how many processes it had. */
  readonly onEnded: (file: string, processes: number) => void
}

/** Starts to look. Returns the function that stops it, which resolves when nothing is left of the files that were ended. */
export function endHangingFiles({
  files,
  timeoutMs,
  everyMs = LOOK_EVERY_MS,
  onEnded,
}: HangingFiles): () => Promise<void> {
  const seenAtMs = new Map<number, number>()
  const endings = new Map<number, Promise<void>>()
  const look = (): void => {
    const processes = runningProcesses()
    for (const { pid, parent, command } of processes) {
      const file = parent === process.pid ? files.find((path) => command.includes(path)) : undefined
      if (file === undefined || endings.has(pid)) continue
      const firstMs = seenAtMs.get(pid) ?? performance.now()
      seenAtMs.set(pid, firstMs)
      if (performance.now() - firstMs < timeoutMs) continue
      const tree = treeOf(pid, processes)
      onEnded(file, tree.length)
      endings.set(pid, endAll(tree))
    }
  }
  const timer = setInterval(look, everyMs).unref()
  return async () => {
    clearInterval(timer)
    await Promise.all(endings.values())
  }
}

interface RunningProcess {
  readonly pid: number
  readonly parent: number
  readonly command: string
}

function runningProcesses(): RunningProcess[] {
  const lines = execFileSync('ps', ['-axww', '-o', 'pid=,ppid=,args='], { encoding: 'utf8' }).split('\n')
  return lines.flatMap((line) => {
    const [, pid, parent, command = ''] = /^ *(\d+) +(\d+) +(.*)$/.exec(line) ?? []
    return pid === undefined ? [] : [{ pid: Number(pid), parent: Number(parent), command }]
  })
}

/** A process and all below it, whatever their groups and sessions. */
function treeOf(root: number, processes: readonly RunningProcess[]): number[] {
  const children = processes.filter(({ parent }) => parent === root)
  return [root, ...children.flatMap(({ pid }) => treeOf(pid, processes))]
}

async function endAll(pids: readonly number[]): Promise<void> {
  for (const pid of pids) signal(pid, 'SIGTERM')
  const deadlineMs = performance.now() + END_WITHIN_MS
  while (pids.some(isRunning) && performance.now() < deadlineMs) await wait(ENDED_EVERY_MS)
  for (const pid of pids.filter(isRunning)) signal(pid, 'SIGKILL')
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch {
    // It has ended meanwhile.
  }
}
