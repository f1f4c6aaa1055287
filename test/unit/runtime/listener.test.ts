import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request } from 'node:http'
import { test } from 'node:test'
import { formatEndpoint, listen, localUrl } from '../../../src/runtime/listener.ts'
import { StartRefusal } from '../../../src/runtime/start-refusal.ts'

test('a taken port and a foreign address are refused with the setting to change', async (t) => {
  const first = await listen({ host: '127.0.0.1', port: 0 }, 'HM_LISTEN', () => undefined)
  t.after(() => first.close())
  await assert.rejects(
    listen(first.endpoint, 'HM_LISTEN', () => undefined),
    (error) => {
      assert.ok(error instanceof StartRefusal)
      assert.match(
        error.message,
        new RegExp(`port ${first.endpoint.port} is taken \\(HM_LISTEN=127\\.0\\.0\\.1:`),
      )
      return true
    },
  )
  await assert.rejects(
    listen({ host: '192.0.2.1', port: 0 }, 'HM_LISTEN', () => undefined),
    /192\.0\.2\.1 is not an address of this host/,
  )
})

test('closing waits for the request in flight', async () => {
  let arrived = (_answer: () => void): void => undefined
  const inFlight = new Promise<() => void>((resolve) => {
    arrived = resolve
  })
  const listener = await listen({ host: '127.0.0.1', port: 0 }, 'HM_LISTEN', (_request, response) => {
    arrived(() => response.end('late'))
  })
  const asked = request(localUrl(listener.endpoint)).end()
  const response = once(asked, 'response')
  const answer = await inFlight
  let isClosed = false
  const closed = listener.close().then(() => {
    isClosed = true
  })
  await new Promise(setImmediate)
  assert.equal(isClosed, false)
  answer()
  const [message] = (await response) as [NodeJS.ReadableStream]
  message.resume()
  await closed
})

test('addresses are written as URLs need them', () => {
  assert.equal(formatEndpoint({ host: '::1', port: 1 }), '[::1]:1')
  assert.equal(localUrl({ host: '0.0.0.0', port: 80 }), 'http://127.0.0.1:80')
  assert.equal(localUrl({ host: '::', port: 80 }), 'http://[::1]:80')
})
