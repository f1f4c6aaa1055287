import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { keepReading, PAUSE_MS, SETTLE_MS } from '../../../../src/web/net/reading.ts'

/** Milliseconds that the reader of the answers asks for between two readings. */
const EVERY_MS = 10_000

interface Asked {
  readonly signal: AbortSignal
  readonly answer: (answer: string) => Promise<void>
  readonly fail: (error: Error) => Promise<void>
}

/** Lets what waits for a promise go on; timers are those of the test. */
const settled = (): Promise<void> => new Promise((done) => setImmediate(done))

/** A reading whose requests are answered by the test, in a page that is shown or hidden by the test. */
function kept(t: TestContext, { isVisible = true, isLast = false } = {}) {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const pauseMs = isLast ? undefined : EVERY_MS
  const asked: Asked[] = []
  const told: string[] = []
  const page = { ms: 0, isVisible, changed: undefined as (() => void) | undefined }
  const reading = keepReading<string>(
    {
      read: (signal) =>
        new Promise((resolve, reject) => {
          asked.push({
            signal,
            answer: (answer) => (resolve(answer), settled()),
            fail: (error) => (reject(error), settled()),
          })
        }),
      onAnswer: (answer) => (told.push(answer), pauseMs),
      onFailure: (error) => (told.push(`failed: ${(error as Error).message}`), pauseMs),
    },
    {
      nowMs: () => page.ms,
      isVisible: () => page.isVisible,
      onVisibility: (changed) => {
        page.changed = changed
        return () => (page.changed = undefined)
      },
    },
  )
  return {
    reading,
    asked,
    told,
    last: () => asked.at(-1) ?? assert.fail('nothing was asked'),
    isWatched: () => page.changed !== undefined,
    pass: (ms: number) => {
      page.ms += ms
      t.mock.timers.tick(ms)
    },
    turn: (way: 'shown' | 'hidden') => {
      page.isVisible = way === 'shown'
      page.changed?.()
    },
  }
}

test('it reads at once, and again so long after each answer or failure, not after each question', async (t) => {
  const { asked, told, last, pass } = kept(t)
  assert.equal(asked.length, 1)
  pass(3 * EVERY_MS)
  assert.equal(asked.length, 1, 'never two at a time')
  await last().answer('a')
  pass(EVERY_MS - 1)
  assert.equal(asked.length, 1)
  pass(1)
  assert.equal(asked.length, 2)
  await last().fail(new Error('away'))
  pass(EVERY_MS - 1)
  assert.equal(asked.length, 2)
  pass(1)
  assert.equal(asked.length, 3)
  await last().answer('b')
  assert.deepEqual(told, ['a', 'failed: away', 'b'])
})

test('many wishes of one moment cause one reading, and a storm of them one each second, which it does not put off', async (t) => {
  const { reading, asked, last, pass } = kept(t)
  await last().answer('first')
  pass(PAUSE_MS)
  for (let i = 0; i < 100; i++) reading.soon()
  pass(SETTLE_MS - 1)
  assert.equal(asked.length, 1)
  pass(1)
  assert.equal(asked.length, 2)
  await last().answer('second')
  for (let ms = 0; ms < 10 * PAUSE_MS; ms += 50) {
    reading.soon()
    pass(50)
    await last().answer('in the storm')
  }
  assert.equal(asked.length, 12)
})

test('a wish during a reading is met by another one a second after its answer', async (t) => {
  const { reading, asked, last, pass } = kept(t)
  reading.soon()
  pass(5000)
  assert.equal(asked.length, 1)
  await last().answer('from before the wish')
  pass(PAUSE_MS - 1)
  assert.equal(asked.length, 1)
  pass(1)
  assert.equal(asked.length, 2)
  await last().answer('after it')
  pass(PAUSE_MS)
  assert.equal(asked.length, 2, 'the wish was met')
})

test('a hidden page asks nothing, whatever happens, and reads once it is shown again', async (t) => {
  const { reading, asked, last, pass, turn } = kept(t)
  turn('hidden')
  await last().answer('asked before')
  for (let i = 0; i < 10; i++) {
    reading.soon()
    pass(EVERY_MS)
  }
  assert.equal(asked.length, 1)
  turn('shown')
  pass(SETTLE_MS)
  assert.equal(asked.length, 2)
  await last().answer('as it is now')
  pass(EVERY_MS)
  assert.equal(asked.length, 3, 'and goes on')
})

test('a page that is opened in the background asks nothing before somebody looks', (t) => {
  const { asked, pass, turn } = kept(t, { isVisible: false })
  pass(EVERY_MS)
  assert.equal(asked.length, 0)
  turn('shown')
  pass(SETTLE_MS)
  assert.equal(asked.length, 1)
})

test('showing and hiding the page again and again reads once a second at most, one at a time', async (t) => {
  const { asked, last, pass, turn } = kept(t)
  const turns = (count: number) => {
    for (let i = 0; i < count; i++) {
      turn('hidden')
      turn('shown')
      pass(SETTLE_MS)
    }
  }
  turns(20)
  assert.equal(asked.length, 1, 'while an answer is awaited')
  await last().answer('a')
  pass(PAUSE_MS)
  assert.equal(asked.length, 2)
  await last().answer('b')
  turns(6)
  assert.equal(asked.length, 2, 'within the second')
  turns(1)
  assert.equal(asked.length, 3)
})

test('the end aborts the request; its answer or failure is dropped, and nothing is read any more', async (t) => {
  for (const [way, finish] of [
    ['an answer', ({ answer }: Asked) => answer('late')],
    ['a failure', ({ fail }: Asked) => fail(new Error('aborted'))],
  ] as const) {
    await t.test(way, async (inner) => {
      const { reading, asked, told, last, pass, turn, isWatched } = kept(inner)
      reading.end()
      assert.equal(last().signal.aborted, true)
      await finish(last())
      reading.soon()
      turn('shown')
      pass(10 * EVERY_MS)
      assert.deepEqual([told, asked.length, isWatched()], [[], 1, false])
    })
  }
})

test('an answer that arrived in the moment of the end reaches nobody', async (t) => {
  const { reading, told, last } = kept(t)
  const answered = last().answer('late')
  reading.end()
  await answered
  assert.deepEqual(told, [])
})

test('the end between two readings leaves no timer and no listener', async (t) => {
  const { reading, asked, last, pass, isWatched } = kept(t)
  await last().answer('a')
  reading.end()
  pass(10 * EVERY_MS)
  assert.deepEqual([asked.length, isWatched()], [1, false])
})

test('an answer after which there is nothing to read ends it', async (t) => {
  const { reading, asked, told, last, pass, isWatched } = kept(t, { isLast: true })
  await last().answer('gone for good')
  reading.soon()
  pass(10 * EVERY_MS)
  assert.deepEqual([asked.length, told, isWatched()], [1, ['gone for good'], false])
})
