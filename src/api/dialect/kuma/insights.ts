/**
 * Insights of services and meshes (docs/peers/kuma.md 51 to 53): counted by PostgreSQL for the services and meshes that are
 * shown, as the proxies are now.
 */
import {
  serviceInsight,
  type ServiceCount,
  shownProxyCounts,
  sumOfCounts,
} from '../../../domain/kuma/status.ts'
import type { ResourceType } from '../../../domain/kuma/objects.ts'
import {
  countProxies,
  countServices,
  findService,
  type ProxyCountRow,
  type ProxyTimes,
  readProxyTimes,
  readServices,
} from '../../../store/kuma/insights.ts'
import { ofOneMoment } from '../../../store/connection/database.ts'
import { findMesh, listMeshes, type MeshRow } from '../../../store/kuma/meshes.ts'
import { countResources, type ResourceCounts } from '../../../store/kuma/resources.ts'
import type { ApiContext, ApiDependencies, Route } from '../../http/context.ts'
import { absent } from './findings.ts'
import { answerPage, type PageRequest, pageOf, sliceOf } from './pages.ts'
import type { Shown } from './render.ts'
import { ZONE } from './labels.ts'

export function insightRoutes(deps: ApiDependencies): Route[] {
  const ofMesh = '/meshes/:mesh/service-insights'
  return [
    { method: 'get', paths: ['/service-insights'], handler: (ctx) => listServices(ctx, deps) },
    { method: 'get', paths: [ofMesh], handler: (ctx) => listServices(ctx, deps) },
    { method: 'get', paths: [`${ofMesh}/:name`], handler: (ctx) => showService(ctx, deps) },
    { method: 'get', paths: ['/mesh-insights'], handler: (ctx) => listMeshInsights(ctx, deps) },
    { method: 'get', paths: ['/mesh-insights/:mesh'], handler: (ctx) => showMeshInsight(ctx, deps) },
  ]
}

/** `times`: of the proxies of the mesh; there are some where there is a service. */
function renderService(mesh: string, times: ProxyTimes | undefined, counted: ServiceCount): Shown {
  const { type, status, dataplanes } = serviceInsight(counted)
  return {
    type: 'ServiceInsight',
    mesh,
    name: counted.service,
    creationTime: times?.createdAt,
    modificationTime: times?.updatedAt,
    serviceType: type,
    status,
    dataplanes,
    addressPort: `${counted.service}.mesh:80`,
    zones: [ZONE],
  }
}

/** By mesh, then by name. Of each mesh only what is on the page is read. */
async function listServices(ctx: ApiContext, deps: ApiDependencies): Promise<void> {
  const page = pageOf(ctx)
  const { projectId } = ctx.state.identity
  const { rows, total } = await ofOneMoment(deps.db, async (tx) => {
    const counted = await countServices(tx, projectId, ctx.params['mesh'])
    const parts = partsOf(counted, page)
    const meshes = parts.map(([mesh]) => mesh)
    const times = await readProxyTimes(tx, projectId, meshes)
    const shown: Shown[] = []
    for (const [mesh, part] of parts) {
      const services = await readServices(tx, { projectId, mesh }, part)
      shown.push(...services.map((service) => renderService(mesh, times.get(mesh), service)))
    }
    return { rows: shown, total: [...counted.values()].reduce((sum, count) => sum + count, 0) }
  })
  await answerPage(ctx, deps, { total, offset: page.offset, rows, render: (each) => each })
}

/** Which part of each mesh is on a page over all of them, in the order of their names. */
function partsOf(
  counted: ReadonlyMap<string, number>,
  { offset, size }: PageRequest,
): readonly (readonly [mesh: string, part: PageRequest])[] {
  const parts: (readonly [string, PageRequest])[] = []
  let [before, left] = [offset, size ?? Infinity]
  for (const [mesh, count] of [...counted].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const there = Math.min(Math.max(count - before, 0), left)
    if (there > 0) parts.push([mesh, { offset: before, size: there }])
    before = Math.max(before - count, 0)
    left -= there
  }
  return parts
}

