/**
 * The pools of a scope of a door: read as they are stored, and changed to what the door wants. Each step is one statement over
 * all pools that differ. Pools that do not differ are not written: probers see no new version of them.
 */
import { randomUUID } from 'node:crypto'
import type { ChangedObject, PoolChange, PoolChanges } from '../../domain/door/pool-changes.ts'
import type {
  DoorMember,
  DoorMonitor,
  DoorPool,
  DoorScope,
  KeptDoorMember,
  KeptDoorPool,
} from '../../domain/door/door-pool.ts'
import { DOOR_MEMBERS_PER_STATEMENT } from '../../domain/limits.ts'
import { shardOf } from '../../domain/prober/shard.ts'
import { columnsOfOptions, MONITOR_TABLE } from '../configuration/health-monitors.ts'
import { insertMembers, updateMembers } from '../configuration/member-batch.ts'
import type { MemberDraft } from '../configuration/members.ts'
import { POOL_TABLE, type PoolDraft } from '../configuration/pools.ts'
import { type InShard, tellShards, touchPools } from '../configuration/parents.ts'
import {
  HEALTH_MONITOR_COLUMNS,
  type HealthMonitorRow,
  MEMBER_COLUMNS,
  type MemberRow,
  POOL_COLUMNS,
  type PoolRow,
  toHealthMonitor,
  toMember,
} from '../configuration/rows.ts'
import { insertRows, NEW_GENERATION } from '../configuration/write-row.ts'
import { type Tx, query } from '../connection/database.ts'

type PoolOfDoorRow = PoolRow & InShard & { readonly door_key: string; readonly traffic_seen: boolean }

/**
 * The pools of a scope with their monitors and members, locked in the order of their ids; `keys`: only these, absent = all. The
 * caller has locked the scope (`lockScope`), and `scopeId` is its row.
 */
export async function lockDoorPools(
  tx: Tx,
  scopeId: string,
  keys?: readonly string[],
): Promise<readonly KeptDoorPool[]> {
  const wanted = [scopeId, keys ?? null]
  const ours = 'where p.load_balancer_id = $1 and ($2::text[] is null or p.door_key = any($2))'
  const [pools, monitors, members] = await Promise.all([
    query<PoolOfDoorRow>(
      tx,
      `select ${POOL_COLUMNS}, p.shard, p.door_key, p.traffic_seen_at is not null as traffic_seen
       from pool p ${ours} order by p.id for no key update`,
      wanted,
    ),
    query<HealthMonitorRow>(
      tx,
      `select ${HEALTH_MONITOR_COLUMNS} from pool p join health_monitor hm on hm.pool_id = p.id ${ours}`,
      wanted,
    ),
    query<MemberRow>(
      tx,
      `select ${MEMBER_COLUMNS} from pool p join member m on m.pool_id = p.id ${ours}`,
      wanted,
    ),
  ])
  const monitorOf = new Map(monitors.map((row) => [row.pool_id, toHealthMonitor(row)]))
  const membersOf = new Map<string, KeptDoorMember[]>(pools.map(({ id }) => [id, []]))
  for (const row of members) membersOf.get(row.pool_id)?.push(toMember(row))
  return pools.map((row) => ({
    id: row.id,
    shard: row.shard,
    key: row.door_key,
    trafficSeen: row.traffic_seen,
    name: row.name,
    adminStateUp: row.admin_state_up,
    protocol: row.protocol,
    tags: row.tags,
    echo: row.echo,
    monitor: monitorOf.get(row.id) ?? null,
    members: membersOf.get(row.id) ?? [],
  }))
}

/** Where the pools of a door are. */
export interface ScopeRow extends DoorScope {
  /** As `lockScope` gave it. */
  readonly id: string
}

/** Writes what differs, and tells probers after the commit. Throws MemberExistsError. */
export async function writePoolChanges(tx: Tx, scope: ScopeRow, changes: PoolChanges): Promise<void> {
  const { added, changed, gone } = changes
  await deleteWhatIsGone(tx, changes)
  const fresh = added.map((pool) => ({ pool, id: randomUUID() }))
  await insertPools(tx, scope, fresh)
  await updatePools(tx, changed)
  await insertMonitors(tx, scope, [
    ...fresh.flatMap(({ pool: { monitor }, id }) => (monitor === null ? [] : [{ poolId: id, monitor }])),
    ...changed.flatMap(({ kept, monitor }) =>
      monitor.kind === 'added' ? [{ poolId: kept.id, monitor: monitor.monitor }] : [],
    ),
  ])
  await updateMonitors(
    tx,
    changed.flatMap(({ monitor }) => (monitor.kind === 'changed' ? [monitor] : [])),
  )
  await insertMembersOf(tx, scope, [
    ...fresh.map(({ pool: { members }, id }) => ({ poolId: id, members })),
    ...changed.map(({ kept, addedMembers }) => ({ poolId: kept.id, members: addedMembers })),
  ])
  await updateMembersOf(tx, changed)
  await touchPools(
    tx,
    changed.map(({ kept }) => kept.id),
  )
  tellShards(tx, [...fresh.map(({ id }) => ({ shard: shardOf(id) })), ...gone])
}

async function insertMembersOf(
  tx: Tx,
  scope: ScopeRow,
  pools: readonly { readonly poolId: string; readonly members: readonly DoorMember[] }[],
): Promise<void> {
  const all = pools.flatMap(({ poolId, members }) => members.map((member) => ({ poolId, member })))
  for (const part of parts(all))
    await insertMembers(
      tx,
      part.map(({ poolId, member }) => memberDraft(scope, poolId, member)),
    )
}

