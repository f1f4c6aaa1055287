/** What a prober's engine is given: the database as functions, the probes, and the configuration of the service. */
import type {
  CertificateWrite,
  CheckpointEntry,
  Heartbeat,
  ShardCheckpoint,
  VerdictsWritten,
  VerdictWrite,
} from '../domain/prober/check.ts'
import type { Witness } from '../domain/site/witnesses.ts'
import type { ParentState } from '../domain/status/dependencies.ts'
import type { ProberFacts } from '../domain/prober/prober-facts.ts'
import type { ProbeRuntime } from '../probe/probe-runtime.ts'
import type { Probers } from '../probe/probers.ts'
import type { Metrics } from '../runtime/metrics/metrics.ts'
import type { CanaryEndpoint } from './judge/canaries.ts'
import type { ListenerOptions } from './configuration/channel-listener.ts'
import type { ConfigStore } from './configuration/config-sync-options.ts'
import type { DependencyMetrics } from './judge/dependency-readings.ts'
import type { Log } from './log.ts'
import type { OwnershipStore } from './configuration/ownership.ts'
import type { ProbeRequestStore } from './asked/probe-requests.ts'

/** What a prober reads and writes. Everything rejects while PostgreSQL is away. */
export interface ProberStore extends ConfigStore, ProbeRequestStore, Omit<OwnershipStore, 'beat'> {
  /** Renews the lease, and stores the prober's facts about itself with it. */
  beat(contactMs: number, facts: ProberFacts): Promise<Heartbeat>
  /** Writes rows in one statement. */
  writeVerdicts(rows: readonly VerdictWrite[]): Promise<VerdictsWritten>
  /** Writes what members show, of shards that are still ours at those epochs. */
  writeCertificates(rows: readonly CertificateWrite[]): Promise<void>
  writeCheckpoints(checkpoints: readonly ShardCheckpoint[]): Promise<void>
  /** What the checkpoints of these shards say about these members. */
  readCheckpointEntries(
    shards: readonly number[],
    memberIds: readonly string[],
  ): Promise<readonly CheckpointEntry[]>
  /** The status of those of these parents that are failing or OFFLINE; rejects after `withinMs`. */
  readParentStates(
    projectId: string,
    parents: readonly string[],
    withinMs: number,
  ): Promise<ReadonlyMap<string, ParentState>>
  /** What the other sites see of members that several sites probe. */
  readWitnesses(memberIds: readonly string[]): Promise<readonly Witness[]>
  /** Listens for changed shards. */
  readonly listen: ListenerOptions['listen']
  /** Listens for requests for a probe. */
  readonly listenForRequests: ListenerOptions['listen']
  /** Whether an error says that PostgreSQL is away, as opposed to something about what was asked. */
  isAway(error: unknown): boolean
  /** Whether a statement was ended because it took longer than it may. */
  isTooSlow(error: unknown): boolean
}

export interface ProberPolicies {
  readonly leaseMs: number
  readonly checkpointMs: number
  /** The target policy: why an address must not be probed on a port; undefined when it may. */
  readonly targetPolicy: (address: string, port: number) => string | undefined
  /** 0, or absent = unlimited. */
  readonly probesPerSecondPerAddress?: number
  /** Probes of one project in flight in this process at most, whatever is free; absent = no such bound. */
  readonly inFlightPerProject?: number
  /** Targets that are always up: when none answers, the fault is the prober's. */
  readonly canaries: readonly CanaryEndpoint[]
}

export interface ProberEngineOptions {
  readonly store: ProberStore
  /** The probers over the runtime that the engine makes. */
  readonly probers: (runtime: ProbeRuntime) => Probers
  /** False: these probers make every probe, as where no core can be opened. */
  readonly usesCores?: boolean
  readonly policies: ProberPolicies
  readonly metrics: Metrics
  readonly dependencyMetrics: DependencyMetrics
  readonly log: Log
}
