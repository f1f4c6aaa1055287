import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'node:test'
import { openDatabase } from '../../src/store/connection/database.ts'
import { type Answer, startApi } from '../support/api.ts'
import { aLoadBalancer, assertRefused, contents, SUBNET } from '../support/api-objects.ts'
import { testDatabase } from '../support/database.ts'
import { throughForwarder } from '../support/forwarder.ts'

const LBS = '/v2.0/lbaas/loadbalancers'
const body = { loadbalancer: { vip_subnet_id: SUBNET } }

test('an unknown path is 404 and a wrong method 405 that names the right ones', async (t) => {
  const api = await startApi(t)
  const unknown = ['/nothing', '/v2.0/nothing', '/elb/v2.0/lbaas/nothing', '/v3', '/v2/p/elb/foo', '/elbow']
  for (const path of unknown) {
    for (const method of ['GET', 'POST', 'DELETE', 'OPTIONS']) {
      assertRefused(await api.request(method, path), {
        status: 404,
        code: 'APIGW.0101',
        message: 'The API does not exist or has not been published in the environment',
      })
    }
  }
  const lb = await aLoadBalancer(api)
  for (const [method, path, allow] of [
    ['PUT', LBS, ['GET', 'HEAD', 'POST']],
    ['DELETE', LBS, ['GET', 'HEAD', 'POST']],
    ['PATCH', LBS, ['GET', 'HEAD', 'POST']],
    ['OPTIONS', LBS, ['GET', 'HEAD', 'POST']],
    ['POST', `${LBS}/${lb.id}`, ['DELETE', 'GET', 'HEAD', 'PUT']],
    ['OPTIONS', `/elb${LBS}/${lb.id}`, ['DELETE', 'GET', 'HEAD', 'PUT']],
    ['POST', '/', ['GET', 'HEAD']],
  ] as const) {
    const answer = await api.request(method, path)
    assertRefused(answer, {
      status: 405,
      code: 'APIGW.0101',
      message: `The method ${method} is not allowed.`,
    })
    const allowed = (answer.headers['allow'] ?? '').split(', ').sort((a, b) => (a < b ? -1 : 1))
    assert.deepEqual(allowed, allow, `${method} ${path}`)
  }
})

test('HEAD answers what GET answers, without a body', async (t) => {
  const api = await startApi(t)
  const lb = await aLoadBalancer(api)
  for (const path of [LBS, `${LBS}/${lb.id}`, '/', '/livez', '/healthcheck']) {
    const [head, get] = await Promise.all([api.request('HEAD', path), api.request('GET', path)])
    assert.deepEqual([head.status, head.body], [200, undefined], path)
    assert.equal(head.headers['content-length'], get.headers['content-length'])
  }
  assert.equal((await api.request('HEAD', `${LBS}/00000000-0000-4000-8000-000000000000`)).status, 404)
})

test('a body that is not a JSON object in its envelope is refused and changes nothing', async (t) => {
  const api = await startApi(t)
  const before = await contents(api)
  const post = (payload: unknown, headers = {}) => api.request('POST', LBS, payload, headers)
  const json = { 'content-type': 'application/json' }
  const nullEnvelope = {
    status: 400,
    code: 'ELB.0002',
    message: 'RequestBody is null or empty,request is invalid.',
  }
  assertRefused(await post(undefined), nullEnvelope)
  assertRefused(await post(''), nullEnvelope)
  assertRefused(await post('', { 'transfer-encoding': 'chunked' }), nullEnvelope)
  for (const text of [
    'null',
    '1',
    '"x"',
    '[]',
    '{}',
    '{"loadbalancer":null}',
    '{"loadbalancer":[]}',
    '{"pool":{}}',
  ]) {
    assertRefused(await post(text), nullEnvelope)
  }
  const broken = { status: 400, code: 'ELB.8902', message: 'The body is not valid JSON.' }
  for (const text of [
    '{',
    '{"loadbalancer":}',
    "{'a':1}",
    'loadbalancer',
    '{}{}',
    '\ufeff{,}',
    '{"a":NaN}',
  ]) {
    assertRefused(await post(text), broken)
  }
  const text = (value: string) => `{"loadbalancer":{"vip_subnet_id":"${SUBNET}","name":"${value}"}}`
  assertRefused(await post(text('\\u0000')), { status: 400, code: 'ELB.8902', message: /NUL/ })
  assertRefused(await post(text('\\ud800')), { status: 400, code: 'ELB.8902', message: /lone surrogate/ })
  assertRefused(await post(text('x').replace('"name"', '"na\\u0000me"')), { status: 400, code: 'ELB.8902' })
  assertRefused(await post(Buffer.from([0x7b, 0xff, 0x7d]), json), {
    status: 400,
    code: 'ELB.8902',
    message: /UTF-8/,
  })
  assertRefused(await post(`{"loadbalancer":${'['.repeat(40)}${']'.repeat(40)}}`), {
    status: 400,
    code: 'ELB.8902',
    message: 'The body is nested more than 32 levels deep.',
  })
  assert.deepEqual(await contents(api), before)
})

