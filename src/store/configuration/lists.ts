/**
 * Lists: filters, sorting and keyset paging over any table of objects, as one statement. A resource describes its
 * attributes once (name on the wire → expression and type); what is not described cannot be filtered or sorted by.
 *
 * Paging walks (sort keys…, id) and never counts or skips rows, so page 1 000 costs what page 1 costs.
 */
import { INT4_MAX, PAGE_MAX_BYTES } from '../../domain/limits.ts'
import { isUuid } from '../../domain/uuid.ts'
import { type Bindings, collectBindings } from '../connection/bindings.ts'
import { type Db, query } from '../connection/database.ts'

export type AttributeType = 'text' | 'uuid' | 'integer' | 'boolean' | 'timestamp'

/** An attribute that lists know: an SQL expression over the aliases of `from`. */
export interface ListAttribute {
  readonly sql: string
  readonly type: AttributeType
  /** Never null: its order can come out of an index. */
  readonly notNull?: true
  /** Instead of `sql = any(values)`: a predicate, given the place of the array of values. */
  readonly matches?: (values: string) => string
}

/** A filter on an attribute that no object has here: nothing matches. */
export const NEVER: ListAttribute = {
  sql: 'null::text',
  type: 'text',
  matches: (values) => `${values}::text[] is null`,
}

/** The attributes that every configuration object has. */
export function commonAttributes<Alias extends string>(alias: Alias) {
  return {
    id: { sql: `${alias}.id`, type: 'uuid', notNull: true },
    project_id: { sql: `${alias}.project_id`, type: 'text' },
    tenant_id: { sql: `${alias}.project_id`, type: 'text' },
    name: { sql: `${alias}.name`, type: 'text' },
    admin_state_up: { sql: `${alias}.admin_state_up`, type: 'boolean' },
    provisioning_status: { sql: `${alias}.provisioning_status`, type: 'text' },
  } as const satisfies ListSpec['attributes']
}

export interface ListSpec {
  /** From-clause with aliases and joins. */
  readonly from: string
  readonly columns: string
  /** The columns that may be long: texts, JSON and arrays. Their total length as text limits a page. */
  readonly longColumns: readonly string[]
  /** The alias whose `id` and `project_id` rule order and scope. */
  readonly alias: string
  /** A text that differs whenever something of `columns` does. Absent: there is none that is cheaper than the row. */
  readonly version?: string
  readonly attributes: Readonly<Record<string, ListAttribute>>
  /** A condition that every row of the list meets, whatever is asked for. */
  readonly only?: string
}

export interface SortKey {
  readonly attribute: string
  readonly direction: 'asc' | 'desc'
}

export interface ListQuery {
  /** Absent = every project (administrators). */
  readonly projectId?: string
  /** All must match; the values of one are alternatives. */
  readonly filters: readonly { readonly attribute: string; readonly values: readonly string[] }[]
  readonly sort: readonly SortKey[]
  readonly limit: number
  /** Bytes of the `longColumns` after which the page ends; absent = PAGE_MAX_BYTES. */
  readonly bytesMax?: number
  /** Rows after this one, or before it when `reverse`. */
  readonly marker?: string
  readonly reverse: boolean
  /** Where objects without a value are in ascending order; last when absent. */
  readonly nulls?: 'first' | 'last'
  /** All must match. */
  readonly tagFilters?: readonly TagFilter[]
}

/** Objects by their tags: those that have all or any of some, or those that have not. */
export interface TagFilter {
  readonly has: 'all' | 'any' | 'not all' | 'not any'
  readonly tags: readonly string[]
}

/** The marker is not a row of this list in this project. */
export class UnknownMarkerError extends Error {}

/** Rows or objects of one page. */
export interface Page<Item> extends ReadonlyArray<Item> {
  /** It ended before its limit, by its bytes. */
  readonly isCut?: boolean
}

/** Cuts the result of `map` where the page was cut. */
export function mapPage<Row, Item>(rows: Page<Row>, map: (row: Row) => Item): Page<Item> {
  return Object.assign(rows.map(map), { isCut: rows.isCut === true })
}

