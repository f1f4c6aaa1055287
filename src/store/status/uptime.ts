/** What is read to show an uptime: the sums of closed days, the sum of a part of the day that runs, and facts for the rest. */
import { UPTIME_FACTS_DAYS } from '../../domain/limits.ts'
import type { UptimeKind } from '../../domain/status/uptime.ts'
import { DAY_MS, dayOf, type SummedDay, type UptimeHistory } from '../../domain/status/uptime-days.ts'
import { type Db, onOneConnection, query } from '../connection/database.ts'
import { readFacts, type UptimeKindOfObject } from './uptime-facts.ts'

/** kind → column of `uptime_day` and `uptime_part`. */
export const SUM_COLUMNS: Readonly<Record<UptimeKind, string>> = {
  online: 'online_ms',
  offline: 'offline_ms',
  pending: 'pending_ms',
  off: 'off_ms',
  maintenance: 'maintenance_ms',
  noData: 'no_data_ms',
}
const SUMS = Object.values(SUM_COLUMNS).join(', ')

export interface SumsRow {
  readonly online_ms: number
  readonly offline_ms: number
  readonly pending_ms: number
  readonly off_ms: number
  readonly maintenance_ms: number
  readonly no_data_ms: number
}

/** What is asked of an uptime: milliseconds since 1970, days back from there, transitions of each object. */
export interface AskedHistory {
  readonly nowMs: number
  /** Of which sums are read. */
  readonly days: number
  /** Of which transitions are read, the newest `changesMax` of each object, and as many times that stand apart. */
  readonly factsDays: number
  readonly changesMax: number
}

export interface ObjectHistory extends UptimeHistory {
  readonly id: string
  readonly projectId: string
}

/** Histories of the members or pools that are there. */
export async function readHistories(
  db: Db,
  kind: UptimeKindOfObject,
  ids: readonly string[],
  { nowMs, days, factsDays, changesMax }: AskedHistory,
): Promise<readonly ObjectHistory[]> {
  const fromMs = nowMs - factsDays * DAY_MS
  const { objects, summed, progress } = await onOneConnection(db, async (tx) => {
    const [at] = await query<{ kept_from: Date; next: Date }>(
      tx,
      `select kept_from, (day + 1)::timestamp at time zone 'UTC' as next from uptime_progress`,
    )
    // Days that are not summed yet are computed from facts, however long ago they are.
    const unsummedMs = at?.next.getTime() ?? nowMs
    const asidesFromMs = Math.max(nowMs - UPTIME_FACTS_DAYS * DAY_MS, Math.min(fromMs, unsummedMs))
    const [facts, sums] = await Promise.all([
      readFacts(
        tx,
        kind,
        ids.map((id) => ({ id, fromMs })),
        { toMs: nowMs + DAY_MS, asidesFromMs, max: changesMax, end: 'newest' },
      ),
      readSummed(tx, ids, dayOf(nowMs) - days * DAY_MS),
    ])
    return { objects: facts, summed: sums, progress: at }
  })
  return objects.map(({ id, projectId, facts, exactFromMs }) => {
    const own = summed.get(id) ?? new Map<number, SummedDay>()
    const lastMs = Math.max(progress?.next.getTime() ?? 0, ...[...own.values()].map(({ toMs }) => toMs))
    const completeFromMs = Math.max(lastMs, progress?.kept_from.getTime() ?? Number.POSITIVE_INFINITY)
    return { id, projectId, summed: own, exactFromMs, facts: { ...facts, completeFromMs } }
  })
}

async function readSummed(
  db: Db,
  ids: readonly string[],
  fromMs: number,
): Promise<ReadonlyMap<string, Map<number, SummedDay>>> {
  const rows = await query<SumsRow & { object_id: string; day: Date; summed_to: Date }>(
    db,
    `select object_id, day::timestamp at time zone 'UTC' as day,
       (day + 1)::timestamp at time zone 'UTC' as summed_to, ${SUMS}
     from uptime_day where object_id = any($1::uuid[]) and day >= ($2::timestamptz at time zone 'UTC')::date
     union all
     select object_id, day::timestamp at time zone 'UTC', summed_to, ${SUMS}
     from uptime_part where object_id = any($1::uuid[])`,
    [ids, new Date(fromMs)],
  )
  const byObject = new Map<string, Map<number, SummedDay>>()
  for (const row of rows) {
    const own = byObject.get(row.object_id) ?? new Map<number, SummedDay>()
    byObject.set(row.object_id, own)
    own.set(row.day.getTime(), summedOf(row))
  }
  return byObject
}

/** A row of `uptime_day` or `uptime_part`. */
export function summedOf(row: SumsRow & { readonly day: Date; readonly summed_to: Date }): SummedDay {
  return {
    dayMs: row.day.getTime(),
    toMs: row.summed_to.getTime(),
    sums: {
      online: row.online_ms,
      offline: row.offline_ms,
      pending: row.pending_ms,
      off: row.off_ms,
      maintenance: row.maintenance_ms,
      noData: row.no_data_ms,
    },
  }
}
