import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { RE2JS } from 're2js'
import { OPTION_BODY_REGEX_MAX } from '../../../../src/domain/limits.ts'
import { patternProblem, patternTable } from '../../../../src/probe/http/body-pattern.ts'
import { PatternMatch } from '../../../../src/probe/http/pattern-match.ts'
import { patternSize } from '../../../../src/probe/http/pattern-size.ts'

function finds(source: string, body: Uint8Array, pieceBytes = body.length): boolean {
  const table = patternTable({ source })
  if (typeof table === 'string') assert.fail(`${source}: ${table}`)
  const match = new PatternMatch(table)
  for (let at = 0; at < body.length; at += Math.max(1, pieceBytes)) {
    match.take(body.subarray(at, at + Math.max(1, pieceBytes)))
  }
  return match.isFoundAtEnd
}

const PATTERNS = [
  'ok',
  '^ok$',
  '(?m)^ok$',
  '(?i)straße|STATUS:\\s*up',
  '"status"\\s*:\\s*"(UP|ok)"',
  '\\bok\\b',
  '\\Bok',
  'a.c',
  '(?s)a.c',
  '[^a-c]+$',
  '\\pL+\\d',
  'ž+u',
  '(a|b)*abb',
  'a{3,5}b?$',
  '^$',
  '',
  'x*',
  '\\x{FFFD}',
  '.\\z',
  '[[:alpha:]]{2}[[:^digit:]]',
  '\\Qa.c\\E+',
]

test('a pattern finds what re2js finds, in any body, however it is cut into pieces', () => {
  const text = fc.string({ unit: fc.constantFrom(...'okabcžuŽßSTAUP:":x1 \n.é😀'.split('')), maxLength: 24 })
  for (const source of PATTERNS) {
    const reference = RE2JS.compile(source)
    fc.assert(
      fc.property(text, fc.integer({ min: 1, max: 5 }), (body, pieceBytes) => {
        const bytes = new TextEncoder().encode(body)
        const expected = reference.test(bytes)
        assert.equal(finds(source, bytes, pieceBytes), expected, `${source} in ${JSON.stringify(body)}`)
      }),
      { numRuns: 60 },
    )
  }
})

test('bytes that are no UTF-8 stand for U+FFFD one by one, as re2js reads them', () => {
  const bytes = fc.uint8Array({ maxLength: 12 })
  for (const source of [
    '^\\x{FFFD}{3}',
    '\\x{FFFD}a',
    '^.$',
    '^..$',
    '\\x{FFFD}$',
    'é',
    '[\\x{10000}-\\x{10FFFF}]',
  ]) {
    const reference = RE2JS.compile(source)
    const seeds = [
      'e282',
      'e28261',
      'f09f98',
      'f09f9880',
      'c0af',
      'eda080',
      'f4908080',
      'ffff61',
      'e0809f',
      '80',
      'c3a9',
    ]
    for (const seed of seeds) {
      const body = Buffer.from(seed, 'hex')
      assert.equal(finds(source, body), reference.test(body), `${source} in ${seed}`)
      assert.equal(finds(source, body, 1), reference.test(body), `${source} in ${seed}, byte by byte`)
    }
    fc.assert(
      fc.property(bytes, (body) => assert.equal(finds(source, body), reference.test(body))),
      { numRuns: 60 },
    )
  }
})

test('a pattern that is found is found at once, not with the next character', () => {
  const table = patternTable({ source: 'ok' })
  if (typeof table === 'string') assert.fail(table)
  const match = new PatternMatch(table)
  match.take(Buffer.from('it is o'))
  assert.equal(match.isFound, false)
  match.take(Buffer.from('k'))
  assert.equal(match.isFound, true)
  match.reset()
  assert.equal(match.isFound, false)
  assert.equal(match.isFoundAtEnd, false)
})

test('what is wrong with a pattern is named with its place', () => {
  const problems: Readonly<Record<string, RegExp>> = {
    '(': /missing closing \) at character 1$/,
    'ok)': /unexpected \) at character/,
    'a**': /nested repetition operator at character 2$/,
    '[**]a**': /nested repetition operator at character 6$/,
    'x[z-a]': /class range at character 3$/,
    'up\\8': /escape sequence at character 3$/,
    '(?=a)': /Perl syntax at character 1$/,
    '(?<=a)b': /at character 1$/,
    'a{2}b{1001}': /too large|repeat count/,
    'é+é**': /nested repetition operator at character 4$/,
  }
  for (const [source, problem] of Object.entries(problems)) {
    assert.match(patternProblem(source) ?? 'none', problem, source)
  }
})

