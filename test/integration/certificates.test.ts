/** From the certificate that a member shows to its health, in a prober with a real listener. */
import assert from 'node:assert/strict'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'
import { query } from '../../src/store/connection/database.ts'
import { observeClock, readEvents } from '../../src/store/event/events.ts'
import { readServiceFacts } from '../../src/store/status/service-facts.ts'
import { startApi } from '../support/api.ts'
import { selfSigned } from '../support/certificate.ts'
import { eventually, insertMembers, insertPool, PROJECT, statuses } from '../support/configuration.ts'
import { testDatabase } from '../support/database.ts'
import { testProber } from '../support/prober.ts'
import { servingTls } from '../support/probing.ts'
import { sequenceAllEvents } from '../support/sequence.ts'

const HEADERS = { 'x-project-id': PROJECT }
const DAY_MS = 86_400_000

/** Whole seconds, as certificates have them. */
const inDays = (days: number): Date => new Date(Math.floor((Date.now() + days * DAY_MS) / 1000) * 1000)

/** A member behind an HTTPS listener whose certificate the test changes, a prober, and the API. */
async function probed(t: TestContext, { type = 'HTTPS', first = inDays(5) } = {}) {
  const database = await testDatabase(t)
  const { db } = database
  const server = createServer(selfSigned('one.example', first), (_, response) => {
    response.writeHead(200, { connection: 'close' }).end()
  })
  await servingTls(t, server)
  const { poolId, monitorId } = await insertPool(db, { type, rise: 1, fall: 1 })
  const { port } = server.address() as AddressInfo
  const [id = ''] = await insertMembers(db, poolId, [{ address: '127.0.0.1', port }])
  const api = await startApi(t, { db })
  const send = async (method: string, path: string, body?: object) => {
    const answer = await api.request(method, path, body, HEADERS)
    assert.ok(answer.status < 300, JSON.stringify(answer.body))
    return answer.body
  }
  const events = async () => {
    await observeClock(db)
    await sequenceAllEvents(db)
    const types = new Set(['certificate.expiring', 'certificate.expired'])
    return await readEvents(db, { after: 0, upTo: 1e6, limit: 100, filter: { types } })
  }
  const ELB = '/elb/v2.0/lbaas'
  const healthOf = async (base: string) =>
    (await send('GET', `${base}/pools/${poolId}/members/${id}/health`)).health
  return {
    database,
    db,
    server,
    id,
    poolId,
    send,
    events,
    health: () => healthOf(ELB),
    octaviaHealth: () => healthOf('/load-balancer/v2.0/lbaas'),
    change: (options: object) =>
      send('PUT', `${ELB}/healthmonitors/${monitorId}`, { healthmonitor: { options } }),
    plan: () => send('GET', `${ELB}/healthmonitors/${monitorId}/plan`),
    switchPool: (isOn: boolean) =>
      send('PUT', `/load-balancer/v2.0/lbaas/pools/${poolId}`, { pool: { tls_enabled: isOn } }),
  }
}

test('a certificate that ends soon is in the health of the member, in both dialects, is reported once, and leaves the member ONLINE', async (t) => {
  const first = inDays(5)
  const { database, db, id, poolId, send, events, health, octaviaHealth } = await probed(t, { first })
  testProber(database)
  await eventually('the certificate is known', async () => (await health()).certificate !== undefined)
  const shown = {
    not_after: first.toISOString(),
    days_left: 4,
    expiring: true,
    subject: 'one.example',
    issuer: 'one.example',
  }
  assert.deepEqual((await health()).certificate, shown)
  assert.deepEqual((await octaviaHealth()).certificate, shown)
  const { member } = await send('GET', `/v1/overview/members/${id}`)
  assert.deepEqual(member.certificate, shown)
  assert.equal((await statuses(db)).get(id)?.state, 'ONLINE')
  for (let i = 0; i < 3; i++) await events()
  const told = await events()
  assert.deepEqual(
    told.map(({ type, projectId, pool, member: of, from, to, data }) => [
      type,
      projectId,
      pool?.id,
      of?.id,
      from,
      to,
      data['certificate'],
    ]),
    [
      [
        'certificate.expiring',
        PROJECT,
        poolId,
        id,
        null,
        null,
        { not_after: first.toISOString().replace('.000', ''), subject: 'one.example', issuer: 'one.example' },
      ],
    ],
  )
  assert.match(String(told[0]?.data['detail']), /^one\.example, not valid after \d{4}-/)
  const { members } = await send('GET', '/v1/overview')
  assert.equal(members.certificate_expiring, 1)
  const facts = await readServiceFacts(db)
  assert.deepEqual([facts.certificatesExpiring, facts.certificatesExpired], [1, 0])
})