/**
 * Rows of one page in ascending list order. It ends before its limit when the long columns of its rows exceed
 * PAGE_MAX_BYTES as text, so that a list needs little more memory than that and one row. Whole rows are not measured:
 * converting them to text takes twice as long as reading them. `narrowings`: see there. Throws UnknownMarkerError.
 */
export async function listRows<Row>(
  db: Db,
  spec: ListSpec,
  list: ListQuery,
  narrowings: Narrowings = ALL,
): Promise<Page<Row>> {
  const found: (Row & MeasuredRow)[] = []
  let isCut = false
  let bytesMax = list.bytesMax ?? PAGE_MAX_BYTES
  for await (const narrowed of narrowings) {
    isCut = bytesMax <= 0
    if (isCut) break
    const rest = { ...list, limit: list.limit - found.length, bytesMax }
    const { values, bind } = collectBindings()
    const selection = await selectionOf(db, spec, rest, { bind, narrowed })
    const rows = await query<Row & MeasuredRow>(db, pageStatement(spec, rest, selection), values)
    for (const row of rows) {
      found.push(row)
      bytesMax -= row.bytes_of_row
    }
    isCut = rows[0] !== undefined && rows[0].rows_of_page > rows.length
    if (isCut || found.length >= list.limit) break
  }
  return Object.assign(list.reverse ? found.reverse() : found, { isCut })
}

/** Of a page. */
interface MeasuredRow {
  readonly rows_of_page: number
  readonly bytes_of_row: number
}

/** A condition that every row of a list meets anyway, or every row of a part of it. */
export type Narrowed = ((bind: Bindings['bind']) => string) | undefined

/**
 * Conditions that find the rows of a list sooner: every row meets one of them, and those that meet an earlier one come
 * first in the order that is walked. There is at least one; a page that has its rows takes no more of them.
 */
export type Narrowings = AsyncIterable<Narrowed> | Iterable<Narrowed>

/** All rows. */
export const ALL: Narrowings = [undefined]

/** Which rows are in a page, and in which order. */
export interface Selection {
  readonly where: readonly string[]
  readonly order: readonly OrderKey[]
  readonly bind: Bindings['bind']
}

/** Reads the marker, if there is one. Throws UnknownMarkerError. */
export async function selectionOf(
  db: Db,
  spec: ListSpec,
  list: ListQuery,
  { bind, narrowed }: { readonly bind: Bindings['bind']; readonly narrowed: Narrowed },
): Promise<Selection> {
  const order = orderOf(spec, list)
  const where = conditionsOf(spec, list, bind)
  if (narrowed !== undefined) where.push(narrowed(bind))
  if (list.marker !== undefined) {
    const marker = await readMarker(db, spec, { ...list, marker: list.marker }, order)
    where.push(markerPredicate(list, order, marker, bind))
  }
  return { where, order, bind }
}

/** What a row must meet to be in the list, on whichever page. */
function conditionsOf(spec: ListSpec, list: ListQuery, bind: Bindings['bind']): string[] {
  const where: string[] = spec.only === undefined ? [] : [spec.only]
  if (list.projectId !== undefined) where.push(`${spec.alias}.project_id = ${bind(list.projectId)}`)
  for (const filter of list.filters) {
    const attribute = attributeOf(spec, filter.attribute)
    const wanted = filter.values
      .map((value) => castFilter(attribute.type, value))
      .filter((v) => v !== undefined)
    const [only] = wanted
    if (attribute.matches !== undefined) {
      where.push(attribute.matches(bind(wanted)))
    } else if (only === undefined || wanted.length > 1) {
      where.push(`${filterable(attribute)} = any(${bind(wanted)}${ARRAY_CAST[attribute.type]})`)
    } else {
      // The usual case: the planner estimates `=` well without the value.
      where.push(`${filterable(attribute)} = ${bind(only)}${CAST[attribute.type]}`)
    }
  }
  for (const { has, tags } of list.tagFilters ?? []) where.push(tagPredicate(spec.alias, has, bind(tags)))
  return where
}

