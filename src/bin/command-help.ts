/** The help of a command, made from its entry in the table of commands. */
import type { Command, Flag, Word } from './command-line.ts'

/** Characters of a line. */
const WIDTH = 100
/** Where explanations begin, at most; longer names have a line of their own. */
const INDENT_MAX = 32

/** What `healthmonitor COMMAND --help` prints, with the line end. */
export function usageOf(name: string, command: Command): string {
  const { about, words = [], flags = {} } = command
  const rows = [
    ...words.flatMap((word) => (word.what === undefined ? [] : [[word.name, word.what] as const])),
    ...Object.entries(flags).map(([flag, entry]) => [flagText(flag, entry), flagMeaning(entry)] as const),
  ]
  const parts = [
    wrapped(synopsisOf(name, command), 'usage: ', ' '.repeat(7)),
    ...about.map((paragraph) => (paragraph.startsWith(' ') ? paragraph : wrapped(paragraph))),
    ...(rows.length === 0 ? [] : [aligned(rows)]),
    wrapped(exitsOf(command)),
  ]
  return `${parts.join('\n\n')}\n`
}

/** `healthmonitor wait [MEMBER] [options]`. */
export function synopsisOf(name: string, { words = [], flags = {} }: Command): string {
  const options = Object.keys(flags).length === 0 ? [] : ['[options]']
  return ['healthmonitor', name, ...options, ...words.map(wordText)].join(' ')
}

export function wordText({ name, isOptional, isRepeated }: Word): string {
  const text = isRepeated === true ? `${name}...` : name
  return isOptional === true ? `[${text}]` : text
}

/** `--timeout SECONDS`, `-f, --file FILE`. */
export function flagText(name: string, { short, value }: Flag): string {
  const names = short === undefined ? `--${name}` : `-${short}, --${name}`
  return value === undefined ? names : `${names} ${value}`
}

/** With its default, unless that is "no". */
export function flagMeaning({ what, default: given }: Flag): string {
  return given === undefined || given === false ? what : `${what} (${String(given)})`
}

export function exitsOf({ exits }: Command): string {
  const codes = {
    0: 'done',
    1: 'it could not be done, and standard error says why',
    2: 'the command line is wrong',
    ...exits,
  }
  return `Exit code: ${Object.entries(codes)
    .map(([code, what]) => `${code} ${what}`)
    .join('; ')}.`
}

/** Two columns: names, and what they mean. */
export function aligned(rows: readonly (readonly [name: string, what: string])[]): string {
  const names = rows.map(([name]) => name.length).filter((length) => length + 4 <= INDENT_MAX)
  const indent = Math.max(0, ...names) + 4
  return rows
    .map(([name, what]) => {
      const head = `  ${name}`
      const isLong = head.length + 2 > indent
      const text = wrapped(what, isLong ? ' '.repeat(indent) : head.padEnd(indent), ' '.repeat(indent))
      return isLong ? `${head}\n${text}` : text
    })
    .join('\n')
}

/** Text in lines of WIDTH, broken at spaces. */
export function wrapped(text: string, first = '', further = ''): string {
  const lines: string[] = []
  let line = first
  let isEmpty = true
  for (const word of text.split(' ')) {
    if (!isEmpty && line.length + 1 + word.length > WIDTH) {
      lines.push(line)
      line = further
      isEmpty = true
    }
    line += isEmpty ? word : ` ${word}`
    isEmpty = false
  }
  return [...lines, line].join('\n')
}
