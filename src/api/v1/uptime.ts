/**
 * `GET /v1/uptime`: for how long a member was ONLINE in the last 24 hours, 7, 30 and 90 days, and the times that do not
 * count. They are computed from its transitions, and for longer windows also from the sums of days.
 */
import { notFound } from '../../domain/errors.ts'
import { UPTIME_CHANGES_MAX, UPTIME_FACTS_DAYS, UPTIME_WINDOWS_HOURS } from '../../domain/limits.ts'
import { type Uptime, upShare } from '../../domain/status/uptime.ts'
import { coverage, type UptimeHistory, uptimesOver } from '../../domain/status/uptime-days.ts'
import { readHistories } from '../../store/status/uptime.ts'
import type { ApiContext, ApiDependencies, Route } from '../http/context.ts'
import { invalidQuery } from '../http/query.ts'
import { assertReadable } from './overview.ts'
import { idOf, knownParameters } from './parameters.ts'

const HOUR_MS = 3_600_000
const LONGEST_DAYS = Math.max(...UPTIME_WINDOWS_HOURS) / 24

export function uptimeRoutes(deps: ApiDependencies): Route[] {
  return [{ method: 'get', paths: ['/v1/uptime'], handler: (ctx) => show(ctx, deps) }]
}

async function show(ctx: ApiContext, deps: ApiDependencies): Promise<void> {
  const id = memberIdOf(ctx)
  const nowMs = Date.now()
  const [history] = await readHistories(deps.db, 'member', [id], {
    nowMs,
    days: LONGEST_DAYS,
    factsDays: UPTIME_FACTS_DAYS,
    changesMax: UPTIME_CHANGES_MAX,
  })
  if (history === undefined) throw notFound('member', id)
  assertReadable(ctx, history.projectId, notFound('member', id))
  const windows = UPTIME_WINDOWS_HOURS.map((hours) => ({ fromMs: nowMs - hours * HOUR_MS, toMs: nowMs }))
  const uptimes = uptimesOver(history, windows)
  const since = sinceOf(history, nowMs - LONGEST_DAYS * 24 * HOUR_MS)
  ctx.body = {
    member_id: id,
    since: since === undefined ? null : new Date(since).toISOString(),
    windows: uptimes.map((uptime, i) => renderWindow(UPTIME_WINDOWS_HOURS[i] ?? 0, uptime)),
  }
}

function renderWindow(hours: number, uptime: Uptime): object {
  return {
    hours,
    up_share: upShare(uptime),
    coverage: coverage(uptime),
    online_seconds: seconds(uptime.online),
    offline_seconds: seconds(uptime.offline),
    pending_seconds: seconds(uptime.pending),
    disabled_seconds: seconds(uptime.off),
    maintenance_seconds: seconds(uptime.maintenance),
    no_data_seconds: seconds(uptime.noData),
  }
}

/** From when on something is known: of a day's sum that is its beginning, of transitions the first one. */
function sinceOf({ facts, summed }: UptimeHistory, fromMs: number): number | undefined {
  const days = [...summed.values()]
    .filter(({ sums, toMs }) => sums.online + sums.offline > 0 && toMs > fromMs)
    .map(({ dayMs }) => Math.max(dayMs, facts.createdMs))
  const known = [...days, ...facts.changes.slice(0, 1).map(({ atMs }) => atMs)]
  return known.length === 0 ? undefined : Math.min(...known)
}

const seconds = (ms: number): number => Math.round(ms) / 1000

/** Throws INVALID_QUERY. */
function memberIdOf(ctx: ApiContext): string {
  const id = idOf(knownParameters(ctx, ['member_id']), 'member_id')
  if (id === undefined) throw invalidQuery('member_id is missing.')
  return id
}
