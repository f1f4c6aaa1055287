/**
 * A regular expression on bodies, compiled in full when its check is loaded: a table with a row per state and a column
 * per class of characters. A body then costs one look-up per byte, for every pattern and every body, and is not stored.
 * Patterns whose table would be too large are refused when they are written. re2js by itself builds its table during
 * the search and changes to a slower engine when the table is too large: that took over a second for 64 KiB.
 *
 * re2js (https://github.com/le0pard/re2js, a port of Go's regexp) reads RE2's syntax and says which state follows
 * which.
 */
import { RE2JS, RE2JSException, RE2JSSyntaxException } from 're2js'
import {
  PATTERN_CELLS_MAX,
  PATTERN_CLASS_WORK_MAX,
  PATTERN_SIZE_MAX,
  PATTERN_VERDICTS_MAX,
  PATTERN_WORK_MAX,
} from '../../domain/limits.ts'
import type { BodyPattern } from '../../domain/target/probe-target.ts'
import { patternSize } from './pattern-size.ts'
import { SharedValues } from '../shared-values.ts'

/** State 0 is "found": nothing that follows changes it. Every other state has a row of `width` columns. */
export interface PatternTable {
  readonly start: number
  readonly width: number
  readonly next: Uint16Array
  /** 1 = the pattern is found when the text ends in this state. */
  readonly foundAtEnd: Uint8Array
  /** Columns of the 128 characters of ASCII. */
  readonly asciiColumn: Uint16Array
  /** Characters from the n-th bound up to the next have the column at n; bound 0 is U+0000. */
  readonly bounds: Int32Array
  readonly columns: Uint16Array
}

type Machine = RE2JS['re2Input']['dfa']
type Program = RE2JS['re2Input']['prog']

interface MachineState {
  readonly nfaStates: readonly number[]
  readonly isMatch: boolean
}

/** Numbers of re2js: a search that may begin anywhere, what holds where a text begins, and what follows its last character. */
const ANYWHERE = 0
const AT_BEGIN = 5
const END_OF_TEXT = -1
const LINE_FEED = 0x0a
const LAST_RUNE = 0x10ffff

/** What a step costs besides the parts of its state. */
const STEP_COST = 8

/** The table of a pattern; a text says why there is none. */
export function patternTable({ source }: BodyPattern): PatternTable | string {
  return compile(source)
}

/** Why a pattern cannot be searched for; undefined = it can. */
export function patternProblem(source: string): string | undefined {
  const table = compile(source)
  return typeof table === 'string' ? table : undefined
}

/** The tables of one prober: each made once for all checks that have its pattern. */
export class BodyPatterns {
  readonly #known: SharedValues<BodyPattern, { readonly table: PatternTable | string }>

  constructor(makeTable: (pattern: BodyPattern) => PatternTable | string = patternTable) {
    this.#known = new SharedValues(
      ({ source }) => source,
      (pattern) => ({ table: makeTable(pattern) }),
    )
  }

  readonly table = (pattern: BodyPattern): PatternTable | string => this.#known.of(pattern).table
}

/** `patternProblem` with a cache of the last PATTERN_VERDICTS_MAX answers: a client may send one pattern many times. */
export function rememberingPatternProblems(): typeof patternProblem {
  const verdicts = new Map<string, string | undefined>()
  return (source) => {
    const problem = verdicts.has(source) ? verdicts.get(source) : patternProblem(source)
    // Least recently used first.
    verdicts.delete(source)
    verdicts.set(source, problem)
    if (verdicts.size > PATTERN_VERDICTS_MAX) {
      const [oldest] = verdicts.keys()
      if (oldest !== undefined) verdicts.delete(oldest)
    }
    return problem
  }
}

function compile(source: string): PatternTable | string {
  const size = patternSize(source)
  if (!(size <= PATTERN_SIZE_MAX))
    return `it is too large: ${size} parts with their repetitions, at most ${PATTERN_SIZE_MAX}`
  try {
    const { dfa, prog } = RE2JS.compile(source).re2Input
    return (
      tableOf(dfa, prog) ??
      'it is too complex: it would need too many states; a * instead of a count needs fewer'
    )
  } catch (error) {
    if (error instanceof RE2JSSyntaxException) return syntaxProblem(source, error)
    if (error instanceof RE2JSException) return error.message
    throw error
  }
}

