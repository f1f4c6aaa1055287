/** Objects of which a project has few, and that have no filters: one by its id, and their list, oldest first. */
import { collectBindings } from '../connection/bindings.ts'
import { type Db, query } from '../connection/database.ts'

export interface AgedObjects {
  /** Everything before the where-clause; the object has the alias. */
  readonly select: string
  readonly table: string
  readonly alias: string
  /** Objects of one page of the list. */
  readonly pageSize: number
}

/** An object by its id; of one project only where one is given. */
export async function findAged<Row>(
  db: Db,
  { select, alias }: AgedObjects,
  id: string,
  projectId: string | undefined,
): Promise<Row | undefined> {
  const [row] = await query<Row>(
    db,
    `${select} where ${alias}.id = $1 and ($2::text is null or ${alias}.project_id = $2)`,
    [id, projectId ?? null],
  )
  return row
}

/** As `findAged`, with a lock until commit. */
export async function lockAged<Row>(
  db: Db,
  objects: AgedObjects,
  id: string,
  projectId: string | undefined,
): Promise<Row | undefined> {
  await query(db, `select from ${objects.table} where id = $1 for update`, [id])
  return await findAged<Row>(db, objects, id, projectId)
}

/** Of a project; undefined = of all. Oldest first, behind `marker`. Undefined: there is no such marker. */
export async function listAged<Row>(
  db: Db,
  objects: AgedObjects,
  projectId: string | undefined,
  marker: string | undefined,
): Promise<Row[] | undefined> {
  const { select, table, alias, pageSize } = objects
  const { values, bind } = collectBindings()
  const where = ['true']
  if (projectId !== undefined) where.push(`${alias}.project_id = ${bind(projectId)}`)
  if (marker !== undefined) {
    // An object of another project is no marker.
    const own = projectId === undefined ? '' : ` and marker.project_id = ${bind(projectId)}`
    where.push(
      `(${alias}.created_at, ${alias}.id) > (
         select marker.created_at, marker.id from ${table} marker where marker.id = ${bind(marker)}${own})`,
    )
  }
  const rows = await query<Row>(
    db,
    `${select} where ${where.join(' and ')} order by ${alias}.created_at, ${alias}.id limit ${bind(pageSize)}`,
    values,
  )
  const isUnknown =
    rows.length === 0 &&
    marker !== undefined &&
    (await findAged(db, objects, marker, projectId)) === undefined
  return isUnknown ? undefined : rows
}
