/** `healthmonitor sql`: one statement on the service's database, for those without psql. */
import { parseConfig } from '../../runtime/config/config.ts'
import { createLog } from '../../runtime/output/log.ts'
import { StartRefusal } from '../../runtime/start-refusal.ts'
import { runSql, type SqlAnswer } from '../../store/connection/console.ts'
import { sqlState } from '../../store/connection/database.ts'
import { type Command, endWhenNobodyReads, parseFlags } from '../command-line.ts'
import { withOwnDatabase } from '../process/own-database.ts'

const FLAGS = {
  write: { type: 'boolean', default: false, what: 'lets the statement change something' },
  json: { type: 'boolean', default: false, what: 'prints one JSON object per row, values as text' },
} as const

/** SQLSTATE of a write in a read-only transaction. */
const READ_ONLY = '25006'

export const sqlCommand: Command = {
  summary: 'one SQL statement on the service’s database; read-only by default',
  about: [
    'Runs one SQL statement on the database of DATABASE_URL, else on the embedded one of HM_DATA_DIR, and prints what it gives. Who is ONLINE and who is OFFLINE:',
    '  healthmonitor sql "select member_id, operating_status, since, reason from member_status"',
  ],
  words: [{ name: 'STATEMENT' }],
  flags: FLAGS,
  run: async (args, environment) => {
    const { values, words } = parseFlags(args, FLAGS, { min: 1, max: 1, named: 'STATEMENT' })
    endWhenNobodyReads()
    const config = parseConfig(environment)
    const log = createLog({ level: config.logLevel, process: 'sql' })
    const answer = await withOwnDatabase(config, { command: 'sql', log }, ({ url }) =>
      answered(url, words[0] ?? '', values.write),
    )
    process.stdout.write(values.json ? renderJson(answer) : renderTable(answer))
    return 0
  },
}

async function answered(url: string, statement: string, mayWrite: boolean): Promise<SqlAnswer> {
  try {
    return await runSql(url, statement, mayWrite)
  } catch (error) {
    const state = sqlState(error)
    if (state === undefined || !(error instanceof Error)) throw error
    const hint = state === READ_ONLY ? ' (--write allows it)' : ''
    throw new StartRefusal(`PostgreSQL refuses the statement: ${error.message}${hint}`, { cause: error })
  }
}

function renderJson({ columns, rows }: SqlAnswer): string {
  return rows
    .map((row) => `${JSON.stringify(Object.fromEntries(columns.map((name, i) => [name, row[i] ?? null])))}\n`)
    .join('')
}

/** As psql prints it. */
export function renderTable({ columns, rows, rowCount, command }: SqlAnswer): string {
  if (columns.length === 0) return `${command}\n`
  const cells = rows.map((row) => row.map((value) => value?.replaceAll('\n', '↵') ?? ''))
  const widths = columns.map((name, i) => Math.max(name.length, ...cells.map((row) => row[i]?.length ?? 0)))
  const line = (texts: readonly string[]) =>
    texts
      .map((text, i) => ` ${text.padEnd(widths[i] ?? 0)} `)
      .join('|')
      .trimEnd()
  const shown = rows.length < rowCount ? ` (the first ${rows.length} are shown)` : ''
  return [
    line(columns),
    widths.map((width) => '-'.repeat(width + 2)).join('+'),
    ...cells.map(line),
    `(${rowCount} ${rowCount === 1 ? 'row' : 'rows'})${shown}`,
    '',
  ].join('\n')
}
