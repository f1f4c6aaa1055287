/** Probes that this prober cannot make: an inconclusive result at once, which changes nothing for the target. */
import type { Reason } from '../domain/result/reasons.ts'
import type { Probe } from './probe.ts'
import { result } from './result.ts'

/** A probe that always answers `reason` with this detail. */
export function unsupported(detail: string, reason: Reason = 'PROBER_UNSUPPORTED'): Probe {
  return (_target, done) => {
    let ended = false
    const end = (): void => {
      if (ended) return
      ended = true
      done(result(reason, detail, { totalMs: 0 }))
    }
    setImmediate(end)
    return end
  }
}
