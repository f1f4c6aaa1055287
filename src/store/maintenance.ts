/** Statements on the maintenance of objects. */
import type { MaintainedKind, Maintenance } from '../domain/maintenance.ts'
import { type Tx, query } from './database.ts'

const TABLES: Readonly<Record<MaintainedKind, string>> = {
  member: 'member',
  pool: 'pool',
  healthmonitor: 'health_monitor',
}

/** Sets the maintenance of an object, or takes it away (null). Returns whether there is such an object. */
export async function setMaintenance(
  tx: Tx,
  object: { readonly kind: MaintainedKind; readonly id: string },
  maintenance: Maintenance | null,
): Promise<boolean> {
  const rows = await query(
    tx,
    `update ${TABLES[object.kind]} set maintenance = ?::jsonb where id = ? returning id`,
    [maintenance === null ? null : JSON.stringify(maintenance), object.id],
  )
  return rows.length > 0
}
