/** The database of a prober: its connections, and its statements as functions for the engine. */
import { hostname } from 'node:os'
import type { PoolChecks, VerdictsWritten, VerdictWrite } from '../../domain/prober/check.ts'
import {
  DEPENDENCY_CONNECTIONS,
  PROBE_REQUEST_FORGOTTEN_MS,
  PROBE_REQUESTS_IN_HAND_PER_PROJECT,
  PROBER_CONNECTIONS,
} from '../../domain/limits.ts'
import type { ProbeTarget } from '../../domain/target/probe-target.ts'
import { withSourceAddress } from '../../domain/address/source-address.ts'
import type { ConfigStore } from '../../schedule/configuration/config-sync-options.ts'
import type { LostSiteStore } from '../../schedule/upkeep/lost-sites.ts'
import type { ProberStore } from '../../schedule/engine-options.ts'
import { writeCertificates } from '../../store/probing/certificates.ts'
import { readCheckpointEntries, writeCheckpoints } from '../../store/probing/checkpoints.ts'
import {
  loadPoolPart,
  loadPools,
  readPoolDigests,
  readPoolSizes,
  readPoolVersions,
} from '../../store/probing/checks.ts'
import { CONFIG_CHANNEL } from '../../store/probing/config-channel.ts'
import {
  type Database,
  type Db,
  isStoreAway,
  openDatabase,
  sqlState,
} from '../../store/connection/database.ts'
import { readParentStates } from '../../store/probing/dependencies.ts'
import type { DatabaseUrl } from '../../store/connection/connection-url.ts'
import { listen } from '../../store/connection/listen.ts'
import {
  hasVotes,
  markLostSites,
  recount,
  takeUncounted,
  type UncountedShard,
} from '../../store/probing/lost-sites.ts'
import { PROBE_REQUESTS_CHANNEL } from '../../store/probing/probe-request-channels.ts'
import {
  answerProbeRequests,
  forgetProbeRequests,
  takeProbeRequests,
} from '../../store/probing/probe-requests.ts'
import { beat, claimShards, releaseShards, removeProber } from '../../store/probing/shards.ts'
import { writeVerdicts } from '../../store/probing/verdicts.ts'
import { writeVotes } from '../../store/probing/votes.ts'
import { readWitnesses } from '../../store/probing/witnesses.ts'
import { withTlsFolder } from './tls-folder.ts'

/** SQLSTATE of a cancelled statement: here, by its time limit. */
const QUERY_CANCELED = '57014'

/** What checks need to know of this host. */
export interface ProberHost {
  /** Probes leave from these; empty = the kernel chooses. */
  readonly sourceAddresses: readonly string[]
  /** HM_TLS_DIR: where the files are that monitors name. */
  readonly tlsDir?: string
}

export interface ProberStoreOptions extends ProberHost {
  /** Of the prober. */
  readonly id: string
  /** Where it is: the site whose shards it shares and whose checks it makes. */
  readonly site: string
  readonly databaseUrl: DatabaseUrl
  readonly leaseMs: number
}

/** Connects when it is first used. */
export function openProberStore({
  id,
  site,
  databaseUrl,
  leaseMs,
  ...host
}: ProberStoreOptions): ProberStore & {
  /** What is done about sites that are lost. */
  readonly lostSites: LostSiteStore<UncountedShard>
  /** Closes all connections. */
  destroy(): Promise<void>
} {
  const pools = openPools(databaseUrl)
  return {
    ...configStore(pools.main, site, host),
    ...leaseStore(pools.lease, { id, site, leaseMs }),
    ...writtenBy(id, site, pools.main),
    readParentStates: (projectId, ids, withinMs) =>
      readParentStates(pools.dependencies, { projectId, ids, withinMs }),
    readWitnesses: (memberIds) => readWitnesses(pools.main, site, memberIds),
    listen: (...hearing) => listen(channel(databaseUrl, CONFIG_CHANNEL), ...hearing),
    listenForRequests: (...hearing) => listen(channel(databaseUrl, PROBE_REQUESTS_CHANNEL), ...hearing),
    lostSites: {
      hasVotes: () => hasVotes(pools.main),
      mark: (isAfresh) => markLostSites(pools.main, isAfresh),
      take: () => takeUncounted(pools.main),
      recount: (shard) => recount(pools.main, shard),
    },
    isAway: isStoreAway,
    isTooSlow: (error) => sqlState(error) === QUERY_CANCELED,
    destroy: async () => {
      await Promise.all(Object.values(pools).map((pool) => pool.destroy()))
    },
  }
}

/** Pools of connections; work in one never waits for a connection of another. */
interface Pools {
  readonly main: Database
  /**
   * One connection is for the heartbeat, the other for claiming or releasing: these run one at a time, and may wait for
   * locks of other probers.
   */
  readonly lease: Database
  /** A project whose dependencies take long to read delays only other dependencies. */
  readonly dependencies: Database
}

