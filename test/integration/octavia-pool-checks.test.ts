/** Pools through dialect octavia to the wire and back: how they speak is part of the question that their checks ask. */
import assert from 'node:assert/strict'
import type { AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'
import { createServer } from 'node:tls'
import { patternProblem } from '../../src/probe/http/body-pattern.ts'
import { type Api, type Json, startApi } from '../support/api.ts'
import { selfSigned } from '../support/certificate.ts'
import { eventually } from '../support/configuration.ts'
import { testDatabase } from '../support/database.ts'
import * as octavia from '../support/octavia.ts'
import { testProber } from '../support/prober.ts'
import { listen, servingTls } from '../support/probing.ts'

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nup 7'
const FAST = { delay: 60, options: { interval_ms: 100, rise: 1, fall: 1, initial: { status: 'UNKNOWN' } } }

async function plainListener(t: TestContext, heard: string[]): Promise<number> {
  const server = await listen(t, (socket) => {
    socket.once('data', (bytes: Buffer) => {
      heard.push(bytes.toString('latin1'))
      socket.end(OK)
    })
  })
  return (server.address() as AddressInfo).port
}

async function tlsListener(t: TestContext): Promise<number> {
  const server = createServer(selfSigned('member.example'), (socket) => {
    socket.once('data', () => socket.end(OK))
  })
  await servingTls(t, server)
  return (server.address() as AddressInfo).port
}

interface World {
  readonly api: Api
  readonly pool: Json
  readonly monitor: Json
  readonly members: readonly Json[]
}

async function aWorld(
  t: TestContext,
  pool: object,
  members: readonly object[],
  monitor: object = FAST,
): Promise<World> {
  const database = await testDatabase(t)
  const api = await startApi(t, { db: database.db, patternProblem })
  const made = await octavia.aPool(api, (await octavia.aLoadBalancer(api)).id, pool)
  const all: Json[] = []
  for (const member of members) {
    all.push(await octavia.made(api, `pools/${made.id}/members`, { address: '127.0.0.1', ...member }))
  }
  const ofPool = await octavia.aMonitor(api, made.id, monitor)
  testProber(database)
  return { api, pool: made, monitor: ofPool, members: all }
}

const healthOf = async ({ api, pool }: World, member: Json): Promise<Json> =>
  (await api.request('GET', `${octavia.OCTAVIA}/pools/${pool.id}/members/${member.id}/health`)).body.health

const becomes = (world: World, member: Json, status: string, reason?: string) =>
  eventually(`${member.protocol_port} is ${status} ${reason ?? ''}`, async () => {
    const now = await healthOf(world, member)
    return now.status === status && (reason === undefined || now.reason === reason)
  })

const optionsOf = async ({ api, monitor }: World, member: Json): Promise<Json> => {
  const path = `${octavia.OCTAVIA}/healthmonitors/${monitor.id}/plan?member_id=${member.id}`
  return (await api.request('GET', path)).body.plan.options
}

test('a pool of protocol PROXYV2 is checked with its header, and a member with its own port without', async (t) => {
  const ofPool: string[] = []
  const own: string[] = []
  const world = await aWorld(t, { protocol: 'PROXYV2' }, [
    { protocol_port: await plainListener(t, ofPool) },
    { protocol_port: 1, monitor_port: await plainListener(t, own) },
  ])
  const [first, second] = world.members
  await eventually('both were asked', () => Promise.resolve(ofPool.length > 0 && own.length > 0))
  assert.match(ofPool[0] ?? '', /^\r\n\r\n\0\r\nQUIT\n\x20\0\0\0/)
  assert.match(own[0] ?? '', /^GET \/ HTTP\/1\.0\r\n/)
  const plan = await optionsOf(world, first)
  assert.deepEqual(plan['connection.proxy_protocol'], { value: 'v2', from: 'pool' })
  assert.equal((await optionsOf(world, second))['connection.proxy_protocol'], undefined)
})

test('switching tls_enabled on and off is another question for the checks of a pool', async (t) => {
  const world = await aWorld(t, { protocol: 'HTTP' }, [
    { protocol_port: await plainListener(t, []) },
    { protocol_port: await tlsListener(t) },
  ])
  const [plain, secure] = world.members
  const put = async (pool: object): Promise<void> => {
    const answer = await world.api.request('PUT', `${octavia.OCTAVIA}/pools/${world.pool.id}`, { pool })
    assert.equal(answer.status, 200, JSON.stringify(answer.body))
  }
  await becomes(world, plain, 'ONLINE')
  await becomes(world, secure, 'ERROR')
  await put({ tls_enabled: true, alpn_protocols: ['http/1.1'] })
  await becomes(world, plain, 'ERROR', 'TLS_HANDSHAKE')
  await becomes(world, secure, 'ONLINE')
  const plan = await optionsOf(world, secure)
  assert.deepEqual(plan['tls.enabled'], { value: true, from: 'pool' })
  assert.deepEqual(plan['tls.alpn'], { value: ['http/1.1'], from: 'pool' })
  await put({ tls_enabled: false })
  await becomes(world, plain, 'ONLINE')
  await becomes(world, secure, 'ERROR')
})

test('the path goes out as UTF-8, percent-encoded, and shows as it was sent', async (t) => {
  const heard: string[] = []
  const world = await aWorld(t, { protocol: 'HTTP' }, [{ protocol_port: await plainListener(t, heard) }], {
    ...FAST,
    url_path: '/gesundheit/žlutý',
  })
  await becomes(world, world.members[0], 'ONLINE')
  assert.match(heard[0] ?? '', /^GET \/gesundheit\/%C5%BElut%C3%BD HTTP\/1\.0\r\n/)
  const shown = await world.api.request('GET', `${octavia.OCTAVIA}/healthmonitors/${world.monitor.id}`)
  assert.equal(shown.body.healthmonitor.url_path, '/gesundheit/žlutý')
})

test('a body is held against a regular expression, and one that cannot be searched for is refused with its place', async (t) => {
  const world = await aWorld(t, { protocol: 'HTTP' }, [{ protocol_port: await plainListener(t, []) }], {
    ...FAST,
    options: { ...FAST.options, http: { expected_body_regex: '^(up|ok) \\d$' } },
  })
  const [member] = world.members
  const path = `${octavia.OCTAVIA}/healthmonitors/${world.monitor.id}`
  const put = (expected_body_regex: string | null, more: object = {}) =>
    world.api.request('PUT', path, { healthmonitor: { options: { http: { expected_body_regex, ...more } } } })
  await becomes(world, member, 'ONLINE')
  assert.equal((await put('^(up|ok) [a-z]$')).status, 200)
  await becomes(world, member, 'ERROR', 'BODY_MISMATCH')
  octavia.assertFault(
    await put('up\\8'),
    400,
    'Validation failure: options.http.expected_body_regex: invalid escape sequence at character 3.',
  )
  octavia.assertFault(await put('(a{1000}){1000}'), 400, /expected_body_regex: it is too large/)
  octavia.assertFault(await put('(a|b)*a(a|b){15}$'), 400, /expected_body_regex: it is too complex/)
  octavia.assertFault(
    await put('up', { method: 'HEAD' }),
    400,
    /expected_body_regex: an answer to method 'HEAD'/,
  )
  octavia.assertFault(await put(null, { head_max_bytes: 255 }), 400, /head_max_bytes: must be at least 256/)
  assert.equal((await put(null, { head_max_bytes: 256 })).status, 200)
  await becomes(world, member, 'ONLINE')
})
