/** What a project's monitors and members come to in probes a second: read only where somebody asks for fast probes. */
import type { HealthMonitor } from '../domain/types.ts'
import { type Tx, query } from './database.ts'

/** One monitor of a project, as far as it decides how often is probed. */
export interface ProbedPool
  extends Pick<
    HealthMonitor,
    'type' | 'profile' | 'rise' | 'fall' | 'delaySeconds' | 'timeoutSeconds' | 'options'
  > {
  readonly poolId: string
  readonly trafficSeen: boolean
  readonly members: number
}

/**
 * The monitors of a project that are switched on, each with its members, also those that are not. Until the transaction ends nobody else
 * reads the same project's: two writes that fit alone and not together come one after the other.
 */
export async function readProbedPools(tx: Tx, projectId: string): Promise<readonly ProbedPool[]> {
  await query(tx, `select pg_advisory_xact_lock(hashtextextended('probe rate ' || ?, 0))`, [projectId])
  return await query<ProbedPool>(
    tx,
    `select hm.pool_id as "poolId", hm.type, hm.profile, hm.rise, hm.fall, hm.delay_seconds as "delaySeconds",
       hm.timeout_seconds as "timeoutSeconds", hm.options - '{http,tls,tcp,udp,grpc}'::text[] as options,
       p.traffic_seen_at is not null as "trafficSeen",
       (select count(*) from member m where m.pool_id = hm.pool_id) as members
     from health_monitor hm join pool p on p.id = hm.pool_id
     where hm.project_id = ? and hm.admin_state_up`,
    [projectId],
  )
}
