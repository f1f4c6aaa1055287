/** `…/quotas`: how many objects a project may have; read only, set by configuration and by rows of `quota`. */
import { notFound } from '../domain/errors.ts'
import { checkedProjectId } from '../identity/no-identity.ts'
import { type Quotas, readQuotas } from '../store/quotas.ts'
import type { ApiContext, ApiDependencies, Route } from './context.ts'

/** Quotas as one dialect speaks of them. */
export interface QuotaDialect {
  readonly paths: (path: string) => readonly string[]
  readonly render: (projectId: string, quotas: Quotas) => Record<string, unknown>
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

async function list(ctx: ApiContext, deps: ApiDependencies, dialect: QuotaDialect): Promise<void> {
  const { projectId } = ctx.state.identity
  const quotas = await readQuotas(deps.db, projectId, deps.settings.quotas)
  ctx.body = { quotas: [dialect.render(projectId, quotas)] }
}

async function show(ctx: ApiContext, deps: ApiDependencies, dialect: QuotaDialect): Promise<void> {
  const projectId = projectAsked(ctx)
  ctx.body = { quota: dialect.render(projectId, await readQuotas(deps.db, projectId, deps.settings.quotas)) }
}

/** The own project; nobody named one: whichever the path names. Another's quota is unknown. */
function projectAsked(ctx: ApiContext): string {
  const asked = ctx.params['quota_project'] ?? ''
  const { projectId, assumed } = ctx.state.identity
  if (asked === projectId) return projectId
  if (assumed) return checkedProjectId(asked)
  throw notFound('quota', asked.slice(0, 255))
}
