/** When a request is sent a second time: over real sockets. */
import assert from 'node:assert/strict'
import { createServer, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { WebhookClient } from '../../../../src/notify/webhook/client.ts'

const ANSWER = 'HTTP/1.1 204 No Content\r\n\r\n'

/** A receiver that reads a request whole and then does what the test says. */
async function aReceiver(t: TestContext, react: (socket: Socket) => void) {
  const counts = { requests: 0, connections: 0 }
  const open = new Set<Socket>()
  const server = createServer((socket) => {
    counts.connections += 1
    open.add(socket)
    let text = ''
    socket.on('error', () => undefined)
    socket.on('data', (chunk) => {
      text += chunk.toString()
      if (!text.endsWith('BODY')) return
      text = ''
      counts.requests += 1
      react(socket)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const client = new WebhookClient({ policy: () => undefined })
  t.after(async () => {
    await client.close()
    for (const socket of open) socket.destroy()
    server.close()
  })
  const address = server.address()
  assert.ok(typeof address === 'object' && address !== null)
  const url = `http://127.0.0.1:${address.port}/hook`
  const send = () =>
    client.send(
      { id: 'w', projectId: 'p', url, format: 'cloudevents', secrets: [] },
      { id: '1', url, body: 'BODY', contentType: 'text/plain', count: 1 },
      new AbortController().signal,
    )
  return { counts, send }
}

test('a receiver that reads a request and resets a new connection gets it once per try', async (t) => {
  const { counts, send } = await aReceiver(t, (socket) => socket.resetAndDestroy())
  assert.equal((await send()).kind, 'unanswered')
  assert.deepEqual(counts, { requests: 1, connections: 1 })
})

test('a request on a kept connection that the receiver closes is sent again, and arrives', async (t) => {
  const used = new WeakSet<Socket>()
  let resets = 0
  const { counts, send } = await aReceiver(t, (socket) => {
    if (!used.has(socket)) {
      used.add(socket)
      socket.write(ANSWER)
    } else {
      resets += 1
      socket.resetAndDestroy()
    }
  })
  let sent = 0
  for (; resets === 0 && sent < 100; sent += 1) {
    assert.equal((await send()).kind, 'delivered')
    // The client takes a connection back in a later turn of the event loop.
    await new Promise((resolve) => setImmediate(resolve))
  }
  assert.equal(resets, 1)
  assert.equal(counts.requests, sent + 1)
})