test('a content type that is not JSON is 415', async (t) => {
  const api = await startApi(t)
  const before = await contents(api)
  const text = JSON.stringify(body)
  for (const type of [
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'x',
    'application/json; charset=iso-8859-1',
    'application/json;charset="utf-16"',
  ]) {
    const answer = await api.request('POST', LBS, text, { 'content-type': type })
    assertRefused(answer, { status: 415, code: 'ELB.8902' })
  }
  assert.deepEqual(await contents(api), before)
  for (const type of [
    'application/json; charset=utf-8',
    'application/json; charset="UTF8"',
    'application/vnd.x+json',
    'APPLICATION/JSON',
  ]) {
    assert.equal((await api.request('POST', LBS, text, { 'content-type': type })).status, 201, type)
  }
})

test('a request without a body may name any content type', async (t) => {
  const api = await startApi(t)
  const lb = await aLoadBalancer(api)
  for (const type of ['application/json', 'application/json;charset=utf8', 'text/plain']) {
    const headers = { 'content-type': type }
    assert.equal((await api.request('GET', LBS, undefined, headers)).status, 200, type)
    const put = await api.request('PUT', `${LBS}/${lb.id}`, undefined, headers)
    assertRefused(put, { status: 400, code: 'ELB.0002' })
  }
  const gone = await api.request('DELETE', `${LBS}/${lb.id}`, undefined, {
    'content-type': 'application/json',
  })
  assert.equal(gone.status, 204)
})

test('an absolute request target is served as its path', async (t) => {
  const api = await startApi(t)
  const lb = await aLoadBalancer(api)
  const target = `${api.url}${LBS}/${lb.id}?fields=id`
  const answer = await raw(api.port, `GET ${target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`)
  assert.ok(answer.endsWith(JSON.stringify({ loadbalancer: { id: lb.id } })), answer)
})

test('a request with two Host headers is 400 everywhere', async (t) => {
  const api = await startApi(t)
  for (const path of [LBS, '/load-balancer/v2.0/lbaas/pools', '/v1/probers', '/livez', '/v2.0/networks']) {
    const answer = await raw(
      api.port,
      `GET ${path} HTTP/1.1\r\nHost: localhost\r\nhost: 127.0.0.1\r\nConnection: close\r\n\r\n`,
    )
    assert.ok(answer.startsWith('HTTP/1.1 400 '), answer)
    assert.match(answer, /The request has more than one Host header\./)
  }
})

test('a body may be chunked; one that is too large is 413, declared or not', async (t) => {
  const api = await startApi(t)
  const chunked = { 'transfer-encoding': 'chunked' }
  assert.equal((await api.request('POST', LBS, body, chunked)).status, 201)
  const before = await contents(api)
  const large = JSON.stringify({ loadbalancer: { vip_subnet_id: SUBNET, name: 'x'.repeat(64 * 1024) } })
  for (const headers of [{}, chunked]) {
    const answer = await api.request('POST', LBS, large, headers)
    assertRefused(answer, { status: 413, code: 'ELB.8902', message: 'The body is larger than 65536 bytes.' })
  }
  assert.deepEqual(await contents(api), before)
})

test('a body that ends too early changes nothing', async (t) => {
  const api = await startApi(t)
  const before = await contents(api)
  await raw(
    api.port,
    `POST ${LBS} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{"load`,
    true,
  )
  assert.deepEqual(await contents(api), before)
  assert.deepEqual(api.errors, [])
})

test('no request line and no header makes a 5xx', async (t) => {
  const api = await startApi(t)
  const lines = [
    'GET http://[bad/ HTTP/1.1',
    'GET http://a:b:c/x HTTP/1.1',
    'GET //[x HTTP/1.1',
    'GET //[x#y HTTP/1.1',
    'GET /a#b HTTP/1.1',
    'GET // HTTP/1.1',
    'GET mailto:x HTTP/1.1',
    'GET ? HTTP/1.1',
    'OPTIONS * HTTP/1.1',
    'GET /%ff HTTP/1.1',
    'GET /v2.0/lbaas/pools/%ff HTTP/1.1',
    'GET /v2.0/lbaas/pools/%00 HTTP/1.1',
    'GET /v2/%00/elb/pools HTTP/1.1',
    'GET /v2/%E0%A4%A/elb/pools HTTP/1.1',
    'GET /v2.0/lbaas/pools?name=%ff&%=%&=&&x HTTP/1.1',
    'GET /v2.0/lbaas/pools?limit=1&marker=%27 HTTP/1.1',
    'FOO /v2.0/lbaas/pools HTTP/1.1',
    'PURGE /v2.0/lbaas/pools HTTP/1.1',
    `GET /${'x'.repeat(7000)} HTTP/1.1`,
    `GET /${'x'.repeat(70_000)} HTTP/1.1`,
    `GET /v2.0/lbaas/quotas/${'x'.repeat(300)} HTTP/1.1`,
  ]
  for (const line of lines) {
    const answer = await raw(api.port, `${line}\r\nHost: localhost\r\nConnection: close\r\n\r\n`)
    assert.match(answer, /^HTTP\/1\.1 [234]\d\d /, line)
  }
  const headers = [
    'X-Project-Id: a b',
    `X-Project-Id: ${'p'.repeat(256)}`,
    'X-Project-Id: a\r\nX-Project-Id: b',
    'Content-Length: x',
  ]
  for (const header of headers) {
    const answer = await raw(
      api.port,
      `GET ${LBS} HTTP/1.1\r\nHost: localhost\r\n${header}\r\nConnection: close\r\n\r\n`,
    )
    assert.match(answer, /^HTTP\/1\.1 4\d\d /, header)
  }
  assert.deepEqual(api.errors, [])
})

