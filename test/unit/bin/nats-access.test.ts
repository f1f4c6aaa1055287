import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { dispatch } from '../../../src/bin/dispatch.ts'
import { StartRefusal } from '../../../src/runtime/start-refusal.ts'

/** Exit code and complaint of `healthmonitor nats-access`. */
async function run(
  ...args: readonly string[]
): Promise<readonly [code: number | undefined, complaint: string]> {
  let complaint = ''
  const code = await dispatch(
    ['nats-access', ...args],
    {},
    { out: () => undefined, err: (text) => (complaint += text) },
  )
  return [code, complaint]
}

test('a command line that names no action, no site or a wrong one is refused before anything is written', async (t) => {
  const folder = join(mkdtempSync(join(tmpdir(), 'healthmonitor-nats-')), 'access')
  t.after(() => rmSync(join(folder, '..'), { recursive: true }))
  for (const [args, complaint] of [
    [[], /ACTION is missing/],
    [['make', 'fra'], /"make" is none of add, renew, remove, accounts, list/],
    [['add'], /SITE is missing/],
    [['add', 'fra', 'Fra'], /"Fra" is no name of a site/],
    [['add', 'fra', '../fra'], /is no name of a site/],
    [['add', 'local'], /probers of the site local use the database/],
    [['add', 'fra', 'ams', 'fra'], /fra is named twice/],
    [['list', 'fra'], /"fra" is not understood/],
  ] as const) {
    const [code, said] = await run('--folder', folder, ...args)
    assert.equal(code, 2)
    assert.match(said, complaint)
  }
  assert.equal(existsSync(folder), false)
})

test('a folder that does not fit is refused with the reason', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'healthmonitor-nats-'))
  t.after(() => rmSync(folder, { recursive: true }))
  await assert.rejects(run('--folder', folder, 'accounts'), (error) => {
    assert.ok(error instanceof StartRefusal)
    assert.match(error.message, /there is no keys\.json in .*: "add" makes it/)
    return true
  })
})
