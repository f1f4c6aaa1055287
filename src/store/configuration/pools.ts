/** Statements on pools. */
import type { RolledUpStatus } from '../../domain/status/roll-up.ts'
import type { Pool } from '../../domain/types.ts'
import { type Db, type Tx, query } from '../connection/database.ts'
import { versionedList, type VersionedList } from './versioned-rows.ts'
import {
  commonAttributes,
  type ListQuery,
  type ListSpec,
  listRows,
  mapPage,
  type Page,
  NEVER,
} from './lists.ts'
import { type InShard, tellShards } from './parents.ts'
import { readCounted } from '../status/roll-up.ts'
import { POOL_COLUMNS, type PoolRow, toPool } from './rows.ts'
import { COMMON_CHANGEABLE, COMMON_FIXED, insertRow, type Table, updateRow } from './write-row.ts'

export type PoolDraft = Omit<Pool, 'createdAt' | 'updatedAt' | 'provisioningStatus'> & {
  readonly shard: number
}
export type PoolChange = Partial<
  Omit<PoolDraft, 'id' | 'projectId' | 'loadBalancerId' | 'protocol' | 'shard'>
>

/** A pool with the ids that its answers name. */
export interface PoolView extends Pool {
  /** Joined by commas: a page of pools may name 50 000 members. */
  readonly memberIds: string
  readonly listenerIds: readonly string[]
  readonly healthMonitorId: string | null
  /** Rolled up from its members (src/domain/status/roll-up.ts). */
  readonly operatingStatus: RolledUpStatus
}

const VIEW_COLUMNS = `${POOL_COLUMNS},
  array_to_string(array(select m.id from member m where m.pool_id = p.id order by m.id), ',') as member_ids,
  array(select l.id from listener l where l.default_pool_id = p.id order by l.id) as listener_ids,
  (select hm.id from health_monitor hm where hm.pool_id = p.id) as healthmonitor_id,
  p.operating_status`

export const POOL_LIST = {
  from: 'pool_listed p',
  only: 'p.is_lbaas',
  columns: VIEW_COLUMNS,
  longColumns: ['name', 'description', 'tags', 'echo', 'session_persistence', 'member_ids', 'listener_ids'],
  alias: 'p',
  version: `concat_ws(' ', p.version, p.operating_status)`,
  attributes: {
    ...commonAttributes('p'),
    description: { sql: 'p.description', type: 'text' },
    protocol: { sql: 'p.protocol', type: 'text' },
    lb_algorithm: { sql: 'p.lb_algorithm', type: 'text' },
    operating_status: { sql: 'p.operating_status', type: 'text' },
    loadbalancer_id: { sql: 'p.load_balancer_id', type: 'uuid' },
    healthmonitor_id: {
      sql: '(select hm.id from health_monitor hm where hm.pool_id = p.id)',
      type: 'uuid',
    },
    listener_id: {
      sql: 'p.id',
      type: 'uuid',
      matches: (ids) =>
        `exists (select from listener l where l.default_pool_id = p.id and l.id = any(${ids}::uuid[]))`,
    },
    member_address: {
      sql: 'p.id',
      type: 'text',
      matches: (addresses) =>
        `exists (select from member m where m.pool_id = p.id and m.address = any(${addresses}::text[]))`,
    },
    member_device_id: NEVER,
    created_at: { sql: 'p.created_at', type: 'timestamp', notNull: true },
    updated_at: { sql: 'p.updated_at', type: 'timestamp' },
  },
} as const satisfies ListSpec

export async function insertPool(tx: Tx, draft: PoolDraft): Promise<Pool> {
  return toPool(await insertRow<PoolRow, PoolDraft>(tx, POOL_TABLE, draft))
}

/** Changes a pool; `renewed` starts a new generation of its checks (switched on again). */
export async function updatePool(
  tx: Tx,
  id: string,
  change: { readonly values: PoolChange; readonly renewed: boolean },
): Promise<void> {
  await updateRow<PoolRow, PoolDraft>(tx, POOL_TABLE, id, change)
}

/** Deletes the monitor and the members of a pool. */
export async function deleteChildrenOfPool(tx: Tx, id: string): Promise<void> {
  await query(tx, 'delete from health_monitor where pool_id = $1', [id])
  await query(tx, 'delete from member where pool_id = $1', [id])
}

/** Deletes a pool without members and monitor; listeners that pointed to it point to none. */
export async function deletePool(tx: Tx, id: string): Promise<void> {
  tellShards(tx, await query<InShard>(tx, 'delete from pool where id = $1 returning shard', [id]))
}

export async function findPool(
  db: Db,
  id: string,
  projectId: string | undefined,
): Promise<PoolView | undefined> {
  const rows = await readCounted(db, () =>
    query<PoolViewRow>(
      db,
      `select ${VIEW_COLUMNS} from pool_listed p where p.id = $1 and ($2::text is null or p.project_id = $2) and p.is_lbaas`,
      [id, projectId ?? null],
    ),
  )
  return rows[0] && toView(rows[0])
}

export async function listPools(db: Db, list: ListQuery): Promise<Page<PoolView>> {
  const rows = await listRows<PoolViewRow>(db, POOL_LIST, list)
  return mapPage(rows, toView)
}

/** Whatever adds or takes a member, a monitor or a listener raises `status_version` of the row (migration 0019). */
const WITHOUT_STATUS = { ...POOL_LIST, version: 'p.version' }

/** The same list by versions; a status that is not shown is not part of a version. */
export function versionedPools(
  db: Db,
  { isStatusShown }: { readonly isStatusShown: boolean },
): VersionedList<PoolView> {
  return versionedList(db, { spec: isStatusShown ? POOL_LIST : WITHOUT_STATUS, toItem: toView })
}

interface PoolViewRow extends PoolRow {
  member_ids: string
  listener_ids: string[]
  healthmonitor_id: string | null
  operating_status: RolledUpStatus
}

function toView(row: PoolViewRow): PoolView {
  return Object.assign(toPool(row), {
    memberIds: row.member_ids,
    listenerIds: row.listener_ids,
    healthMonitorId: row.healthmonitor_id,
    operatingStatus: row.operating_status,
  })
}

export const POOL_TABLE: Table<PoolDraft> = {
  name: 'pool',
  alias: 'p',
  returning: POOL_COLUMNS,
  fixed: [
    ...COMMON_FIXED,
    ['loadBalancerId', 'load_balancer_id'],
    ['protocol', 'protocol'],
    ['shard', 'shard'],
  ],
  changeable: [
    ...COMMON_CHANGEABLE,
    ['description', 'description'],
    ['lbAlgorithm', 'lb_algorithm'],
    ['sessionPersistence', 'session_persistence'],
  ],
}
