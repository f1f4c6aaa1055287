/**
 * How much a project has of what is bounded: one answer lists all of its zones, and one all of its clusters. A lock keeps other
 * transactions of the project from counting until commit.
 */
import { type Tx, query } from '../connection/database.ts'

/** How many zones a project has, without the one with the key `besides`. */
export async function lockZoneCount(tx: Tx, projectId: string, besides: string): Promise<number> {
  return await lockedSum(tx, projectId, {
    what: 'zones',
    statement: 'select count(*)::float8 as n from greymatter_zone where project_id = $1 and zone_key <> $2',
    more: [besides],
  })
}

/** `wanted`, or the first of `wanted-2`, `wanted-3` … that no zone of the project has. */
export async function freeZoneName(tx: Tx, projectId: string, wanted: string): Promise<string> {
  const rows = await query<{ name: string }>(
    tx,
    `select name from greymatter_zone where project_id = $1 and starts_with(name, $2)`,
    [projectId, wanted],
  )
  const taken = new Set(rows.map(({ name }) => name))
  let name = wanted
  for (let n = 2; taken.has(name); n += 1) name = `${wanted}-${n}`
  return name
}

/** Bytes of all clusters of a project. */
export async function lockClusterBytes(tx: Tx, projectId: string): Promise<number> {
  return await lockedSum(tx, projectId, {
    what: 'clusters',
    statement: 'select sum(octet_length(object))::float8 as n from greymatter_cluster where project_id = $1',
  })
}

async function lockedSum(
  tx: Tx,
  projectId: string,
  {
    what,
    statement,
    more = [],
  }: {
    readonly what: 'zones' | 'clusters'
    readonly statement: string
    readonly more?: readonly string[]
  },
): Promise<number> {
  const [, rows] = await Promise.all([
    query(tx, `select pg_advisory_xact_lock(hashtextextended('${what} ' || $1, 0))`, [projectId]),
    query<{ n: number | null }>(tx, statement, [projectId, ...more]),
  ])
  return rows[0]?.n ?? 0
}

/** Whether a zone has clusters. */
export async function hasClusters(tx: Tx, projectId: string, zoneKey: string): Promise<boolean> {
  const rows = await query(
    tx,
    'select from greymatter_cluster where project_id = $1 and zone_key = $2 limit 1',
    [projectId, zoneKey],
  )
  return rows.length > 0
}
