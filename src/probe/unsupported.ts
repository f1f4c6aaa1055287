/** Probes that this prober cannot make: an inconclusive result at once, so that nothing is ever said about the target. */
import type { Probe } from './probe.ts'
import { result } from './result.ts'

/** A prober that always answers PROBER_UNSUPPORTED with this detail. */
export function unsupported(detail: string): Probe {
  return (_target, done) => {
    let ended = false
    const end = (): void => {
      if (ended) return
      ended = true
      done(result('PROBER_UNSUPPORTED', detail, { totalMs: 0 }))
    }
    setImmediate(end)
    return end
  }
}
