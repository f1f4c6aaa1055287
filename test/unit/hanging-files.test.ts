/** A test file that hangs leaves nothing behind: test/support/hanging-files.ts. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { endHangingFiles } from '../support/hanging-files.ts'
import { temporaryFolder } from '../support/postgres.ts'
import { isRunning } from '../support/service.ts'

/**
 * A file that starts a process in a session of its own, as services do, which starts one more. It ends when its stdin does.
 * Gives the ids of all three.
 */
async function hangingFile(t: TestContext, name: string) {
  const folder = temporaryFolder()
  const file = join(folder, name)
  const inner = 'console.log(process.pid); setInterval(() => undefined, 1e6)'
  const outer = `require('node:child_process').spawn(process.execPath, ['-e', ${JSON.stringify(inner)}], { stdio: 'inherit' }); ${inner}`
  writeFileSync(
    file,
    `import { spawn } from 'node:child_process'
spawn(process.execPath, ['-e', ${JSON.stringify(outer)}], { detached: true, stdio: ['ignore', 'inherit', 'inherit'] })
${inner}
process.stdin.resume().on('end', () => process.exit(0))`,
  )
  const child = spawn(process.execPath, [file], { stdio: ['pipe', 'pipe', 'inherit'] })
  let printed = ''
  const ids = () => printed.trim().split('\n').map(Number)
  t.after(() => {
    rmSync(folder, { recursive: true })
    for (const pid of ids().filter(isRunning)) process.kill(pid, 'SIGKILL')
  })
  for await (const text of child.stdout) {
    printed += String(text)
    if (ids().length === 3) break
  }
  return { file, child, ids: ids() }
}

test('a file that takes too long is ended with all that it started, in whatever session, and another one goes on', async (t) => {
  const hanging = await hangingFile(t, 'hanging.test.mjs')
  const other = await hangingFile(t, 'other.test.mjs')
  const ended: unknown[] = []
  const stop = endHangingFiles({
    files: [hanging.file],
    timeoutMs: 50,
    everyMs: 20,
    onEnded: (...what) => ended.push(what),
  })
  t.after(stop)
  await once(hanging.child, 'exit')
  await stop()
  assert.deepEqual(ended, [[hanging.file, 3]])
  assert.deepEqual([...hanging.ids, ...other.ids].map(isRunning), [false, false, false, true, true, true])
})

test('a file that ends in time is ended by nobody', async (t) => {
  const { file, child } = await hangingFile(t, 'quick.test.mjs')
  const ended: string[] = []
  t.after(
    endHangingFiles({ files: [file], timeoutMs: 60_000, everyMs: 10, onEnded: (path) => ended.push(path) }),
  )
  const exit = once(child, 'exit')
  child.stdin.end()
  assert.deepEqual([(await exit)[0], ended], [0, []])
})
