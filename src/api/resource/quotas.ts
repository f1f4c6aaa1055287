/** `…/quotas`: how many objects of a kind a project may have, by configuration and by rows of `quota`. */
import type { DomainError } from '../../domain/errors.ts'
import { checkedProjectId } from '../../identity/no-identity.ts'
import {
  deleteQuotas,
  listSetQuotas,
  type ProjectQuotas,
  type QuotaKind,
  type Quotas,
  readSetQuotas,
  type SetQuotas,
  writeQuotas,
} from '../../store/configuration/quotas.ts'
import { readJson } from '../http/body.ts'
import type { ApiContext, ApiDependencies, Route } from '../http/context.ts'
import { linksOf, pick } from '../http/pages.ts'
import { queryOf } from '../http/query.ts'
import { writing } from '../write/writing.ts'

/** Quotas as one dialect speaks of them. */
export interface QuotaDialect {
  readonly paths: (path: string) => readonly string[]
  readonly render: (projectId: string, set: SetQuotas, defaults: Quotas) => Record<string, unknown>
  /** The refusal of another project's quota. */
  readonly foreign: (projectId: string) => DomainError
}

/** A dialect in which quotas are set. */
export interface WrittenQuotaDialect extends QuotaDialect {
  /** What was set for a project, in a list. */
  readonly renderSet: (project: ProjectQuotas) => Record<string, unknown>
  readonly parseUpdate: (body: unknown) => Readonly<Partial<Record<QuotaKind, number | null>>>
}

export function quotaRoutes(deps: ApiDependencies, dialect: QuotaDialect): Route[] {
  return [
    { method: 'get', paths: dialect.paths('/quotas'), handler: (ctx) => listOwn(ctx, deps, dialect) },
    ...shownQuotaRoutes(deps, dialect),
  ]
}

function shownQuotaRoutes(deps: ApiDependencies, dialect: QuotaDialect): Route[] {
  return [
    {
      method: 'get',
      paths: dialect.paths('/quotas/:quota_project'),
      handler: (ctx) => show(ctx, deps, dialect),
    },
  ]
}

/** Quotas that can be set, reset, and compared with the defaults. */
export function writtenQuotaRoutes(deps: ApiDependencies, dialect: WrittenQuotaDialect): Route[] {
  const item = dialect.paths('/quotas/:quota_project')
  return [
    // Before the quota of a project, whose path it would match.
    {
      method: 'get',
      paths: dialect.paths('/quotas/defaults'),
      handler: (ctx) => showDefaults(ctx, deps, dialect),
    },
    { method: 'get', paths: dialect.paths('/quotas'), handler: (ctx) => listSet(ctx, deps, dialect) },
    ...shownQuotaRoutes(deps, dialect),
    {
      method: 'get',
      paths: dialect.paths('/quotas/:quota_project/default'),
      handler: (ctx) => showDefaults(ctx, deps, dialect, projectOfPath(ctx, dialect)),
    },
    { method: 'put', paths: item, handler: (ctx) => update(ctx, deps, dialect) },
    { method: 'delete', paths: item, handler: (ctx) => reset(ctx, deps, dialect) },
  ]
}

/** The quota of the project that asks, alone in a list. */
async function listOwn(ctx: ApiContext, deps: ApiDependencies, dialect: QuotaDialect): Promise<void> {
  const { projectId } = ctx.state.identity
  const set = await readSetQuotas(deps.db, projectId)
  ctx.body = { quotas: [dialect.render(projectId, set, deps.settings.quotas)] }
}

/** What was set for the projects that may be seen, which is nothing for most; by project, filtered by `project_id`. */
async function listSet(ctx: ApiContext, deps: ApiDependencies, dialect: WrittenQuotaDialect): Promise<void> {
  const { lists } = ctx.state.dialect
  const { byId, inLists, authorise } = ctx.state.access
  const parameters = queryOf(ctx)
  const paging = new URLSearchParams(parameters)
  const [wanted, ...more] = parameters.getAll('project_id')
  if (more.length === 0) paging.delete('project_id')
  const { page, fields } = lists.parsePage(paging)
  if (wanted !== undefined && byId === undefined) authorise(wanted)
  const limit = Math.min(page.limit ?? deps.settings.pageMax, deps.settings.pageMax)
  if (page.marker !== undefined) await assertMarker(ctx, deps, page.marker)
  const rows = await listSetQuotas(deps.db, byId ?? wanted ?? inLists, {
    // One more row than requested shows whether an unlimited list is complete.
    limit: page.limit === undefined ? limit + 1 : limit,
    ...(page.marker === undefined ? {} : { marker: page.marker }),
    reverse: page.reverse,
  })
  const seen = rows.filter(({ projectId }) => wanted === undefined || projectId === wanted)
  const shown = page.reverse ? seen.slice(-limit) : seen.slice(0, limit)
  const complete = page.limit === undefined && rows.length <= limit
  const ids = shown.map(({ projectId }) => projectId)
  ctx.body = {
    quotas: shown.map((project) => pick(dialect.renderSet(project), fields)),
    quotas_links: linksOf(ctx, deps, { parameters, page, limit, complete, ids }),
  }
}

/** A marker is a project that may be seen and for which something was set. */
async function assertMarker(ctx: ApiContext, deps: ApiDependencies, marker: string): Promise<void> {
  const { inLists } = ctx.state.access
  const isSeen = inLists === undefined || inLists === marker
  if (isSeen && Object.keys(await readSetQuotas(deps.db, marker)).length > 0) return
  throw ctx.state.dialect.lists.unknownMarker('quota', marker.slice(0, 255))
}

async function show(ctx: ApiContext, deps: ApiDependencies, dialect: QuotaDialect): Promise<void> {
  const projectId = projectOfPath(ctx, dialect)
  const set = await readSetQuotas(deps.db, projectId)
  ctx.body = { quota: dialect.render(projectId, set, deps.settings.quotas) }
}

function showDefaults(
  ctx: ApiContext,
  deps: ApiDependencies,
  dialect: QuotaDialect,
  projectId = ctx.state.identity.projectId,
): Promise<void> {
  ctx.body = { quota: dialect.render(projectId, {}, deps.settings.quotas) }
  return Promise.resolve()
}

async function update(ctx: ApiContext, deps: ApiDependencies, dialect: WrittenQuotaDialect): Promise<void> {
  const changes = dialect.parseUpdate(await readJson(ctx))
  const projectId = projectOfPath(ctx, dialect)
  const set = await writing(ctx, deps, async (tx) => {
    await writeQuotas(tx, projectId, changes)
    return await readSetQuotas(tx, projectId)
  })
  ctx.status = 202
  ctx.body = { quota: dialect.render(projectId, set, deps.settings.quotas) }
}

async function reset(ctx: ApiContext, deps: ApiDependencies, dialect: QuotaDialect): Promise<void> {
  const projectId = projectOfPath(ctx, dialect)
  await writing(ctx, deps, (tx) => deleteQuotas(tx, projectId))
  ctx.status = 202
  ctx.body = ''
  ctx.remove('Content-Type')
}

/** The own project; nobody named one: whichever the path names. Throws what the dialect says of another's. */
function projectOfPath(ctx: ApiContext, dialect: QuotaDialect): string {
  const named = ctx.params['quota_project'] ?? ''
  const { identity, access } = ctx.state
  if (named === access.byId) return named
  if (access.byId !== undefined && !identity.assumed) throw dialect.foreign(named.slice(0, 255))
  const projectId = checkedProjectId(named)
  if (access.byId === undefined) access.authorise(projectId)
  return projectId
}
