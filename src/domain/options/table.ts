/**
 * The table of all options of a health monitor, each described once (docs/how-to-add-an-option.md). The order is that of
 * docs/options.md, of openapi.yaml and of the checks: of two faults the first is named.
 */
import type { MonitorType } from '../types.ts'
import { CONNECTION, ICMP } from './connection.ts'
import { GRPC, TCP, UDP } from './exchange.ts'
import { HTTP } from './http.ts'
import { JUDGING } from './judging.ts'
import { group, type Option, type OptionGroup } from './option.ts'
import { PLACES } from './places.ts'
import { TLS } from './tls.ts'

export const MONITOR_OPTIONS = group({
  description:
    'What the plain fields cannot say; each option wins over its plain field, which then shows what comes nearest. Absent: nothing is set.',
  keys: {
    ...JUDGING,
    ...PLACES,
    connection: CONNECTION,
    tls: TLS,
    http: HTTP,
    tcp: TCP,
    udp: UDP,
    grpc: GRPC,
    icmp: ICMP,
  },
})

/** One option and its place in the table. */
export interface OptionRow {
  /** `http.path`. */
  readonly path: string
  readonly key: string
  readonly option: Option
  /** The types of monitors that take it; undefined = all. */
  readonly types: readonly MonitorType[] | undefined
  readonly within: GroupRow | undefined
}

export interface GroupRow {
  readonly name: string
  readonly group: OptionGroup
  readonly rows: readonly OptionRow[]
}

/** The table, top level: options of no group, and groups. */
export const TOP_ROWS: readonly (OptionRow | GroupRow)[] = Object.entries(MONITOR_OPTIONS.keys).map(
  ([name, option]: [string, Option | OptionGroup]) =>
    option.kind === 'object' ? groupRow(name, option) : rowOf(name, option, undefined),
)

/** All options, in the order of the table. */
export const OPTION_ROWS: readonly OptionRow[] = TOP_ROWS.flatMap((row) => ('rows' in row ? row.rows : [row]))

function groupRow(name: string, inner: OptionGroup): GroupRow {
  const rows: OptionRow[] = []
  const row = { name, group: inner, rows }
  for (const [key, option] of Object.entries(inner.keys)) rows.push(rowOf(key, option, row))
  return row
}

function rowOf(key: string, option: Option, within: GroupRow | undefined): OptionRow {
  const path = within === undefined ? key : `${within.name}.${key}`
  return { path, key, option, types: option.types ?? within?.group.types, within }
}

type Json = Readonly<Record<string, unknown>>

/** What options have of a group or of one option; undefined = nothing. */
export function valueIn(options: object | null | undefined, row: OptionRow | GroupRow): unknown {
  if (options === null || options === undefined) return undefined
  if ('rows' in row) return (options as Json)[row.name]
  const within = row.within === undefined ? options : valueIn(options, row.within)
  return (within as Json | undefined)?.[row.key]
}
