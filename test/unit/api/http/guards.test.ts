import assert from 'node:assert/strict'
import { request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'
import Koa from 'koa'
import type { ApiContext, ApiSettings } from '../../../../src/api/http/context.ts'
import { assertPathProject, noIdentityGuard } from '../../../../src/api/http/guards.ts'
import { DomainError } from '../../../../src/domain/errors.ts'
import type { Identity } from '../../../../src/identity/identity.ts'

type Sent = readonly (readonly [name: string, value: string])[]

/**
 * Sends these headers, with a body as a POST, else as a GET, to a server that has only the guard: `taken`, or the code of
 * the refusal.
 */
async function guarded(t: TestContext, loopbackHostsOnly: boolean) {
  const guard = noIdentityGuard({ loopbackHostsOnly } as ApiSettings)
  const app = new Koa()
  app.use((ctx) => {
    try {
      guard(ctx)
      ctx.body = 'taken'
    } catch (error) {
      assert.ok(error instanceof DomainError)
      ctx.body = error.code
    }
  })
  const server = app.listen(0, '127.0.0.1')
  await new Promise((listening) => server.once('listening', listening))
  t.after(() => server.close())
  const { port } = server.address() as AddressInfo
  return (headers: Sent, body?: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const method = body === undefined ? 'GET' : 'POST'
      const sent = request({ host: '127.0.0.1', port, method, agent: false, headers: headers.flat() })
      sent.on('error', reject)
      sent.on('response', (response) => {
        let said = ''
        response.setEncoding('utf8').on('data', (text: string) => (said += text))
        response.on('end', () => resolve(said))
      })
      sent.end(body)
    })
}

const LOCAL = ['Host', '127.0.0.1:9876'] as const
const sized = (body: string) => ['Content-Length', String(body.length)] as const

test('without identity only a Host of this machine is taken, however it is written', async (t) => {
  const ask = await guarded(t, true)
  for (const host of ['localhost', 'LOCALHOST:80', '127.0.0.1', '127.1.2.3:9876', '[::1]', '[::1]:65535'])
    assert.equal(await ask([['Host', host]]), 'taken', host)
  for (const host of [
    'evil.example',
    'localhost.evil.example',
    'evil.example:127.0.0.1',
    '127.0.0.1.evil.example',
    '128.0.0.1',
    'xlocalhost',
    'localhost:123456',
    '::1',
  ])
    assert.equal(await ask([['Host', host]]), 'HOST_NOT_ALLOWED', host)
})

test('without identity a body is JSON, or has no type; without a body any type is taken', async (t) => {
  const ask = await guarded(t, true)
  for (const type of ['application/json', 'application/json; charset=utf-8', 'application/merge-patch+json'])
    assert.equal(await ask([LOCAL, ['Content-Type', type], sized('{}')], '{}'), 'taken', type)
  assert.equal(await ask([LOCAL, sized('{}')], '{}'), 'taken', 'what it is, the parser asks')
  for (const type of [
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data',
    'text/json',
  ]) {
    const typed = ['Content-Type', type] as const
    assert.equal(await ask([LOCAL, typed, sized('{}')], '{}'), 'UNSUPPORTED_MEDIA_TYPE', type)
    const chunked = ['Transfer-Encoding', 'chunked'] as const
    assert.equal(await ask([LOCAL, typed, chunked], '{}'), 'UNSUPPORTED_MEDIA_TYPE', `${type}, of any size`)
    assert.equal(await ask([LOCAL, typed, sized('')], ''), 'taken', `${type} of nothing`)
    assert.equal(await ask([LOCAL, typed]), 'taken', `${type}, no body`)
  }
})

test('with identity any one Host and any type is taken', async (t) => {
  const ask = await guarded(t, false)
  const form = ['Content-Type', 'text/plain'] as const
  assert.equal(await ask([['Host', 'any.example'], form, sized('{}')], '{}'), 'taken')
})

test('two Host headers are refused with and without identity, also when they are the same', async (t) => {
  for (const loopbackHostsOnly of [true, false]) {
    const ask = await guarded(t, loopbackHostsOnly)
    for (const other of ['Host', 'host', 'HOST'])
      assert.equal(await ask([LOCAL, [other, LOCAL[1]]]), 'HOST_NOT_ALLOWED', other)
    assert.equal(await ask([LOCAL, ['Hose', 'x']]), 'taken', 'a name of the same length is another')
  }
})

/** The project of a request afterwards; or the code of the refusal. */
function projectOf(named: string | undefined, more: Partial<Identity>): string {
  const identity: Identity = {
    projectId: 'own',
    scope: 'project',
    roles: [],
    assumed: false,
    confined: true,
    ...more,
  }
  const ctx = { params: named === undefined ? {} : { project_id: named }, state: { identity } }
  try {
    assertPathProject(ctx as unknown as ApiContext)
    return `${ctx.state.identity.projectId}${ctx.state.identity.assumed ? ', assumed' : ''}`
  } catch (error) {
    assert.ok(error instanceof DomainError)
    return error.code
  }
}

test('a project in the path is that of the identity, or becomes it where none was named', () => {
  assert.equal(projectOf(undefined, {}), 'own')
  assert.equal(projectOf('own', {}), 'own')
  assert.equal(projectOf('other', {}), 'PROJECT_MISMATCH')
  assert.equal(projectOf('other', { confined: false, roles: ['admin'] }), 'PROJECT_MISMATCH')
  assert.equal(projectOf(undefined, { assumed: true }), 'own, assumed')
  assert.equal(projectOf('other', { assumed: true }), 'other')
  assert.equal(projectOf('no project', { assumed: true }), 'INVALID_FIELD')
})
