import assert from 'node:assert/strict'
import { test } from 'node:test'
import { askFor, type Init, send, type Surroundings } from '../../../../src/web/net/sender.ts'

/** What was sent, and an answer. */
function surroundings(answer: () => Promise<Response>, project = '') {
  const sent: { url: string; init: Init }[] = []
  const here: Surroundings = {
    base: 'https://example.org/prefix/',
    project: () => project,
    fetch: (url, init) => {
      sent.push({ url, init })
      return answer()
    },
  }
  return { here, sent }
}

const answering =
  (body: string | null, status = 200) =>
  () =>
    Promise.resolve(new Response(body, { status }))
const refusal = (status: number, message: string) => ({ name: 'RequestError', status, message })

test('a request goes below the prefix of the page, for the project that is chosen, and is never from a cache', async () => {
  const { here, sent } = surroundings(answering('{"a":1}'), 'p1')
  assert.deepEqual(await askFor(here, { method: 'PUT', path: 'v1/x?y=1', body: { z: 'ü' } }), { a: 1 })
  assert.deepEqual(sent, [
    {
      url: 'https://example.org/prefix/v1/x?y=1',
      init: {
        method: 'PUT',
        cache: 'no-store',
        headers: { accept: 'application/json', 'x-project-id': 'p1', 'content-type': 'application/json' },
        body: '{"z":"ü"}',
      },
    },
  ])
})

test('without a project, a body or further headers nothing is said of them', async () => {
  const { here, sent } = surroundings(answering(null, 204))
  assert.equal(await askFor(here, { method: 'DELETE', path: 'v1/x' }), undefined)
  assert.deepEqual(sent[0]?.init, {
    method: 'DELETE',
    cache: 'no-store',
    headers: { accept: 'application/json' },
  })
  await send(here, {
    method: 'GET',
    path: 'e',
    accept: 'text/event-stream',
    headers: { 'last-event-id': '7' },
  })
  assert.deepEqual(sent[1]?.init.headers, { accept: 'text/event-stream', 'last-event-id': '7' })
})

test('a refusal has the sentence of the service in either form, or its status', async () => {
  for (const [body, said] of [
    ['{"detail":"Too many.","title":"x"}', 'Too many.'],
    ['{"faultcode":"Client","faultstring":"Not found."}', 'Not found.'],
    ['{"detail":7}', 'The service answered 418.'],
    ['null', 'The service answered 418.'],
    ['<html>a proxy</html>', 'The service answered 418.'],
    ['', 'The service answered 418.'],
  ] as const) {
    const { here } = surroundings(answering(body, 418))
    await assert.rejects(askFor(here, { method: 'GET', path: 'x' }), refusal(418, said))
  }
})

test('an answer that is no JSON is a trouble that is reported, not an answer without anything', async () => {
  const { here } = surroundings(answering('<html>sign in to the network</html>'))
  await assert.rejects(
    askFor(here, { method: 'GET', path: 'x' }),
    refusal(200, 'The answer is not one of the service. Is there a proxy in between?'),
  )
})

test('no answer, and one that breaks off, are reported alike; a request that the page ended is not', async () => {
  const broken = new ReadableStream({ start: (body) => body.error(new TypeError('reset')) })
  for (const answer of [
    () => Promise.reject(new TypeError('fetch failed')),
    () => Promise.resolve(new Response(broken)),
  ]) {
    const { here } = surroundings(answer)
    await assert.rejects(
      askFor(here, { method: 'GET', path: 'x' }),
      refusal(0, 'The service does not answer.'),
    )
  }
  const ending = new AbortController()
  ending.abort()
  const { here } = surroundings(() => Promise.reject(new Error('ended')))
  await assert.rejects(askFor(here, { method: 'GET', path: 'x', signal: ending.signal }), {
    message: 'ended',
  })
})
