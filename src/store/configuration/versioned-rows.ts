/**
 * Rows of a list by their versions: a page that was rendered before is rendered again only where a row has changed. The
 * versions of a page are a few bytes of each row; the rows themselves are read by their ids.
 */
import { PAGE_MAX_BYTES } from '../../domain/limits.ts'
import { collectBindings } from '../connection/bindings.ts'
import { type Db, query } from '../connection/database.ts'
import {
  ALL,
  bytesOf,
  type ListQuery,
  type ListSpec,
  type Narrowings,
  selected,
  selectionOf,
} from './lists.ts'

/** A row of a page. */
export interface RowVersion {
  readonly id: string
  /** It differs whenever something of the row that is shown does. */
  readonly version: string
}

/** A list of which pages are read by the versions of their rows. */
export interface VersionedList<Item> {
  /** The rows of a page in ascending list order, whatever their length. Throws UnknownMarkerError. */
  readonly versions: (list: ListQuery) => Promise<readonly RowVersion[]>
  /**
   * The rows with these ids, in this order; those that are gone are left out. Ends as `listRows` does, by bytes. A row
   * is never older than a version that was read before, and may be newer: nobody asks for that version again then.
   */
  readonly rows: (ids: readonly string[]) => Promise<readonly Item[]>
}

interface VersionedSpec<Row, Item> {
  readonly spec: ListSpec & { readonly version: string }
  readonly toItem: (row: Row) => Item
  readonly narrowings?: (list: ListQuery) => Narrowings
}

/** The list that a spec describes. */
export function versionedList<Row, Item extends { readonly id: string }>(
  db: Db,
  { spec, toItem, narrowings }: VersionedSpec<Row, Item>,
): VersionedList<Item> {
  return {
    versions: async (list) => await readVersions(db, spec, list, narrowings?.(list) ?? ALL),
    rows: async (ids) => (await readRows<Row>(db, spec, ids)).map(toItem),
  }
}

async function readVersions(
  db: Db,
  spec: VersionedSpec<never, never>['spec'],
  list: ListQuery,
  narrowings: Narrowings,
): Promise<readonly RowVersion[]> {
  const found: RowVersion[] = []
  for await (const narrowed of narrowings) {
    const rest = { ...list, limit: list.limit - found.length }
    const { values, bind } = collectBindings()
    const selection = await selectionOf(db, spec, rest, { bind, narrowed })
    const rows = await query<RowVersion>(
      db,
      `select ${spec.alias}.id, ${spec.version} as version ${selected(spec, rest, selection)}`,
      values,
    )
    found.push(...rows)
    if (found.length >= list.limit) break
  }
  return list.reverse ? found.reverse() : found
}

async function readRows<Row>(
  db: Db,
  spec: VersionedSpec<never, never>['spec'],
  ids: readonly string[],
): Promise<Row[]> {
  return await query<Row>(
    db,
    `select * from (
       select page.*, sum(${bytesOf(spec)})
         over (order by place rows between unbounded preceding and 1 preceding) as bytes_before
       from (
         select ${spec.columns}, asked.place
         from unnest($1::uuid[]) with ordinality asked (id, place), ${spec.from} where ${spec.alias}.id = asked.id
       ) page
     ) sized where coalesce(bytes_before, 0) < $2 order by place`,
    [ids, PAGE_MAX_BYTES],
  )
}
