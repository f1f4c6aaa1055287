/** Quotas: how many objects of a kind a project may have. A row overrides the configured default; -1 = unlimited. */
import { RESOURCES, type Resource } from '../domain/types.ts'
import { type Db, type Tx, query } from './database.ts'

export type Quotas = Readonly<Record<Resource, number>>

const TABLES: Record<Resource, string> = {
  loadbalancer: 'load_balancer',
  listener: 'listener',
  pool: 'pool',
  member: 'member',
  healthmonitor: 'health_monitor',
}

/** The quotas of a project over the configured defaults. */
export async function readQuotas(db: Db, projectId: string, defaults: Quotas): Promise<Quotas> {
  const rows = await query<{ resource: Resource; quota: number }>(
    db,
    'select resource, quota from quota where project_id = ?',
    [projectId],
  )
  return { ...defaults, ...Object.fromEntries(rows.map((row) => [row.resource, row.quota])) }
}

export interface QuotaClaim {
  readonly projectId: string
  readonly resource: Resource
  /** Objects about to be created. */
  readonly count: number
  readonly defaults: Quotas
}

/**
 * Whether the project may create `count` more. Concurrent creates of one project and kind wait for each other until
 * commit, so the limit holds; without a limit nothing is counted and nobody waits.
 */
export async function fitsQuota(tx: Tx, claim: QuotaClaim): Promise<boolean> {
  const quotas = await readQuotas(tx, claim.projectId, claim.defaults)
  const quota = quotas[claim.resource]
  if (quota < 0) return true
  await query(tx, 'select pg_advisory_xact_lock(?, hashtext(?))', [
    RESOURCES.indexOf(claim.resource),
    claim.projectId,
  ])
  const rows = await query<{ used: number }>(
    tx,
    `select count(*) as used from ${TABLES[claim.resource]} where project_id = ?`,
    [claim.projectId],
  )
  return (rows[0]?.used ?? 0) + claim.count <= quota
}
