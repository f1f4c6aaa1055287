/** Statements on health monitors. One per purpose; the API composes them into transactions. */
import { startStatus } from '../../domain/options/presets.ts'
import { votingSites } from '../../domain/site/monitor-sites.ts'
import type { HealthMonitor } from '../../domain/health-monitor.ts'
import { type Db, type Tx, query, violatedConstraint } from '../connection/database.ts'
import { isOfLbaasPool, type Reach } from '../door/lbaas-only.ts'
import { commonAttributes, type ListQuery, type ListSpec, listRows, mapPage, type Page } from './lists.ts'
import { versionedList, type VersionedList } from './versioned-rows.ts'
import { HEALTH_MONITOR_COLUMNS, type HealthMonitorRow, toHealthMonitor } from './rows.ts'
import { COMMON_CHANGEABLE, COMMON_FIXED, insertRow, type Table, updateRow } from './write-row.ts'

/** What a new monitor is made of. */
export type HealthMonitorDraft = Omit<HealthMonitor, 'createdAt' | 'updatedAt' | 'provisioningStatus'>

/** What a change may change; absent keys stay. */
export type HealthMonitorChange = Partial<Omit<HealthMonitorDraft, 'id' | 'projectId' | 'poolId' | 'profile'>>

/** The pool has a monitor already. */
export class PoolHasMonitorError extends Error {}

export const HEALTH_MONITOR_LIST = {
  from: 'health_monitor hm',
  columns: HEALTH_MONITOR_COLUMNS,
  longColumns: [
    'name',
    'tags',
    'echo',
    'options',
    'sent_fields',
    'domain_name',
    'url_path',
    'expected_codes',
  ],
  alias: 'hm',
  only: isOfLbaasPool('hm.pool_id'),
  version: 'hm.xmin::text',
  attributes: {
    ...commonAttributes('hm'),
    type: { sql: 'hm.type', type: 'text' },
    delay: { sql: 'hm.delay_seconds', type: 'integer' },
    timeout: { sql: 'hm.timeout_seconds', type: 'integer' },
    max_retries: { sql: 'hm.rise', type: 'integer' },
    max_retries_down: { sql: 'hm.fall', type: 'integer' },
    // Nobody measures a monitor.
    operating_status: { sql: `case when hm.admin_state_up then 'ONLINE' else 'OFFLINE' end`, type: 'text' },
    monitor_port: { sql: 'hm.monitor_port', type: 'integer' },
    domain_name: { sql: 'hm.domain_name', type: 'text' },
    url_path: { sql: 'hm.url_path', type: 'text' },
    http_method: { sql: 'hm.http_method', type: 'text' },
    http_version: { sql: 'hm.http_version', type: 'text' },
    expected_codes: { sql: 'hm.expected_codes', type: 'text' },
    pool_id: { sql: 'hm.pool_id', type: 'uuid' },
    created_at: { sql: 'hm.created_at', type: 'timestamp', notNull: true },
    updated_at: { sql: 'hm.updated_at', type: 'timestamp' },
  },
} as const satisfies ListSpec

/** Throws PoolHasMonitorError. The constraint decides, so concurrent creates are safe. */
export async function insertHealthMonitor(tx: Tx, draft: HealthMonitorDraft): Promise<HealthMonitor> {
  try {
    const row = { ...draft, ...columnsOfOptions(draft.options) }
    return toHealthMonitor(await insertRow<HealthMonitorRow, StoredMonitor>(tx, MONITOR_TABLE, row))
  } catch (error) {
    if (violatedConstraint(error) === 'health_monitor_pool_id_key') throw new PoolHasMonitorError()
    throw error
  }
}

/** Changes a monitor; `renewed` starts a new generation of its checks: earlier results do not count. */
export async function updateHealthMonitor(
  tx: Tx,
  id: string,
  { values: changed, renewed }: { readonly values: HealthMonitorChange; readonly renewed: boolean },
): Promise<HealthMonitor> {
  const { options } = changed
  const values = { ...changed, ...(options === undefined ? {} : columnsOfOptions(options)) }
  return toHealthMonitor(
    await updateRow<HealthMonitorRow, StoredMonitor>(tx, MONITOR_TABLE, id, { values, renewed }),
  )
}

/** Whether there was one to delete. */
export async function deleteHealthMonitor(tx: Tx, id: string): Promise<boolean> {
  return (await query(tx, 'delete from health_monitor where id = $1 returning id', [id])).length > 0
}

/** A monitor of the project (of any, when undefined); `reach`: whether one of a door is found too. */
export async function findHealthMonitor(
  db: Db,
  id: string,
  projectId: string | undefined,
  reach: Reach = 'lbaas',
): Promise<HealthMonitor | undefined> {
  const rows = await query<HealthMonitorRow>(
    db,
    `select ${HEALTH_MONITOR_COLUMNS} from health_monitor hm where hm.id = $1 and ($2::text is null or hm.project_id = $2)
       ${reach === 'lbaas' ? `and ${isOfLbaasPool('hm.pool_id')}` : ''}`,
    [id, projectId ?? null],
  )
  return rows[0] && toHealthMonitor(rows[0])
}

/** The monitor of a pool, if it has one. */
export async function findMonitorOfPool(db: Db, poolId: string): Promise<HealthMonitor | undefined> {
  const rows = await query<HealthMonitorRow>(
    db,
    `select ${HEALTH_MONITOR_COLUMNS} from health_monitor hm where hm.pool_id = $1`,
    [poolId],
  )
  return rows[0] && toHealthMonitor(rows[0])
}

export async function listHealthMonitors(db: Db, list: ListQuery): Promise<Page<HealthMonitor>> {
  const rows = await listRows<HealthMonitorRow>(db, HEALTH_MONITOR_LIST, list)
  return mapPage(rows, toHealthMonitor)
}

/** The same list by versions. */
export function versionedHealthMonitors(db: Db): VersionedList<HealthMonitor> {
  return versionedList(db, { spec: HEALTH_MONITOR_LIST, toItem: toHealthMonitor })
}

/** What of the options has columns of its own. */
export interface ColumnsOfOptions {
  /** The status that is published before the first verdict: the views read it. */
  readonly startsAs: ReturnType<typeof startStatus>
  /** The sites whose verdicts are votes: probers read it; null = `local` alone. */
  readonly sites: ReturnType<typeof votingSites>
}

export function columnsOfOptions(options: HealthMonitor['options']): ColumnsOfOptions {
  return { startsAs: startStatus(options), sites: votingSites(options) }
}

type StoredMonitor = HealthMonitorDraft & ColumnsOfOptions

export const MONITOR_TABLE: Table<StoredMonitor> = {
  name: 'health_monitor',
  alias: 'hm',
  returning: HEALTH_MONITOR_COLUMNS,
  fixed: [...COMMON_FIXED, ['poolId', 'pool_id'], ['profile', 'profile']],
  changeable: [
    ...COMMON_CHANGEABLE,
    ['type', 'type'],
    ['delaySeconds', 'delay_seconds'],
    ['timeoutSeconds', 'timeout_seconds'],
    ['rise', 'rise'],
    ['fall', 'fall'],
    ['monitorPort', 'monitor_port'],
    ['domainName', 'domain_name'],
    ['urlPath', 'url_path'],
    ['httpMethod', 'http_method'],
    ['httpVersion', 'http_version'],
    ['expectedCodes', 'expected_codes'],
    ['options', 'options'],
    ['sentFields', 'sent_fields'],
    ['startsAs', 'starts_as'],
    ['sites', 'sites'],
  ],
}