test('a steady state writes nothing; a renewed certificate is written, and another one that ends has an event', async (t) => {
  const { database, db, server, id, poolId, send, events, health } = await probed(t)
  testProber(database)
  const row = async () =>
    await query<{ xmin: string; not_after: Date }>(
      db,
      'select xmin::text, not_after from member_certificate where member_id = $1',
      [id],
    )
  await eventually('the certificate is written', async () => (await row()).length === 1)
  await events()
  const before = await row()
  const probes = async () =>
    (
      await query<{ n: number }>(
        db,
        `select extract(epoch from max(as_of))::float8 as n from shard_checkpoint`,
      )
    )[0]?.n ?? 0
  const since = await probes()
  await eventually('it was probed again and again', async () => (await probes()) > since + 3)
  assert.deepEqual(await row(), before)
  const renewed = inDays(400)
  server.setSecureContext(selfSigned('two.example', renewed))
  await eventually('the new one is known', async () => (await health()).certificate.subject === 'two.example')
  assert.equal((await health()).certificate.expiring, false)
  assert.equal((await send('GET', '/v1/overview')).members.certificate_expiring, 0)
  const [first] = await query<{ not_after: Date }>(
    db,
    'select not_after from pool_certificate where pool_id = $1',
    [poolId],
  )
  assert.deepEqual(first?.not_after, renewed)
  const expired = inDays(-1)
  server.setSecureContext(selfSigned('three.example', expired))
  await eventually(
    'the old one is known',
    async () => (await health()).certificate.subject === 'three.example',
  )
  assert.deepEqual((await health()).certificate.days_left, -2)
  assert.deepEqual(
    (await events()).map(({ type }) => type),
    ['certificate.expiring', 'certificate.expired'],
  )
  assert.equal((await statuses(db)).get(id)?.state, 'ONLINE')
})

test('tls.expiry_warning_days moves the warning within a probe, 0 ends it, and no counter is reset by it', async (t) => {
  const { database, db, id, events, health, change, plan } = await probed(t, { first: inDays(20) })
  testProber(database)
  await eventually('the certificate is known', async () => (await health()).certificate !== undefined)
  assert.equal((await health()).certificate.expiring, false)
  const planned = async () => (await plan()).plan.options['tls.expiry_warning_days']
  assert.deepEqual(await planned(), { value: 14, from: 'default' })
  const version = async () =>
    (await query(db, 'select sequence, epoch from member_state where member_id = $1', [id]))[0]
  const before = await version()
  await change({ tls: { expiry_warning_days: 30 } })
  assert.deepEqual(await planned(), { value: 30, from: 'options' })
  await eventually('it is warned of', async () => (await health()).certificate.expiring)
  assert.deepEqual(await version(), before)
  assert.equal((await events()).length, 1)
  await change({ tls: { expiry_warning_days: 0 } })
  await eventually('nobody is warned', async () => !(await health()).certificate.expiring)
  assert.equal((await events()).length, 1)
})

test('HTTP over the TLS of a pool shows a certificate as HTTPS does, and forgets it with the TLS of the pool', async (t) => {
  const { database, db, poolId, health, change, switchPool } = await probed(t, { type: 'HTTP' })
  await query(db, `update pool set protocol = 'HTTP', echo = echo || '{"tls_enabled": true}' where id = $1`, [
    poolId,
  ])
  testProber(database)
  await eventually('the certificate is known', async () => (await health()).certificate !== undefined)
  assert.equal((await health()).certificate.expiring, true)
  await change({ tls: { expiry_warning_days: 2 } })
  await eventually('its option holds here too', async () => !(await health()).certificate.expiring)
  await switchPool(false)
  assert.equal((await health()).certificate, undefined)
  await switchPool(true)
  await eventually('it is known again', async () => (await health()).certificate !== undefined)
})
