/**
 * Whether options fit each other and their monitor: checks that need more than the form of one option. Messages are
 * those of the peers where they have some (docs/peers/probing.md 16 and 30).
 */
import { DomainError } from '../errors.ts'
import { OPTIONS_MAX_BYTES } from '../limits.ts'
import type { MonitorOptions } from './monitor-options.ts'
import type { Fitting, OptionSurroundings } from './row-context.ts'
import { type GroupRow, type OptionRow, OPTION_ROWS, valueIn, TOP_ROWS } from './table.ts'
import type { HealthMonitor } from '../health-monitor.ts'
import type { MonitorType } from '../types.ts'

/** If several groups do not fit, these are named first: the request, then the connection. */
const NAMED_FIRST = ['http', 'grpc', 'connection', 'tls']
const ROWS = TOP_ROWS.toSorted((a, b) => rankOf(a) - rankOf(b))

function rankOf(row: OptionRow | GroupRow): number {
  const rank = 'rows' in row ? NAMED_FIRST.indexOf(row.name) : -1
  return rank < 0 ? NAMED_FIRST.length : rank
}

/** Throws INVALID_FIELD when the options of a monitor do not fit it, each other, or this host. */
export function assertOptionsFit(
  { type, httpMethod, options }: Pick<HealthMonitor, 'type' | 'httpMethod' | 'options'>,
  surroundings: OptionSurroundings,
): void {
  if (options === null) return
  assertTypes(type, options)
  const on = { type, httpMethod, options, surroundings }
  for (const row of ROWS) {
    const given = valueIn(options, row)
    if (given === undefined) continue
    if (!('rows' in row)) assertFits(row, on)
    else {
      const why = row.group.misfit?.(on)
      if (why !== undefined) throw misfit(`options.${row.name}`, why)
      for (const inner of row.rows) assertFits(inner, on)
    }
  }
  const bytes = new TextEncoder().encode(JSON.stringify(options)).byteLength
  if (bytes > OPTIONS_MAX_BYTES) {
    throw misfit('options', `${bytes} bytes as JSON, at most ${OPTIONS_MAX_BYTES} are allowed`)
  }
}

/** Groups first: a group that does not fit the type is refused before its options. */
function assertTypes(type: MonitorType, options: MonitorOptions): void {
  const groups = ROWS.flatMap((row) =>
    'rows' in row ? [{ row, path: row.name, types: row.group.types }] : [],
  )
  const rows = OPTION_ROWS.map((row) => ({ row, path: row.path, types: row.option.types }))
  for (const { row, path, types } of [...groups, ...rows]) {
    if (types === undefined || types.includes(type) || valueIn(options, row) === undefined) continue
    throw misfit(`options.${path}`, `it does not fit type ${type}, only ${types.join(', ')}`)
  }
}

function assertFits(row: OptionRow, on: Fitting): void {
  const given = valueIn(on.options, row)
  const why = given === undefined ? undefined : row.option.misfit?.(given, on)
  if (why !== undefined) throw misfit(`options.${row.path}`, why)
}

function misfit(field: string, reason: string): DomainError {
  return new DomainError('INVALID_FIELD', `Validation failure: ${field}: ${reason}.`, { field, reason })
}
