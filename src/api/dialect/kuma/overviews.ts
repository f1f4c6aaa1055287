/** Proxies as `kumactl inspect dataplanes` reads them, and their insights (docs/peers/kuma.md 50). */
import { listResources, type ResourceRow } from '../../../store/kuma/resources.ts'
import type { ApiContext, ApiDependencies, Route } from '../../http/context.ts'
import { queryOf } from '../../http/query.ts'
import { kumaVersion } from './control-plane.ts'
import { refusal } from './findings.ts'
import { answerPage, filtersOf, pageOf } from './pages.ts'
import { renderDataplaneInsight, renderOverview, type Shown } from './render.ts'
import { foundOf, withHealthOf } from './resources.ts'

type Render = (row: ResourceRow, version: string) => Shown

/** Both generations have their path; they are before those of single proxies. */
export function overviewRoutes(deps: ApiDependencies): Route[] {
  const all = ['/meshes/:mesh/dataplanes/_overview', '/meshes/:mesh/dataplanes\\+insights']
  const one = ['/meshes/:mesh/dataplanes/:name/_overview', '/meshes/:mesh/dataplanes\\+insights/:name']
  const insights = '/meshes/:mesh/dataplane-insights'
  return [
    { method: 'get', paths: all, handler: (ctx) => list(ctx, deps, renderOverview) },
    {
      method: 'get',
      paths: ['/dataplanes/_overview', '/dataplanes\\+insights'],
      handler: (ctx) => list(ctx, deps, renderOverview),
    },
    { method: 'get', paths: one, handler: (ctx) => show(ctx, deps, renderOverview) },
    {
      method: 'get',
      paths: ['/dataplane-insights'],
      handler: (ctx) => list(ctx, deps, renderDataplaneInsight),
    },
    { method: 'get', paths: [insights], handler: (ctx) => list(ctx, deps, renderDataplaneInsight) },
    {
      method: 'get',
      paths: [`${insights}/:name`],
      handler: (ctx) => show(ctx, deps, renderDataplaneInsight),
    },
    { method: 'put', paths: [`${insights}/:name`], handler: () => Promise.reject(readOnly()) },
  ]
}

/** Who is online is ours to say. */
function readOnly() {
  return refusal('METHOD_NOT_ALLOWED', {
    title: 'Method not allowed',
    details: 'An insight is derived: a proxy is online from its registration to its deletion.',
  })
}

async function list(ctx: ApiContext, deps: ApiDependencies, render: Render): Promise<void> {
  const mesh = ctx.params['mesh']
  const page = pageOf(ctx)
  const filters = filtersOf(ctx, patternOf(mesh, render))
  const parameters = queryOf(ctx)
  const gateway = parameters.get('gateway')
  const { projectId } = ctx.state.identity
  const isEmpty = parameters.get('ingress') === 'true'
  const { total, rows } = await listResources(deps.db, {
    projectId,
    type: 'Dataplane',
    ...(mesh === undefined ? {} : { mesh }),
    ...filters,
    ...page,
    tags: tagsOf(parameters),
    ...(gateway === 'true' || gateway === 'false' ? { gateway: gateway === 'true' } : {}),
    // There are no proxies at the edge of a zone.
    ...(isEmpty ? { size: 0 } : {}),
  })
  const healthy = await withHealthOf(ctx, deps, rows)
  const version = kumaVersion(deps.settings)
  await answerPage(ctx, deps, {
    total: isEmpty ? 0 : total,
    offset: page.offset,
    rows,
    render: (row) => render(healthy(row), version),
  })
}

function patternOf(mesh: string | undefined, render: Render): string {
  const below = mesh === undefined ? '' : '/meshes/{mesh}'
  return `${below}${render === renderOverview ? '/dataplanes/_overview' : '/dataplane-insights'}`
}

/** `tag=key:value`, repeated; what has no colon is ignored. */
function tagsOf(parameters: URLSearchParams): Readonly<Record<string, string>> {
  const pairs = parameters.getAll('tag').flatMap((tag) => {
    const [, key, value] = /^([^:]+):(.*)$/s.exec(tag) ?? []
    return key === undefined || value === undefined ? [] : [[key, value]]
  })
  return Object.fromEntries(pairs) as Readonly<Record<string, string>>
}

async function show(ctx: ApiContext, deps: ApiDependencies, render: Render): Promise<void> {
  const row = await foundOf(ctx, deps, 'Dataplane')
  const healthy = await withHealthOf(ctx, deps, [row])
  ctx.body = render(healthy(row), kumaVersion(deps.settings))
}
