/** Health in elb's words. */
import type { MemberHealth } from '../../../domain/status/member-health.ts'
import { operatingStatus } from '../../../domain/status/member-status.ts'
import type { MemberHealthDialect } from '../../resource/member-health.ts'
import type { PoolHealthDialect } from '../../resource/pool-health.ts'
import { renderHealth, renderHealthOf } from '../rendered-health.ts'
import { elbPaths } from './paths.ts'
import { STATUS_WORDS } from './words.ts'

export const elbHealth: MemberHealthDialect & PoolHealthDialect = {
  paths: elbPaths,
  renderHealth: render,
  renderMemberHealth: (health, { member }) => renderHealthOf(member, render(health)),
  renderCounts(counts) {
    const sums = { ONLINE: 0, OFFLINE: 0, NO_MONITOR: 0, stale: 0 }
    for (const { state, members, stale } of counts) {
      sums[operatingStatus(state)] += members
      sums.stale += stale
    }
    return sums
  },
}

function render(health: MemberHealth): Record<string, unknown> {
  return renderHealth(STATUS_WORDS[operatingStatus(health.state)], health)
}
