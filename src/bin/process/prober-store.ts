/** The database of a prober: its connections, and its statements as functions for the engine. */
import { hostname } from 'node:os'
import type { PoolChecks } from '../../domain/prober/check.ts'
import {
  DEPENDENCY_CONNECTIONS,
  PROBE_REQUEST_FORGOTTEN_MS,
  PROBE_REQUESTS_IN_HAND_PER_PROJECT,
  PROBER_CONNECTIONS,
} from '../../domain/limits.ts'
import type { ProbeTarget } from '../../domain/target/probe-target.ts'
import { withSourceAddress } from '../../domain/address/source-address.ts'
import type { ConfigStore } from '../../schedule/config-sync-options.ts'
import type { ProberStore } from '../../schedule/engine-options.ts'
import { writeCertificates } from '../../store/probing/certificates.ts'
import { readCheckpointEntries, writeCheckpoints } from '../../store/probing/checkpoints.ts'
import { loadPoolPart, loadPools, readPoolSizes, readPoolVersions } from '../../store/probing/checks.ts'
import { CONFIG_CHANNEL } from '../../store/probing/config-channel.ts'
import { type Db, isStoreAway, openDatabase, sqlState } from '../../store/connection/database.ts'
import { readParentStates } from '../../store/probing/dependencies.ts'
import type { DatabaseUrl } from '../../store/connection/connection-url.ts'
import { listen } from '../../store/connection/listen.ts'
import { PROBE_REQUESTS_CHANNEL } from '../../store/probing/probe-request-channels.ts'
import {
  answerProbeRequests,
  forgetProbeRequests,
  takeProbeRequests,
} from '../../store/probing/probe-requests.ts'
import { beat, claimShards, releaseShards, removeProber } from '../../store/probing/shards.ts'
import { writeVerdicts } from '../../store/probing/verdicts.ts'
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
  readonly databaseUrl: DatabaseUrl
  readonly leaseMs: number
}

/** Connects when it is first used. */
export function openProberStore({
  id,
  databaseUrl: url,
  leaseMs,
  ...host
}: ProberStoreOptions): ProberStore & {
  /** Closes all connections. */
  destroy(): Promise<void>
} {
  const open = (what: string, maxConnections: number) =>
    openDatabase({ url, applicationName: `healthmonitor ${what}`, maxConnections })
  const db = open('prober', PROBER_CONNECTIONS)
  // The lease never waits for a connection that is busy with slow work: one connection is for the heartbeat, the other
  // for claiming or giving back, which run one at a time and may wait for locks of other probers.
  const leaseDb = open('lease', 2)
  // Other work does not wait for a project whose dependencies take long to read.
  const dependencyDb = open('dependencies', DEPENDENCY_CONNECTIONS)
  const channel = (name: string) => ({ url, applicationName: 'healthmonitor listen', channel: name })
  const identity = { id, host: hostname(), pid: process.pid, leaseMs }
  return {
    ...configStore(db, host),
    beat: (contactMs, facts) => beat(leaseDb, { ...identity, contactMs, facts }),
    claim: (count, foreignToo) => claimShards(leaseDb, { owner: id, count, foreignToo }),
    release: (ids) => releaseShards(leaseDb, id, ids),
    removeProber: () => removeProber(leaseDb, id),
    writeVerdicts: (rows) => writeVerdicts(db, id, rows),
    writeCertificates: (rows) => writeCertificates(db, id, rows),
    writeCheckpoints: (checkpoints) => writeCheckpoints(db, id, checkpoints),
    readCheckpointEntries: (shards, memberIds) => readCheckpointEntries(db, shards, memberIds),
    readParentStates: (projectId, ids, withinMs) =>
      readParentStates(dependencyDb, { projectId, ids, withinMs }),
    takeProbeRequests: (held, most) =>
      takeProbeRequests(db, { owner: id, held, perProject: PROBE_REQUESTS_IN_HAND_PER_PROJECT, most }),
    answerProbeRequests: (answers) => answerProbeRequests(db, id, answers),
    forgetProbeRequests: () => forgetProbeRequests(db, PROBE_REQUEST_FORGOTTEN_MS),
    listen: (...hearing) => listen(channel(CONFIG_CHANNEL), ...hearing),
    listenForRequests: (...hearing) => listen(channel(PROBE_REQUESTS_CHANNEL), ...hearing),
    isAway: isStoreAway,
    isTooSlow: (error) => sqlState(error) === QUERY_CANCELED,
    destroy: async () => {
      await Promise.all([db.destroy(), leaseDb.destroy(), dependencyDb.destroy()])
    },
  }
}

function configStore(db: Db, host: ProberHost): ConfigStore {
  return {
    readVersions: (shards) => readPoolVersions(db, shards),
    readSizes: (poolIds) => readPoolSizes(db, poolIds),
    loadPools: async (poolIds) => (await loadPools(db, poolIds)).map((pool) => onThisHost(pool, host)),
    loadMembers: async (poolId, after, limit) => {
      const part = await loadPoolPart(db, poolId, { after, limit })
      return part && { ...part, pool: onThisHost(part.pool, host) }
    },
  }
}

/** A pool with the settings of this host: source addresses and the folder of TLS files. */
function onThisHost(pool: PoolChecks, { sourceAddresses, tlsDir }: ProberHost): PoolChecks {
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
