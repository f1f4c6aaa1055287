/** Statements on the maintenance of objects. */
import type { MaintainedKind, Maintenance } from '../../domain/status/maintenance.ts'
import { isLbaas, isOfLbaasPool, type Reach } from '../door/lbaas-only.ts'
import { type Db, type Tx, query } from '../connection/database.ts'

export const MAINTAINED_TABLES: Readonly<Record<MaintainedKind, string>> = {
  member: 'member',
  pool: 'pool',
  healthmonitor: 'health_monitor',
}

/**
 * Sets the maintenance of an object, or removes it (null). Returns whether that changed it; undefined: there is no such
 * object.
 */
export async function setMaintenance(
  tx: Tx,
  object: { readonly kind: MaintainedKind; readonly id: string },
  maintenance: Maintenance | null,
): Promise<boolean | undefined> {
  const table = MAINTAINED_TABLES[object.kind]
  const [row] = await query<{ changed: boolean }>(
    tx,
    `with changed as (
       update ${table} set maintenance = $1::jsonb where id = $2 and maintenance is distinct from $1::jsonb returning 1
     )
     select exists (select from changed) as changed from ${table} where id = $2`,
    [maintenance === null ? null : JSON.stringify(maintenance), object.id],
  )
  return row?.changed
}

function ofLbaas(kind: MaintainedKind): string {
  const table = MAINTAINED_TABLES[kind]
  return kind === 'pool' ? isLbaas(table) : isOfLbaasPool(`${table}.pool_id`)
}

/** Names an object in a project (in any, when undefined), a member also by its pool. */
export interface MaintainedKey {
  readonly kind: MaintainedKind
  readonly id: string
  readonly poolId?: string
  readonly projectId: string | undefined
  /** `all`: also what a door keeps. Absent = of LBaaS. */
  readonly reach?: Reach | undefined
}

/** The maintenance of an object (null = none), with its project; undefined: there is no such object. */
export async function findMaintenance(
  db: Db,
  { kind, id, poolId, projectId, reach }: MaintainedKey,
): Promise<{ readonly projectId: string; readonly maintenance: Maintenance | null } | undefined> {
  const below = poolId === undefined ? '' : 'and pool_id = $3'
  const rows = await query<{ projectId: string; maintenance: Maintenance | null }>(
    db,
    `select project_id as "projectId", maintenance from ${MAINTAINED_TABLES[kind]}
     where id = $1 and ($2::text is null or project_id = $2) ${below}
       ${reach === 'all' ? '' : `and ${ofLbaas(kind)}`}`,
    [id, projectId ?? null, ...(poolId === undefined ? [] : [poolId])],
  )
  return rows[0]
}
