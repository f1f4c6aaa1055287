/** The counts of a pool's members by state, as the database keeps them (migration 0019): one narrow row, however many members. */
import { type Db, query } from '../connection/database.ts'

/** Members of a pool, or of several, by state; one that is pending counts by its state too. */
export interface MemberCounts {
  readonly members: number
  readonly online: number
  readonly offline: number
  readonly unknown: number
  /** Switched off, or their pool or load balancer is. */
  readonly disabled: number
  readonly no_monitor: number
  /** Probed, and without a verdict since the configuration changed. */
  readonly pending: number
}

/** Columns of `pool_roll_up`. */
export const COUNTS = [
  'members',
  'online',
  'offline',
  'unknown',
  'disabled',
  'no_monitor',
  'pending',
] as const satisfies readonly (keyof MemberCounts)[]

const NO_MEMBERS: MemberCounts = {
  members: 0,
  online: 0,
  offline: 0,
  unknown: 0,
  disabled: 0,
  no_monitor: 0,
  pending: 0,
}

export async function findPoolCounts(db: Db, poolId: string): Promise<MemberCounts> {
  const [row] = await query<MemberCounts>(
    db,
    `select ${COUNTS.join(', ')} from pool_roll_up where pool_id = $1`,
    [poolId],
  )
  return row ?? NO_MEMBERS
}
