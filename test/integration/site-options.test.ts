/** Sites and quorum of a monitor through the API, and what health says of them, in both dialects. */
import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { suite, test, type TestContext } from 'node:test'
import { query } from '../../src/store/connection/database.ts'
import { type Answer, type Json, startApi } from '../support/api.ts'
import * as elb from '../support/api-objects.ts'
import { testDatabase } from '../support/database.ts'
import { eventually } from '../support/configuration.ts'
import * as octavia from '../support/octavia.ts'
import { testProber } from '../support/prober.ts'

const MOUNT = { elb: '/elb/v2.0/lbaas', octavia: '/load-balancer/v2.0/lbaas' } as const
type Dialect = keyof typeof MOUNT

async function world(t: TestContext, dialect: Dialect) {
  const database = await testDatabase(t)
  const api = await startApi(t, { db: database.db })
  const loadBalancer = await elb.aLoadBalancer(api)
  const pool = await octavia.aPool(api, loadBalancer.id, { protocol: 'TCP' })
  const path = `${MOUNT[dialect]}/healthmonitors`
  const monitor = { pool_id: pool.id, type: 'TCP', delay: 5, timeout: 3, max_retries: 1 }
  const create = async (options: object) =>
    await api.request('POST', path, { healthmonitor: { ...monitor, options } })
  const put = async (id: string, options: object | null) =>
    await api.request('PUT', `${path}/${id}`, { healthmonitor: { options } })
  const stored = async () =>
    (
      await query<{ sites: unknown; generation: number }>(
        api.db,
        'select sites, generation from health_monitor',
      )
    )[0]
  return { database, api, pool, path, create, put, stored }
}

const made = ({ status, body }: Answer): Json => {
  assert.equal(status, 201, JSON.stringify(body))
  return body.healthmonitor
}

