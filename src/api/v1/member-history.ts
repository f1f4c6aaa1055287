/**
 * `GET /v1/overview/members/{id}/transitions`: when and why a member went ONLINE and OFFLINE, newest first, whichever API keeps it;
 * also after it is gone, for as long as its history is kept.
 */
import { notFound } from '../../domain/errors.ts'
import { OVERVIEW_PAGE, OVERVIEW_PAGE_DEFAULT } from '../../domain/limits.ts'
import {
  hasTransition,
  listTransitions,
  projectOfMemberHistory,
  type TransitionScope,
} from '../../store/status/transitions.ts'
import { type ApiContext, type ApiDependencies, pathId, type Route } from '../http/context.ts'
import { renderTransition } from '../resource/transitions.ts'
import { assertReadable } from './overview.ts'
import { inRange, knownParameters, markerIsGone, numberOf } from './parameters.ts'

export function memberHistoryRoutes(deps: ApiDependencies): Route[] {
  return [
    { method: 'get', paths: ['/v1/overview/members/:id/transitions'], handler: (ctx) => list(ctx, deps) },
  ]
}

async function list(ctx: ApiContext, deps: ApiDependencies): Promise<void> {
  const memberId = pathId(ctx, 'id', 'member')
  const parameters = knownParameters(ctx, ['limit', 'marker'])
  const limit = inRange(numberOf(parameters, 'limit') ?? OVERVIEW_PAGE_DEFAULT, 'limit', OVERVIEW_PAGE)
  const marker = numberOf(parameters, 'marker')
  const projectId = await projectOfMemberHistory(deps.db, memberId)
  if (projectId === undefined) throw notFound('member', memberId)
  assertReadable(ctx, projectId, notFound('member', memberId))
  const scope: TransitionScope = { memberId, projectId, reach: 'all' }
  if (marker !== undefined && !(await hasTransition(deps.db, scope, marker))) throw markerIsGone()
  // One more than is shown says whether there is a further page.
  const page = { limit: limit + 1, reverse: false, ...(marker === undefined ? {} : { marker }) }
  const found = await listTransitions(deps.db, scope, page)
  const shown = found.slice(0, limit)
  ctx.body = {
    transitions: shown.map(renderTransition),
    next: found.length > limit ? String(shown.at(-1)?.id) : null,
  }
}
