import assert from 'node:assert/strict'
import { mock, test, type TestContext } from 'node:test'
import { LOG_BUFFER_MAX_BYTES, LOG_FLUSH_WITHIN_MS, LOG_RETRY_MS } from '../../../../src/domain/limits.ts'
import { LogDestination } from '../../../../src/runtime/output/log-destination.ts'

type Done = (error: NodeJS.ErrnoException | null, bytes: number) => void

/** A target that takes what a test says, when the test says it. */
function target(t: TestContext) {
  mock.timers.enable({ apis: ['setTimeout'] })
  t.after(() => mock.timers.reset())
  let text = ''
  let pending: { readonly chunk: Buffer; readonly done: Done } | undefined
  let refusal: string | undefined
  let dropped = 0
  const failure = (code: string) => Object.assign(new Error(code), { code })
  const log = new LogDestination({
    writer: {
      write: (chunk, done) => {
        assert.equal(pending, undefined, 'one write at a time')
        pending = { chunk, done }
      },
      writeNow: (chunk) => {
        if (refusal !== undefined) throw failure(refusal)
        text += chunk.toString()
        return chunk.length
      },
    },
    onDropped: (lines) => {
      dropped += lines
    },
    notice: (lines) => `lost ${lines}\n`,
  })
  const answer = (act: (write: { readonly chunk: Buffer; readonly done: Done }) => void): void => {
    const write = pending
    assert.ok(write, 'something is being written')
    pending = undefined
    act(write)
  }
  return {
    log,
    text: () => text,
    dropped: () => dropped,
    isWriting: () => pending !== undefined,
    /** Takes the pending write, or its first bytes. */
    take: (bytes?: number) =>
      answer(({ chunk, done }) => {
        text += chunk.subarray(0, bytes).toString()
        done(null, bytes ?? chunk.length)
      }),
    fail: (code: string) => answer(({ done }) => done(failure(code), 0)),
    refuseNow: (code: string) => {
      refusal = code
    },
    later: (ms = LOG_RETRY_MS) => mock.timers.tick(ms),
  }
}

test('lines are written in order, one write at a time, whatever part of a write is taken', (t) => {
  const to = target(t)
  for (const line of ['one\n', 'two\n', 'three\n']) to.log.write(line)
  to.take()
  to.take(3)
  to.take()
  assert.equal(to.text(), 'one\ntwo\nthree\n')
  assert.equal(to.isWriting(), false)
  assert.equal(to.dropped(), 0)
})

test('what a full target refuses is lost and counted; the first write that works says how many, where they are missing', (t) => {
  const to = target(t)
  to.log.write('kept\n')
  to.take()
  for (const line of ['one\n', 'two\n', 'three\n']) to.log.write(line)
  to.fail('ENOSPC')
  assert.equal(to.dropped(), 1)
  assert.equal(to.isWriting(), false, 'a full disk is not tried at every line')
  to.later()
  to.fail('ENOSPC')
  assert.equal(to.dropped(), 3)
  to.later()
  to.fail('ENOSPC')
  assert.equal(to.dropped(), 3, 'the notice itself is no lost line')
  to.log.write('four\n')
  to.later()
  to.take()
  assert.equal(to.text(), 'kept\nlost 3\nfour\n')
  to.log.write('five\n')
  to.take()
  assert.equal(to.text(), 'kept\nlost 3\nfour\nfive\n')
})

test('a line that was cut off by a full disk does not spoil the next one', (t) => {
  const to = target(t)
  to.log.write('first\n')
  to.take(3)
  to.fail('ENOSPC')
  to.log.write('second\n')
  to.later()
  to.take('\nlos'.length)
  to.fail('ENOSPC')
  assert.equal(to.dropped(), 2)
  to.log.write('third\n')
  to.later()
  to.take()
  assert.equal(to.text(), 'fir\nlos\nlost 2\nthird\n')
})

test('a reader that is only slow loses nothing until the buffer is full, then the newest lines', (t) => {
  const to = target(t)
  const line = `${'x'.repeat(1023)}\n`
  to.log.write('first\n')
  const fit = LOG_BUFFER_MAX_BYTES / line.length
  for (let i = 0; i < fit + 5; i++) to.log.write(line)
  assert.equal(to.dropped(), 5)
  to.fail('EAGAIN')
  to.later()
  to.take()
  while (to.isWriting()) to.take()
  const lines = to.text().split('\n')
  assert.equal(lines[0], 'first')
  assert.equal(lines.filter((each) => each.length === 1023).length, fit)
  assert.equal(lines.filter((each) => each === 'lost 5').length, 1)
})

test('an orderly end waits until everything is written, but not for ever', (t) => {
  const to = target(t)
  let ends = 0
  const end = () => (ends += 1)
  to.log.flush(end)
  assert.equal(ends, 1, 'nothing to wait for')
  to.log.write('one\n')
  to.log.flush(end)
  assert.equal(ends, 1)
  to.take()
  assert.equal(ends, 2)
  to.log.write('two\n')
  to.log.flush(end)
  to.later(LOG_FLUSH_WITHIN_MS)
  assert.equal(ends, 3, 'nobody reads')
  to.take()
  assert.equal(ends, 3, 'told once')
})

test('the end of a process tries to write what waits once, and stops where that fails', (t) => {
  const to = target(t)
  to.log.write('one\n')
  to.fail('EPIPE')
  to.log.write('two\n')
  to.log.flushSync()
  assert.equal(to.text(), 'lost 1\ntwo\n')
  to.log.write('three\n')
  to.refuseNow('ENOSPC')
  to.log.flushSync()
  assert.equal(to.text(), 'lost 1\ntwo\n')
})
