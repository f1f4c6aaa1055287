/**
 * The file of `healthmonitor dump`: a script that psql understands as well, which fills a migrated database of the same
 * version in one transaction. Comments mark its format, and that it is complete; between them there is one COPY per
 * table, in PostgreSQL's text format, and the sequences. The other commands are for psql only; a restore does the same
 * by itself.
 */
import { DUMP_LINE_MAX_BYTES } from '../../domain/limits.ts'

/** First line: what made the dump. */
export interface DumpHeader {
  /** Of the program. */
  readonly version: string
  /** When, ISO 8601. */
  readonly at: string
  /** Names of the migrations that the database had. */
  readonly migrations: readonly string[]
}

const FIRST = '-- healthmonitor dump 1 '
export const LAST_LINE = '-- healthmonitor dump complete'
/** Where the schema of the dump has the table: what makes the rest agree with the restored rows. */
export const AFTER_RESTORE = [
  // Its progress would say that the restored rows have been checked already.
  { table: 'retention_progress', statement: 'UPDATE retention_progress SET position = 0, walk_after = NULL' },
  { table: 'pool_roll_up', statement: 'SELECT count_load_balancer(id) FROM load_balancer ORDER BY id' },
  // A reader that continues after an event from before the restore gets a gap.
  {
    table: 'event_retention',
    statement: 'UPDATE event_retention SET purged_to = (SELECT last_value FROM event_position)',
  },
] as const
const END_OF_ROWS = Buffer.from('\\.\n')
const NEWLINE = 0x0a

export function headerLine(header: DumpHeader): string {
  return `${FIRST}${JSON.stringify(header)}\n`
}

/** Throws Error when the line does not begin a dump of this format. */
export function parseHeader(line: string): DumpHeader {
  if (!line.startsWith(FIRST)) throw new Error('this is not a dump that healthmonitor dump has made')
  return JSON.parse(line.slice(FIRST.length)) as DumpHeader
}

/** psql goes on after an error, but undoes the whole transaction. */
const REFUSE_OBJECTS =
  'DO $$ BEGIN IF EXISTS (SELECT FROM load_balancer) OR EXISTS (SELECT FROM quota) THEN ' +
  "RAISE EXCEPTION 'the database has objects already: restore into an empty one'; END IF; END $$"

/**
 * The rows of a freshly migrated database are deleted (shards), and the counts of our triggers are in the dump already.
 */
export function openingLines(tables: readonly string[]): string {
  const disabled = tables.map((table) => `ALTER TABLE ${table} DISABLE TRIGGER USER;\n`)
  return `BEGIN;\n${REFUSE_OBJECTS};\nTRUNCATE ${tables.join(', ')};\n${disabled.join('')}\n`
}

/** `after`: those of AFTER_RESTORE whose tables the schema of the dump has. */
export function closingLines(tables: readonly string[], after: (typeof AFTER_RESTORE)[number][]): string {
  const enabled = tables.map((table) => `ALTER TABLE ${table} ENABLE TRIGGER USER;\n`)
  return `${enabled.join('')}${after.map(({ statement }) => `${statement};\n`).join('')}COMMIT;\n`
}

export function copyLine(table: string, columns: readonly string[]): string {
  return `COPY ${table} (${columns.join(', ')}) FROM stdin;\n`
}

export function sequenceLine(name: string, value: string): string {
  return `SELECT pg_catalog.setval('${name}', ${value});\n`
}

/** The meaning of a line outside of the data. */
export type DumpStep =
  | { readonly kind: 'copy'; readonly table: string; readonly columns: readonly string[] }
  | { readonly kind: 'sequence'; readonly name: string; readonly value: string }
  | { readonly kind: 'nothing' }
  | { readonly kind: 'complete' }

const COPY = /^COPY ([a-z_]+) \(([a-z0-9_]+(?:, [a-z0-9_]+)*)\) FROM stdin;$/
const SEQUENCE = /^SELECT pg_catalog\.setval\('([a-z_]+)', (\d+)\);$/

const FOR_PSQL =
  /^(BEGIN|COMMIT|TRUNCATE [a-z_]+(, [a-z_]+)*|ALTER TABLE [a-z_]+ (EN|DIS)ABLE TRIGGER USER);$/

function isForPsql(line: string): boolean {
  return (
    FOR_PSQL.test(line) ||
    line === `${REFUSE_OBJECTS};` ||
    AFTER_RESTORE.some(({ statement }) => line === `${statement};`)
  )
}

/** Throws Error for a line that no dump has. */
export function parseStep(line: string): DumpStep {
  if (line === LAST_LINE) return { kind: 'complete' }
  if (line === '' || line.startsWith('--') || isForPsql(line)) return { kind: 'nothing' }
  const [, table, columns] = COPY.exec(line) ?? []
  if (table !== undefined && columns !== undefined)
    return { kind: 'copy', table, columns: columns.split(', ') }
  const [, name, value] = SEQUENCE.exec(line) ?? []
  if (name !== undefined && value !== undefined) return { kind: 'sequence', name, value }
  throw new Error(`the dump has a line that is not understood: ${line.slice(0, 80)}`)
}

/** A line outside of the data, a piece of the data of a COPY (whole lines), or the end of that data. */
export type DumpPart =
  | { readonly kind: 'line'; readonly text: string }
  | { readonly kind: 'rows'; readonly bytes: Buffer }
  | { readonly kind: 'end of rows' }

/**
 * Parses a dump as a stream. Data of any size passes in the chunks of the input. A last line without a line end was cut
 * off.
 */
export async function* partsOf(input: AsyncIterable<Uint8Array>): AsyncIterable<DumpPart> {
  let left: Buffer = Buffer.alloc(0)
  let isInRows = false
  for await (const chunk of input) {
    left = Buffer.concat([left, chunk])
    for (;;) {
      const taken: Taken | undefined = isInRows ? takeRows(left) : takeLine(left)
      if (taken === undefined) break
      yield taken.part
      left = left.subarray(taken.length)
      if (taken.part.kind === 'line') isInRows = COPY.test(taken.part.text)
      if (taken.part.kind === 'end of rows') isInRows = false
    }
  }
}

interface Taken {
  readonly part: DumpPart
  readonly length: number
}

function takeLine(bytes: Buffer): Taken | undefined {
  const end = bytes.indexOf(NEWLINE)
  if (end > DUMP_LINE_MAX_BYTES || (end < 0 && bytes.length > DUMP_LINE_MAX_BYTES))
    throw new Error('this is not a dump that healthmonitor dump has made: a line is too long')
  return end < 0
    ? undefined
    : { part: { kind: 'line', text: bytes.subarray(0, end).toString() }, length: end + 1 }
}

/** Data lines begin with `\.` only where they end: a backslash of a value is doubled. */
function takeRows(bytes: Buffer): Taken | undefined {
  if (bytes.subarray(0, END_OF_ROWS.length).equals(END_OF_ROWS))
    return { part: { kind: 'end of rows' }, length: END_OF_ROWS.length }
  const before = bytes.indexOf('\n\\.\n')
  const length = (before >= 0 ? before : bytes.lastIndexOf(NEWLINE)) + 1
  return length === 0 ? undefined : { part: { kind: 'rows', bytes: bytes.subarray(0, length) }, length }
}
