/** Options from the API to the wire and back to the status of a member. */
import assert from 'node:assert/strict'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { type Json, startApi } from '../support/api.ts'
import * as elb from '../support/api-objects.ts'
import { eventually } from '../support/configuration.ts'
import { testDatabase } from '../support/database.ts'
import * as octavia from '../support/octavia.ts'
import { testProber } from '../support/prober.ts'

interface Seen {
  readonly line: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

test('what options say is what the target sees, and what it answers is judged by them', async (t) => {
  const seen: Seen[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString()
      seen.push({ line: `${request.method} ${request.url}`, headers: request.headers, body })
      response.statusCode = request.url === '/teapot' ? 418 : 200
      response.end('all systems up, ok')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  const database = await testDatabase(t)
  const api = await startApi(t, { db: database.db })
  const pool = await octavia.aPool(api, (await elb.aLoadBalancer(api)).id)
  const { port } = server.address() as AddressInfo
  const member = await octavia.made(api, `pools/${pool.id}/members`, {
    address: '127.0.0.1',
    protocol_port: port,
  })
  const monitor = await octavia.aMonitor(api, pool.id, {
    delay: 60,
    options: {
      interval_ms: 100,
      timeout_ms: 900,
      rise: 1,
      fall: 2,
      initial: { status: 'UNKNOWN' },
      http: {
        version: '1.1',
        method: 'POST',
        path: '/deep?x=1',
        host: 'web.example:81',
        body: 'are you well?',
        headers: [
          { name: 'Authorization', value: 'Bearer of news' },
          { name: 'User-Agent', value: 'mine', action: 'overwrite' },
        ],
        expected_body: ['systems', 'ok'],
      },
    },
  })
  testProber(database)
  const health = async (): Promise<Json> =>
    (await api.request('GET', `${octavia.OCTAVIA}/pools/${pool.id}/members/${member.id}/health`)).body.health
  const put = async (options: object): Promise<void> => {
    const path = `${octavia.OCTAVIA}/healthmonitors/${monitor.id}`
    const answer = await api.request('PUT', path, { healthmonitor: { options } })
    assert.equal(answer.status, 200, JSON.stringify(answer.body))
  }
  const isNow = (status: string, reason?: string) =>
    eventually(`it is ${status} ${reason}`, async () => {
      const now = await health()
      return now.status === status && (reason === undefined || now.reason === reason)
    })

  await isNow('ONLINE')
  const [first] = seen
  assert.equal(first?.line, 'POST /deep?x=1')
  assert.equal(first?.body, 'are you well?')
  const { host, authorization, 'user-agent': agent } = first?.headers ?? {}
  assert.deepEqual([host, authorization, agent], ['web.example:81', 'Bearer of news', 'mine'])
  // Ten times as often as any plain delay could ask for.
  await eventually('it is probed many times a second', () => Promise.resolve(seen.length > 10))

  await put({ http: { expected_body: ['ok', 'systems'] } })
  await isNow('ERROR', 'BODY_MISMATCH')
  await put({ http: { expected_body: null } })
  await isNow('ONLINE')
  await put({ http: { body: null, method: 'GET', path: '/teapot' } })
  await isNow('ERROR', 'STATUS_MISMATCH')
  await put({ http: { expected_statuses: [{ start: 418, end: 419 }] } })
  await isNow('ONLINE')
  await put({ invert: true })
  await isNow('ERROR')
  assert.ok(seen.every(({ headers }) => headers.authorization === 'Bearer of news'))
  assert.doesNotMatch(JSON.stringify(await health()), /Bearer of news/)
})
