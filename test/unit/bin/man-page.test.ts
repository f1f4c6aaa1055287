import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { allCommands } from '../../../src/bin/commands.ts'
import { manPage } from '../../../src/bin/man-page.ts'

const COMMANDS = await allCommands()

const FILE = 'docs/healthmonitor.1'

test('the manual page in docs is the one that is made from the table of commands (npm run docs:man)', () => {
  assert.equal(readFileSync(FILE, 'utf8'), manPage(COMMANDS))
})

test('it names every command and every flag', () => {
  const page = manPage(COMMANDS).replaceAll(String.raw`\-`, '-')
  for (const [name, { flags = {} }] of Object.entries(COMMANDS)) {
    assert.match(page, new RegExp(`^\\.SS ${name}\\b`, 'm'))
    for (const flag of Object.keys(flags))
      assert.match(page, new RegExp(`^\\.B (?:-\\w, )?--${flag}\\b`, 'm'))
  }
})

test('groff formats it without a warning', (t) => {
  if (spawnSync('groff', ['--version']).error !== undefined) return t.skip('groff is not there')
  const { stdout, stderr } = spawnSync('groff', ['-man', '-Tutf8', '-ww', FILE], { encoding: 'utf8' })
  assert.equal(stderr, '')
  assert.match(stdout, /HEALTHMONITOR\(1\)/)
})
