/** A process is told from another one that has its number. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { isRunning, markOf } from '../../../../src/site/held/process-mark.ts'

test('a process runs until it ends, and one that has its number now is another one', async (t) => {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' })
  t.after(() => child.kill('SIGKILL'))
  await once(child, 'spawn')
  const pid = child.pid ?? 0
  const mark = markOf(pid)
  assert.match(mark, /^[\da-zA-Z-]+$/)
  assert.equal(isRunning(pid, mark), true)
  assert.equal(isRunning(pid, `${mark}0`), false)
  assert.notEqual(markOf(process.pid), mark)
  const gone = once(child, 'exit')
  child.kill('SIGKILL')
  await gone
  assert.equal(isRunning(pid, mark), false)
})

test('where nobody says when a process has started, its number alone counts', () => {
  assert.equal(isRunning(process.pid, 'unknown'), true)
  assert.equal(isRunning(2 ** 22 + 1, 'unknown'), false)
})
