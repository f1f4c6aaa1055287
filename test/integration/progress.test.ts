/** Long work in a terminal says how far it is, and nowhere else. */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { MIGRATIONS } from '../../migrations/index.ts'
import { testDatabase } from '../support/database.ts'
import { folderOfTest } from '../support/folders.ts'
import { runProgram } from '../support/service.ts'
import { onTerminal } from '../support/terminal-client.ts'

const hasScript = existsSync('/usr/bin/script')
// oxlint-disable-next-line no-control-regex -- what takes a progress line away
const GONE = /\r\u001b\[K(?:\{"level"|applied: 0001)/

test('migrate says which migration of how many, dump which table, restore how much of the file', async (t) => {
  if (!hasScript) return t.skip('needs script of util-linux, which makes a terminal')
  const { url } = await testDatabase(t, 'empty')
  const env = { DATABASE_URL: url }
  const count = MIGRATIONS.length
  const migrated = await onTerminal('migrate', env)
  for (const n of [1, count]) assert.match(migrated, new RegExp(`migration ${n} of ${count}: \\d{4}-`))
  assert.match(migrated, GONE, 'the line is gone before others')
  const again = await onTerminal('migrate', env)
  assert.doesNotMatch(again, /migration \d/)

  const file = join(folderOfTest(), 'dump')
  const dumped = await onTerminal(`dump ${file}`, env)
  assert.match(dumped, /dump: table 1 of \d+, shard; 0\.0 MB/)
  const target = await testDatabase(t, 'empty')
  const restored = await onTerminal(`restore ${file}`, { DATABASE_URL: target.url })
  assert.match(restored, /restore: \d+ % of the file, shard/)
  assert.match(restored, /restored 0 load balancers/)
})

test('where standard error is no terminal, nothing of it is there', async (t) => {
  const { url } = await testDatabase(t, 'empty')
  const env = { DATABASE_URL: url, HM_LOG_LEVEL: 'silent' }
  const file = join(folderOfTest(), 'dump')
  for (const args of [['migrate'], ['dump', file]]) {
    const { code, err } = await runProgram(args, env)
    assert.deepEqual([code, err], [0, ''])
  }
})
