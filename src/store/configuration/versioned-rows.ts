/**
 * Rows of a list by their versions: a page that was rendered before is rendered again only where a row has changed. The
 * versions of a page are a few bytes of each row; the rows themselves are read by their ids.
 */
import { PAGE_MAX_BYTES } from '../../domain/limits.ts'
import { collectBindings } from '../connection/bindings.ts'
import { type Db, query } from '../connection/database.ts'
import { bytesOf, type ListQuery, type ListSpec, type Narrowed, selected, selectionOf } from './lists.ts'

/** A row of a page. */
export interface RowVersion {
  readonly id: string
  /** It differs whenever something of the row that is shown does. */
  readonly version: string
}

/** A row that was read, with the version that it had then: it may be newer than the one that was asked for. */
export interface VersionedItem<Item> extends RowVersion {
  readonly item: Item
}

/** A list of which pages are read by the versions of their rows. */
export interface VersionedList<Item> {
  /** The rows of a page in ascending list order, whatever their length. Throws UnknownMarkerError. */
  readonly versions: (list: ListQuery) => Promise<readonly RowVersion[]>
  /** The rows with these ids, in this order; those that are gone are left out. Ends as \`listRows\` does, by bytes. */
  readonly rows: (ids: readonly string[]) => Promise<readonly VersionedItem<Item>[]>
}

interface VersionedSpec<Row, Item> {
  readonly spec: ListSpec & { readonly version: string }
  readonly toItem: (row: Row) => Item
  readonly narrowed?: (list: ListQuery) => Promise<Narrowed>
}

/** The list that a spec describes. */
export function versionedList<Row, Item extends { readonly id: string }>(
  db: Db,
  { spec, toItem, narrowed }: VersionedSpec<Row, Item>,
): VersionedList<Item> {
  return {
    versions: async (list) => await readVersions(db, spec, list, await narrowed?.(list)),
    rows: async (ids) => {
      const rows = await readRows<Row>(db, spec, ids)
      return rows.map((row) => {
        const item = toItem(row)
        return { id: item.id, version: row.row_version, item }
      })
    },
  }
}

async function readVersions(
  db: Db,
  spec: VersionedSpec<never, never>['spec'],
  list: ListQuery,
  narrowed: Narrowed,
): Promise<readonly RowVersion[]> {
  const { values, bind } = collectBindings()
  const selection = await selectionOf(db, spec, list, { bind, narrowed })
  const rows = await query<RowVersion>(
    db,
    `select ${spec.alias}.id, ${spec.version} as version ${selected(spec, list, selection)}`,
    values,
  )
  return list.reverse ? rows.reverse() : rows
}

async function readRows<Row>(
  db: Db,
  spec: VersionedSpec<never, never>['spec'],
  ids: readonly string[],
): Promise<(Row & { row_version: string })[]> {
  return await query<Row & { row_version: string }>(
    db,
    `select * from (
       select page.*, sum(${bytesOf(spec)})
         over (order by place rows between unbounded preceding and 1 preceding) as bytes_before
       from (
         select ${spec.columns}, ${spec.version} as row_version, asked.place
         from unnest($1::uuid[]) with ordinality asked (id, place), ${spec.from} where ${spec.alias}.id = asked.id
       ) page
     ) sized where coalesce(bytes_before, 0) < $2 order by place`,
    [ids, PAGE_MAX_BYTES],
  )
}
