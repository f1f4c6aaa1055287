/** One statement that a person has typed, with its answer as text. All other statements in `store/` are our own. */
import pg from 'pg'
import { ACQUIRE_TIMEOUT_MS, SQL_ROWS_MAX, SQL_TIMEOUT_MS } from '../../domain/limits.ts'
import { connectionUrl } from './connection-url.ts'

export interface SqlAnswer {
  readonly columns: readonly string[]
  /** At most SQL_ROWS_MAX; values as PostgreSQL's text, null for NULL. */
  readonly rows: readonly (readonly (string | null)[])[]
  /** The number of all rows, also of those that are not in `rows`. */
  readonly rowCount: number
  /** `SELECT`, `UPDATE` … */
  readonly command: string
}

const AS_TEXT = { getTypeParser: () => (text: string) => text } as unknown as typeof pg.types

/** Runs one statement; without `mayWrite` in a read-only session. Rejects with the driver's error. */
export async function runSql(url: string, text: string, mayWrite: boolean): Promise<SqlAnswer> {
  const client = new pg.Client({
    connectionString: connectionUrl(url),
    application_name: 'healthmonitor sql',
    connectionTimeoutMillis: ACQUIRE_TIMEOUT_MS,
    types: AS_TEXT,
  })
  await client.connect()
  try {
    await client.query(
      `set statement_timeout = ${SQL_TIMEOUT_MS}; set timezone = 'UTC';
       set default_transaction_read_only = ${mayWrite ? 'off' : 'on'}`,
    )
    return await answerOf(client, text)
  } finally {
    await client.end()
  }
}

/** By the extended protocol, which takes one statement only: a second one cannot leave the read-only transaction. */
function answerOf(client: pg.Client, text: string): Promise<SqlAnswer> {
  const query = new pg.Query<(string | null)[]>({
    text,
    rowMode: 'array',
    queryMode: 'extended',
  } as pg.QueryConfig)
  const rows: (string | null)[][] = []
  let rowCount = 0
  query.on('row', (row) => {
    rowCount++
    if (rows.length < SQL_ROWS_MAX) rows.push(row)
  })
  return new Promise((resolve, reject) => {
    query.on('error', reject)
    query.on('end', ({ fields, command }) => {
      resolve({ columns: fields.map(({ name }) => name), rows, rowCount, command })
    })
    client.query(query)
  })
}
