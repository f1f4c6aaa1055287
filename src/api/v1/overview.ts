/**
 * `GET /v1/overview`: a project (for administrators: all projects) at one glance: how many members are in which state,
 * what changed last, and pools and load balancers with the worst first. Everything is read from the counts that are
 * kept per pool; no request reads all members.
 */
import { hasMoreCharacters } from '../../domain/characters.ts'
import { DomainError, notFound } from '../../domain/errors.ts'
import {
  EVENT_PAGE_POSITIONS,
  OVERVIEW_CHANGES,
  OVERVIEW_PAGE,
  OVERVIEW_PAGE_DEFAULT,
  OVERVIEW_PROJECTS_MAX,
  SEARCH_MAX,
} from '../../domain/limits.ts'
import { presentMaintenance } from '../../domain/status/maintenance.ts'
import { statusSentence } from '../../domain/status/status-sentence.ts'
import type { MemberReason } from '../../domain/status/member-status.ts'
import { onOneConnection, type Tx } from '../../store/connection/database.ts'
import { readEventBounds, readEvents } from '../../store/event/events.ts'
import { searchMembers } from '../../store/status/overview-members.ts'
import {
  countStatuses,
  findOverviewLoadBalancer,
  listLoadBalancersWorstFirst,
  listPoolsWorstFirst,
  listProjectCounts,
  type OverviewLoadBalancerRow,
  type OverviewPage,
  type OverviewPoolRow,
  type OverviewScope,
  readOverviewCounts,
} from '../../store/status/overview.ts'
import type { MemberCounts } from '../../store/status/pool-counts.ts'
import { type ApiContext, type ApiDependencies, pathId, type Route } from '../http/context.ts'
import { invalidQuery, type Parameters } from '../http/query.ts'
import { idOf, inRange, knownParameters, markerIsGone, numberOf, projectOf } from './parameters.ts'
import { eventDocument } from '../../domain/event/event-document.ts'

export function overviewRoutes(deps: ApiDependencies): Route[] {
  const route = (path: string, handler: (ctx: ApiContext) => Promise<void>): Route => ({
    method: 'get',
    paths: [path],
    handler,
  })
  return [
    route('/v1/overview', (ctx) => showOverview(ctx, deps)),
    route('/v1/overview/loadbalancers', (ctx) => listLoadBalancers(ctx, deps)),
    route('/v1/overview/loadbalancers/:id', (ctx) => showLoadBalancer(ctx, deps)),
    route('/v1/overview/pools', (ctx) => listPools(ctx, deps)),
    route('/v1/overview/members', (ctx) => findMembers(ctx, deps)),
  ]
}

async function showOverview(ctx: ApiContext, deps: ApiDependencies): Promise<void> {
  const parameters = knownParameters(ctx, ['project_id'])
  const scope = { projectId: projectOf(ctx, parameters) }
  const { members, pools, loadBalancers, changes, after, projects } = await onOneConnection(deps.db, (tx) =>
    readOverview(tx, scope),
  )
  ctx.body = {
    project_id: scope.projectId ?? null,
    as_of: new Date().toISOString(),
    members: {
      ...renderCounts(members),
      stale: members.stale,
      maintenance: members.maintenance,
      certificate_expiring: members.certificate_expiring,
    },
    pools,
    loadbalancers: loadBalancers,
    changes,
    after,
    ...(projects === undefined
      ? {}
      : { projects: projects.map((each) => ({ project_id: each.project_id, members: renderCounts(each) })) }),
  }
}

async function readOverview(tx: Tx, scope: OverviewScope) {
  const [members, pools, loadBalancers, newest, projects] = await Promise.all([
    readOverviewCounts(tx, scope),
    countStatuses(tx, 'pool', scope),
    countStatuses(tx, 'load_balancer', scope),
    newestChanges(tx, scope),
    scope.projectId === undefined ? listProjectCounts(tx, OVERVIEW_PROJECTS_MAX) : undefined,
  ])
  return { members, pools, loadBalancers, ...newest, projects }
}

/** Newest first. A stream of events that begins at `after` gets every event that is not among the changes. */
async function newestChanges(tx: Tx, { projectId }: OverviewScope) {
  const { last, purgedTo } = await readEventBounds(tx)
  const events = await readEvents(tx, {
    after: Math.max(purgedTo, last - EVENT_PAGE_POSITIONS),
    upTo: last,
    limit: OVERVIEW_CHANGES,
    filter: projectId === undefined ? {} : { projectId },
    isNewestFirst: true,
  })
  return { changes: events.map(eventDocument), after: String(last) }
}

async function listLoadBalancers(ctx: ApiContext, deps: ApiDependencies): Promise<void> {
  const page = pageOf(ctx, [])
  const rows = await listLoadBalancersWorstFirst(deps.db, { ...page, limit: page.limit + 1 })
  ctx.body = renderPage('loadbalancers', rows, { page, render: renderLoadBalancer })
}