async function showService(ctx: ApiContext, { db }: ApiDependencies): Promise<void> {
  const { mesh = '', name = '' } = ctx.params
  const { projectId } = ctx.state.identity
  ctx.body = await ofOneMoment(db, async (tx) => {
    const found = await findService(tx, { projectId, mesh }, name)
    if (found === undefined) throw absent('retrieve')
    const times = await readProxyTimes(tx, projectId, [mesh])
    return renderService(mesh, times.get(mesh), found)
  })
}

async function listMeshInsights(ctx: ApiContext, deps: ApiDependencies): Promise<void> {
  const page = pageOf(ctx)
  const all = await listMeshes(deps.db, ctx.state.identity.projectId)
  await answerPage(ctx, deps, {
    total: all.length,
    offset: page.offset,
    rows: await meshInsights(ctx, deps, sliceOf(all, page)),
    render: (each) => each,
  })
}

async function showMeshInsight(ctx: ApiContext, deps: ApiDependencies): Promise<void> {
  const mesh = await findMesh(deps.db, ctx.state.identity.projectId, ctx.params['mesh'] ?? '')
  if (mesh === undefined) throw absent('retrieve')
  const [insight] = await meshInsights(ctx, deps, [mesh])
  ctx.body = insight
}

async function meshInsights(
  ctx: ApiContext,
  { db }: ApiDependencies,
  meshes: readonly MeshRow[],
): Promise<readonly Shown[]> {
  const { projectId } = ctx.state.identity
  const names = meshes.map(({ name }) => name)
  const proxies = await countProxies(db, projectId, names)
  const services = await countServices(db, projectId, names.length === 1 ? names[0] : undefined)
  const times = await readProxyTimes(db, projectId, names)
  const objects = await countResources(db, projectId, names)
  return meshes.map((mesh) =>
    meshInsight(mesh, {
      proxies: proxies.filter((row) => row.mesh === mesh.name),
      services: services.get(mesh.name) ?? 0,
      objects: objects.get(mesh.name) ?? {},
      updatedAt: times.get(mesh.name)?.updatedAt ?? mesh.updatedAt,
    }),
  )
}

/** What is counted of a mesh. */
interface Counted {
  readonly proxies: readonly ProxyCountRow[]
  readonly services: number
  readonly objects: ResourceCounts
  readonly updatedAt: string
}

function meshInsight(mesh: MeshRow, { proxies, services, objects, updatedAt }: Counted): Shown {
  const of = (...kinds: readonly ProxyCountRow['kind'][]) =>
    shownProxyCounts(sumOfCounts(proxies.filter(({ kind }) => kinds.includes(kind))))
  const all = of('standard', 'gateway_builtin', 'gateway_delegated')
  const policies = (['HealthCheck', 'MeshHealthCheck'] as const).filter((type) => (objects[type] ?? 0) > 0)
  return {
    type: 'MeshInsight',
    name: mesh.name,
    creationTime: mesh.createdAt,
    modificationTime: updatedAt,
    lastSync: updatedAt,
    dataplanes: all,
    policies: totals(policies, objects),
    dpVersions: { kumaDp: { unknown: all }, envoy: { unknown: all } },
    mTLS: {},
    services: services === 0 ? {} : { total: services, internal: services },
    dataplanesByType: {
      standard: of('standard'),
      gateway: of('gateway_builtin', 'gateway_delegated'),
      gatewayBuiltin: of('gateway_builtin'),
      gatewayDelegated: of('gateway_delegated'),
    },
    resources: totals(Object.keys(objects) as ResourceType[], objects),
  }
}

function totals(types: readonly ResourceType[], counted: ResourceCounts): Shown {
  return Object.fromEntries(types.toSorted().map((type) => [type, { total: counted[type] ?? 0 }]))
}
