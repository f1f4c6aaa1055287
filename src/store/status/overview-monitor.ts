/** The health monitor of a pool, as the overview shows it. */
import type { Maintenance } from '../../domain/status/maintenance.ts'
import { type Db, query } from '../connection/database.ts'

export interface OverviewMonitor {
  readonly id: string
  readonly name: string
  readonly type: string
  readonly admin_state_up: boolean
  readonly delay_seconds: number
  readonly timeout_seconds: number
  readonly rise: number
  readonly fall: number
  readonly maintenance: Maintenance | null
}

/** Undefined = the pool has none. */
export async function findHealthMonitorOfPool(db: Db, poolId: string): Promise<OverviewMonitor | undefined> {
  const [row] = await query<OverviewMonitor>(
    db,
    `select id, name, type, admin_state_up, delay_seconds, timeout_seconds, rise, fall, maintenance
     from health_monitor where pool_id = $1`,
    [poolId],
  )
  return row
}
