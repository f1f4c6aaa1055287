/**
 * Sites as an operator sets them up (docs/nats-accounts.md): the real relay and real probers, with the credentials and rights
 * of `healthmonitor nats-access`. One site has a leaf node that dials out by WebSocket, the other's probers dial out
 * themselves.
 */
import assert from 'node:assert/strict'
import { type AddressInfo, createServer } from 'node:net'
import type { TestContext } from 'node:test'
import { startRelay } from '../../src/bin/process/relay.ts'
import { createMetrics } from '../../src/runtime/metrics/metrics.ts'
import { relayMetrics } from '../../src/runtime/metrics/relay-metrics.ts'
import { HUB_DOMAIN } from '../../src/site/subjects.ts'
import { query } from '../../src/store/connection/database.ts'
import { eventually, insertMembers, insertPool } from '../support/configuration.ts'
import { type TestDatabase, testDatabase } from '../support/database.ts'
import { credentialsFile, type Hub, startHub, startLeaf } from '../support/nats-hub.ts'
import { testOnNats } from '../support/nats-server.ts'
import { testNatsProber } from '../support/nats-site.ts'
import { OWN_LOOPBACK } from '../support/ports.ts'
import { keepingLog } from '../support/prober.ts'

const SITES = ['fra', 'ams'] as const

async function target(t: TestContext) {
  const server = createServer((socket) => socket.destroy())
  await new Promise<void>((resolve) => void server.listen(0, OWN_LOOPBACK, resolve))
  t.after(() => server.close())
  const { port } = server.address() as AddressInfo
  return { port, close: () => new Promise((resolve) => server.close(resolve)) }
}

/** A member that both sites probe, and what they say of it. */
async function watched({ db }: TestDatabase, port: number) {
  const { poolId, monitorId } = await insertPool(db)
  const [memberId = ''] = await insertMembers(db, poolId, [{ address: OWN_LOOPBACK, port }])
  const options = { sites: SITES, quorum: 'majority' }
  await query(db, 'update health_monitor set sites = $2, options = $3 where id = $1', [
    monitorId,
    JSON.stringify(SITES),
    JSON.stringify(options),
  ])
  await query(db, 'update pool set config_version = config_version + 1 where id = $1', [poolId])
  return async () => {
    const votes = await query<{ site: string; status: string }>(
      db,
      'select site, status from member_site_state where member_id = $1 order by site',
      [memberId],
    )
    return votes.map(({ site, status }) => `${site} ${status}`).join()
  }
}

function relayOf(database: TestDatabase, { server, folder, authority }: Hub) {
  const log = keepingLog()
  const relay = startRelay({
    databaseUrl: database.url,
    sites: SITES,
    natsOf: (site) => ({
      url: server.url,
      domain: HUB_DOMAIN,
      credentials: credentialsFile(folder, site, 'relay'),
      caFile: authority.ca,
    }),
    metrics: relayMetrics(createMetrics('relay-test').registry),
    log,
  })
  database.beforeDrop(() => relay.close())
  return log
}

testOnNats(
  'sites with the rights that an operator gives them see members, and take over from each other',
  async (t, binary) => {
    const database = await testDatabase(t)
    const hub = await startHub(t, binary, SITES)
    const leaf = await startLeaf(t, { hub, site: 'fra', binary, by: 'wss' })
    const { port, close } = await target(t)
    const seen = await watched(database, port)
    const logs = [relayOf(database, hub)]
    const prober = (site: (typeof SITES)[number]) => {
      const credentials = credentialsFile(hub.folder, site, 'prober')
      const nats =
        site === 'fra'
          ? { url: leaf.url, domain: HUB_DOMAIN, credentials }
          : { url: hub.server.url, domain: HUB_DOMAIN, credentials, caFile: hub.authority.ca }
      const started = testNatsProber(database, leaf.url, site, { nats })
      logs.push(started.log)
      return started
    }
    const first = SITES.map(prober)
    await eventually('both see it ONLINE', async () => (await seen()) === 'ams ONLINE,fra ONLINE', 30_000)
    SITES.forEach(prober)
    for (const one of first) await one.close()
    await close()
    await eventually('both see it OFFLINE', async () => (await seen()) === 'ams OFFLINE,fra OFFLINE', 30_000)
    const refusals = logs.flatMap(({ lines }) => lines).filter(({ message }) => message === 'NATS refuses')
    assert.deepEqual(refusals, [])
  },
)
