/** Types that this prober cannot make: an inconclusive result at once, so that nothing is ever said about the target. */
import type { MonitorType } from '../domain/types.ts'
import type { Probe } from './probe.ts'
import { result } from './result.ts'

export function unsupported(type: MonitorType): Probe {
  return (_target, done) => {
    let ended = false
    const end = (): void => {
      if (ended) return
      ended = true
      done(result('PROBER_UNSUPPORTED', `this prober makes no ${type} probes`, { totalMs: 0 }))
    }
    setImmediate(end)
    return end
  }
}