test('without identity, a Host that is not loopback is refused, and no answer has CORS headers', async (t) => {
  const api = await startApi(t)
  for (const host of ['evil.example', '127.0.0.1.evil.example', '192.0.2.1:80', 'localhost.']) {
    const answer = await api.request('GET', LBS, undefined, { host })
    assertRefused(answer, { status: 400, code: 'ELB.8902', message: /loopback/ })
  }
  const answer = await api.request('GET', LBS, undefined, {
    origin: 'http://evil.example',
    host: 'localhost:9',
  })
  assert.equal(answer.status, 200)
  assert.equal(
    Object.keys(answer.headers).some((name) => name.startsWith('access-control')),
    false,
  )
})

test('while PostgreSQL is away every request is 503 with Retry-After, and the service comes back by itself', async (t) => {
  const { url, forwarder } = await throughForwarder(t, (await testDatabase(t)).url)
  const db = openDatabase({ url, applicationName: 'healthmonitor test', maxConnections: 4 })
  t.after(() => db.destroy())
  const api = await startApi(t, { db })
  const lb = await aLoadBalancer(api)
  assert.equal((await api.request('GET', '/healthcheck')).status, 200)
  await forwarder.refuse()
  const requests: readonly (readonly [string, string, unknown?])[] = [
    ['GET', LBS],
    ['GET', `${LBS}/${lb.id}`],
    ['POST', LBS, body],
    ['PUT', `${LBS}/${lb.id}`, { loadbalancer: { name: 'x' } }],
    ['DELETE', `${LBS}/${lb.id}`],
    ['GET', `/v2.0/default-project/loadbalancers/${lb.id}/tags`],
    ['GET', '/v2.0/lbaas/quotas'],
    ['GET', '/elb/v2.0/lbaas/healthmonitors'],
  ]
  const away = (answer: Answer) => {
    assertRefused(answer, { status: 503, code: 'ELB.8906' })
    assert.match(answer.headers['retry-after'] ?? '', /^\d+$/)
  }
  for (const [method, path, sent] of requests) away(await api.request(method, path, sent))
  const unhealthy = await api.request('GET', '/healthcheck')
  assert.equal(unhealthy.status, 503)
  assert.match(unhealthy.headers['retry-after'] ?? '', /^\d+$/)
  assert.equal((await api.request('GET', '/livez')).status, 200)
  assert.equal((await api.request('GET', '/')).status, 200)
  // A refusal that needs no database stays what it is.
  assert.equal((await api.request('POST', LBS, '{')).status, 400)
  await forwarder.listenAgain()
  const shown = await api.request('GET', `${LBS}/${lb.id}`)
  assert.deepEqual(shown.body, { loadbalancer: lb })
  assert.equal((await api.request('GET', '/healthcheck')).status, 200)
})

test('connections that die under running requests make 503s or answers, never anything else', async (t) => {
  const { url, forwarder } = await throughForwarder(t, (await testDatabase(t)).url)
  const db = openDatabase({ url, applicationName: 'healthmonitor test', maxConnections: 4 })
  t.after(() => db.destroy())
  const api = await startApi(t, { db })
  const running = Array.from({ length: 40 }, () => api.request('POST', LBS, body))
  await Promise.race(running)
  await forwarder.refuse()
  const statuses = (await Promise.all(running)).map((answer) => answer.status)
  assert.deepEqual(
    statuses.filter((status) => status !== 201 && status !== 503),
    [],
  )
  await forwarder.listenAgain()
  const listed = await api.request('GET', LBS)
  assert.equal(listed.status, 200)
  const confirmed = statuses.filter((status) => status === 201).length
  assert.ok(listed.body.loadbalancers.length >= confirmed, 'what was confirmed is there')
})

/** Sends bytes and answers what came back until the server closed; `cut`: half-closes at once. */
function raw(port: number, bytes: string, cut = false): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    const socket = connect(port, '127.0.0.1', () => (cut ? socket.end(bytes) : socket.write(bytes)))
    socket.setTimeout(5000, () => socket.destroy(new Error('no answer within 5 s')))
    socket.on('data', (chunk: Buffer) => chunks.push(chunk))
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ECONNRESET') reject(error)
    })
    socket.on('close', () => resolve(Buffer.concat(chunks).toString('latin1')))
  })
}