/** The sort keys, each attribute once, and the id as the last one, so that the order of any two rows is known. */
function orderOf(spec: ListSpec, list: ListQuery): readonly OrderKey[] {
  const named = new Set<string>()
  const keysOnce = list.sort.filter(({ attribute }) => !named.has(attribute) && named.add(attribute))
  const sorted = keysOnce.map((key) => ({ ...key, ...attributeOf(spec, key.attribute) }))
  return named.has('id') ? sorted : [...sorted, idKey(spec, list)]
}

/** Reads the rows of a page, and of these only as many as its bytes allow. */
function pageStatement(spec: ListSpec, list: ListQuery, selection: Selection): string {
  const { order, bind } = selection
  const keys = order.map((key, i) => `${key.sql} as k${i}`).join(', ')
  const orderOfPage = order.map((key, i) => orderTerm(`k${i}`, key, list)).join(', ')
  return `select * from (
       select page.*, (count(*) over ())::int as rows_of_page, (${bytesOf(spec)})::int as bytes_of_row, sum(${bytesOf(spec)})
         over (order by ${orderOfPage} rows between unbounded preceding and 1 preceding) as bytes_before
       from (
         select ${spec.columns}, ${keys} ${selected(spec, list, selection)}
       ) page
     ) sized where coalesce(bytes_before, 0) < ${bind(list.bytesMax ?? PAGE_MAX_BYTES)} order by ${orderOfPage}`
}

/** The rows of a page in their order. */
export function selected(spec: ListSpec, list: ListQuery, { where, order, bind }: Selection): string {
  const orderBy = order.map((key) => orderTerm(key.sql, key, list)).join(', ')
  return `from ${spec.from} ${where.length > 0 ? `where ${where.join(' and ')}` : ''}
         order by ${orderBy} limit ${bind(list.limit)}`
}

/** How long the long columns of a row of `page` are, as text. */
export function bytesOf({ longColumns }: ListSpec): string {
  return longColumns.map((column) => `coalesce(octet_length(page.${column}::text), 0)`).join(' + ')
}

type OrderKey = SortKey & ListAttribute

function idKey(spec: ListSpec, list: ListQuery): OrderKey {
  return {
    attribute: 'id',
    direction: list.sort[0]?.direction ?? 'asc',
    sql: `${spec.alias}.id`,
    type: 'uuid',
    notNull: true,
  }
}

function attributeOf(spec: ListSpec, name: string): ListAttribute {
  const attribute = spec.attributes[name]
  if (attribute === undefined) throw new Error(`list attribute ${name} is not described`)
  return attribute
}

/** A term of `order by`, in the direction that is walked. */
function orderTerm(sql: string, { direction, notNull }: OrderKey, list: ListQuery): string {
  const ascending = (direction === 'asc') !== list.reverse
  const term = `${sql} ${ascending ? 'asc' : 'desc'}`
  return notNull === true ? term : `${term} nulls ${nullsFollow(ascending, list) ? 'last' : 'first'}`
}

/** Whether nulls come after the values in the direction that is walked: both directions mirror each other. */
function nullsFollow(ascending: boolean, { nulls = 'last' }: ListQuery): boolean {
  return ascending === (nulls === 'last')
}

/** Times are compared as they are shown: in seconds. */
function filterable({ sql, type }: ListAttribute): string {
  return type === 'timestamp' ? `date_trunc('second', ${sql})` : sql
}

/** Compares tags as words, `key` or `key=value`, with those at the place `tags`. */
function tagPredicate(alias: string, has: TagFilter['has'], tags: string): string {
  const words = `array(select case when t->>'value' = '' then t->>'key' else (t->>'key') || '=' || (t->>'value') end
    from jsonb_array_elements(${alias}.tags) t)`
  switch (has) {
    case 'all':
      return `${words} @> ${tags}::text[]`
    case 'any':
      return `${words} && ${tags}::text[]`
    case 'not all':
      return `not ${words} @> ${tags}::text[]`
    case 'not any':
      return `not ${words} && ${tags}::text[]`
  }
}

