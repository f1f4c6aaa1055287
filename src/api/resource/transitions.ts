/**
 * `GET …/pools/{pool_id}/members/{id}/transitions`, `…/pools/{pool_id}/transitions` and `…/transitions`: when and why members
 * went ONLINE and OFFLINE, newest first: of one member, of a pool, of a project.
 */
import { notFound } from '../../domain/errors.ts'
import { isUuid } from '../../domain/uuid.ts'
import {
  hasTransition,
  listTransitions,
  ownerOfHistory,
  type TransitionFilter,
  type TransitionPage,
  type TransitionRecord,
  type TransitionScope,
} from '../../store/status/transitions.ts'
import { type ApiContext, type ApiDependencies, pathId, type Route } from '../http/context.ts'
import { JsonItems } from '../http/json-body.ts'
import { memberKey, memberNotFound } from './members.ts'
import type { ListRules } from '../http/list-rules.ts'
import { linksOf, pick, renderedPage } from '../http/pages.ts'
import { filtersOf, type Parameters, queryOf } from '../http/query.ts'

export interface TransitionDialect {
  readonly paths: (path: string) => readonly string[]
}

export function transitionRoutes(deps: ApiDependencies, dialect: TransitionDialect): Route[] {
  const route = (path: string, handler: (ctx: ApiContext) => Promise<void>): Route => ({
    method: 'get',
    paths: dialect.paths(path),
    handler,
  })
  return [
    route('/pools/:pool_id/members/:id/transitions', (ctx) => listOfMember(ctx, deps)),
    route('/pools/:pool_id/transitions', (ctx) => listOfPool(ctx, deps)),
    route('/transitions', (ctx) => listOfProject(ctx, deps)),
  ]
}

async function listOfMember(ctx: ApiContext, deps: ApiDependencies): Promise<void> {
  const { id: memberId, poolId, projectId } = memberKey(ctx)
  const scope = { memberId, poolId, projectId }
  const owner = await ownerOfHistory(deps.db, scope)
  if (owner === undefined) throw await memberNotFound(deps.db, { id: memberId, poolId, projectId })
  ctx.state.access.authorise(owner)
  await answer(ctx, deps, { scope, filterable: [], render: renderTransition })
}

async function listOfPool(ctx: ApiContext, deps: ApiDependencies): Promise<void> {
  const poolId = pathId(ctx, 'pool_id', 'pool')
  const scope = { poolId, projectId: ctx.state.access.byId }
  const owner = await ownerOfHistory(deps.db, scope)
  if (owner === undefined) throw notFound('pool', poolId)
  ctx.state.access.authorise(owner)
  await answer(ctx, deps, { scope, filterable: ['to', 'member_id'], render: renderWithIds })
}

async function listOfProject(ctx: ApiContext, deps: ApiDependencies): Promise<void> {
  const scope = { projectId: ctx.state.access.inLists }
  await answer(ctx, deps, { scope, filterable: ['to', 'member_id', 'pool_id'], render: renderWithIds })
}

interface TransitionList {
  readonly scope: TransitionScope
  readonly filterable: readonly TransitionFilter[]
  readonly render: (record: TransitionRecord) => Record<string, unknown>
}

async function answer(
  ctx: ApiContext,
  deps: ApiDependencies,
  { scope, filterable, render: shape }: TransitionList,
): Promise<void> {
  const parameters = queryOf(ctx)
  const rules = ctx.state.dialect.lists
  const { page, fields } = rules.parsePage(withoutFilters(parameters, filterable))
  const { pageMax } = deps.settings
  const limit = Math.min(page.limit ?? pageMax, pageMax)
  const marker =
    page.marker === undefined ? undefined : await knownMarker(deps, rules, { scope, marker: page.marker })
  const wanted = {
    // One more row than requested shows whether an unlimited list is complete.
    limit: page.limit === undefined ? limit + 1 : limit,
    ...(marker === undefined ? {} : { marker }),
    reverse: page.reverse,
    filters: filtersIn(parameters, filterable),
  }
  const { found, texts, shown, isCut } = await renderedPage(ctx, {
    ...wanted,
    shown: limit,
    read: () => listTransitions(deps.db, scope, wanted),
    render: (record) => pick(shape(record), fields),
  })
  const complete = page.limit === undefined && found <= limit && !isCut
  const ids = shown.map((record) => String(record.id))
  ctx.body = {
    transitions: new JsonItems(texts),
    transitions_links: linksOf(ctx, deps, { parameters, page, limit, complete, isCut, ids }),
  }
}

/** What is left for the rules of pages, which may refuse what they do not know. A filter that is repeated is theirs to judge. */
function withoutFilters(parameters: Parameters, filterable: readonly TransitionFilter[]): Parameters {
  const paging = new URLSearchParams(parameters)
  for (const name of filterable) if (parameters.getAll(name).length === 1) paging.delete(name)
  return paging
}

/** An invalid id matches nothing, as in every list. */
function filtersIn(
  parameters: Parameters,
  filterable: readonly TransitionFilter[],
): NonNullable<TransitionPage['filters']> {
  return filtersOf(parameters, new Set(filterable)).map(({ attribute, values }) => ({
    attribute: attribute as TransitionFilter,
    values: attribute === 'to' ? values : values.filter(isUuid),
  }))
}

/** Ids of transitions are numbers far below 2^53. Throws what the dialect says of an unknown marker. */
async function knownMarker(
  deps: ApiDependencies,
  rules: ListRules,
  { scope, marker }: { readonly scope: TransitionScope; readonly marker: string },
): Promise<number> {
  const id = /^\d{1,15}$/.test(marker) ? Number(marker) : undefined
  if (id === undefined || !(await hasTransition(deps.db, scope, id))) {
    throw rules.unknownMarker('transition', marker.slice(0, 255))
  }
  return id
}

function renderWithIds(record: TransitionRecord): Record<string, unknown> {
  const { id, ...others } = renderTransition(record)
  return { id, member_id: record.memberId, pool_id: record.poolId, ...others }
}

/** In the words that all APIs have for it. */
export function renderTransition(record: TransitionRecord): Record<string, unknown> {
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
