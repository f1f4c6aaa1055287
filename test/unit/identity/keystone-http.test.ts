import assert from 'node:assert/strict'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { test, type TestContext } from 'node:test'
import { KEYSTONE_BODY_MAX_BYTES } from '../../../src/domain/limits.ts'
import { keystoneHttp, withoutVersion } from '../../../src/identity/keystone-http.ts'

type Answer = (request: IncomingMessage, response: ServerResponse) => void

/** A client of a server that answers with the first of `answers`, then the next, and what it was asked. */
async function withServer(t: TestContext, answers: readonly Answer[], timeoutMs = 5000) {
  const asked: { method: string; url: string; headers: IncomingMessage['headers']; body: string }[] = []
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      const { method = '', url = '', headers } = request
      asked.push({ method, url, headers, body })
      answers[asked.length - 1]?.(request, response)
    })
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const http = keystoneHttp(`http://127.0.0.1:${(server.address() as AddressInfo).port}/v3/`, timeoutMs)
  t.after(async () => {
    await http.close()
    server.closeAllConnections()
    await new Promise((closed) => server.close(closed))
  })
  return { http, asked }
}

const json =
  (status: number, body: unknown, headers: Record<string, string | string[]> = {}): Answer =>
  (_, response) =>
    void response.writeHead(status, headers).end(JSON.stringify(body))
const GET = { method: 'GET', path: '/auth/tokens' } as const
const UNAVAILABLE = { code: 'IDENTITY_UNAVAILABLE' }

test('the address may end with the version or not, and with slashes', () => {
  for (const url of ['http://k:5000', 'http://k:5000/', 'http://k:5000/v3', 'http://k:5000/v3//'])
    assert.equal(withoutVersion(url), 'http://k:5000', url)
  assert.equal(withoutVersion('http://k/identity/v3'), 'http://k/identity')
})

test('a question has its headers, and is announced as JSON only with a body; the answer has its token', async (t) => {
  const { http, asked } = await withServer(t, [
    json(201, { token: 1 }, { 'X-Subject-Token': 'made' }),
    json(404, { error: 1 }),
  ])
  assert.deepEqual(await http.ask({ method: 'POST', path: '/auth/tokens?nocatalog', body: { auth: 1 } }), {
    status: 201,
    subjectToken: 'made',
    body: { token: 1 },
  })
  assert.deepEqual(await http.ask({ ...GET, headers: { 'x-auth-token': 'own' } }), {
    status: 404,
    subjectToken: undefined,
    body: { error: 1 },
  })
  const [login, look] = asked
  assert.deepEqual(
    [login?.method, login?.url, login?.body],
    ['POST', '/v3/auth/tokens?nocatalog', '{"auth":1}'],
  )
  assert.equal(login?.headers['content-type'], 'application/json')
  assert.deepEqual([look?.method, look?.url, look?.body], ['GET', '/v3/auth/tokens', ''])
  assert.deepEqual([look?.headers['x-auth-token'], look?.headers['content-type']], ['own', undefined])
})

test('two tokens in one answer are none, and a body that is not JSON is none', async (t) => {
  const { http } = await withServer(t, [
    json(201, {}, { 'X-Subject-Token': ['one', 'other'] }),
    (_, response) => void response.end('<html>'),
  ])
  assert.equal((await http.ask(GET)).subjectToken, undefined)
  assert.deepEqual(await http.ask(GET), { status: 200, subjectToken: undefined, body: undefined })
})

test('no answer in time is no answer', async (t) => {
  const { http, asked } = await withServer(t, [() => undefined], 100)
  await assert.rejects(http.ask(GET), UNAVAILABLE)
  assert.equal(asked.length, 1)
})

test('an answer that is too long is no answer, and is not asked for again', async (t) => {
  const most = 'x'.repeat(KEYSTONE_BODY_MAX_BYTES - '""'.length)
  const { http, asked } = await withServer(t, [json(200, most), json(200, `${most}x`)])
  assert.equal((await http.ask(GET)).body, most)
  await assert.rejects(http.ask(GET), UNAVAILABLE)
  assert.equal(asked.length, 2)
})

test('a kept connection that Keystone closes just then is made anew, once', async (t) => {
  const reset: Answer = (request) => void request.socket.destroy()
  const { http, asked } = await withServer(t, [json(200, 1), reset, json(200, 2), reset, reset])
  assert.equal((await http.ask(GET)).body, 1)
  assert.equal((await http.ask(GET)).body, 2)
  await assert.rejects(http.ask(GET), UNAVAILABLE)
  assert.equal(asked.length, 5)
})
