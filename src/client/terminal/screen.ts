/** What commands write on: a terminal with its width and colours, or a file or a pipe without both. */

export interface Screen {
  /** Columns of a line; infinite if it is no terminal. */
  readonly width: number
  /** Lines; infinite likewise. */
  readonly height: number
  readonly hasColours: boolean
  readonly isTerminal: boolean
}

export interface Output {
  readonly isTTY?: boolean
  readonly columns?: number
  readonly rows?: number
}

/**
 * Colours only on a terminal that has them and without NO_COLOR (https://no-color.org); COLUMNS wins over the
 * terminal's width.
 */
export function screenOf(output: Output, environment: NodeJS.ProcessEnv): Screen {
  const isTerminal = output.isTTY === true
  const columns = Number(environment['COLUMNS'])
  const width =
    Number.isInteger(columns) && columns > 0 ? columns : isTerminal ? (output.columns ?? 80) : Infinity
  return {
    width,
    height: isTerminal ? (output.rows ?? 24) : Infinity,
    hasColours: isTerminal && (environment['NO_COLOR'] ?? '') === '' && environment['TERM'] !== 'dumb',
    isTerminal,
  }
}

const STYLES = { red: 31, green: 32, yellow: 33, cyan: 36, dim: 2, bold: 1 } as const
export type Style = keyof typeof STYLES

export function styled(
  text: string,
  style: Style | undefined,
  { hasColours }: Pick<Screen, 'hasColours'>,
): string {
  return style === undefined || !hasColours || text === '' ? text : `\u001b[${STYLES[style]}m${text}\u001b[0m`
}

const STATUS_STYLES: Readonly<Record<string, Style>> = {
  ONLINE: 'green',
  OFFLINE: 'red',
  ERROR: 'red',
  DEGRADED: 'yellow',
  UNKNOWN: 'yellow',
  DISABLED: 'dim',
  NO_MONITOR: 'dim',
}

export function statusStyle(status: string): Style | undefined {
  return STATUS_STYLES[status.split(' ')[0] ?? '']
}

/** Wide in East Asian scripts, and pictures: two columns. */
const WIDE =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1b000}-\u{1b2ff}\u{20000}-\u{3fffd}]|^\p{Emoji_Presentation}/u
const GRAPHEMES = new Intl.Segmenter('en', { granularity: 'grapheme' })

function columnsOf(grapheme: string): number {
  if (/^[\p{Mn}\p{Me}\p{Cf}]+$/u.test(grapheme)) return 0
  return WIDE.test(grapheme) || grapheme.includes('\ufe0f') ? 2 : 1
}

/** Columns that a text takes on a terminal. */
export function columnsIn(text: string): number {
  if (/^[\u0020-\u007e]*$/.test(text)) return text.length
  let columns = 0
  for (const { segment } of GRAPHEMES.segment(text)) columns += columnsOf(segment)
  return columns
}

/** At most so many columns; what was cut ends in an ellipsis. */
export function fitted(text: string, columns: number): string {
  if (columnsIn(text) <= columns) return text
  let room = columns - 1
  let kept = ''
  for (const { segment } of GRAPHEMES.segment(text)) {
    room -= columnsOf(segment)
    if (room < 0) break
    kept += segment
  }
  return columns < 1 ? '' : `${kept}…`
}

// oxlint-disable-next-line no-control-regex -- the escape sequences of `styled`
const STYLING = /(\u001b\[[0-9]+m)/

/** The same of a line with styles, which take no columns. */
export function fittedLine(line: string, columns: number): string {
  let room = columns
  return line
    .split(STYLING)
    .map((part) => {
      if (STYLING.test(part)) return part
      const cut = fitted(part, room)
      room -= columnsIn(cut)
      return cut
    })
    .join('')
}

/** Names and details come from others: nothing in them may control the terminal, or look like another line. */
export function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, '\ufffd')
}