test('patterns that would cost much are refused before they do', () => {
  const hostile = [
    '(a{1000}){1000}',
    '((((a{10}){10}){10}){10}){10}',
    '(((((((((a{10}){10}){10}',
    `(${'a'.repeat(490)}){1000}`,
    'a{1000}b{1000}c{1000}',
    '(?:a?){500}a{500}',
    '(\\Qa{9}\\E{100}){100}',
    '[[:alpha:]{9}]{1000}',
    '\\pL{100}',
    '[\\pL\\pN]{20}[^\\pS\\pM]{20}',
    '(a|b)*a(a|b){15}$',
    '(a|b)*a(a|b){100}$',
    '(?s).*a.{300}b',
    'ok.{0,100}ready',
    // A count that is none, of hundreds of digits.
    `{0${'9'.repeat(310)}}${'(?i:[\\pL\\pN\\pS\\pM]{1000})'.repeat(6)}`,
    // What is between a part and its count, and is nothing itself.
    'a\\Q\\E{1000}'.repeat(40),
    '[\\pL\\pN](?i){1000}',
    `(?:${'a'.repeat(50)})*\\Q\\E{200}`,
    // Ranges whose cases are looked up one by one.
    `(?i)${'[A-\\x{1e943}]'.repeat(38)}`,
  ]
  for (const source of hostile) {
    assert.match(patternProblem(source) ?? 'none', /too (large|complex)/, source)
  }
})

test('no pattern makes the compiler throw anything but a refusal, and none has a table beyond its bound', () => {
  const PARTS =
    'a . ( ) [ ] * + ? {2} {9,} {0,30} | ^ $ \\ \\pL \\Q \\E \\b (?i) (?: - [^ [:alpha:] \\x{41} ž \\p{Greek} , 1 } \\d 😀 \ud800'
  const parts = fc.constantFrom(...PARTS.split(' '))
  fc.assert(
    fc.property(fc.array(parts, { maxLength: 14 }), (list) => {
      const source = list.join('').slice(0, OPTION_BODY_REGEX_MAX)
      const table = patternTable({ source })
      if (typeof table === 'string') return assert.ok(table.length > 0)
      assert.ok(table.next.byteLength <= 64 * 1024, source)
      assert.ok(patternSize(source) <= 500)
      const match = new PatternMatch(table)
      match.take(Buffer.from('aaž1😀\xff', 'latin1'))
      assert.equal(typeof match.isFoundAtEnd, 'boolean')
    }),
    { numRuns: 300 },
  )
})

test('what re2js makes of a pattern is never more than twice its size', () => {
  const PARTS =
    'a b . ( ) (?: [ab] [^a] ] * + ? {2} {30} {500} {01} {9,} {0,30} {20,500} | ^ $ \\pL [\\pL\\pN] \\Q \\E \\Q\\E ' +
    '\\b (?i) (?s) (?) (?-i) (?i: [[:alpha:]] \\x{41} ž \\p{Greek} \\d (?P<x> {0 } , 1 \\012'
  const parts = fc.constantFrom(...PARTS.split(' '))
  fc.assert(
    fc.property(fc.array(parts, { maxLength: 14 }), (list) => {
      const source = list.join('')
      const size = patternSize(source)
      if (!(size <= 500)) return
      let instructions = 0
      try {
        instructions = RE2JS.compile(source).re2Input.prog.inst.length
      } catch {
        // Not a pattern at all.
      }
      assert.ok(instructions <= 2 * (size + 4), `${source}: ${instructions} of ${size}`)
    }),
    { numRuns: 1000 },
  )
})

test('the size of a pattern counts what its repetitions write out', () => {
  const sizes: Readonly<Record<string, number>> = {
    abc: 3,
    'a{10}': 10,
    '(ab){10}': 40,
    '((a){10}){10}': 320,
    'a{3,7}': 7,
    'a{3,}': 3,
    'a{,3}': 5,
    '[a{9}]': 1,
    '[]a]{4}': 4,
    '[^]a]{4}': 4,
    '\\{9}': 3,
    '\\Qab{9}\\E': 5,
    '\\x{1F600}{5}': 5,
    'a{01}': 5,
    'ab\\Q\\E{5}': 6,
    'ab(?i){5}': 6,
    '(ab)*\\Q\\E{5}': 25,
    [`a{${'9'.repeat(310)}}`]: 1000,
    '(?i)[à-ž]{5}': 37,
    '[à-ž]{5}': 5,
  }
  for (const [source, size] of Object.entries(sizes)) assert.equal(patternSize(source), size, source)
})
