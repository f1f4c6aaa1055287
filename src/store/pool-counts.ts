/** The counts of a pool's members by state, as the database keeps them (migration 0019): one narrow row, however many members. */
import { type Db, query } from './database.ts'

export interface PoolCounts {
  readonly members: number
  readonly online: number
  readonly offline: number
  /** Switched off, or their pool or load balancer is. */
  readonly disabled: number
  /** Probed, and without a verdict since the configuration changed. */
  readonly pending: number
}

const NO_MEMBERS: PoolCounts = { members: 0, online: 0, offline: 0, disabled: 0, pending: 0 }

export async function findPoolCounts(db: Db, poolId: string): Promise<PoolCounts> {
  const [row] = await query<PoolCounts>(
    db,
    'select members, online, offline, disabled, pending from pool_roll_up where pool_id = $1',
    [poolId],
  )
  return row ?? NO_MEMBERS
}
