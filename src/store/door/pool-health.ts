/** What is known of a pool of a door and of its members, for doors that show it in words of their own. */
import type { RolledUpStatus } from '../../domain/status/roll-up.ts'
import type { MemberReason, MemberState } from '../../domain/status/member-status.ts'
import type { DoorScope } from '../../domain/door/door-pool.ts'
import { type Db, query } from '../connection/database.ts'

export interface DoorPoolHealth {
  readonly poolId: string
  readonly monitorId: string | null
  readonly status: RolledUpStatus
  readonly since: Date
}

export interface DoorMemberHealth {
  readonly memberId: string
  readonly address: string
  readonly port: number
  readonly state: MemberState
  readonly pending: boolean
  readonly stale: boolean
  /** Null without a verdict. */
  readonly since: Date | null
  readonly reason: MemberReason
}

/** A pool by the door's own key; undefined when there is none. */
export async function findDoorPoolHealth(
  db: Db,
  { projectId, door, key }: DoorScope,
  poolKey: string,
): Promise<DoorPoolHealth | undefined> {
  const [row] = await query<DoorPoolHealth>(
    db,
    `select p.id as "poolId", hm.id as "monitorId", coalesce(r.operating_status, 'OFFLINE') as status,
       coalesce(r.since, p.created_at) as since
     from load_balancer lb
     join pool p on p.load_balancer_id = lb.id
     left join pool_roll_up r on r.pool_id = p.id
     left join health_monitor hm on hm.pool_id = p.id
     where lb.project_id = $1 and lb.door = $2 and lb.door_key = $3 and p.door_key = $4`,
    [projectId, door, key, poolKey],
  )
  return row
}

/** The members of a pool, in no order. */
export async function readDoorMembers(db: Db, poolId: string): Promise<readonly DoorMemberHealth[]> {
  return await query<DoorMemberHealth>(
    db,
    `select m.id as "memberId", m.address, m.protocol_port as port, s.state, s.pending, s.stale, s.since, s.reason
     from member_status s join member m on m.id = s.member_id where s.pool_id = $1`,
    [poolId],
  )
}
