/** The retention of a prober, put together: it has a connection of its own, so that nothing else waits for a purge. */
import {
  DEAD_PROBER_LEASES,
  EVENT_DAYS_DEFAULT,
  TRANSITION_DAYS_DEFAULT,
  TRANSITIONS_PER_MEMBER_DEFAULT,
} from '../../domain/limits.ts'
import type { Log } from '../../schedule/log.ts'
import { Retention, type RetentionMetrics } from '../../schedule/retention.ts'
import { checkAllRollUps, type RollUpCheckParts } from '../../schedule/roll-up-check.ts'
import type { DatabaseUrl } from '../../store/connection/connection-url.ts'
import { openDatabase } from '../../store/connection/database.ts'
import { purgeOrphanedCertificates } from '../../store/probing/certificates.ts'
import { purgeOldEvents } from '../../store/event/events.ts'
import {
  membersAfter,
  purgeOldTransitions,
  purgeOrphanedStates,
  readRetentionProgress,
  saveRetentionProgress,
  trimTransitions,
  withRetentionLock,
  writersAfter,
} from '../../store/probing/retention.ts'
import { checkRollUps } from '../../store/status/roll-up.ts'
import { removeDeadProbers } from '../../store/probing/shards.ts'

/** How much history is kept (HM_TRANSITIONS_DAYS, HM_TRANSITIONS_PER_MEMBER, HM_EVENTS_DAYS). */
export interface Keep {
  readonly transitionDays: number
  readonly transitionsPerMember: number
  readonly eventDays: number
}

export const KEEP_DEFAULT: Keep = {
  transitionDays: TRANSITION_DAYS_DEFAULT,
  transitionsPerMember: TRANSITIONS_PER_MEMBER_DEFAULT,
  eventDays: EVENT_DAYS_DEFAULT,
}

export interface RetentionParts {
  readonly databaseUrl: DatabaseUrl
  readonly leaseMs: number
  readonly keep: Keep
  readonly metrics: RetentionMetrics & RollUpCheckParts['metrics']
  readonly log: Log
}

/** Retention, not started yet, and the function that ends it. */
export function makeRetention({ databaseUrl, leaseMs, keep, metrics, log }: RetentionParts): {
  readonly retention: Retention
  readonly destroy: () => Promise<void>
} {
  // One connection: the lock is its session's.
  const db = openDatabase({
    url: databaseUrl,
    applicationName: 'healthmonitor retention',
    maxConnections: 1,
  })
  const retention = new Retention({
    log,
    metrics,
    store: {
      alone: async (work) => {
        await withRetentionLock(db, work)
      },
      readProgress: () => readRetentionProgress(db),
      saveProgress: (progress) => saveRetentionProgress(db, progress),
      purges: [
        (batch) => purgeOldTransitions(db, keep.transitionDays, batch),
        (batch) => purgeOrphanedStates(db, batch),
        (batch) => purgeOrphanedCertificates(db, batch),
        (batch) => purgeOldEvents(db, keep.eventDays, batch),
        () => removeDeadProbers(db, DEAD_PROBER_LEASES * leaseMs),
      ],
      writersAfter: (position, rows) => writersAfter(db, position, rows),
      membersAfter: (member, count) => membersAfter(db, member, count),
      trim: (members, batch) => trimTransitions(db, members, { keep: keep.transitionsPerMember, batch }),
    },
    hourly: [
      (run) =>
        checkAllRollUps(run, {
          check: (after, membersMax) => checkRollUps(db, after, membersMax),
          metrics,
          log,
        }),
    ],
  })
  return {
    retention,
    destroy: async () => {
      retention.destroy()
      await db.destroy()
    },
  }
}
