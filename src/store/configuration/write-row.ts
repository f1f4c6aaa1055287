/** Insert and update of one configuration object: its table says once which property goes to which column. */
import { collectBindings } from '../connection/bindings.ts'
import { type Tx, query } from '../connection/database.ts'

/** A configuration table: alias, columns to give back, and the columns that an update may change. */
export interface Table<Draft> {
  readonly name: string
  readonly alias: string
  readonly returning: string
  /** Property of the draft → column; set at insert, never changed. */
  readonly fixed: readonly (readonly [keyof Draft & string, string])[]
  /** Property of the draft → column; may change. */
  readonly changeable: readonly (readonly [keyof Draft & string, string])[]
}

/** Every configuration object has these. */
export const COMMON_FIXED = [
  ['id', 'id'],
  ['projectId', 'project_id'],
] as const
export const COMMON_CHANGEABLE = [
  ['name', 'name'],
  ['adminStateUp', 'admin_state_up'],
  ['tags', 'tags'],
  ['echo', 'echo'],
] as const

export async function insertRow<Row, Draft>(tx: Tx, table: Table<Draft>, draft: Draft): Promise<Row> {
  const columns = [...table.fixed, ...table.changeable]
  const rows = await query<Row>(
    tx,
    `insert into ${table.name} as ${table.alias} (${columns.map(([, column]) => column).join(', ')})
     values (${columns.map((_, i) => `$${i + 1}`).join(', ')}) returning ${table.returning}`,
    columns.map(([key]) => asBinding(draft[key])),
  )
  return onlyRow(rows)
}

/** Inserts many rows of one shape in one statement. */
export async function insertRows<Draft>(
  tx: Tx,
  table: Table<Draft>,
  drafts: readonly Draft[],
): Promise<void> {
  if (drafts.length === 0) return
  const columns = [...table.fixed, ...table.changeable]
  const records = drafts.map((draft) =>
    Object.fromEntries(columns.map(([key, column]) => [column, draft[key]])),
  )
  const names = columns.map(([, column]) => column).join(', ')
  await query(
    tx,
    `insert into ${table.name} as ${table.alias} (${names})
     select ${names} from jsonb_populate_recordset(null::${table.name}, $1::jsonb)`,
    [JSON.stringify(records)],
  )
}

/** An assignment of an update, as SQL, after which earlier results of the checks below an object do not count. */
export const NEW_GENERATION = `generation = nextval('check_generation')`

/**
 * Changes what is present in `values`; absent keys stay. `renewed` starts a new generation of the checks below the
 * object. A write that ends here leaves its object ACTIVE.
 */
export async function updateRow<Row, Draft>(
  tx: Tx,
  table: Table<Draft>,
  id: string,
  change: { readonly values: Partial<Draft>; readonly renewed?: boolean },
): Promise<Row> {
  const changed = table.changeable.filter(([key]) => change.values[key] !== undefined)
  const { values, bind } = collectBindings()
  const sets = [
    ...changed.map(([key, column]) => `${column} = ${bind(asBinding(change.values[key]))}`),
    `provisioning_status = 'ACTIVE'`,
    'updated_at = now()',
    ...(change.renewed === true ? [NEW_GENERATION] : []),
  ]
  const rows = await query<Row>(
    tx,
    `update ${table.name} ${table.alias} set ${sets.join(', ')} where ${table.alias}.id = ${bind(id)}
     returning ${table.returning}`,
    values,
  )
  return onlyRow(rows)
}

/** jsonb columns take JSON text; everything else goes as it is. */
function asBinding(value: unknown): unknown {
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : value
}

function onlyRow<Row>(rows: readonly Row[]): Row {
  const row = rows[0]
  if (row === undefined) throw new Error('the statement returned no row')
  return row
}