function openPools(url: DatabaseUrl): Pools {
  const open = (what: string, maxConnections: number) =>
    openDatabase({ url, applicationName: `healthmonitor ${what}`, maxConnections })
  return {
    main: open('prober', PROBER_CONNECTIONS),
    lease: open('lease', 2),
    dependencies: open('dependencies', DEPENDENCY_CONNECTIONS),
  }
}

function channel(url: DatabaseUrl, name: string) {
  return { url, applicationName: 'healthmonitor listen', channel: name }
}

type LeaseStore = Pick<ProberStore, 'beat' | 'claim' | 'release' | 'removeProber'>

function leaseStore(
  db: Database,
  { id, site, leaseMs }: Pick<ProberStoreOptions, 'id' | 'site' | 'leaseMs'>,
): LeaseStore {
  const identity = { id, site, host: hostname(), pid: process.pid, leaseMs }
  return {
    beat: (contactMs, facts) => beat(db, { ...identity, contactMs, facts }),
    claim: (count, foreignToo) => claimShards(db, { owner: id, count, foreignToo, site }),
    release: (ids) => releaseShards(db, id, ids, site),
    removeProber: () => removeProber(db, id),
  }
}

type WrittenStore = Pick<
  ProberStore,
  | 'writeVerdicts'
  | 'writeCertificates'
  | 'writeCheckpoints'
  | 'readCheckpointEntries'
  | 'takeProbeRequests'
  | 'answerProbeRequests'
  | 'forgetProbeRequests'
>

/** What the prober `id` of a site writes about its shards, and reads of what was written. */
function writtenBy(id: string, site: string, db: Database): WrittenStore {
  return {
    writeVerdicts: (rows) =>
      writeBoth(rows, {
        verdicts: (some) => writeVerdicts(db, id, some),
        votes: (some) => writeVotes(db, id, some, site),
      }),
    writeCertificates: (rows) => writeCertificates(db, id, rows, site),
    writeCheckpoints: (checkpoints) => writeCheckpoints(db, id, checkpoints, site),
    readCheckpointEntries: (shards, memberIds) => readCheckpointEntries(db, shards, memberIds, site),
    takeProbeRequests: (held, inHand, most) =>
      takeProbeRequests(db, {
        owner: id,
        site,
        held,
        inHand,
        perProject: PROBE_REQUESTS_IN_HAND_PER_PROJECT,
        most,
      }),
    answerProbeRequests: (answers) => answerProbeRequests(db, id, answers, site),
    forgetProbeRequests: () => forgetProbeRequests(db, PROBE_REQUEST_FORGOTTEN_MS),
  }
}

type Writing = (rows: readonly VerdictWrite[]) => Promise<VerdictsWritten>

/** Verdicts of checks that one site makes are those of the member; others are votes of the site. */
async function writeBoth(
  rows: readonly VerdictWrite[],
  writing: { readonly verdicts: Writing; readonly votes: Writing },
): Promise<VerdictsWritten> {
  const votes = rows.filter((row) => row.isVote === true)
  if (votes.length === 0) return await writing.verdicts(rows)
  if (votes.length === rows.length) return await writing.votes(votes)
  const others = rows.filter((row) => row.isVote !== true)
  const [ofVotes, ofOthers] = [await writing.votes(votes), await writing.verdicts(others)]
  // A shard may be lost between the two: what is not sure to be written counts as lost.
  const isHeld = (of: VerdictsWritten, part: readonly VerdictWrite[], shard: number): boolean =>
    of.held.has(shard) || part.every((row) => row.shard !== shard)
  const shards = rows.map(({ shard }) => shard)
  return {
    held: new Set(shards.filter((shard) => isHeld(ofVotes, votes, shard) && isHeld(ofOthers, others, shard))),
    putOff: new Set([...ofVotes.putOff, ...ofOthers.putOff]),
  }
}

function configStore(db: Db, site: string, host: ProberHost): ConfigStore {
  return {
    readDigests: (shards) => readPoolDigests(db, shards),
    readVersions: (shards) => readPoolVersions(db, shards),
    readSizes: (poolIds) => readPoolSizes(db, poolIds),
    loadPools: async (poolIds) => (await loadPools(db, poolIds, site)).map((pool) => onThisHost(pool, host)),
    loadMembers: async (poolId, after, limit) => {
      const part = await loadPoolPart(db, poolId, { after, limit, site })
      return part && { ...part, pool: onThisHost(part.pool, host) }
    },
  }
}

/** A pool with the settings of this host: source addresses and the folder of TLS files. */
export function onThisHost(pool: PoolChecks, { sourceAddresses, tlsDir }: ProberHost): PoolChecks {
  const adapted = (target: ProbeTarget, memberId: string): ProbeTarget =>
    withTlsFolder(withSourceAddress(target, memberId, sourceAddresses), tlsDir)
  return {
    ...pool,
    checks: pool.checks.map((check) => {
      const target = adapted(check.config.target, check.config.memberId)
      return { ...check, config: { ...check.config, target } }
    }),
  }
}
