import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { signal } from '@preact/signals'
import type { Listener } from '../../../../src/web/net/event-feed.ts'
import { EVERY_MS, keepLoaded, type Loaded } from '../../../../src/web/net/loaded.ts'
import { PAUSE_MS } from '../../../../src/web/net/reading.ts'
import { RequestError } from '../../../../src/web/net/sender.ts'
import type { ServiceEvent } from '../../../../src/web/net/types.ts'

const anEvent = (type: string): ServiceEvent => ({
  id: '1',
  type,
  time: '2026-11-30T12:00:00Z',
  project_id: 'project',
})

interface Asked {
  readonly path: string
  readonly answer: (body: unknown) => Promise<void>
  readonly refuse: (error: unknown) => Promise<void>
}

const settled = (): Promise<void> => new Promise((done) => setImmediate(done))

/** A view in a page whose service and events are the test's. */
function aView(t: TestContext) {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const asked: Asked[] = []
  const noted: unknown[] = []
  const listeners = new Set<Listener>()
  const state = signal<Loaded<unknown>>({})
  let ms = 0
  const open = (path: string, concerns: (event: ServiceEvent) => boolean = () => true) =>
    keepLoaded({ path, concerns }, state, {
      nowMs: () => ms,
      isVisible: () => true,
      onVisibility: () => () => undefined,
      get: (of) =>
        new Promise((resolve, reject) => {
          asked.push({
            path: of,
            answer: (body) => (resolve(body as never), settled()),
            refuse: (error) => (reject(error as Error), settled()),
          })
        }),
      onChange: (listener) => {
        listeners.add(listener)
        return () => listeners.delete(listener)
      },
      noteRefusal: (error) => void noted.push(error),
    })
  return {
    open,
    state,
    noted,
    asked,
    last: () => asked.at(-1) ?? assert.fail('nothing was asked'),
    listeners,
    tell: (event: ServiceEvent | undefined) => listeners.forEach((listener) => listener(event)),
    pass: (by: number) => {
      ms += by
      t.mock.timers.tick(by)
    },
  }
}

test('what was read stays while the next is read and when that fails, with a sentence, until one succeeds', async (t) => {
  const { open, state, noted, last, pass } = aView(t)
  open('pools')
  assert.deepEqual(state.value, {})
  await last().answer({ pools: 1 })
  assert.deepEqual(state.value, { body: { pools: 1 } })
  pass(EVERY_MS)
  assert.deepEqual(state.value, { body: { pools: 1 } })
  const refusal = new RequestError(503, 'PostgreSQL is away.')
  await last().refuse(refusal)
  assert.deepEqual(state.value, { body: { pools: 1 }, error: 'PostgreSQL is away.' })
  assert.deepEqual(noted, [refusal])
  pass(EVERY_MS)
  await last().answer({ pools: 2 })
  assert.deepEqual(state.value, { body: { pools: 2 } })
})

test('an answer to the question of before is never shown, nor its refusal', async (t) => {
  const { open, state, noted, asked } = aView(t)
  const first = open('pools?search=a')
  const answered = asked[0]!.answer('the pools of a')
  first.end()
  const second = open('pools?search=b')
  await answered
  assert.deepEqual(state.value, {})
  second.end()
  open('pools?search=c')
  await asked[1]!.refuse(new RequestError(401, 'ended'))
  await asked[2]!.answer('the pools of c')
  assert.deepEqual([state.value, noted], [{ body: 'the pools of c' }, []])
})

test('another question begins with nothing: the answer of before is not taken for its own', async (t) => {
  const { open, state, last } = aView(t)
  const first = open('members/1')
  await last().answer('member 1')
  first.end()
  open('members/2')
  assert.deepEqual(state.value, {})
})

test('an event that concerns it causes a reading, another does not, and one that was missed may have', async (t) => {
  const { open, asked, last, listeners, tell, pass } = aView(t)
  const reading = open('probers', ({ type }) => type === 'prober.lost')
  await last().answer('a')
  pass(PAUSE_MS)
  tell(anEvent('member.status'))
  pass(PAUSE_MS)
  assert.equal(asked.length, 1)
  tell(anEvent('prober.lost'))
  pass(PAUSE_MS)
  assert.equal(asked.length, 2)
  await last().answer('b')
  tell(undefined)
  pass(PAUSE_MS)
  assert.equal(asked.length, 3)
  reading.end()
  assert.equal(listeners.size, 0)
})
