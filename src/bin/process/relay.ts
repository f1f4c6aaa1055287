/** The relay of the sites that reach the service over NATS, put together: what `healthmonitor relay` runs. */
import { randomUUID } from 'node:crypto'
import {
  LOCAL_SITE,
  PROBE_REQUEST_FORGOTTEN_MS,
  PROBE_REQUESTS_IN_HAND_PER_PROJECT,
  RELAY_CONNECTIONS,
  RELAY_LEASE_CONNECTIONS,
  RELAY_MEMBERS_PER_STATEMENT,
  RELAY_POOLS_PER_STATEMENT,
  SHARD_COUNT,
} from '../../domain/limits.ts'
import type { Log } from '../../site/log.ts'
import type { RelaySeries } from '../../runtime/metrics/relay-metrics.ts'
import type { NatsSettings } from '../../site/connection.ts'
import type { RelayDatabase } from '../../site/relay/relay-database.ts'
import { SiteRelay } from '../../site/relay/site-relay.ts'
import type { Answers, Questions } from '../../site/wire/questions.ts'
import type { SnapshotPool } from '../../site/wire/snapshot.ts'
import type { DatabaseUrl } from '../../store/connection/connection-url.ts'
import { type Database, isStoreAway, openDatabase } from '../../store/connection/database.ts'
import { listen } from '../../store/connection/listen.ts'
import { writeCertificates } from '../../store/probing/certificates.ts'
import {
  loadPoolPart,
  loadPools,
  type PoolSize,
  readPoolDigests,
  readPoolSizes,
  readPoolVersions,
} from '../../store/probing/checks.ts'
import { writeCheckpoints } from '../../store/probing/checkpoints.ts'
import { CONFIG_CHANNEL } from '../../store/probing/config-channel.ts'
import { readParentStates } from '../../store/probing/dependencies.ts'
import { PROBE_REQUESTS_CHANNEL } from '../../store/probing/probe-request-channels.ts'
import {
  answerProbeRequests,
  forgetProbeRequests,
  takeProbeRequests,
} from '../../store/probing/probe-requests.ts'
import {
  beatSiteProbers,
  claimSiteShards,
  readSiteEpochs,
  releaseSiteShards,
  removeSiteProber,
} from '../../store/probing/site-relay.ts'
import { writeVotes } from '../../store/probing/votes.ts'
import { readWitnesses } from '../../store/probing/witnesses.ts'

export interface RelayDeps {
  readonly databaseUrl: DatabaseUrl
  readonly sites: readonly string[]
  /** How the site is reached: each may have credentials of its own. */
  readonly natsOf: (site: string) => Omit<NatsSettings, 'inbox' | 'name'>
  readonly metrics: RelaySeries
  readonly log: Log
}

export interface Relay {
  /** Of this process. */
  readonly id: string
  /** The sites for which this process works now. */
  readonly working: () => readonly string[]
  close(): Promise<void>
}

export function startRelay({ databaseUrl, sites, natsOf, metrics, log }: RelayDeps): Relay {
  const id = randomUUID()
  const open = (what: string, maxConnections: number): Database =>
    openDatabase({ url: databaseUrl, applicationName: `healthmonitor ${what}`, maxConnections })
  const main = open('relay', RELAY_CONNECTIONS)
  const lease = open('relay lease', RELAY_LEASE_CONNECTIONS)
  const relays = sites.map((site) => {
    const database = relayDatabase({ main, lease, url: databaseUrl }, site)
    return {
      site,
      relay: new SiteRelay({ site, id, nats: natsOf(site), database, metrics: metrics.of(site), log }),
    }
  })
  for (const { relay } of relays) relay.start()
  return {
    id,
    working: () => relays.filter(({ relay }) => relay.isWorking).map(({ site }) => site),
    close: async () => {
      await Promise.all(relays.map(({ relay }) => relay.close()))
      await Promise.all([main.destroy(), lease.destroy()])
    },
  }
}

const ALL_SHARDS = Array.from({ length: SHARD_COUNT }, (_, shard) => shard)

interface Databases {
  readonly main: Database
  /** For heartbeats alone: they never wait for a connection of other work. */
  readonly lease: Database
  readonly url: DatabaseUrl
}

