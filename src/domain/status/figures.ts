/** What is exported of each pool and of each member, as PostgreSQL has it: facts of one moment, for monitoring systems. */
import type { MemberState } from './member-status.ts'

export interface PoolFigures {
  readonly id: string
  readonly name: string
  readonly projectId: string
  /** ONLINE, DEGRADED, ERROR or OFFLINE. */
  readonly status: string
  /** Members by state. */
  readonly members: Readonly<Record<MemberState, number>>
  /** Probed, and without a verdict since the configuration changed. */
  readonly pending: number
  /** Microseconds over the last probe of each member, where it passed; absent where no member has one. */
  readonly latencyUs?: { readonly p50: number; readonly p99: number }
  /** When one of its members last changed its status; absent before the first verdict. */
  readonly lastTransitionAt?: Date
  /** When the first certificate of its members ends; absent where no member has shown one over TLS. */
  readonly certificateExpiresAt?: Date
}

export interface MemberFigures {
  readonly id: string
  readonly name: string
  readonly address: string
  readonly port: number
  readonly poolId: string
  readonly poolName: string
  readonly projectId: string
  readonly state: MemberState
  readonly pending: boolean
  readonly stale: boolean
  /** Microseconds of its last probe, where that passed. */
  readonly latencyUs?: number
  /** Since when it has this status. */
  readonly since?: Date
}
