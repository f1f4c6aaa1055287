/** Health in Octavia's words: an extension of ours, Octavia has none. */
import type { MemberHealth } from '../../../domain/status/member-health.ts'
import { memberWord } from '../../../domain/status/roll-up.ts'
import type { MemberFacts } from '../../../store/status/health.ts'
import type { MemberHealthDialect } from '../../resource/member-health.ts'
import type { PoolHealthDialect } from '../../resource/pool-health.ts'
import { renderHealth, renderHealthOf } from '../rendered-health.ts'
import { octaviaPaths } from './paths.ts'
import { STATUS_WORDS } from './words.ts'

export const octaviaHealth: MemberHealthDialect & PoolHealthDialect = {
  paths: octaviaPaths,
  renderHealth: render,
  renderMemberHealth: (health, facts) => renderHealthOf(facts.member, render(health, facts)),
  renderCounts(counts) {
    const sums = { ONLINE: 0, DRAINING: 0, ERROR: 0, OFFLINE: 0, NO_MONITOR: 0, stale: 0 }
    for (const { members, stale, ...facts } of counts) {
      sums[memberWord(facts)] += members
      sums.stale += stale
    }
    return sums
  },
}

function render(health: MemberHealth, { member, provider }: MemberFacts): Record<string, unknown> {
  const { adminStateUp: memberUp, weight } = member
  return renderHealth(STATUS_WORDS[memberWord({ state: health.state, memberUp, weight, provider })], health)
}
