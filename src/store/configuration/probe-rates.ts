/** The probes a second of a project's monitors and members. */
import type { HealthMonitor } from '../../domain/health-monitor.ts'
import { type Db, type Tx, query } from '../connection/database.ts'

/** Monitors of a project with the same settings for the rate of probes. */
export interface ProbedMembers
  extends Pick<
    HealthMonitor,
    'type' | 'profile' | 'rise' | 'fall' | 'delaySeconds' | 'timeoutSeconds' | 'options'
  > {
  readonly trafficSeen: boolean
  readonly members: number
}

/**
 * As `readProbedMembers`, under a lock per project until the transaction ends: of two writes that together exceed the
 * limit, the second waits for the first.
 */
export async function lockProbedMembers(tx: Tx, projectId: string): Promise<readonly ProbedMembers[]> {
  // Sent together: the statement after the lock reads under it.
  const [, probed] = await Promise.all([
    query(tx, `select pg_advisory_xact_lock(hashtextextended('probe rate ' || $1, 0))`, [projectId]),
    readProbedMembers(tx, projectId),
  ])
  return probed
}

/** The monitors of a project that are switched on, each kind with its members, also those that are not. */
export async function readProbedMembers(db: Db, projectId: string): Promise<readonly ProbedMembers[]> {
  return await query<ProbedMembers>(
    db,
    `select hm.type, hm.profile, hm.rise, hm.fall, hm.delay_seconds as "delaySeconds",
       hm.timeout_seconds as "timeoutSeconds", hm.options - '{http,tls,tcp,udp,grpc}'::text[] as options,
       p.traffic_seen_at is not null as "trafficSeen", sum(p.member_count) as members
     from health_monitor hm join pool p on p.id = hm.pool_id
     where hm.project_id = $1 and hm.admin_state_up and p.member_count > 0
     group by 1, 2, 3, 4, 5, 6, 7, 8`,
    [projectId],
  )
}
