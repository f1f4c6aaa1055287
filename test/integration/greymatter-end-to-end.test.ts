/** The documented cluster at a listener of its own, as a person starts it: a server dies, and the status changes in its words. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import { createServer as createTcpServer, type Server as TcpServer } from 'node:net'
import { test, type TestContext } from 'node:test'
import type { Json } from '../support/api.ts'
import { eventually } from '../support/configuration.ts'
import { folderOfTest } from '../support/folders.ts'
import { listenApart } from '../support/ports.ts'
import { startService } from '../support/service.ts'

interface Seen {
  readonly line: string
  readonly headers: IncomingHttpHeaders
}

interface Target {
  readonly port: number
  readonly seen: readonly Seen[]
  /** Answers with this status from now on. */
  answer(status: number): void
  stop(): Promise<void>
}

async function httpTarget(t: TestContext): Promise<Target> {
  const seen: Seen[] = []
  let status = 200
  const server = createServer((request, response) => {
    seen.push({ line: `${request.method} ${request.url}`, headers: request.headers })
    response.writeHead(status, { 'x-envoy-upstream-healthchecked-cluster': 'catalog-v1' }).end()
  })
  const port = await listening(server)
  const stop = async () => {
    server.closeAllConnections()
    await new Promise<void>((resolve) => {
      server.close(() => resolve())
    })
  }
  t.after(stop)
  return { port, seen, answer: (to) => void (status = to), stop }
}

function listening(server: TcpServer): Promise<number> {
  return listenApart((port) => once(server.listen(port, '127.0.0.1'), 'listening'))
}

test('a cluster applied at its own listener is probed; its server dies, and health says so in its words', async (t) => {
  const service = await startService(t, folderOfTest(), { HM_GREYMATTER_LISTEN: '127.0.0.1:0' })
  const door = /greymatter +(http:\S+)/.exec(service.output())?.[1] ?? ''
  assert.match(door, /^http:\/\/127\.0\.0\.1:\d+$/)
  const ask = async (method: string, path: string, body?: object): Promise<Json> => {
    const sent = body === undefined ? {} : { body: new Uint8Array(Buffer.from(JSON.stringify(body))) }
    const response = await fetch(`${door}${path}`, { method, ...sent })
    const answer = (await response.json()) as Json
    assert.equal(response.status, 200, JSON.stringify(answer))
    return answer.result
  }
  const target = await httpTarget(t)
  const cluster = await ask('POST', '/v1.0/cluster', {
    cluster_key: 'catalog-service',
    zone_key: 'default-zone',
    name: 'catalog',
    instances: [{ host: '127.0.0.1', port: target.port }],
    health_checks: [
      {
        timeout_msec: 1000,
        interval_msec: 200,
        interval_jitter_msec: 10,
        unhealthy_threshold: 3,
        healthy_threshold: 2,
        health_checker: {
          http_health_check: {
            path: '/health',
            service_name: 'catalog',
            request_headers_to_add: [{ key: 'x-check', value: 'one' }],
          },
        },
      },
    ],
  })
  const instance = async () => (await ask('GET', '/v1.0/cluster/catalog-service/health')).instances[0]
  const becomes = (status: string, reason?: string) =>
    eventually(
      `${status} ${reason}`,
      async () => {
        const now = await instance()
        return now.status === status && (reason === undefined || now.reason === reason)
      },
      20_000,
    )
  // The first check alone decides.
  await becomes('HEALTHY')
  const [first] = target.seen
  assert.equal(first?.line, 'GET /health')
  assert.deepEqual([first?.headers.host, first?.headers['x-check']], ['catalog', 'one'])
  // Another status than 200 counts at once.
  target.answer(503)
  await becomes('UNHEALTHY', 'STATUS_MISMATCH')
  target.answer(200)
  await becomes('HEALTHY')
  await target.stop()
  await becomes('UNHEALTHY', 'CONNECT_REFUSED')
  assert.deepEqual(await ask('GET', '/v1.0/cluster/catalog-service'), cluster, 'no status changes the object')
  await tcpExchange(t, { ask, becomes, checksum: cluster.checksum })
  // Nothing else is at this listener, and the door is below its prefix of the API too.
  for (const path of ['/v2.0/lbaas/pools', '/healthcheck', '/ui/', '/greymatter/v1.0/cluster']) {
    const response = await fetch(`${door}${path}`)
    assert.equal(response.status, 404, path)
    assert.equal(((await response.json()) as Json).error.code, 'NotFound')
  }
  assert.equal((await fetch(`${service.api}/greymatter/v1.0/cluster`)).status, 200)
})

interface Door {
  readonly ask: (method: string, path: string, body?: object) => Promise<Json>
  readonly becomes: (status: string, reason?: string) => Promise<void>
  readonly checksum: string
}

/** The same cluster from now on by TCP: bytes are sent, and others expected in their order. */
async function tcpExchange(t: TestContext, { ask, becomes, checksum }: Door): Promise<void> {
  const received: string[] = []
  const server = createTcpServer((socket) => {
    socket.on('error', () => undefined)
    socket.on('data', (data) => {
      received.push(data.toString())
      socket.write('one bar, two baz')
    })
  })
  const port = await listening(server)
  t.after(() => void server.close())
  const encoded = (text: string) => Buffer.from(text).toString('base64')
  const edit = async (receive: readonly string[], seen: string): Promise<string> => {
    const check = {
      timeout_msec: 300,
      interval_msec: 200,
      unhealthy_threshold: 1,
      healthy_threshold: 1,
      reuse_connection: false,
      health_checker: { tcp_health_check: { send: encoded('foo'), receive: receive.map(encoded) } },
    }
    const body = {
      cluster_key: 'catalog-service',
      zone_key: 'default-zone',
      name: 'catalog',
      instances: [{ host: '127.0.0.1', port }],
      health_checks: [check],
      checksum: seen,
    }
    return (await ask('PUT', '/v1.0/cluster/catalog-service', body)).checksum
  }
  const next = await edit(['bar', 'baz'], checksum)
  await becomes('HEALTHY')
  assert.equal(received[0], 'foo')
  await edit(['baz', 'bar'], next)
  await becomes('UNHEALTHY')
}
