import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Agent, type IncomingMessage, request, type ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { test } from 'node:test'
import { formatEndpoint } from '../../../../src/runtime/config/endpoint.ts'
import { listen, localUrl } from '../../../../src/runtime/listener/listener.ts'
import { StartRefusal } from '../../../../src/runtime/start-refusal.ts'

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

/** A listener whose requests are answered by the test, in the order in which they came. */
async function answeredByHand() {
  const waiting: ((response: ServerResponse) => void)[] = []
  const arrived: ServerResponse[] = []
  const listener = await listen({ host: '127.0.0.1', port: 0 }, 'HM_LISTEN', (_request, response) => {
    const next = waiting.shift()
    if (next === undefined) arrived.push(response)
    else next(response)
  })
  const next = (): Promise<ServerResponse> => {
    const response = arrived.shift()
    return response === undefined
      ? new Promise((resolve) => waiting.push(resolve))
      : Promise.resolve(response)
  }
  return { listener, next }
}

test('answers while it closes ask clients that keep connections to open new ones', async (t) => {
  const { listener, next } = await answeredByHand()
  const agent = new Agent({ keepAlive: true })
  t.after(() => agent.destroy())
  const ask = async (): Promise<IncomingMessage> => {
    const [message] = (await once(request(localUrl(listener.endpoint), { agent }).end(), 'response')) as [
      IncomingMessage,
    ]
    message.resume()
    return message
  }
  const before = ask()
  ;(await next()).end('kept')
  assert.equal((await before).headers.connection, 'keep-alive')
  const during = ask()
  const response = await next()
  const closed = listener.close()
  response.end('last')
  assert.equal((await during).headers.connection, 'close')
  await closed
})

test('a connection whose answer had begun before is closed behind it, and one that asks again is answered once more', async () => {
  const { listener, next } = await answeredByHand()
  const socket = connect(listener.endpoint.port, '127.0.0.1')
  let heard = ''
  socket.on('data', (data: Buffer) => (heard += data.toString()))
  const ended = once(socket, 'close')
  socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n')
  const first = await next()
  first.writeHead(200)
  first.write('begun')
  const closed = listener.close()
  first.end()
  ;(await next()).end('second')
  await closed
  await ended
  const [, firstHead = '', secondHead = ''] = heard.split('HTTP/1.1 200 OK')
  assert.match(firstHead, /Connection: keep-alive/)
  assert.match(secondHead, /Connection: close/)
})

test('addresses are written as URLs need them', () => {
  assert.equal(formatEndpoint({ host: '::1', port: 1 }), '[::1]:1')
  assert.equal(localUrl({ host: '0.0.0.0', port: 80 }), 'http://127.0.0.1:80')
  assert.equal(localUrl({ host: '::', port: 80 }), 'http://[::1]:80')
})
