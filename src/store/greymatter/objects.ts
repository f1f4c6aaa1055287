/** Statements on the objects of Grey Matter's control API: zones and clusters, each found by its key in a project. */
import { type Bindings, collectBindings } from '../connection/bindings.ts'
import { type Db, type Tx, query, violatedConstraint } from '../connection/database.ts'

export type ObjectKind = 'cluster' | 'zone'

export interface ObjectKey {
  readonly projectId: string
  /** `cluster_key` or `zone_key`. */
  readonly key: string
}

/** An object as it is shown, as JSON text without its checksum. */
export interface StoredObject {
  readonly object: string
  readonly checksum: string
}

export interface FoundObject extends StoredObject {
  /** The zone of a cluster; a zone is its own. */
  readonly zoneKey: string
}

export interface WrittenObject extends ObjectKey, StoredObject {
  readonly name: string
}

/** All of one entry must match, and one entry is enough; no entry = everything. */
export type KeyFilter = Readonly<Partial<Record<'cluster_key' | 'zone_key' | 'name', string>>>

/** Another object of the project has this key, or this name where names are unique. */
export class ObjectExistsError extends Error {
  readonly by: 'key' | 'name'

  constructor(by: 'key' | 'name') {
    super(`another object has this ${by}`)
    this.by = by
  }
}

const TABLES = { cluster: 'greymatter_cluster', zone: 'greymatter_zone' } as const
const KEYS = { cluster: 'cluster_key', zone: 'zone_key' } as const

/** An object of the project; undefined when there is none. */
export async function findObject(
  db: Db,
  kind: ObjectKind,
  { projectId, key }: ObjectKey,
): Promise<FoundObject | undefined> {
  const [row] = await query<FoundObject>(
    db,
    `select object, checksum, zone_key as "zoneKey" from ${TABLES[kind]} where project_id = $1 and ${KEYS[kind]} = $2`,
    [projectId, key],
  )
  return row
}

/** Which of these keys there are, each with its zone. */
export async function findZoneKeys(
  db: Db,
  kind: ObjectKind,
  { projectId, keys }: { readonly projectId: string; readonly keys: readonly string[] },
): Promise<ReadonlyMap<string, string>> {
  const rows = await query<{ key: string; zoneKey: string }>(
    db,
    `select ${KEYS[kind]} as key, zone_key as "zoneKey" from ${TABLES[kind]}
     where project_id = $1 and ${KEYS[kind]} = any($2)`,
    [projectId, keys],
  )
  return new Map(rows.map(({ key, zoneKey }) => [key, zoneKey]))
}

/** Those of the project that match, by their keys: in one order, whatever the locale of the database. */
export async function listObjects(
  db: Db,
  kind: ObjectKind,
  { projectId, filters }: { readonly projectId: string; readonly filters: readonly KeyFilter[] },
): Promise<readonly StoredObject[]> {
  const { values, bind } = collectBindings()
  const where = `project_id = ${bind(projectId)} and ${matching(filters, bind)}`
  return await query<StoredObject>(
    db,
    `select object, checksum from ${TABLES[kind]} where ${where} order by ${KEYS[kind]} collate "C"`,
    values,
  )
}

function matching(filters: readonly KeyFilter[], bind: Bindings['bind']): string {
  const entries = filters.map((filter) => {
    const terms = Object.entries(filter).map(([column, value]) => `${column} = ${bind(value)}`)
    return terms.length === 0 ? 'true' : `(${terms.join(' and ')})`
  })
  return entries.length === 0 ? 'true' : `(${entries.join(' or ')})`
}

/** Throws ObjectExistsError. */
export async function insertObject(
  tx: Tx,
  kind: ObjectKind,
  { projectId, key, name, checksum, object, zoneKey }: WrittenObject & Pick<FoundObject, 'zoneKey'>,
): Promise<void> {
  const row = { project_id: projectId, zone_key: zoneKey, [KEYS[kind]]: key, name, checksum, object }
  const columns = Object.keys(row)
  const places = columns.map((_, i) => `$${i + 1}`)
  await orExists(
    query(
      tx,
      `insert into ${TABLES[kind]} (${columns.join(', ')}) values (${places.join(', ')})`,
      Object.values(row),
    ),
  )
}

/** Throws ObjectExistsError for a name that another one has where names are unique. */
export async function updateObject(
  tx: Tx,
  kind: ObjectKind,
  { projectId, key, name, checksum, object }: WrittenObject,
): Promise<void> {
  await orExists(
    query(
      tx,
      `update ${TABLES[kind]} set name = $3, checksum = $4, object = $5, updated_at = now()
       where project_id = $1 and ${KEYS[kind]} = $2`,
      [projectId, key, name, checksum, object],
    ),
  )
}

export async function deleteObject(tx: Tx, kind: ObjectKind, { projectId, key }: ObjectKey): Promise<void> {
  await query(tx, `delete from ${TABLES[kind]} where project_id = $1 and ${KEYS[kind]} = $2`, [
    projectId,
    key,
  ])
}

async function orExists<Result>(write: Promise<Result>): Promise<Result> {
  try {
    return await write
  } catch (error) {
    const constraint = violatedConstraint(error)
    if (constraint?.endsWith('_pkey')) throw new ObjectExistsError('key')
    if (constraint?.endsWith('_name_key')) throw new ObjectExistsError('name')
    throw error
  }
}
