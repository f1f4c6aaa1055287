/** `GET …/pools/{pool_id}/members/{id}/transitions`: when and why a member went ONLINE and OFFLINE, newest first. */
import type { MemberKey } from '../store/members.ts'
import {
  hasTransition,
  listTransitions,
  ownerOfHistory,
  type TransitionRecord,
} from '../store/transitions.ts'
import type { ApiContext, ApiDependencies, Route } from './context.ts'
import { memberKey, memberNotFound } from './members.ts'
import { linksOf, type ListRules, pick } from './pages.ts'
import { queryOf } from './query.ts'

export interface TransitionDialect {
  readonly paths: (path: string) => readonly string[]
}

export function transitionRoutes(deps: ApiDependencies, dialect: TransitionDialect): Route[] {
  return [
    {
      method: 'get',
      paths: dialect.paths('/pools/:pool_id/members/:id/transitions'),
      handler: (ctx) => list(ctx, deps),
    },
  ]
}

async function list(ctx: ApiContext, deps: ApiDependencies): Promise<void> {
  const key = memberKey(ctx)
  const owner = await ownerOfHistory(deps.db, key)
  if (owner === undefined) throw await memberNotFound(deps.db, key)
  ctx.state.access.authorise(owner)
  const parameters = queryOf(ctx)
  const rules = ctx.state.dialect.lists
  const { page, fields } = rules.parsePage(parameters)
  const { pageMax } = deps.settings
  const limit = Math.min(page.limit ?? pageMax, pageMax)
  const marker = page.marker === undefined ? undefined : await knownMarker(deps, rules, key, page.marker)
  const records = await listTransitions(deps.db, key, {
    // One more than asked tells whether an unlimited list is complete.
    limit: page.limit === undefined ? limit + 1 : limit,
    ...(marker === undefined ? {} : { marker }),
    reverse: page.reverse,
  })
  const shown = page.reverse ? records.slice(-limit) : records.slice(0, limit)
  const complete = page.limit === undefined && records.length <= limit
  const ids = shown.map((record) => String(record.id))
  ctx.body = {
    transitions: shown.map((record) => pick(render(record), fields)),
    transitions_links: linksOf(ctx, deps, { parameters, page, limit, complete, ids }),
  }
}

/** Ids of transitions are numbers far below 2^53. Throws what the dialect says of an unknown marker. */
async function knownMarker(
  deps: ApiDependencies,
  rules: ListRules,
  key: MemberKey,
  marker: string,
): Promise<number> {
  const id = /^\d{1,15}$/.test(marker) ? Number(marker) : undefined
  if (id === undefined || !(await hasTransition(deps.db, key, id))) {
    throw rules.unknownMarker('transition', marker.slice(0, 255))
  }
  return id
}

function render(record: TransitionRecord): Record<string, unknown> {
  return {
    id: String(record.id),
    at: record.at.toISOString(),
    from: record.from,
    to: record.to,
    reason: record.reason,
    detail: record.detail,
    evidence: record.evidence,
    dropped: record.dropped,
  }
}
