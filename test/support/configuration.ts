/** Writes configuration straight into the database, as the API would, for tests of what reads it. */
import { randomUUID } from 'node:crypto'
import { shardOf } from '../../src/domain/prober/shard.ts'
import { CONFIG_CHANNEL } from '../../src/store/probing/config-channel.ts'
import { type Db, query } from '../../src/store/connection/database.ts'

export interface MonitorFields {
  readonly type?: string
  readonly profile?: string
  readonly delaySeconds?: number
  readonly timeoutSeconds?: number
  readonly rise?: number
  readonly fall?: number
}

export interface PoolIds {
  readonly loadBalancerId: string
  readonly poolId: string
  readonly monitorId: string
  readonly shard: number
}

export const PROJECT = 'project-1'

/** A load balancer, a pool and its monitor: by default elb, TCP, every second, rise 2, fall 2. */
export async function insertPool(db: Db, monitor: MonitorFields = {}, projectId = PROJECT): Promise<PoolIds> {
  const ids = { loadBalancerId: randomUUID(), poolId: randomUUID(), monitorId: randomUUID() }
  const shard = shardOf(ids.poolId)
  await query(db, `insert into load_balancer (id, project_id, provider) values ($1, $2, 'vlb')`, [
    ids.loadBalancerId,
    projectId,
  ])
  await query(
    db,
    `insert into pool (id, project_id, load_balancer_id, protocol, lb_algorithm, shard)
     values ($1, $2, $3, 'TCP', 'ROUND_ROBIN', $4)`,
    [ids.poolId, projectId, ids.loadBalancerId, shard],
  )
  await query(
    db,
    `insert into health_monitor (id, project_id, pool_id, type, profile, delay_seconds, timeout_seconds, rise, fall)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
    [
      ids.monitorId,
      projectId,
      ids.poolId,
      monitor.type ?? 'TCP',
      monitor.profile ?? 'elb',
      monitor.delaySeconds ?? 1,
      monitor.timeoutSeconds ?? 1,
      monitor.rise ?? 2,
      monitor.fall ?? 2,
    ],
  )
  return { ...ids, shard }
}

/** Members at these addresses, in one statement; returns their ids in the same order. */
export async function insertMembers(
  db: Db,
  poolId: string,
  targets: readonly { readonly address: string; readonly port: number }[],
): Promise<readonly string[]> {
  const ids = targets.map(() => randomUUID())
  await query(
    db,
    `insert into member (id, project_id, pool_id, address, protocol_port)
     select m.id, p.project_id, p.id, m.address, m.port
     from pool p, unnest($1::uuid[], $2::text[], $3::int[]) as m (id, address, port) where p.id = $4`,
    [ids, targets.map((target) => target.address), targets.map((target) => target.port), poolId],
  )
  await changed(db, poolId)
  return ids
}

/** Raises the version of a pool and notifies probers, as every write of the API does. */
export async function changed(db: Db, poolId: string): Promise<void> {
  await query(
    db,
    `with raised as (update pool set config_version = config_version + 1 where id = $1 returning shard)
     select pg_notify('${CONFIG_CHANNEL}', shard::text) from raised`,
    [poolId],
  )
}

export interface StatusRow {
  readonly member_id: string
  readonly operating_status: string
  readonly state: string
  readonly reason: string
}

export async function statuses(db: Db): Promise<ReadonlyMap<string, StatusRow>> {
  const rows = await query<StatusRow>(
    db,
    'select member_id, operating_status, state, reason from member_status',
  )
  return new Map(rows.map((row) => [row.member_id, row]))
}

/** Waits until `condition` resolves to true, asking again every 20 ms for at most `withinMs`: long, for hosts that are busy. */
export async function eventually(
  what: string,
  condition: () => Promise<boolean> | boolean,
  withinMs = 30_000,
): Promise<void> {
  const end = performance.now() + withinMs
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`not within ${withinMs} ms: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