/** All states that can be reached, breadth first. Undefined when there are too many, or finding them takes too long. */
function tableOf(machine: Machine, program: Program): PatternTable | undefined {
  const alphabet = alphabetOf(machine, program)
  const start = stateOf(machine.makeState([program.start], AT_BEGIN, []))
  if (alphabet === undefined || start === undefined) return undefined
  const { classes, width } = alphabet
  const found: MachineState[] = [start]
  const numbers = new Map<MachineState, number>([[start, 1]])
  const rows: number[] = []
  const ends: number[] = [1]
  let work = 0
  const follow = (from: MachineState, ofClass: number, rune: number): MachineState | undefined => {
    work += STEP_COST + from.nfaStates.length
    return work > PATTERN_WORK_MAX ? undefined : stateOf(machine.step(from, ofClass, rune, ANYWHERE))
  }
  for (const from of found) {
    if ((found.length + 1) * width > PATTERN_CELLS_MAX) return undefined
    for (const { number: ofClass, rune } of classes) {
      const to = follow(from, ofClass, rune)
      if (to === undefined) return undefined
      let number = to.isMatch ? 0 : numbers.get(to)
      if (number === undefined) {
        number = found.push(to)
        numbers.set(to, number)
      }
      rows.push(number)
    }
    const end = follow(from, machine.numClasses, END_OF_TEXT)
    if (end === undefined) return undefined
    ends.push(end.isMatch ? 1 : 0)
  }
  return finished({ rows, ends, alphabet })
}

function stateOf(value: unknown): MachineState | undefined {
  return value === null ? undefined : (value as MachineState)
}

/** The classes of characters that a pattern distinguishes. */
interface Alphabet {
  readonly width: number
  /** A class of re2js and a character of it, for each column. */
  readonly classes: readonly { readonly number: number; readonly rune: number }[]
  readonly bounds: Int32Array
  readonly columns: Uint16Array
}

/** Classes of re2js that every part of the pattern treats alike share a column: `\pL` has hundreds. */
function alphabetOf({ classBounds, numClasses }: Machine, { inst }: Program): Alphabet | undefined {
  if (numClasses * inst.length > PATTERN_CLASS_WORK_MAX) return undefined
  const bounds = Int32Array.of(0, ...classBounds)
  const parts: readonly { matchRune(rune: number): boolean }[] = inst
  const known = new Map<string, number>()
  const classes: { number: number; rune: number }[] = []
  const columns = Uint16Array.from(bounds, (rune, number) => {
    const isWord = /\w/.test(String.fromCodePoint(Math.min(rune, LAST_RUNE)))
    const kind = `${rune === LINE_FEED}${isWord}${parts.map((part) => Number(part.matchRune(rune))).join('')}`
    const column = known.get(kind) ?? classes.push({ number, rune }) - 1
    known.set(kind, column)
    return column
  })
  return { width: classes.length, classes, bounds, columns }
}

/** re2js reports a match one character late, so a state from which every next state is "found" is "found" itself. */
function finished({
  rows,
  ends,
  alphabet: { width, bounds, columns },
}: {
  readonly rows: readonly number[]
  readonly ends: readonly number[]
  readonly alphabet: Alphabet
}): PatternTable {
  const isFound = (state: number): boolean =>
    state === 0 ||
    (ends[state] === 1 && rows.slice((state - 1) * width, state * width).every((to) => to === 0))
  const renamed = ends.map((_, state) => (isFound(state) ? 0 : state))
  const next = new Uint16Array(ends.length * width)
  for (const [i, to] of rows.entries()) next[width + i] = renamed[to] ?? 0
  const asciiColumn = Uint16Array.from({ length: 0x80 }, (_, rune) => columnOf({ bounds, columns }, rune))
  return {
    start: renamed[1] ?? 0,
    width,
    next,
    foundAtEnd: Uint8Array.from(ends),
    asciiColumn,
    bounds,
    columns,
  }
}

/** The column of a character. */
export function columnOf(
  { bounds, columns }: Pick<PatternTable, 'bounds' | 'columns'>,
  rune: number,
): number {
  let low = 1
  let high = bounds.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((bounds[middle] ?? 0) <= rune) low = middle + 1
    else high = middle
  }
  return columns[low - 1] ?? 0
}

/** Places at which a fault of a pattern is looked for. */
const PLACES_MAX = 8

/**
 * What is wrong, and at which character: the first occurrence of the part that re2js names at which the pattern, cut
 * off after it, has the same fault.
 */
function syntaxProblem(source: string, error: RE2JSSyntaxException): string {
  const what = error.getDescription()
  const part = error.getPattern() ?? source
  let at = source.indexOf(part)
  for (let place = at, i = 0; place >= 0 && i < PLACES_MAX; place = source.indexOf(part, place + 1), i++) {
    if (hasFault(source.slice(0, place + part.length), what)) {
      at = place
      break
    }
  }
  return at < 0 ? what : `${what} at character ${at + 1}`
}

function hasFault(source: string, what: string): boolean {
  try {
    RE2JS.compile(source)
    return false
  } catch (error) {
    return error instanceof RE2JSSyntaxException && error.getDescription() === what
  }
}
