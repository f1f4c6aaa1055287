/** The retention of a prober, put together: it has a connection of its own, so that nothing else waits for a purge. */
import {
  DEAD_PROBER_LEASES,
  EVENT_DAYS_DEFAULT,
  PURGE_BATCH_ROWS,
  PURGE_MEMBERS_PER_STATEMENT,
  TRANSITION_DAYS_DEFAULT,
  TRANSITIONS_PER_MEMBER_DEFAULT,
  UPTIME_DAYS_DEFAULT,
} from '../../domain/limits.ts'
import { NIL_UUID } from '../../domain/uuid.ts'
import type { Log } from '../../schedule/log.ts'
import {
  Retention,
  type RetentionMetrics,
  type RetentionStore,
  type RunStatement,
} from '../../schedule/upkeep/retention.ts'
import { checkAllRollUps, type RollUpCheckParts } from '../../schedule/upkeep/roll-up-check.ts'
import type { DatabaseUrl } from '../../store/connection/connection-url.ts'
import { purgeOrphanedCertificates } from '../../store/probing/certificates.ts'
import { purgeGone, sumClosedDays, sumUpTo, type UptimeDayStore } from '../../schedule/upkeep/uptime-days.ts'
import { type Database, openDatabase } from '../../store/connection/database.ts'
import { purgeOldEvents } from '../../store/event/events.ts'
import {
  membersAfter,
  purgeOrphanedStates,
  purgeOrphanedVotes,
  readRetentionProgress,
  saveRetentionProgress,
  withRetentionLock,
  writersAfter,
} from '../../store/probing/retention.ts'
import {
  deleteExcess,
  findExcess,
  poolsAfter,
  purgeOldPoolTransitions,
  purgeOldTransitions,
} from '../../store/probing/trim.ts'
import { checkRollUps } from '../../store/status/roll-up.ts'
import { removeDeadProbers } from '../../store/probing/shards.ts'
import type { UptimeKindOfObject } from '../../store/status/uptime-facts.ts'
import {
  purgeGoneUptimes,
  readObjectsToCut,
  readObjectsToSum,
  readSumProgress,
  saveParts,
  saveSums,
  type SumProgress,
} from '../../store/status/uptime-sums.ts'

/** How much history is kept (HM_TRANSITIONS_DAYS, HM_TRANSITIONS_PER_MEMBER, HM_EVENTS_DAYS, HM_UPTIME_DAYS). */
export interface Keep {
  readonly transitionDays: number
  readonly transitionsPerMember: number
  readonly eventDays: number
  readonly uptimeDays: number
}

export const KEEP_DEFAULT: Keep = {
  transitionDays: TRANSITION_DAYS_DEFAULT,
  transitionsPerMember: TRANSITIONS_PER_MEMBER_DEFAULT,
  eventDays: EVENT_DAYS_DEFAULT,
  uptimeDays: UPTIME_DAYS_DEFAULT,
}

export interface RetentionParts {
  readonly databaseUrl: DatabaseUrl
  readonly leaseMs: number
  readonly keep: Keep
  readonly metrics: RetentionMetrics & RollUpCheckParts['metrics']
  readonly log: Log
}

/** Retention, not started yet, and the function that ends it. */
export function makeRetention(parts: RetentionParts): {
  readonly retention: Retention
  readonly destroy: () => Promise<void>
} {
  const { databaseUrl, keep, metrics, log } = parts
  // One connection: the lock is its session's. So it stays open also while days are computed and nothing is asked.
  const db = openDatabase({
    url: databaseUrl,
    applicationName: 'healthmonitor retention',
    maxConnections: 1,
    idleMs: Number.POSITIVE_INFINITY,
  })
  const rollUps = {
    check: (after: string, membersMax: number) => checkRollUps(db, after, membersMax),
    metrics,
    log,
  }
  const retention = new Retention({
    log,
    metrics,
    store: retentionStore(db, parts),
    first: [
      (run) => sumClosedDays(run, uptimeDayStore(db, keep.uptimeDays)),
      (run) => purgeGone(run, () => purgeGoneUptimes(db, PURGE_BATCH_ROWS)),
    ],
    hourly: [(run) => trimPools(db, run, keep.transitionsPerMember), (run) => checkAllRollUps(run, rollUps)],
  })
  return {
    retention,
    destroy: async () => {
      retention.destroy()
      await db.destroy()
    },
  }
}

function retentionStore(
  db: Database,
  { leaseMs, keep }: Pick<RetentionParts, 'leaseMs' | 'keep'>,
): RetentionStore {
  return {
    alone: async (work) => {
      await withRetentionLock(db, work)
    },
    readProgress: () => readRetentionProgress(db),
    saveProgress: (progress) => saveRetentionProgress(db, progress),
    purges: [
      (batch) => purgeOldTransitions(db, keep.transitionDays, batch),
      (batch) => purgeOldPoolTransitions(db, keep.transitionDays, batch),
      (batch) => purgeOrphanedStates(db, batch),
      (batch) => purgeOrphanedVotes(db, batch),
      (batch) => purgeOrphanedCertificates(db, batch),
      (batch) => purgeOldEvents(db, keep.eventDays, batch),
      () => removeDeadProbers(db, DEAD_PROBER_LEASES * leaseMs),
    ],
    writersAfter: (position, rows) => writersAfter(db, position, rows),
    membersAfter: (member, count) => membersAfter(db, member, count),
    trim: (members, batch) => trim(db, 'member', members, { keep: keep.transitionsPerMember, batch }),
  }
}

function uptimeDayStore(db: Database, keepDays: number): UptimeDayStore<SumProgress> {
  return {
    readProgress: () => readSumProgress(db),
    readObjects: (progress, count) => readObjectsToSum(db, progress, count),
    save: (sums) => saveSums(db, { ...sums, keepDays }),
  }
}

/** Deletes transitions beyond the newest `keep` of each object, after their time was summed. Returns how many. */
async function trim(
  db: Database,
  kind: UptimeKindOfObject,
  ids: readonly string[],
  { keep, batch }: { readonly keep: number; readonly batch: number },
): Promise<number> {
  const excess = await findExcess(db, kind, ids, keep)
  await sumUpTo(excess, {
    readProgress: () => readSumProgress(db),
    readObjects: (some, progress) => readObjectsToCut(db, kind, some, progress),
    saveParts: (progress, parts) => saveParts(db, progress, parts),
  })
  return await deleteExcess(db, kind, excess, batch)
}

async function trimPools(db: Database, run: RunStatement, keep: number): Promise<void> {
  const [count, batch] = [PURGE_MEMBERS_PER_STATEMENT.max, PURGE_BATCH_ROWS]
  for (let after: string | undefined = NIL_UUID; after !== undefined; ) {
    const from: string = after
    const pools = await run(() => poolsAfter(db, from, count))
    let rows: number | undefined = batch
    while (rows === batch) rows = await run(() => trim(db, 'pool', pools ?? [], { keep, batch }))
    after = pools?.at(-1)
  }
}
