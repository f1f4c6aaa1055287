/** What a service that answers oddly does to a command that reads a stream. */
import assert from 'node:assert/strict'
import { createServer, type ServerResponse } from 'node:http'
import { type TestContext, test } from 'node:test'
import { ClientFailure } from '../../../src/client/failure.ts'
import { Service } from '../../../src/client/service.ts'
import { CLIENT_BODY_MAX_BYTES } from '../../../src/domain/limits.ts'

async function refusalOf(t: TestContext, answer: (response: ServerResponse) => void): Promise<string> {
  const server = createServer((_, response) => answer(response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  assert.ok(typeof address === 'object' && address !== null)
  const service = await Service.open({
    url: `http://127.0.0.1:${address.port}`,
    defaultUrl: () => '',
    project: undefined,
    variables: () => undefined,
    authorities: undefined,
  })
  t.after(async () => {
    await service.close()
    server.closeAllConnections()
    server.close()
  })
  try {
    await service.stream('/v1/events', {}, {})
  } catch (error) {
    assert.ok(error instanceof ClientFailure)
    return error.message
  }
  return assert.fail('it was refused')
}

test('the refusal of a stream is reported by its sentence', async (t) => {
  const told = await refusalOf(t, (response) =>
    response.writeHead(403).end(JSON.stringify({ detail: 'not for you' })),
  )
  assert.match(told, /refuses: not for you$/)
})

test('a service that is starting is said to be starting', async (t) => {
  const told = await refusalOf(t, (response) =>
    response.writeHead(503, { 'retry-after': '5' }).end(JSON.stringify({ status: 'starting' })),
  )
  assert.match(told, /is starting: it answers when it has its database\. Try again in some seconds$/)
})

test('a refusal that does not end is read up to the bound of every answer, and not further', async (t) => {
  const chunk = Buffer.alloc(1024 * 1024, 'x')
  let written = 0
  const told = await refusalOf(t, (response) => {
    response.on('error', () => undefined)
    response.writeHead(403)
    const more = () => {
      // Ends far beyond the bound, so that a client without one does not read for ever.
      while (!response.destroyed && written < 4 * CLIENT_BODY_MAX_BYTES) {
        written += chunk.length
        if (!response.write(chunk)) return void response.once('drain', more)
      }
      response.end()
    }
    more()
  })
  assert.match(told, /gives an answer that is too long$/)
  assert.ok(written < 4 * CLIENT_BODY_MAX_BYTES)
})
