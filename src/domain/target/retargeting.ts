/**
 * Whether a change of addresses and ports changes the target of a check: setting the port that is used anyway does not.
 */
import { probeEndpoint, type TargetMember } from './monitor-target.ts'
import type { HealthMonitor } from '../health-monitor.ts'

type Aim = Pick<HealthMonitor, 'type' | 'monitorPort'>

/** What a member without a monitor would be probed by. */
const ANY_MONITOR: Aim = { type: 'TCP', monitorPort: null }

/** Of a member, below a monitor that stays. */
export function isRetargeted(monitor: Aim | undefined, before: TargetMember, after: TargetMember): boolean {
  const from = probeEndpoint(monitor ?? ANY_MONITOR, before)
  const to = probeEndpoint(monitor ?? ANY_MONITOR, after)
  return from.address !== to.address || from.port !== to.port
}