async function updateMembersOf(tx: Tx, changed: readonly PoolChange[]): Promise<void> {
  for (const part of parts(changed.flatMap(({ changedMembers }) => changedMembers)))
    await updateMembers(
      tx,
      part.map(({ id, values, renewed }) => ({
        id,
        renewed,
        values: { ...values, subnetId: null, backup: false },
      })),
    )
}

/** Members of one statement: others have their turn while PostgreSQL works on it. */
function* parts<Item>(items: readonly Item[]): Generator<readonly Item[]> {
  for (let from = 0; from < items.length; from += DOOR_MEMBERS_PER_STATEMENT)
    yield items.slice(from, from + DOOR_MEMBERS_PER_STATEMENT)
}

/** Members before monitors before pools; of pools that stay, what they no longer have. */
async function deleteWhatIsGone(tx: Tx, { changed, gone }: PoolChanges): Promise<void> {
  const pools = gone.map(({ id }) => id)
  const members = [...gone.flatMap((pool) => pool.members), ...changed.flatMap((pool) => pool.goneMembers)]
  const monitors = [
    ...gone.flatMap(({ monitor }) => (monitor === null ? [] : [monitor.id])),
    ...changed.flatMap(({ monitor }) => (monitor.kind === 'gone' ? [monitor.id] : [])),
  ]
  await deleteByIds(
    tx,
    'member',
    members.map(({ id }) => id),
  )
  await deleteByIds(tx, 'health_monitor', monitors)
  await deleteByIds(tx, 'pool', pools)
}

async function deleteByIds(tx: Tx, table: 'member' | 'health_monitor' | 'pool', ids: readonly string[]) {
  for (const part of parts(ids)) await query(tx, `delete from ${table} where id = any($1::uuid[])`, [part])
}

async function insertPools(
  tx: Tx,
  { id: loadBalancerId, projectId, door }: ScopeRow,
  fresh: readonly { readonly pool: DoorPool; readonly id: string }[],
): Promise<void> {
  const rows = fresh.map(({ pool, id }) => ({
    id,
    projectId,
    loadBalancerId,
    shard: shardOf(id),
    name: pool.name,
    adminStateUp: pool.adminStateUp,
    protocol: pool.protocol,
    tags: pool.tags,
    echo: pool.echo,
    description: '',
    lbAlgorithm: 'ROUND_ROBIN' as const,
    sessionPersistence: null,
    door,
    doorKey: pool.key,
  }))
  await insertRows<PoolDraft & { door: string; doorKey: string }>(
    tx,
    { ...POOL_TABLE, fixed: [...POOL_TABLE.fixed, ['door', 'door'], ['doorKey', 'door_key']] },
    rows,
  )
}

async function updatePools(tx: Tx, changed: readonly PoolChange[]): Promise<void> {
  const pools = changed.flatMap(({ pool }) => pool ?? [])
  if (pools.length === 0) return
  await renew(tx, 'pool', pools)
  await query(
    tx,
    `update pool p set name = c.name, admin_state_up = c.admin_state_up, protocol = c.protocol, tags = c.tags,
       echo = c.echo, updated_at = now()
     from jsonb_populate_recordset(null::pool, $1::jsonb) c where p.id = c.id`,
    [
      JSON.stringify(
        pools.map(({ id, values }) => ({
          id,
          name: values.name,
          admin_state_up: values.adminStateUp,
          protocol: values.protocol,
          tags: values.tags,
          echo: values.echo,
        })),
      ),
    ],
  )
}

async function insertMonitors(
  tx: Tx,
  { projectId }: ScopeRow,
  fresh: readonly { readonly poolId: string; readonly monitor: DoorMonitor }[],
): Promise<void> {
  await insertRows(
    tx,
    MONITOR_TABLE,
    fresh.map(({ poolId, monitor }) => ({
      ...monitor,
      id: randomUUID(),
      projectId,
      poolId,
      ...columnsOfOptions(monitor.options),
    })),
  )
}

async function updateMonitors(tx: Tx, changed: readonly ChangedObject<DoorMonitor>[]): Promise<void> {
  if (changed.length === 0) return
  await renew(tx, 'health_monitor', changed)
  const columns = [...MONITOR_TABLE.changeable, ['profile', 'profile'] as const]
  const records = changed.map(({ id, values }) => {
    const row: Readonly<Record<string, unknown>> = { ...values, ...columnsOfOptions(values.options) }
    return { id, ...Object.fromEntries(columns.map(([key, column]) => [column, row[key]])) }
  })
  await query(
    tx,
    `update health_monitor hm set ${columns.map(([, column]) => `${column} = c.${column}`).join(', ')}, updated_at = now()
     from jsonb_populate_recordset(null::health_monitor, $1::jsonb) c where hm.id = c.id`,
    [JSON.stringify(records)],
  )
}

/** A new generation of the checks of those that say so. */
async function renew(
  tx: Tx,
  table: 'pool' | 'health_monitor',
  changed: readonly { readonly id: string; readonly renewed: boolean }[],
): Promise<void> {
  const ids = changed.filter(({ renewed }) => renewed).map(({ id }) => id)
  if (ids.length > 0)
    await query(tx, `update ${table} set ${NEW_GENERATION} where id = any($1::uuid[])`, [ids])
}

function memberDraft({ projectId }: ScopeRow, poolId: string, member: DoorMember): MemberDraft {
  return {
    id: randomUUID(),
    projectId,
    poolId,
    name: member.name,
    adminStateUp: member.adminStateUp,
    address: member.address,
    protocolPort: member.protocolPort,
    weight: member.weight,
    monitorAddress: member.monitorAddress,
    monitorPort: member.monitorPort,
    tags: member.tags,
    echo: member.echo,
    subnetId: null,
    backup: false,
  }
}
