/**
 * An upper bound of the size of a regular expression when its counted repetitions are expanded. It is known before
 * compilation, which takes time and memory in proportion to it. re2js finds the syntax errors; here they count as
 * literals.
 */
import { PATTERN_COUNT_MAX, PATTERN_UNICODE_CLASS_SIZE } from '../../domain/limits.ts'

/** As re2js reads it: a number with a zero before it makes no count but literal text. */
const COUNT = /^\{(0|[1-9]\d*)(?:,(0|[1-9]\d*)?)?\}/
/** Flags for what follows, `(?i)`: nothing that could be repeated. */
const FLAGS = /^\(\?[imsU-]*\)/
/** An escape with what belongs to it: `\pL`, `\p{Greek}`, `\x{1F600}`, `\Q…\E`, else one character. */
const ESCAPE = /^\\(?:[pP](?:\{[^}]*\}|.)|x\{[^}]*\}|.)/s
const QUOTED = /^\\Q(.*?)(?:\\E|$)/s
const CLASS = /^\[\^?\]?(?:\[:[^\]]*:\]|\\(?:[pP](?:\{[^}]*\}|.)|x\{[^}]*\}|.)|[^\]\\])*\]?/s
const UNICODE = /\\[pP]/g
const IGNORES_CASE = /\(\?[msU-]*i/
/** The end of a range of a class beyond ASCII: re2js looks up the cases of each character that it has. */
const FAR_END = /-(?:\\x\{|[^\0-\x7f])/g

/** Parts of the pattern: characters and classes, each as often as it is repeated. */
export function patternSize(source: string): number {
  /** Sizes of the groups that are open, and of the last part of each, which a count would repeat. */
  const groups: { size: number; last: number }[] = []
  let current = { size: 0, last: 0 }
  const add = (size: number): void => {
    current.size += size
    current.last = size
  }
  let at = 0
  while (at < source.length) {
    const rest = source.slice(at)
    const [text, part] = partOf(rest)
    at += text.length
    if (part === 'open') {
      groups.push(current)
      current = { size: 0, last: 0 }
    } else if (part === 'close') {
      const { size } = current
      current = groups.pop() ?? { size: 0, last: 0 }
      add(size + 2)
    } else if (part === 'repeat') {
      current.size += 1
      current.last += 1
    } else if (part === 'nothing') {
      // A count that follows repeats what comes before.
    } else if (typeof part === 'object') {
      const more = current.last * (part.times - 1)
      current.size += more
      current.last += more
    } else {
      add(part)
    }
  }
  return groups.reduce((sum, { size }) => sum + size, current.size + foldedSize(source))
}

/** The cost of ignoring case when the pattern is parsed: once for each range, however often its class is repeated. */
function foldedSize(source: string): number {
  if (!IGNORES_CASE.test(source)) return 0
  return (source.match(FAR_END)?.length ?? 0) * PATTERN_UNICODE_CLASS_SIZE
}

type Part = number | 'open' | 'close' | 'repeat' | 'nothing' | { readonly times: number }

/** The next part, and its text. */
function partOf(rest: string): readonly [string, Part] {
  const first = rest[0] ?? ''
  const flags = FLAGS.exec(rest)
  if (flags !== null) return [flags[0], 'nothing']
  if (first === '(') return ['(', 'open']
  if (first === ')') return [')', 'close']
  if ('*+?'.includes(first)) return [first, 'repeat']
  const count = COUNT.exec(rest)
  if (count !== null) return [count[0], { times: timesOf(count) }]
  const quoted = QUOTED.exec(rest)
  if (quoted !== null) return [quoted[0], quoted[1]?.length || 'nothing']
  const text = (ESCAPE.exec(rest) ?? CLASS.exec(rest))?.[0] ?? first
  return [text, 1 + (text.match(UNICODE)?.length ?? 0) * PATTERN_UNICODE_CLASS_SIZE]
}

function timesOf([, from, to]: RegExpExecArray): number {
  // re2js refuses larger counts; without a bound, a number of hundreds of digits would be Infinity.
  return Math.min(PATTERN_COUNT_MAX, Math.max(1, Number(from), Number(to ?? 0)))
}
