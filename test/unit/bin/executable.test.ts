import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { test } from 'node:test'

test('the program that package.json names can be executed, as `npx healthmonitor` does', () => {
  const { bin } = JSON.parse(readFileSync('package.json', 'utf8')) as { bin: { healthmonitor: string } }
  const { status, stdout, error } = spawnSync(resolve(bin.healthmonitor), ['simulate', '--', 'pass'], {
    encoding: 'utf8',
  })
  assert.equal(error, undefined)
  assert.equal(status, 0)
  assert.match(stdout, /pass/)
})
