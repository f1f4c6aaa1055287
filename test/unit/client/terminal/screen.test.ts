import assert from 'node:assert/strict'
import { test } from 'node:test'
import { columnsIn, fitted, fittedLine, screenOf, styled } from '../../../../src/client/terminal/screen.ts'

test('colours are for a terminal, without NO_COLOR and with a TERM that has them', () => {
  const terminal = { isTTY: true, columns: 100, rows: 30 }
  assert.equal(screenOf(terminal, {}).hasColours, true)
  assert.equal(screenOf(terminal, { NO_COLOR: '' }).hasColours, true)
  assert.equal(screenOf(terminal, { NO_COLOR: '0' }).hasColours, false)
  assert.equal(screenOf(terminal, { TERM: 'dumb' }).hasColours, false)
  assert.equal(screenOf({}, {}).hasColours, false)
})

test('the width is that of COLUMNS, else of the terminal; a pipe has no end', () => {
  assert.equal(screenOf({ isTTY: true, columns: 100 }, { COLUMNS: '60' }).width, 60)
  assert.equal(screenOf({ isTTY: true, columns: 100 }, { COLUMNS: 'x' }).width, 100)
  assert.equal(screenOf({}, {}).width, Infinity)
})

test('columns are counted as terminals do: wide letters two, marks none', () => {
  assert.deepEqual(['abc', 'Ärger', '東京', 'e\u0301', '🙂'].map(columnsIn), [3, 5, 4, 1, 2])
})

test('a text that is cut ends in an ellipsis and never in half a letter', () => {
  assert.equal(fitted('connection', 6), 'conne…')
  assert.equal(fitted('東京都', 4), '東…')
  assert.equal(fitted('same', 4), 'same')
})

test('styles stay whole when a line is cut', () => {
  const line = `${styled('OFFLINE', 'red', { hasColours: true })} web-1 of a pool`
  assert.equal(fittedLine(line, 14), '\u001b[31mOFFLINE\u001b[0m web-1…')
})