for (const dialect of ['elb', 'octavia'] as const) {
  suite(`sites of a monitor, dialect ${dialect}`, () => {
    test('are stored and shown as they were sent, and null takes them away', async (t) => {
      const { create, put, stored } = await world(t, dialect)
      const { id, options } = made(await create({ sites: ['fra', 'local'], quorum: { percent: 50 } }))
      assert.deepEqual(options, { sites: ['fra', 'local'], quorum: { percent: 50 } })
      assert.deepEqual((await stored())?.sites, ['fra', 'local'])
      const quorum = await put(id, { quorum: { at_least: 2 } })
      assert.deepEqual(quorum.body.healthmonitor.options.quorum, { at_least: 2 }, 'replaced as a whole')
      assert.deepEqual((await put(id, { quorum: 'any' })).body.healthmonitor.options.quorum, 'any')
      const local = await put(id, { sites: ['local'], quorum: null })
      assert.deepEqual(local.body.healthmonitor.options, { sites: ['local'] })
      assert.equal((await stored())?.sites, null, 'local alone is probed as without the option')
      await put(id, null)
      assert.equal((await stored())?.sites, null)
    })

    test('begin anew with other sites or another quorum, and with nothing else', async (t) => {
      const { create, put, stored } = await world(t, dialect)
      const { id } = made(await create({ sites: ['fra', 'ams'] }))
      const isRenewedBy = async (options: object): Promise<boolean> => {
        const before = (await stored())?.generation ?? 0
        assert.equal((await put(id, options)).status, 200)
        return ((await stored())?.generation ?? 0) > before
      }
      assert.equal(await isRenewedBy({ sites: ['ams', 'fra'] }), false)
      assert.equal(await isRenewedBy({ fall: 5 }), false)
      assert.equal(await isRenewedBy({ sites: ['ams', 'fra', 'nyc'] }), true)
      assert.equal(await isRenewedBy({ quorum: 'all' }), true)
      assert.equal(await isRenewedBy({ sites: null, quorum: null }), true)
    })

    test('are refused where no site can be called so, none or one twice is named, or the quorum cannot be reached', async (t) => {
      const { create } = await world(t, dialect)
      for (const [options, why] of [
        [{ sites: [] }, /names no site/],
        [{ sites: ['fra', 'fra'] }, /names a site twice/],
        [{ sites: ['Fra'] }, /sites\[0\]/],
        [{ sites: ['a'.repeat(33)] }, /sites\[0\]/],
        [{ sites: 'fra' }, /must be a list/],
        [{ sites: Array.from({ length: 17 }, (_, i) => `s${i}`) }, /at most 16/],
        [{ sites: ['fra'], quorum: { at_least: 2 } }, /quorum asks for 2 sites, and there is 1/],
        [{ quorum: { at_least: 2 } }, /quorum asks for 2 sites, and there is 1/],
        [{ quorum: 'most' }, /majority, any, all/],
        [{ quorum: {} }, /majority, any, all/],
        [{ quorum: { at_least: 1, percent: 5 } }, /majority, any, all/],
        [{ quorum: { toString: 1 } }, /majority, any, all/],
        [{ quorum: { percent: 101 } }, /at most 100/],
        [{ quorum: { percent: 1.5 } }, /whole number/],
      ] as const) {
        const { status, body } = await create(options)
        assert.equal(status, 400, JSON.stringify(options))
        assert.match(JSON.stringify(body), why, JSON.stringify(options))
      }
    })

    test('are in the plan, with where they come from', async (t) => {
      const { api, create, put, path } = await world(t, dialect)
      const { id } = made(await create({ sites: ['fra', 'ams'] }))
      const planned = async () => (await api.request('GET', `${path}/${id}/plan`)).body.plan.options
      const { sites, quorum } = await planned()
      assert.deepEqual([sites.value, sites.from], [['fra', 'ams'], 'options'])
      assert.deepEqual([quorum.value, quorum.from], ['majority', 'default'])
      await put(id, null)
      assert.deepEqual((await planned()).sites.value, ['local'])
    })

    test('are in the health of their members, each with what it sees, and in no other health', async (t) => {
      const { database, api, create, put, pool } = await world(t, dialect)
      // A probe may end with a reset.
      const server = createServer((socket) => socket.on('error', () => undefined)).listen(0, '127.0.0.1')
      t.after(() => server.close())
      await new Promise((resolve) => server.once('listening', resolve))
      const { port } = server.address() as { port: number }
      const { id } = made(await create({ sites: ['local', 'fra', 'ams'], quorum: 'any', interval_ms: 500 }))
      const members = `${MOUNT[dialect]}/pools/${pool.id}/members`
      const subnet = dialect === 'elb' ? { subnet_id: '03e1458a-fe0d-4e2f-bc4a-44f25a045287' } : {}
      const added = await api.request('POST', members, {
        member: { address: '127.0.0.1', protocol_port: port, ...subnet },
      })
      const health = async () =>
        (await api.request('GET', `${members}/${added.body.member.id}/health`)).body.health
      assert.deepEqual(
        (await health()).sites.map((site: Json) => [
          site.site,
          site.status,
          site.votes,
          site.served,
          site.reason,
        ]),
        ['local', 'fra', 'ams'].map((site) => [site, null, false, false, 'NO_PROBER']),
      )
      testProber(database)
      testProber(database, { site: 'fra', targetPolicy: () => 'not from here' })
      await eventually('each site says what it sees', async () => {
        const seen = (await health()).sites.map((site: Json) => `${site.site} ${site.status} ${site.reason}`)
        return seen.join(', ') === 'local ONLINE PASSED, fra null TARGET_DENIED, ams null NO_PROBER'
      })
      const { status, stale, detail, sites } = await health()
      assert.deepEqual([status, stale], ['ONLINE', false])
      assert.equal(detail, 'ONLINE from local, nothing known from fra and ams')
      assert.ok(Date.parse(sites[0].since) > 0)
      await eventually(
        'the latency of its last probe is known',
        async () => (await health()).sites[0].latency_ms > 0,
      )
      const shown = (await api.request('GET', `/v1/overview/members/${added.body.member.id}`)).body.member
      assert.deepEqual(
        shown.sites.map((site: Json) => site.site),
        ['local', 'fra', 'ams'],
      )
      const probed = await api.request('POST', `${members}/${added.body.member.id}/probe`, { probe: {} })
      assert.equal(probed.body.probe?.result, 'passed', JSON.stringify(probed.body))
      await put(id, { sites: null, quorum: null })
      assert.ok(!('sites' in (await health())))
    })
  })
}
