/** Statements on the facts of a pool that the plan of its monitor needs. */
import { NOOP_PROVIDER } from '../../domain/status/member-status.ts'
import { type PoolSettings, poolSettings } from '../../domain/target/pool-settings.ts'
import type { HealthMonitor } from '../../domain/health-monitor.ts'
import type { Pool } from '../../domain/types.ts'
import { type Db, query } from '../connection/database.ts'

export interface PlanFacts {
  /** Members that are probed: none where the monitor or a parent is switched off. */
  readonly probedMembers: number
  /** The oldest of them; null = there is none. */
  readonly firstMemberId: string | null
  readonly trafficSeen: boolean
  /** The settings of the pool that its probes need. */
  readonly pool: PoolSettings
}

export async function readPlanFacts(db: Db, monitor: Pick<HealthMonitor, 'id'>): Promise<PlanFacts> {
  const rows = await query<Omit<PlanFacts, 'pool'> & Pick<Pool, 'protocol' | 'echo'>>(
    db,
    `with probed as (
       select m.id, m.created_at
       from health_monitor hm
       join pool p on p.id = hm.pool_id
       join load_balancer lb on lb.id = p.load_balancer_id
       join member m on m.pool_id = p.id
       where hm.id = $1 and hm.admin_state_up and p.admin_state_up and lb.admin_state_up and m.admin_state_up
         and lb.provider <> $2
     )
     select (select count(*) from probed) as "probedMembers",
       (select id from probed order by created_at, id limit 1) as "firstMemberId",
       p.traffic_seen_at is not null as "trafficSeen", p.protocol, p.echo
     from health_monitor hm join pool p on p.id = hm.pool_id where hm.id = $1`,
    [monitor.id, NOOP_PROVIDER],
  )
  if (rows[0] === undefined) return { probedMembers: 0, firstMemberId: null, trafficSeen: false, pool: {} }
  const { protocol, echo, ...facts } = rows[0]
  return { ...facts, pool: poolSettings({ protocol, echo }) }
}
