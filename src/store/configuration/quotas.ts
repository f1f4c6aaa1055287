/** Quotas: how many objects of a kind a project may have. A row overrides the configured default; -1 = unlimited. */
import { RESOURCES, type Resource } from '../../domain/types.ts'
import { isLbaas } from '../door/lbaas-only.ts'
import { type Db, type Tx, query } from '../connection/database.ts'

export type Quotas = Readonly<Record<Resource, number>>

/** Kinds that have a quota: ours, and two without objects here, whose numbers we only store. */
export const QUOTA_KINDS = [...RESOURCES, 'l7policy', 'l7rule'] as const
export type QuotaKind = (typeof QUOTA_KINDS)[number]

/** What was set for a project; a kind that is absent has its default. */
export type SetQuotas = Readonly<Partial<Record<QuotaKind, number>>>

/** Pools, members and monitors of doors count; the rows that hold their scopes together do not. */
const TABLES: Record<Resource, string> = {
  loadbalancer: `(select * from load_balancer where ${isLbaas('load_balancer')}) lb`,
  listener: 'listener',
  pool: 'pool',
  member: 'member',
  healthmonitor: 'health_monitor',
}

/** The quotas of a project over the configured defaults. */
export async function readQuotas(db: Db, projectId: string, defaults: Quotas): Promise<Quotas> {
  return { ...defaults, ...(await readSetQuotas(db, projectId)) }
}

export async function readSetQuotas(db: Db, projectId: string): Promise<SetQuotas> {
  const rows = await query<QuotaRow>(db, 'select resource, quota from quota where project_id = $1', [
    projectId,
  ])
  return setQuotasOf(rows)
}

interface QuotaRow {
  readonly resource: QuotaKind
  readonly quota: number
}

function setQuotasOf(rows: readonly QuotaRow[]): SetQuotas {
  return Object.fromEntries(rows.map((row) => [row.resource, row.quota]))
}

/** A project for which something was set. */
export interface ProjectQuotas {
  readonly projectId: string
  readonly set: SetQuotas
}

export interface QuotaPage {
  readonly limit: number
  /** The project after which the page begins, or before which it ends when `reverse`. */
  readonly marker?: string
  readonly reverse: boolean
}

/** What was set for a project, or for every project: at most `limit` of them. */
export async function listSetQuotas(
  db: Db,
  projectId: string | undefined,
  { limit, marker, reverse }: QuotaPage,
): Promise<ProjectQuotas[]> {
  const rows = await query<ProjectQuotas>(
    db,
    `select project_id as "projectId", json_object_agg(resource, quota) as set from quota
     where ($1::text is null or project_id = $1) and ($2::text is null or project_id ${reverse ? '<' : '>'} $2)
     group by project_id order by project_id ${reverse ? 'desc' : 'asc'} limit $3`,
    [projectId ?? null, marker ?? null, limit],
  )
  return reverse ? rows.reverse() : rows
}

/** Sets quotas of a project; null goes back to the default, absent kinds stay. */
export async function writeQuotas(
  tx: Tx,
  projectId: string,
  changes: Readonly<Partial<Record<QuotaKind, number | null>>>,
): Promise<void> {
  const kinds = Object.entries(changes)
  const cleared = kinds.filter(([, quota]) => quota === null).map(([kind]) => kind)
  await query(tx, 'delete from quota where project_id = $1 and resource = any($2::text[])', [
    projectId,
    cleared,
  ])
  const set = kinds.filter(([, quota]) => quota !== null)
  await query(
    tx,
    `insert into quota (project_id, resource, quota)
     select $1, resource, quota from unnest($2::text[], $3::integer[]) as s (resource, quota)
     on conflict (project_id, resource) do update set quota = excluded.quota`,
    [projectId, set.map(([kind]) => kind), set.map(([, quota]) => quota)],
  )
}

/** Every quota of a project goes back to its default. */
export async function deleteQuotas(tx: Tx, projectId: string): Promise<void> {
  await query(tx, 'delete from quota where project_id = $1', [projectId])
}

export interface QuotaClaim {
  readonly projectId: string
  readonly resource: Resource
  /** Objects about to be created. */
  readonly count: number
  readonly defaults: Quotas
  /** What was set for the project, when it has been read already. */
  readonly set?: SetQuotas
}

/**
 * Whether the project may create `count` more. Concurrent creates of one project and kind wait for each other until
 * commit, so the limit holds; without a limit nothing is counted and no create waits.
 */
export async function fitsQuota(tx: Tx, claim: QuotaClaim): Promise<boolean> {
  const set = claim.set ?? (await readSetQuotas(tx, claim.projectId))
  const quota = set[claim.resource] ?? claim.defaults[claim.resource]
  if (quota < 0) return true
  await query(tx, 'select pg_advisory_xact_lock($1, hashtext($2))', [
    RESOURCES.indexOf(claim.resource),
    claim.projectId,
  ])
  const rows = await query<{ used: number }>(
    tx,
    `select count(*) as used from ${TABLES[claim.resource]} where project_id = $1`,
    [claim.projectId],
  )
  return (rows[0]?.used ?? 0) + claim.count <= quota
}