/** The values of the sort keys of a marker, as text: `k0`, `k1` and so on. Throws UnknownMarkerError. */
async function readMarker(
  db: Db,
  spec: ListSpec,
  list: ListQuery & { readonly marker: string },
  order: readonly OrderKey[],
): Promise<MarkerRow> {
  const scope = list.projectId === undefined ? '' : `and ${spec.alias}.project_id = $2`
  const rows = await query<MarkerRow>(
    db,
    `select ${order.map((key, i) => `(${key.sql})::text as k${i}`).join(', ')} from ${spec.from}
     where ${spec.alias}.id = $1::uuid ${scope} ${spec.only === undefined ? '' : `and ${spec.only}`}`,
    list.projectId === undefined ? [list.marker] : [list.marker, list.projectId],
  )
  if (rows[0] === undefined) throw new UnknownMarkerError()
  return rows[0]
}

type MarkerRow = Readonly<Record<string, unknown>>

/** `(a, b, id) > (marker's a, b, id)` written out, because directions may differ and values may be null. */
function markerPredicate(
  list: ListQuery,
  order: readonly OrderKey[],
  marker: MarkerRow,
  bind: Bindings['bind'],
): string {
  const places: string[] = []
  /**
   * The placeholder of the marker's value of a key; a placeholder that the statement does not use would have no type.
   */
  const placeOf = (key: OrderKey, i: number) => (places[i] ??= `${bind(marker[`k${i}`])}${CAST[key.type]}`)
  const direction = order[0]?.direction
  if (order.every((key) => key.notNull === true && key.direction === direction)) {
    // As a row, the marker is a place in an index.
    const beyond = (direction === 'asc') !== list.reverse ? '>' : '<'
    return `(${order.map((key) => key.sql).join(', ')}) ${beyond} (${order.map(placeOf).join(', ')})`
  }
  const alternatives = order.map((_, depth) => {
    const terms = order.slice(0, depth + 1).map((key, i) => {
      if (i < depth) return `${key.sql} is not distinct from ${placeOf(key, i)}`
      const ascending = (key.direction === 'asc') !== list.reverse
      const followed = nullsFollow(ascending, list)
      if (marker[`k${i}`] === null) return followed ? 'false' : `${key.sql} is not null`
      const beyond = `${key.sql} ${ascending ? '>' : '<'} ${placeOf(key, i)}`
      return followed ? `(${beyond} or ${key.sql} is null)` : beyond
    })
    return `(${terms.join(' and ')})`
  })
  return `(${alternatives.join(' or ')})`
}

const CAST: Record<AttributeType, string> = {
  text: '::text',
  uuid: '::uuid',
  integer: '::integer',
  boolean: '::boolean',
  timestamp: '::timestamptz',
}
const ARRAY_CAST: Record<AttributeType, string> = {
  text: '::text[]',
  uuid: '::uuid[]',
  integer: '::integer[]',
  boolean: '::boolean[]',
  timestamp: '::timestamptz[]',
}

const INT4 = /^-?\d{1,10}$/
const TIMESTAMP = /^([12]\d{3}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}:\d{2}(?:\.\d{1,6})?)(Z|[+-]\d{2}:\d{2})?)?$/

/** A filter value in the attribute's type; undefined when it can never match. */
function castFilter(type: AttributeType, value: string): string | undefined {
  switch (type) {
    case 'text':
      return value
    case 'uuid':
      return isUuid(value) ? value : undefined
    case 'integer':
      return INT4.test(value.trim()) && Math.abs(Number(value)) <= INT4_MAX ? value.trim() : undefined
    case 'boolean':
      if (/^(true|1)$/i.test(value)) return 'true'
      return /^(false|0)$/i.test(value) ? 'false' : undefined
    case 'timestamp':
      return timestampOf(value)
  }
}

/** The time in the one format that PostgreSQL always accepts; without a zone it is UTC, as in answers. */
function timestampOf(value: string): string | undefined {
  const match = TIMESTAMP.exec(value)
  if (match === null) return undefined
  const instant = Date.parse(`${match[1]}T${match[2] ?? '00:00:00'}${match[3] ?? 'Z'}`)
  return Number.isNaN(instant) ? undefined : new Date(instant).toISOString()
}
