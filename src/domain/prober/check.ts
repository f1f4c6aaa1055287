/** Checks and their stored facts: the values that pass between the schedule and the store. */
import type { MaintenanceWindow } from '../status/maintenance.ts'
import type { LeafCertificate } from '../result/leaf-certificate.ts'
import type { Outcome, Reason } from '../result/reasons.ts'
import type { Phases } from '../result/probe-result.ts'
import type { ProbeTarget } from '../target/probe-target.ts'
import type { CheckStatus, StatePolicy } from '../status/state-machine.ts'

/** One check, as configured. Two that are deeply equal are probed and judged in the same way. */
export interface CheckConfig {
  readonly memberId: string
  readonly poolId: string
  readonly projectId: string
  /** 0..255. */
  readonly shard: number
  readonly generation: number
  /** Verdicts of this generation and later ones are published, also those older than `generation`. */
  readonly publishedFrom: number
  /** Several sites probe the member, or another one than `local`: a verdict of this check is the vote of a site. */
  readonly isVote?: true
  /** Published as ONLINE until the first verdict. */
  readonly startsOnline?: true
  readonly target: ProbeTarget
  readonly policy: StatePolicy
  /** Of the member, its pool and its monitor; while one lasts no transition is published. */
  readonly maintenance?: readonly MaintenanceWindow[]
  /** Ids of members and pools; absent = none. */
  readonly dependsOn?: readonly string[]
  /** Days before the end of its certificate from which on there is a warning, 0 = never; absent = it shows none. */
  readonly expiryWarningDays?: number
}

/** The evidence of a transition: figures and addresses, no bytes of the target. */
export type Evidence = Readonly<Record<string, unknown>>

/** The last verdict of a check that is published, as `member_state` has it. */
export interface StoredVerdict {
  /** Older than the check's: it is published, but does not count. */
  readonly generation: number
  readonly status: 'ONLINE' | 'OFFLINE'
  /** Milliseconds of the wall clock. */
  readonly since: number
  readonly reason: Reason
  readonly detail: string
  readonly evidence: Evidence
  readonly okRun: number
  readonly badRun: number
  /** Of a vote: there was no conclusive result for three windows when it was written. */
  readonly isStale?: true
}

/** A check to be probed, with the known facts about it. */
export interface PlannedCheck {
  readonly config: CheckConfig
  readonly verdict?: StoredVerdict
  /** Its entry in the checkpoint, from the prober that ran it last; absent = none, or it runs here. */
  readonly checkpoint?: CheckpointEntry
}

/** A pool as a prober needs it; no checks when nothing of it is probed. */
export interface PoolChecks {
  readonly poolId: string
  readonly shard: number
  readonly configVersion: number
  readonly checks: readonly PlannedCheck[]
}

/** A shard that a prober owns; every write of state names both. */
export interface HeldShard {
  readonly id: number
  readonly epoch: number
}

/** What a heartbeat of a prober finds. */
export interface Heartbeat {
  /** Probers whose lease has not run out, this one included. */
  readonly liveProbers: number
  /** Milliseconds until the first lease of another live prober runs out; undefined when there is no other. */
  readonly nextExpiryMs: number | undefined
  /** Every shard that this prober owns. */
  readonly held: readonly HeldShard[]
  /** Shards without an owner. */
  readonly free: number
  /** Whether a live prober, this one or another, has had unbroken contact for a lease of its own. */
  readonly isContactLong: boolean
}

/** A change of a check's status, in the order (epoch, sequence). */
export interface Transition {
  readonly at: number
  readonly from: CheckStatus
  readonly to: 'ONLINE' | 'OFFLINE'
  readonly reason: Reason
  readonly detail: string
  readonly evidence: Evidence
  readonly generation: number
  /** Transitions of this member that were dropped before this one. */
  readonly dropped: number
  readonly sequence: number
}

/** One row for `member_state`, or of a vote for `member_site_state`, with the transitions that led to it, oldest first. */
export interface VerdictWrite extends StoredVerdict {
  readonly memberId: string
  /** Its project: writes are served in turn by project. */
  readonly projectId: string
  readonly shard: number
  readonly epoch: number
  readonly sequence: number
  readonly isVote?: true
  readonly transitions: readonly Transition[]
  /** The recent results, packed (result/recent-results.ts), with a transition; absent = those of before stay. */
  readonly recent?: Uint8Array
}

/** The outcome of writing a batch of `VerdictWrite`. */
export interface VerdictsWritten {
  /** Shards that are still ours at the epochs of the batch: rows of others were not written, and never will be. */
  readonly held: ReadonlySet<number>
  /**
   * Members whose verdicts were not written, because another transaction has locked the counts of their pool: write
   * them again.
   */
  readonly putOff: ReadonlySet<string>
}

/** The certificate that the member of a check shows, for `member_certificate`. */
export interface CertificateWrite extends Pick<LeafCertificate, 'notAfter' | 'subject' | 'issuer'> {
  readonly memberId: string
  /** Its project: writes are served in turn by project. */
  readonly projectId: string
  readonly generation: number
  readonly shard: number
  readonly epoch: number
  /** Days before its end from which on there is a warning; 0 = never. */
  readonly warningDays: number
}

/** What a checkpoint keeps of one check. Times are milliseconds of the wall clock. */
export interface CheckpointEntry {
  readonly memberId: string
  readonly generation: number
  readonly probedAt: number
  readonly nextAt: number
  readonly outcome: Outcome
  readonly reason: Reason
  readonly phases: Phases
  readonly okRun: number
  readonly badRun: number
  readonly stale: boolean
  /** The flags that the target reports about itself, packed (result/flags.ts). */
  readonly flags: number
}

/** All checks of one shard that have been probed. */
export interface ShardCheckpoint extends HeldShard {
  readonly asOf: number
  readonly entries: readonly CheckpointEntry[]
  /** The recent results of all entries, packed one after the other (result/recent-results.ts). */
  readonly recent: Uint8Array
}
