/** Each bench that a person starts says what it takes. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'

const FILES = readdirSync('bench').filter((name) => name.endsWith('.ts'))

/** Benches name their own command line in their first comment; other files are parts of them. */
function isProgram(file: string): boolean {
  const [comment = ''] = readFileSync(`bench/${file}`, 'utf8').split('*/')
  return comment.includes(`node dist/bench/${basename(file, '.ts')}.js`)
}

const PROGRAMS = FILES.filter(isProgram)

test('the search for benches finds them', () => {
  assert.ok(PROGRAMS.length > 20, PROGRAMS.join(' '))
})

test('every bench answers --help with its command line and its options, and measures nothing', async () => {
  for (const file of PROGRAMS) {
    const program = `dist/bench/${basename(file, '.ts')}.js`
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [program, '--help'], {
      timeout: 30_000,
    })
    assert.match(stdout, new RegExp(`^usage: .*${program}`), file)
    assert.equal(stderr, '', file)
  }
})

test('the benches read their command lines in one place', () => {
  const readers = FILES.filter((file) => readFileSync(`bench/${file}`, 'utf8').includes('parseArgs('))
  assert.deepEqual(readers, ['command-line.ts'])
})
