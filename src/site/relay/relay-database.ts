/** What the relay needs of the database, for one site; `bin` makes it of the store. Everything rejects while it is away. */
import type {
  CertificateWrite,
  HeldShard,
  ShardCheckpoint,
  VerdictsWritten,
  VerdictWrite,
} from '../../domain/prober/check.ts'
import type { Answers, Questions } from '../wire/questions.ts'
import type { SnapshotPool } from '../wire/snapshot.ts'

export interface MirroredLease extends HeldShard {
  readonly owner: string
}

/** A prober of the site, as of now. */
export interface MirroredProber {
  readonly id: string
  readonly host: string
  readonly pid: number
  readonly facts: object
  /** Milliseconds until its lease ends. */
  readonly leftMs: number
  /** Milliseconds until its contact will have been unbroken for a lease; 0 or less: it has been. */
  readonly longContactInMs: number
}

type Listen = (
  onPayload: (payload: string) => void,
  onEnd: (error: Error | undefined) => void,
) => Promise<{ end(): Promise<void> }>

export interface RelayDatabase {
  /** Of each shard that has pools, a text that is another one when a pool came, went or changed. */
  digests(): Promise<ReadonlyMap<number, string>>
  /** What the site probes of a shard: every pool, with the checks of it that the site makes. */
  pools(shard: number): Promise<readonly SnapshotPool[]>
  /** Makes the shards of the site, where there are none, and reads their epochs. */
  epochs(): Promise<ReadonlyMap<number, number>>
  /** Notes owners of shards, where the epoch is a later one than what is noted. */
  claimed(leases: readonly MirroredLease[]): Promise<void>
  /** Notes that these have no owner, where owner and epoch are what is noted. */
  released(leases: readonly MirroredLease[]): Promise<void>
  writeVerdicts(owner: string, rows: readonly VerdictWrite[]): Promise<VerdictsWritten>
  writeCertificates(owner: string, rows: readonly CertificateWrite[]): Promise<void>
  writeCheckpoints(owner: string, checkpoints: readonly ShardCheckpoint[]): Promise<void>
  beat(probers: readonly MirroredProber[]): Promise<void>
  removeProber(id: string): Promise<void>
  /** Answers a question of a prober. */
  answer<Name extends keyof Questions>(question: Name, asked: Questions[Name]): Promise<Answers[Name]>
  /** Removes requests for a probe that nobody waits for any more. */
  forgetProbeRequests(): Promise<void>
  /** Listens for shards whose configuration has changed. */
  readonly listen: Listen
  /** Listens for shards that have requests for a probe. */
  readonly listenForRequests: Listen
  /** Whether an error says that the database is away, as opposed to something about what was written. */
  isAway(error: unknown): boolean
}
