import type { ProbeResult } from '../domain/result/probe-result.ts'
import type { ProbeTarget } from '../domain/target/probe-target.ts'

/**
 * Starts one attempt. Calls `done` exactly once, whatever the target does, and never before this function returned. The
 * returned function ends the attempt now (deadline, shutdown): the socket is closed and `done` is called with the phase
 * that had been reached. After `done`, calling it does nothing.
 *
 * A probe has no schedule, no threshold, no timer and no database; only the scheduler has a deadline.
 */
export type Probe = (
  target: ProbeTarget,
  done: (result: ProbeResult) => void,
) => (why: 'timeout' | 'shutdown') => void
