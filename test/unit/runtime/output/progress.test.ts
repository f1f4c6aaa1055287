import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { PROGRESS_EVERY_MS, PROGRESS_SECONDS_AFTER } from '../../../../src/domain/limits.ts'
import { Progress } from '../../../../src/runtime/output/progress.ts'

/** A terminal of 20 columns, and a clock that the test moves. */
function aTerminal(t: TestContext, isTTY = true) {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const clock = { ms: 0 }
  const written: string[] = []
  const screen = { isTTY, columns: 20, write: (text: string) => written.push(text) }
  const pass = (ms: number) => {
    clock.ms += ms
    t.mock.timers.tick(ms)
  }
  const ERASE = '\r\u001b[K'
  const shown = () => written.join('').split(ERASE).at(-1)
  return { progress: new Progress(screen, () => clock.ms), written, pass, shown }
}

test('where standard error is no terminal nothing is written', (t) => {
  const { progress, written, pass } = aTerminal(t, false)
  progress.show('one')
  pass(10_000)
  progress.end()
  assert.deepEqual(written, [])
})

test('the line is drawn at once for each step, seldom within one, and is gone at the end', (t) => {
  const { progress, written, pass, shown } = aTerminal(t)
  progress.show('pools', 'pools')
  assert.equal(shown(), 'pools')
  for (let row = 0; row < 1000; row += 1) progress.show(`pools: ${row}`, 'pools')
  assert.equal(written.length, 1)
  pass(PROGRESS_EVERY_MS)
  progress.show('pools: 1000', 'pools')
  assert.equal(shown(), 'pools: 1000')
  progress.show('members')
  assert.equal(shown(), 'members')
  progress.end()
  assert.equal(shown(), '')
  const count = written.length
  progress.end()
  pass(5000)
  assert.equal(written.length, count)
})

test('a step that takes long shows its seconds, also when nobody calls; another step begins anew', (t) => {
  const { progress, pass, shown } = aTerminal(t)
  progress.show('one')
  pass((PROGRESS_SECONDS_AFTER - 1) * 1000)
  assert.equal(shown(), 'one')
  pass(1000)
  assert.equal(shown(), `one, ${PROGRESS_SECONDS_AFTER} s`)
  pass(4000)
  assert.equal(shown(), `one, ${PROGRESS_SECONDS_AFTER + 4} s`)
  progress.show('two')
  assert.equal(shown(), 'two')
  progress.end()
})

test('a line is cut to the terminal, with its last column free', (t) => {
  const { progress, shown } = aTerminal(t)
  progress.show('a text of more than twenty columns')
  assert.equal(shown(), 'a text of more than')
  progress.end()
})
