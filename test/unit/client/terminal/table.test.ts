import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { columnsIn, type Screen } from '../../../../src/client/terminal/screen.ts'
import { type Column, tableOf } from '../../../../src/client/terminal/table.ts'

interface Row {
  readonly name: string
  readonly count: number
  readonly why: string
  readonly note: string
}

const COLUMNS: readonly Column<Row>[] = [
  { title: 'NAME', text: ({ name }) => name, least: 8 },
  { title: 'N', text: ({ count }) => String(count), isNumber: true },
  { title: 'WHY', text: ({ why }) => why, least: 12, style: () => 'red' },
  { title: 'NOTE', text: ({ note }) => note, isOptional: true },
]
const ROWS: readonly Row[] = [
  { name: 'web-1', count: 7, why: 'the target refused the connection', note: 'in maintenance' },
  { name: 'a-much-longer-name', count: 12, why: 'fine', note: '' },
]

const screen = (width: number, hasColours = false): Screen => ({
  width,
  height: 24,
  hasColours,
  isTerminal: true,
})

test('a table is as wide as its texts, numbers to the right, nothing at the end of a line', () => {
  assert.deepEqual(tableOf(ROWS, COLUMNS, screen(Infinity)), [
    'NAME                 N  WHY                                NOTE',
    'web-1                7  the target refused the connection  in maintenance',
    'a-much-longer-name  12  fine',
  ])
})

test('where it does not fit, the longest texts are cut first, and then optional columns go', () => {
  assert.deepEqual(tableOf(ROWS, COLUMNS, screen(64)), [
    'NAME                 N  WHY                       NOTE',
    'web-1                7  the target refused the …  in maintenance',
    'a-much-longer-name  12  fine',
  ])
  assert.deepEqual(tableOf(ROWS, COLUMNS, screen(36)), [
    'NAME              N  WHY',
    'web-1             7  the target ref…',
    'a-much-longer-…  12  fine',
  ])
})

test('an optional column without any text is left out', () => {
  assert.doesNotMatch(tableOf(ROWS.slice(1), COLUMNS, screen(Infinity)).join('\n'), /NOTE/)
})

test('colours take no room, and are around the text only', () => {
  const [, first = ''] = tableOf(ROWS, COLUMNS, screen(Infinity, true))
  assert.ok(first.includes('\u001b[31mthe target refused the connection\u001b[0m'))
})

test('what others wrote steers no terminal and makes no line', () => {
  const row = { name: '\u001b]0;title\u0007\u202e', count: 1, why: 'a\nb', note: '' }
  assert.deepEqual(tableOf([row], COLUMNS, screen(Infinity)).slice(1), [
    '\ufffd]0;title\ufffd\ufffd  1  a\ufffdb',
  ])
})

test('no line is wider than the terminal, whatever the names, as long as it has room for what is never cut', () => {
  const rows = fc.array(
    fc.record({
      name: fc.string({ unit: 'grapheme', maxLength: 40 }),
      count: fc.nat(9999),
      why: fc.string({ unit: 'grapheme', maxLength: 80 }),
      note: fc.string({ maxLength: 20 }),
    }),
    { minLength: 1, maxLength: 5 },
  )
  fc.assert(
    fc.property(rows, fc.integer({ min: 24, max: 200 }), (some, width) => {
      for (const line of tableOf(some, COLUMNS, screen(width))) assert.ok(columnsIn(line) <= width, line)
    }),
  )
})
