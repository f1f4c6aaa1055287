/** What the tests of webhooks leave behind in an API process. */
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { test } from 'node:test'
import { testSender } from '../../../../src/bin/process/webhooks.ts'
import { WEBHOOK_IDLE_MS } from '../../../../src/domain/limits.ts'
import { until } from '../../../support/probing.ts'

test('after a test of a webhook no connection of its project is kept', async (t) => {
  let open = 0
  const server = createServer((_, response) => response.writeHead(204).end())
  server.on('connection', (socket) => {
    open += 1
    socket.on('close', () => (open -= 1))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const sender = testSender({ policy: () => undefined, origin: { source: 'urn:test' } })
  t.after(async () => {
    await sender.close()
    server.close()
  })
  const address = server.address()
  assert.ok(typeof address === 'object' && address !== null)
  const url = `http://127.0.0.1:${address.port}/`
  const startedMs = performance.now()
  const outcomes = await Promise.all(
    ['one', 'two'].map((projectId) =>
      sender.send({ id: projectId, projectId, url, format: 'cloudevents', secrets: [] }),
    ),
  )
  assert.deepEqual(
    outcomes.map((outcome) => outcome?.kind),
    ['delivered', 'delivered'],
  )
  await until(() => open === 0)
  assert.ok(performance.now() - startedMs < WEBHOOK_IDLE_MS / 2, 'it was closed, and did not end by itself')
})
