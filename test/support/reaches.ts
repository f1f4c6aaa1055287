/** The two ways by which probers of a site reach the service: PostgreSQL, and NATS with a relay. Tests run over both. */
import { randomUUID } from 'node:crypto'
import { test, type TestContext } from 'node:test'
import { openProberStore } from '../../src/bin/process/prober-store.ts'
import type { ProberStore } from '../../src/schedule/engine-options.ts'
import { openNatsProberStore } from '../../src/site/prober-store.ts'
import { type Db, query } from '../../src/store/connection/database.ts'
import { eventually } from './configuration.ts'
import { type TestDatabase, testDatabase } from './database.ts'
import { type Forwarder, startForwarder } from './forwarder.ts'
import { natsServers, type NatsServer, startNatsServer } from './nats-server.ts'
import { reachedBy, type TestRelay, testRelay } from './nats-site.ts'
import { keepingLog } from './prober.ts'
import { type ProberProcess, startProberProcess } from './prober-process.ts'

/** Whose site it is in these tests, over PostgreSQL too: so the tables are the same. */
export const REACHED_SITE = 'fra'

export interface OpenStore {
  readonly id: string
  readonly store: ProberStore & { destroy(): Promise<void> }
}

export interface ReachedSite {
  readonly database: TestDatabase
  readonly db: Db
  /** The store of another prober of the site. */
  open(leaseMs?: number): OpenStore
  /** A prober of the site as a process. */
  process(environment?: NodeJS.ProcessEnv): ProberProcess
  /** Between the probers and the service. */
  readonly way: Forwarder
  /** Over NATS. */
  readonly nats?: NatsServer
  readonly relay?: TestRelay
}

interface Reach {
  readonly title: string
  readonly reach: (t: TestContext) => Promise<ReachedSite>
}

export const OVER_POSTGRESQL: Reach = {
  title: 'PostgreSQL',
  reach: async (t) => {
    const database = await testDatabase(t)
    const { port, hostname } = new URL(database.url)
    if (hostname === '') throw new Error('the database has no port to forward to')
    const way = await startForwarder(t, Number(port || 5432))
    const url = new URL(database.url)
    url.hostname = '127.0.0.1'
    url.port = String(way.port)
    return {
      database,
      db: database.db,
      way,
      open: (leaseMs = 1000) => {
        const id = randomUUID()
        const store = openProberStore({
          id,
          site: REACHED_SITE,
          databaseUrl: url.href,
          leaseMs,
          sourceAddresses: [],
        })
        database.beforeDrop(() => store.destroy())
        return { id, store }
      },
      process: (environment = {}) =>
        startProberProcess(database, { DATABASE_URL: url.href, HM_SITE: REACHED_SITE, ...environment }),
    }
  },
}

export const OVER_NATS: Reach = {
  title: 'NATS',
  reach: async (t) => {
    const database = await testDatabase(t)
    const nats = await startNatsServer(t)
    const way = await startForwarder(t, nats.port('client'))
    const url = `nats://127.0.0.1:${way.port}`
    const relay = testRelay(database, nats.url, [REACHED_SITE])
    await eventually('the relay works', () => relay.working().length === 1, 20_000)
    return {
      database,
      db: database.db,
      way,
      nats,
      relay,
      open: (leaseMs = 1000) => {
        const id = randomUUID()
        const store = openNatsProberStore({
          id,
          site: REACHED_SITE,
          leaseMs,
          nats: reachedBy(url),
          log: keepingLog(),
          host: 'test',
          pid: process.pid,
          adapt: (pool) => pool,
        })
        database.beforeDrop(() => store.destroy())
        return { id, store }
      },
      process: (environment = {}) =>
        startProberProcess(database, {
          DATABASE_URL: '',
          HM_NATS_URL: url,
          HM_SITE: REACHED_SITE,
          ...environment,
        }),
    }
  },
}

/** One test for each way; that over NATS is skipped where there is no server. */
export function testOnReaches(
  title: string,
  body: (t: TestContext, site: ReachedSite) => Promise<void>,
): void {
  test(`${title} (${OVER_POSTGRESQL.title})`, async (t) => body(t, await OVER_POSTGRESQL.reach(t)))
  testOverNats(`${title} (${OVER_NATS.title})`, body)
}

/** A test that only NATS can have. */
export function testOverNats(
  title: string,
  body: (t: TestContext, site: ReachedSite) => Promise<void>,
): void {
  const skip = natsServers().length === 0 ? 'nats-server is missing: apt-get install nats-server' : false
  test(title, { skip }, async (t) => body(t, await OVER_NATS.reach(t)))
}

/** Lets the monitors of these pools be those of the site. */
export async function probedFromSite(db: Db, poolIds: readonly string[]): Promise<void> {
  const options = JSON.stringify({ sites: [REACHED_SITE] })
  await query(db, `update health_monitor set sites = $2, options = $3 where pool_id = any($1::uuid[])`, [
    poolIds,
    JSON.stringify([REACHED_SITE]),
    options,
  ])
  await query(
    db,
    `with changed as (
       update pool set config_version = config_version + 1 where id = any($1::uuid[]) returning shard
     ) select pg_notify('hm_config', shard::text) from changed`,
    [poolIds],
  )
}

/** Shards of each prober of the site, by the id of its process. */
export async function siteShardsByPid(db: Db): Promise<ReadonlyMap<number, readonly number[]>> {
  const rows = await query<{ pid: number; ids: number[] }>(
    db,
    `select p.pid, array_agg(s.id::int) as ids from site_shard s join prober p on p.id = s.owner
     where s.site = $1 group by p.pid`,
    [REACHED_SITE],
  )
  return new Map(rows.map((row) => [row.pid, row.ids]))
}

/** Waits until all shards of the site are owned, in equal shares, by exactly these processes. */
export async function siteBalanced(db: Db, probers: readonly ProberProcess[]): Promise<void> {
  await eventually(
    `${probers.length} probers share the shards of the site`,
    async () => {
      const shards = await siteShardsByPid(db)
      const share = 256 / probers.length
      return shards.size === probers.length && probers.every(({ pid }) => shards.get(pid)?.length === share)
    },
    30_000,
  )
}
