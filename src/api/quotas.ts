/** `…/quotas`: how many objects of a kind a project may have, by configuration and by rows of `quota`. */
import type { DomainError } from '../domain/errors.ts'
import { checkedProjectId } from '../identity/no-identity.ts'
import { transaction } from '../store/database.ts'
import {
  deleteQuotas,
  listSetQuotas,
  type ProjectQuotas,
  type QuotaKind,
  type Quotas,
  readSetQuotas,
  type SetQuotas,
  writeQuotas,
} from '../store/quotas.ts'
import { readJson } from './body.ts'
import type { ApiContext, ApiDependencies, Route } from './context.ts'

/** Quotas as one dialect speaks of them. */
export interface QuotaDialect {
  readonly paths: (path: string) => readonly string[]
  readonly render: (projectId: string, set: SetQuotas, defaults: Quotas) => Record<string, unknown>
  /** The answer to a list: what was set for the projects that may be seen, which is nothing for most. */
  readonly renderList: (
    asking: string,
    projects: readonly ProjectQuotas[],
    defaults: Quotas,
  ) => Record<string, unknown>
  /** The refusal of another project's quota. */
  readonly foreign: (projectId: string) => DomainError
}

/** A dialect in which quotas are set. */
export interface WrittenQuotaDialect extends QuotaDialect {
  readonly parseUpdate: (body: unknown) => Readonly<Partial<Record<QuotaKind, number | null>>>
}

export function quotaRoutes(deps: ApiDependencies, dialect: QuotaDialect): Route[] {
  return [
    { method: 'get', paths: dialect.paths('/quotas'), handler: (ctx) => list(ctx, deps, dialect) },
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
    ...quotaRoutes(deps, dialect),
    {
      method: 'get',
      paths: dialect.paths('/quotas/:quota_project/default'),
      handler: (ctx) => showDefaults(ctx, deps, dialect, projectAsked(ctx, dialect)),
    },
    { method: 'put', paths: item, handler: (ctx) => update(ctx, deps, dialect) },
    { method: 'delete', paths: item, handler: (ctx) => reset(ctx, deps, dialect) },
  ]
}

async function list(ctx: ApiContext, deps: ApiDependencies, dialect: QuotaDialect): Promise<void> {
  const { pageMax, quotas } = deps.settings
  const projects = await listSetQuotas(deps.db, ctx.state.access.inLists, pageMax)
  ctx.body = dialect.renderList(ctx.state.identity.projectId, projects, quotas)
}

async function show(ctx: ApiContext, deps: ApiDependencies, dialect: QuotaDialect): Promise<void> {
  const projectId = projectAsked(ctx, dialect)
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
  const projectId = projectAsked(ctx, dialect)
  const set = await transaction(deps.db, async (tx) => {
    await writeQuotas(tx, projectId, changes)
    return await readSetQuotas(tx, projectId)
  })
  ctx.status = 202
  ctx.body = { quota: dialect.render(projectId, set, deps.settings.quotas) }
}

async function reset(ctx: ApiContext, deps: ApiDependencies, dialect: QuotaDialect): Promise<void> {
  const projectId = projectAsked(ctx, dialect)
  await transaction(deps.db, (tx) => deleteQuotas(tx, projectId))
  ctx.status = 202
  ctx.body = ''
  ctx.remove('Content-Type')
}

/** The own project; nobody named one: whichever the path names. Throws what the dialect says of another's. */
function projectAsked(ctx: ApiContext, dialect: QuotaDialect): string {
  const asked = ctx.params['quota_project'] ?? ''
  const { identity, access } = ctx.state
  if (asked === access.byId) return asked
  if (access.byId !== undefined && !identity.assumed) throw dialect.foreign(asked.slice(0, 255))
  const projectId = checkedProjectId(asked)
  access.authorise(projectId)
  return projectId
}
