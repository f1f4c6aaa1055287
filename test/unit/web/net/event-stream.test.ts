import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { openStream, RETRY_MAX_MS, RETRY_MS, SILENCE_MS } from '../../../../src/web/net/event-stream.ts'
import type { RequestError } from '../../../../src/web/net/sender.ts'
import { movedClock } from '../../../support/moved-clock.ts'

/** Longest pause: a quarter more than it is, so that pages do not come back together. */
const SPREAD = 1.25

interface Connection {
  readonly after: string
  readonly signal: AbortSignal
  readonly say: (text: string | Uint8Array) => void
  readonly end: () => void
  readonly refuse: (status: number) => void
  readonly accept: () => void
}

/** A page whose connections the test answers, and whose clock it moves. */
function aPage(t: TestContext) {
  const move = movedClock(t)
  const connections: Connection[] = []
  const told: string[] = []
  const close = openStream({
    connect: (after, signal) =>
      new Promise((resolve, reject) => {
        signal.addEventListener('abort', () => reject(new Error('aborted')))
        let body: ReadableStreamDefaultController<Uint8Array> | undefined
        const stream = new ReadableStream<Uint8Array>({ start: (controller) => void (body = controller) })
        signal.addEventListener('abort', () => body?.error(new Error('aborted')))
        connections.push({
          after,
          signal,
          say: (text) => body?.enqueue(typeof text === 'string' ? Buffer.from(text) : text),
          end: () => body?.close(),
          refuse: (status) => resolve(new Response('no', { status })),
          accept: () => resolve(new Response(stream)),
        })
      }),
    onEvent: ({ type }) => void told.push(type),
    onGap: () => void told.push('gap'),
    onState: (isOpen) => void told.push(isOpen ? 'open' : 'broken'),
    onRefused: ({ status }: RequestError) => void told.push(`refused ${status}`),
  })
  t.after(close)
  const settled = async () => {
    for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve))
  }
  /** What happens within so many milliseconds. */
  const pass = async (ms: number) => {
    move(ms)
    await settled()
  }
  const last = () => connections.at(-1) ?? assert.fail('nobody connects')
  const opened = async () => {
    last().accept()
    await settled()
  }
  return { connections, told, close, settled, pass, last, opened }
}

const message = (id: number, type: string): string => `id: ${id}\ndata: ${JSON.stringify({ type })}\n\n`

test('events are reported in order, however their bytes are cut, and what is no event is left out', async (t) => {
  const { told, last, opened, settled } = aPage(t)
  await opened()
  const text = `: heartbeat\n\n${message(1, 'ärger')}${message(2, 'b: c')}event: gap\ndata: {}\n\n`
  for (const byte of Buffer.from(text)) last().say(Uint8Array.of(byte))
  await settled()
  assert.deepEqual(told, ['open', 'ärger', 'b: c', 'gap'])
})

test('a stream that breaks goes on after the last event that was heard', async (t) => {
  const { connections, told, pass, last, opened, settled } = aPage(t)
  assert.equal(last().after, '')
  await opened()
  last().say(message(7, 'a'))
  last().say('id: 8\ndata: {"type":"never complete"}')
  await settled()
  last().end()
  await settled()
  assert.deepEqual(told, ['open', 'a', 'broken'])
  await pass(RETRY_MS * SPREAD)
  assert.equal(connections.length, 2)
  assert.equal(last().after, '7')
})

test('pauses between attempts double up to their bound, and begin anew after a stream that worked', async (t) => {
  const { connections, pass, last, opened, settled } = aPage(t)
  for (const pauseMs of [1000, 2000, 4000, 8000, RETRY_MAX_MS, RETRY_MAX_MS]) {
    last().refuse(503)
    await settled()
    const before = connections.length
    await pass(pauseMs * 0.75 - 1)
    assert.equal(connections.length, before, `not before ${0.75 * pauseMs} ms`)
    await pass(pauseMs * 0.5 + 1)
    assert.equal(connections.length, before + 1, `within ${SPREAD * pauseMs} ms`)
  }
  await opened()
  await pass(RETRY_MAX_MS)
  last().end()
  await settled()
  const before = connections.length
  await pass(RETRY_MS * SPREAD)
  assert.equal(connections.length, before + 1, 'it had worked')
})

test('a refusal is reported; a service that is not there, or silent, is tried again', async (t) => {
  const { connections, told, pass, last, opened, settled } = aPage(t)
  last().refuse(401)
  await settled()
  assert.deepEqual(told, ['refused 401', 'broken'])
  await pass(RETRY_MS * SPREAD)
  await pass(SILENCE_MS)
  assert.ok(last().signal.aborted, 'no answer for so long')
  await pass(2 * RETRY_MS * SPREAD)
  assert.equal(connections.length, 3)
  await opened()
  await pass(SILENCE_MS - 1)
  last().say(': heartbeat\n\n')
  await settled()
  await pass(SILENCE_MS - 1)
  assert.ok(!last().signal.aborted, 'a heartbeat is enough')
  await pass(1)
  assert.ok(last().signal.aborted)
})

test('a stream that is closed tells nothing more, and does not come back', async (t) => {
  const { connections, told, close, pass, last, opened, settled } = aPage(t)
  await opened()
  last().say(message(1, 'a'))
  await settled()
  close()
  await settled()
  await pass(SILENCE_MS)
  assert.ok(last().signal.aborted)
  assert.deepEqual(told, ['open', 'a'])
  assert.equal(connections.length, 1)
})

test('closing during a pause ends it', async (t) => {
  const { connections, close, pass, last, settled } = aPage(t)
  last().refuse(503)
  await settled()
  close()
  await pass(RETRY_MAX_MS)
  assert.equal(connections.length, 1)
})
