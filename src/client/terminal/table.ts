/** Tables in plain text that fit the width of the terminal: long texts are cut first, then columns are left out. */
import { columnsIn, fitted, printable, type Screen, type Style, styled } from './screen.ts'

export interface Column<Row> {
  readonly title: string
  readonly text: (row: Row) => string
  readonly style?: (row: Row) => Style | undefined
  /** It may be cut to so many columns; absent = it is shown whole. */
  readonly least?: number
  /** It is left out when the rest does not fit. */
  readonly isOptional?: true
  readonly isNumber?: true
}

const GAP = '  '

/** Lines with a head line; no lines without rows. An optional column without any text is left out. */
export function tableOf<Row>(
  rows: readonly Row[],
  all: readonly Column<Row>[],
  screen: Screen,
): readonly string[] {
  if (rows.length === 0) return []
  const columns = all.filter(
    ({ isOptional, text }) => isOptional !== true || rows.some((row) => text(row) !== ''),
  )
  const cells = columns.map((column) => rows.map((row) => printable(column.text(row))))
  const natural = columns.map(({ title }, i) =>
    Math.max(columnsIn(title), ...(cells[i] ?? []).map((text) => columnsIn(text))),
  )
  const widths = fittedWidths(columns, natural, screen.width)
  const shown = columns.flatMap((column, i) => {
    const width = widths[i]
    return width === undefined ? [] : [{ column, width, texts: cells[i] ?? [] }]
  })
  const head = shown.map(({ column, width }) =>
    styled(padded(column.title, width, column.isNumber), 'dim', screen),
  )
  const lines = rows.map((row, n) =>
    shown.map(({ column, width, texts }) =>
      styled(padded(texts[n] ?? '', width, column.isNumber), column.style?.(row), screen),
    ),
  )
  return [head, ...lines].map((parts) => parts.join(GAP).trimEnd())
}

function padded(text: string, width: number, isNumber: true | undefined): string {
  const cut = fitted(text, width)
  const space = ' '.repeat(width - columnsIn(cut))
  return isNumber === true ? space + cut : cut + space
}

/** A column that may be cut is cut to so many columns when even that is not enough. */
const LEAST = 6

/** The width of each column; undefined = it is left out. */
function fittedWidths<Row>(
  columns: readonly Column<Row>[],
  natural: readonly number[],
  width: number,
): readonly (number | undefined)[] {
  const least = columns.map((column) => column.least)
  const kept = columns.map(() => true)
  for (;;) {
    const widths = natural.map((each, i) => (kept[i] === true ? each : undefined))
    if (shrink(widths, least, width)) return widths
    const last = columns.findLastIndex(({ isOptional }, i) => isOptional === true && kept[i] === true)
    if (last < 0) {
      shrink(
        widths,
        least.map((each) => each && Math.min(each, LEAST)),
        width,
      )
      return widths
    }
    kept[last] = false
  }
}

/** Cuts the longest of those that may be cut until all fit; returns whether they do. */
function shrink(
  widths: (number | undefined)[],
  least: readonly (number | undefined)[],
  width: number,
): boolean {
  for (;;) {
    const kept = widths.filter((each) => each !== undefined)
    const excess = kept.reduce((sum, each) => sum + each, (kept.length - 1) * GAP.length) - width
    if (excess <= 0) return true
    const room = widths.map((each, i) => (each === undefined || least[i] === undefined ? 0 : each - least[i]))
    const may = widths.map((each, i) => ((room[i] ?? 0) > 0 ? (each ?? 0) : 0))
    const longest = may.indexOf(Math.max(...may))
    if ((may[longest] ?? 0) === 0) return false
    // Down to the next longest, so that several long columns share what is missing.
    const next = Math.max(...may.filter((_, i) => i !== longest), 0)
    const step = Math.max(1, Math.min(excess, (may[longest] ?? 0) - next, room[longest] ?? 0))
    widths[longest] = (widths[longest] ?? 0) - step
  }
}