/** The statements of the store, for one site. */
function relayDatabase({ main: db, lease, url }: Databases, site: string): RelayDatabase {
  if (site === LOCAL_SITE) throw new Error('the site local has the database')
  const channel = (name: string) => ({ url, applicationName: 'healthmonitor relay listen', channel: name })
  return {
    digests: () => readPoolDigests(db, ALL_SHARDS),
    pools: (shard) => poolsOf(db, site, shard),
    epochs: () => readSiteEpochs(db, site),
    claimed: (leases) => claimSiteShards(db, site, leases),
    released: (leases) => releaseSiteShards(db, site, leases),
    writeVerdicts: (owner, rows) => writeVotes(db, owner, rows, site),
    writeCertificates: (owner, rows) => writeCertificates(db, owner, rows, site),
    writeCheckpoints: (owner, checkpoints) => writeCheckpoints(db, owner, checkpoints, site),
    beat: (probers) => beatSiteProbers(lease, site, probers),
    removeProber: (id) => removeSiteProber(lease, site, id),
    answer: async (question, asked) => await answerOf(db, site, question, asked),
    forgetProbeRequests: () => forgetProbeRequests(db, PROBE_REQUEST_FORGOTTEN_MS),
    listen: (...hearing) => listen(channel(CONFIG_CHANNEL), ...hearing),
    listenForRequests: (...hearing) => listen(channel(PROBE_REQUESTS_CHANNEL), ...hearing),
    isAway: isStoreAway,
  }
}

/** Every pool of a shard; pools of many members a part at a time. */
async function poolsOf(db: Database, site: string, shard: number): Promise<readonly SnapshotPool[]> {
  const versions = await readPoolVersions(db, [shard])
  const sizes = await readPoolSizes(
    db,
    versions.map(({ poolId }) => poolId),
  )
  const small = sizes.filter(({ members }) => members <= RELAY_MEMBERS_PER_STATEMENT)
  const large = sizes.filter(({ members }) => members > RELAY_MEMBERS_PER_STATEMENT)
  const bySize = new Map(sizes.map((size) => [size.poolId, size]))
  const found: SnapshotPool[] = []
  for (const some of batchesOf(small)) {
    const pools = await loadPools(
      db,
      some.map(({ poolId }) => poolId),
      site,
    )
    for (const pool of pools) {
      const { projectId = '', members = 0 } = bySize.get(pool.poolId) ?? {}
      found.push({ ...pool, projectId, members })
    }
  }
  for (const size of large) {
    const pool = await largePool(db, site, size)
    if (pool !== undefined) found.push(pool)
  }
  return found
}

/** As many pools as a statement may load, of as many members. */
function batchesOf(sizes: readonly PoolSize[]): readonly (readonly PoolSize[])[] {
  const batches: PoolSize[][] = []
  let room = 0
  for (const size of sizes) {
    const last = batches.at(-1)
    if (last === undefined || room < size.members || last.length >= RELAY_POOLS_PER_STATEMENT) {
      batches.push([size])
      room = RELAY_MEMBERS_PER_STATEMENT
    } else last.push(size)
    room -= size.members
  }
  return batches
}

/** undefined: it is gone. A version that changes meanwhile is sent again: the lowest one is what it has for sure. */
async function largePool(
  db: Database,
  site: string,
  { poolId, projectId, members }: PoolSize,
): Promise<SnapshotPool | undefined> {
  let pool: SnapshotPool | undefined
  let after: string | undefined
  do {
    const part = await loadPoolPart(db, poolId, { after, limit: RELAY_MEMBERS_PER_STATEMENT, site })
    if (part === undefined) return undefined
    const { checks, configVersion } = part.pool
    pool = {
      ...part.pool,
      projectId,
      members,
      configVersion: Math.min(configVersion, pool?.configVersion ?? configVersion),
      checks: [...(pool?.checks ?? []), ...checks],
    }
    after = part.lastMember
  } while (after !== undefined)
  return pool
}

type Answering = { readonly [Name in keyof Questions]: (asked: Questions[Name]) => Promise<Answers[Name]> }

async function answerOf<Name extends keyof Questions>(
  db: Database,
  site: string,
  question: Name,
  asked: Questions[Name],
): Promise<Answers[Name]> {
  const answering: Answering = {
    parents: async ({ projectId, parents, withinMs }) => [
      ...(await readParentStates(db, { projectId, ids: parents, withinMs })),
    ],
    witnesses: ({ memberIds }) => readWitnesses(db, site, memberIds),
    'probe-requests': ({ owner, held, inHand, most }) =>
      takeProbeRequests(db, {
        owner,
        site,
        held: new Map(held),
        inHand,
        perProject: PROBE_REQUESTS_IN_HAND_PER_PROJECT,
        most,
      }),
    'probe-answers': async ({ owner, answers }) => {
      await answerProbeRequests(db, owner, answers, site)
      return true
    },
  }
  return await answering[question](asked)
}
