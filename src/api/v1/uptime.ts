/** `GET /v1/uptime`: for how long a member was ONLINE in the last day, week and 30 days, and what stands apart. */
import { notFound } from '../../domain/errors.ts'
import { UPTIME_WINDOWS_HOURS } from '../../domain/limits.ts'
import { uptimeIn, upShare } from '../../domain/status/uptime.ts'
import { isUuid } from '../../domain/uuid.ts'
import { readUptimeFacts } from '../../store/status/uptime.ts'
import type { ApiContext, ApiDependencies, Route } from '../http/context.ts'
import { invalidQuery, queryOf } from '../http/query.ts'
import { assertReadable } from './overview.ts'

const HOUR_MS = 3_600_000

export function uptimeRoutes(deps: ApiDependencies): Route[] {
  return [{ method: 'get', paths: ['/v1/uptime'], handler: (ctx) => show(ctx, deps) }]
}

async function show(ctx: ApiContext, deps: ApiDependencies): Promise<void> {
  const id = memberIdOf(ctx)
  const longest = Math.max(...UPTIME_WINDOWS_HOURS)
  const facts = await readUptimeFacts(deps.db, id, longest / 24)
  if (facts === undefined) throw notFound('member', id)
  assertReadable(ctx, facts.projectId, notFound('member', id))
  const first = facts.changes[0]
  ctx.body = {
    member_id: id,
    since: first === undefined ? null : new Date(first.atMs).toISOString(),
    windows: UPTIME_WINDOWS_HOURS.map((hours) => {
      const uptime = uptimeIn(facts, facts.nowMs - hours * HOUR_MS, facts.nowMs)
      return {
        hours,
        up_share: upShare(uptime),
        online_seconds: seconds(uptime.online),
        offline_seconds: seconds(uptime.offline),
        pending_seconds: seconds(uptime.pending),
        disabled_seconds: seconds(uptime.off),
        maintenance_seconds: seconds(uptime.maintenance),
        no_data_seconds: seconds(uptime.noData),
      }
    }),
  }
}

const seconds = (ms: number): number => Math.round(ms) / 1000

/** Throws INVALID_QUERY. */
function memberIdOf(ctx: ApiContext): string {
  const parameters = queryOf(ctx)
  const id = parameters.get('member_id')
  const isKnown = [...parameters.keys()].every((name) => name === 'member_id')
  if (isKnown && id !== null && isUuid(id)) return id.toLowerCase()
  throw invalidQuery('member_id must be sent, as a UUID, and nothing else.')
}