async function showLoadBalancer(ctx: ApiContext, deps: ApiDependencies): Promise<void> {
  const id = pathId(ctx, 'id', 'loadbalancer')
  const found = await findOverviewLoadBalancer(deps.db, id)
  if (found === undefined) throw notFound('loadbalancer', id)
  assertReadable(ctx, found.project_id, notFound('loadbalancer', id))
  ctx.body = { loadbalancer: renderLoadBalancer(found) }
}

async function listPools(ctx: ApiContext, deps: ApiDependencies): Promise<void> {
  const page = pageOf(ctx, ['loadbalancer_id'])
  const rows = await listPoolsWorstFirst(deps.db, { ...page, limit: page.limit + 1 })
  ctx.body = renderPage('pools', rows, { page, render: renderPool })
}

/** The members that a search finds: of one page, as only those of a pool are listed as a whole. */
async function findMembers(ctx: ApiContext, deps: ApiDependencies): Promise<void> {
  const parameters = knownParameters(ctx, ['project_id', 'limit', 'search'])
  const projectId = projectOf(ctx, parameters)
  const search = searchOf(parameters)
  if (search === undefined) throw invalidQuery('search is missing: members are found by name, id or address.')
  const members = await searchMembers(deps.db, { projectId, search, limit: limitOf(parameters) })
  ctx.body = {
    members: members.map(({ since, reason, ...member }) => ({
      ...member,
      since: since?.toISOString() ?? null,
      reason,
      why: statusSentence(reason as MemberReason),
    })),
  }
}

/** Another project's object: unknown without identity, forbidden with it. Throws the given error, or FORBIDDEN. */
export function assertReadable(ctx: ApiContext, projectId: string, unknown: DomainError): void {
  const { byId, authorise } = ctx.state.access
  if (byId !== undefined && byId !== projectId) throw unknown
  authorise(projectId)
}

/** A page of rows of which one more was read than is shown. Throws INVALID_QUERY when its marker is gone. */
export function renderPage<Row extends { readonly id: string }>(
  name: string,
  rows: readonly Row[] | undefined,
  { page, render }: { readonly page: { readonly limit: number }; readonly render: (row: Row) => object },
): Record<string, unknown> {
  if (rows === undefined) throw markerIsGone()
  const shown = rows.slice(0, page.limit)
  const next = rows.length > page.limit ? (shown.at(-1)?.id ?? null) : null
  return { [name]: shown.map(render), next }
}

/** Limit, marker, search and project of a list. Throws INVALID_QUERY, FORBIDDEN. */
export function pageOf(ctx: ApiContext, further: readonly string[]): OverviewPage {
  const parameters = knownParameters(ctx, ['project_id', 'limit', 'marker', 'search', ...further])
  const marker = idOf(parameters, 'marker')
  const search = searchOf(parameters)
  const loadBalancerId = idOf(parameters, 'loadbalancer_id')
  return {
    projectId: projectOf(ctx, parameters),
    limit: limitOf(parameters),
    ...(marker === undefined ? {} : { marker }),
    ...(search === undefined ? {} : { search }),
    ...(loadBalancerId === undefined ? {} : { loadBalancerId }),
  }
}

function limitOf(parameters: Parameters): number {
  return inRange(numberOf(parameters, 'limit') ?? OVERVIEW_PAGE_DEFAULT, 'limit', OVERVIEW_PAGE)
}

function searchOf(parameters: Parameters): string | undefined {
  const search = parameters.get('search')?.trim()
  if (search === undefined || search === '') return undefined
  if (hasMoreCharacters(search, SEARCH_MAX))
    throw invalidQuery(`search may have at most ${SEARCH_MAX} characters.`)
  return search
}

export function renderCounts(counts: MemberCounts): Record<string, number> {
  return {
    total: counts.members,
    online: counts.online,
    offline: counts.offline,
    unknown: counts.unknown,
    disabled: counts.disabled,
    no_monitor: counts.no_monitor,
    pending: counts.pending,
  }
}

function renderLoadBalancer(row: OverviewLoadBalancerRow): Record<string, unknown> {
  return {
    id: row.id,
    name: row.name,
    project_id: row.project_id,
    vip_address: row.vip_address,
    operating_status: row.operating_status,
    since: row.since.toISOString(),
    pools: row.pools,
    members: renderCounts(row),
  }
}

export function renderPool(row: OverviewPoolRow): Record<string, unknown> {
  return {
    id: row.id,
    name: row.name,
    project_id: row.project_id,
    loadbalancer:
      row.load_balancer_id === null ? null : { id: row.load_balancer_id, name: row.load_balancer_name },
    door: row.door === null ? null : { name: row.door, scope: row.door_scope, key: row.door_key },
    operating_status: row.operating_status,
    since: row.since.toISOString(),
    in_service: row.in_service,
    traffic: row.traffic,
    monitor_type: row.monitor_type,
    maintenance: row.maintenance,
    maintenance_window: row.maintenance_window && presentMaintenance(row.maintenance_window, Date.now()),
    members: renderCounts(row),
  }
}
