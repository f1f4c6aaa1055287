/** Which process a folder belongs to: after a restart of the host, or in a container, another one has the same number. */
import { readFileSync } from 'node:fs'

/** Where no /proc says when a process has started. */
const UNKNOWN = 'unknown'
/** Of the words after the name of the program in /proc/PID/stat, the one that says when it has started (proc(5), field 22). */
const STARTED = 19

/** Of a process that runs: the start of the host and of the process. Letters, digits and hyphens. */
export function markOf(pid: number): string {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The name, in brackets, may have any characters.
    const started = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[STARTED]
    return started === undefined ? UNKNOWN : `${boot}-${started}`
  } catch {
    return UNKNOWN
  }
}

/** Whether the process that had this mark still runs. */
export function isRunning(pid: number, mark: string): boolean {
  if (mark !== UNKNOWN) return markOf(pid) === mark
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
