/** The whole service, as PostgreSQL knows it: every prober on every host. */
export interface ServiceFacts {
  /** Probers whose lease has not ended. */
  readonly probers: number
  /** Shards without a living owner: their members are not probed. */
  readonly shardsUnowned: number
  /** Results that living probers have decided and not yet written, as of their last heartbeat. */
  readonly unwritten: number
  /** Members that are to be probed, by status. */
  readonly online: number
  readonly offline: number
  readonly unknown: number
  /** Of these, not probed, or without a conclusive result for three windows. */
  readonly stale: number
  /** Members whose certificate ends within the days of its warning, or has ended. */
  readonly certificatesExpiring: number
  /** Of these, those whose certificate has ended. */
  readonly certificatesExpired: number
}
