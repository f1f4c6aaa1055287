/** Statements on meshes. Each project has a mesh `default`, with a row only once something was written into it. */
import { type Db, type Tx, query } from '../connection/database.ts'

export const DEFAULT_MESH = 'default'

export interface MeshRow {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly body: Readonly<Record<string, unknown>>
  /** RFC 3339 in UTC with six digits. */
  readonly createdAt: string
  readonly updatedAt: string
}

/** Times as text that sorts as they do: finer than milliseconds, and made by one clock. */
export function timeText(column: string): string {
  return `to_char(${column} at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`
}

const COLUMNS = `name, labels, body, ${timeText('created_at')} as "createdAt", ${timeText('updated_at')} as "updatedAt"`

/** Of the mesh that has no row yet. */
const UNWRITTEN: MeshRow = {
  name: DEFAULT_MESH,
  labels: {},
  body: {},
  createdAt: '1970-01-01T00:00:00.000000Z',
  updatedAt: '1970-01-01T00:00:00.000000Z',
}

export async function findMesh(db: Db, projectId: string, name: string): Promise<MeshRow | undefined> {
  const [row] = await query<MeshRow>(
    db,
    `select ${COLUMNS} from kuma_mesh where project_id = $1 and name = $2`,
    [projectId, name],
  )
  return row ?? (name === DEFAULT_MESH ? UNWRITTEN : undefined)
}

/** All meshes of a project, by name: there are few. */
export async function listMeshes(db: Db, projectId: string): Promise<readonly MeshRow[]> {
  const rows = await query<MeshRow>(db, `select ${COLUMNS} from kuma_mesh where project_id = $1`, [projectId])
  const all = rows.some(({ name }) => name === DEFAULT_MESH) ? rows : [...rows, UNWRITTEN]
  return all.toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

/** Locks a mesh against other writers until commit, and gives its labels; `default` is made where it is missing. */
export async function lockMesh(
  tx: Tx,
  projectId: string,
  name: string,
): Promise<Pick<MeshRow, 'labels'> | undefined> {
  if (name === DEFAULT_MESH) await putMesh(tx, projectId, { name, labels: {}, body: {} }, 'keep')
  const [row] = await query<Pick<MeshRow, 'labels'>>(
    tx,
    'select labels from kuma_mesh where project_id = $1 and name = $2 for no key update',
    [projectId, name],
  )
  return row
}

/** Creates a mesh or replaces it (`keep`: leaves one that is there as it is); whether it is new. `default` never is. */
export async function putMesh(
  tx: Tx,
  projectId: string,
  { name, labels, body }: Pick<MeshRow, 'name' | 'labels' | 'body'>,
  existing: 'keep' | 'replace' = 'replace',
): Promise<boolean> {
  const conflict =
    existing === 'keep'
      ? 'do nothing'
      : `do update set labels = excluded.labels, body = excluded.body, updated_at = clock_timestamp()`
  const rows = await query<{ is_new: boolean }>(
    tx,
    `insert into kuma_mesh (project_id, name, labels, body) values ($1, $2, $3, $4)
     on conflict (project_id, name) ${conflict} returning xmax = 0 as is_new`,
    [projectId, name, JSON.stringify(labels), JSON.stringify(body)],
  )
  return rows[0]?.is_new === true && name !== DEFAULT_MESH
}

/** Deletes a mesh with its services and policies; the caller has seen that no proxies are left. */
export async function deleteMesh(tx: Tx, projectId: string, name: string): Promise<void> {
  await query(tx, 'delete from kuma_resource where project_id = $1 and mesh = $2', [projectId, name])
  await query(tx, 'delete from kuma_mesh where project_id = $1 and name = $2', [projectId, name])
}

/** How many meshes a project has. A lock keeps other transactions of the project from counting until commit. */
export async function lockMeshCount(tx: Tx, projectId: string): Promise<number> {
  const [, [row]] = await Promise.all([
    query(tx, `select pg_advisory_xact_lock(hashtextextended('meshes ' || $1, 0))`, [projectId]),
    query<{ count: number }>(tx, 'select count(*)::integer as count from kuma_mesh where project_id = $1', [
      projectId,
    ]),
  ])
  return row?.count ?? 0
}
