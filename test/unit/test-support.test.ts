/** What tests share can be found: test/support/README.md lists it. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { test } from 'node:test'

const SUPPORT = resolve(import.meta.dirname, '../../../test/support')
const files = readdirSync(SUPPORT).filter((name) => name.endsWith('.ts'))

test('the list of what tests share has every file once, and no other', () => {
  const rows = readFileSync(join(SUPPORT, 'README.md'), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('| `'))
  const listed = rows.flatMap((row) =>
    [...(row.split('|')[1] ?? '').matchAll(/`([^`]+)`/g)].map(([, name]) => name),
  )
  assert.deepEqual(new Set(listed), new Set(files))
  assert.equal(listed.length, files.length)
})

test('every file that tests share begins by saying what it has', () => {
  const silent = files.filter((name) => !readFileSync(join(SUPPORT, name), 'utf8').startsWith('/**'))
  assert.deepEqual(silent, [])
})
