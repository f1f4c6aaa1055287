/** Which policies are for which proxies, and the conf that follows from them (docs/peers/kuma.md 60 to 62). */
import { DomainError } from '../../../domain/errors.ts'
import { comparePolicies } from '../../../domain/kuma/conf-merge.ts'
import { Work } from '../../../domain/kuma/destinations.ts'
import { selectHealthCheck, tagSetsOf } from '../../../domain/kuma/health-check-selection.ts'
import { excessOf } from '../../../domain/kuma/mesh-size.ts'
import {
  byName,
  type Dataplane,
  type Mesh,
  RESOURCE_TYPES,
  type ResourceType,
  SERVICE_TAG,
} from '../../../domain/kuma/objects.ts'
import { meshOfStored } from '../../../domain/kuma/stored-objects.ts'
import { reachesProxy } from '../../../domain/kuma/target-ref.ts'
import { wantedPoolSteps } from '../../../domain/kuma/wanted-pools.ts'
import { bestRank } from '../../../domain/kuma/tags.ts'
import { sourcesOf } from '../../../domain/kuma/views.ts'
import { findMesh } from '../../../store/kuma/meshes.ts'
import { readObjects, type ResourceRow, sizeOfMesh } from '../../../store/kuma/resources.ts'
import type { ApiContext, ApiDependencies, Route } from '../../http/context.ts'
import { sharerOf } from '../../http/sharer.ts'
import { stepsInSlices } from '../../http/slices.ts'
import { absent } from './findings.ts'
import { envelopeOf, renderResource, type Shown } from './render.ts'
import { checksOf } from './checks-of-proxy.ts'
import { rulesOf } from './rules-of-proxy.ts'

export function inspectionRoutes(deps: ApiDependencies): Route[] {
  const proxy = '/meshes/:mesh/dataplanes/:name'
  const policy = '/meshes/:mesh/meshhealthchecks/:name'
  const older = '/meshes/:mesh/health-checks/:name'
  return [
    { method: 'get', paths: [`${proxy}/policies`], handler: (ctx) => policiesOfProxy(ctx, deps) },
    { method: 'get', paths: [`${proxy}/_rules`], handler: (ctx) => rulesOfProxy(ctx, deps) },
    { method: 'get', paths: [`${proxy}/_checks`], handler: (ctx) => checksOfProxy(ctx, deps) },
    { method: 'get', paths: [`${policy}/dataplanes`], handler: (ctx) => proxiesOfPolicy(ctx, deps) },
    { method: 'get', paths: [`${policy}/_resources/dataplanes`], handler: (ctx) => rowsOfPolicy(ctx, deps) },
    { method: 'get', paths: [`${older}/dataplanes`], handler: (ctx) => proxiesOfOlder(ctx, deps) },
  ]
}

/** A mesh with its rows, of which answers show names and labels. */
interface Inspected {
  readonly mesh: Mesh
  readonly rows: readonly ResourceRow[]
}

/**
 * The objects of these types in the mesh of the path, and the proxy of the path. Throws TOO_MANY_ITEMS for a mesh that was larger
 * before there were limits.
 */
async function inspected(
  ctx: ApiContext,
  { db }: ApiDependencies,
  types: readonly ResourceType[],
): Promise<Inspected> {
  const { projectId } = ctx.state.identity
  const { mesh = '', name } = ctx.params
  if (excessOf(await sizeOfMesh(db, projectId, mesh), { objects: 0, bytes: 0 }) !== 'none')
    throw new DomainError(
      'TOO_MANY_ITEMS',
      'The mesh is beyond its limits: its policies are shown once it fits.',
    )
  const rows = await readObjects(db, { projectId, mesh }, { types, proxy: name })
  const stored = await findMesh(db, projectId, mesh)
  return { rows, mesh: meshOfStored(rows, stored?.labels ?? {}) }
}

/** The object of the path among these. Throws NOT_FOUND. */
function named<Each extends { readonly name: string }>(ctx: ApiContext, all: readonly Each[]): Each {
  const found = all.find(({ name }) => name === ctx.params['name'])
  if (found === undefined) throw absent('retrieve')
  return found
}

async function policiesOfProxy(ctx: ApiContext, deps: ApiDependencies): Promise<void> {
  const { mesh, rows } = await inspected(ctx, deps, ['HealthCheck', 'MeshHealthCheck'])
  const proxy = named(ctx, mesh.dataplanes)
  const reaching = mesh.meshHealthChecks.filter(({ targetRef }) => reachesProxy(targetRef, proxy))
  const sorted = reaching.toSorted((a, b) => comparePolicies(b, a))
  const newer =
    sorted.length === 0
      ? []
      : [
          {
            type: 'dataplane',
            matchedPolicies: {
              MeshHealthCheck: sorted.map(({ name }) => metaOf(rows, 'MeshHealthCheck', name)),
            },
          },
        ]
  const services = outboundServices(proxy)
  new Work().add(services.length * tagSetsOf(proxy).length * sourcesOf(mesh.healthChecks))
  const older = services.flatMap((service) => {
    const selected = selectHealthCheck(mesh.healthChecks, tagSetsOf(proxy), service)
    if (selected === undefined) return []
    const HealthCheck = [metaOf(rows, 'HealthCheck', selected.name)]
    return [{ type: 'service', name: service, service, matchedPolicies: { HealthCheck } }]
  })
  const items = [...newer, ...older]
  ctx.body = { kind: kindOf(proxy), total: items.length, items }
}

function outboundServices({ outbounds }: Dataplane): readonly string[] {
  return [...new Set(outbounds.flatMap(({ tags }) => tags?.[SERVICE_TAG] ?? []))].toSorted()
}

function kindOf({ gateway }: Dataplane): string {
  return gateway?.type === 'BUILTIN' ? 'MeshGatewayDataplane' : 'SidecarDataplane'
}

/** An object without what it says. */
function metaOf(rows: readonly ResourceRow[], type: ResourceRow['type'], name: string): Shown {
  const row = rows.find((each) => each.type === type && each.name === name)
  if (row === undefined) throw new Error(`no ${type} ${name} among the rows of its mesh`)
  const { kri } = renderResource(row)
  return { ...envelopeOf(row), ...(kri === undefined ? {} : { kri }) }
}

/** The merged confs of a proxy. */
async function rulesOfProxy(ctx: ApiContext, deps: ApiDependencies): Promise<void> {
  const { mesh, rows } = await inspected(ctx, deps, ['MeshHealthCheck', 'MeshService'])
  const proxy = named(ctx, mesh.dataplanes)
  const rules = await rulesOf({ mesh, name: ctx.params['mesh'], rows, proxy }, sharerOf(ctx.state.identity))
  const row = rows.find((each) => each.type === 'Dataplane' && each.name === proxy.name)
  ctx.body = {
    httpMatches: [],
    resource: { labels: row?.labels, mesh: ctx.params['mesh'], name: proxy.name, type: 'Dataplane' },
    rules,
  }
}

/** What is probed of a proxy, where, by which policies, and why not (an extension). */
async function checksOfProxy(ctx: ApiContext, deps: ApiDependencies): Promise<void> {
  const { mesh } = await inspected(ctx, deps, RESOURCE_TYPES)
  const proxy = named(ctx, mesh.dataplanes)
  const wanted = await stepsInSlices(sharerOf(ctx.state.identity), wantedPoolSteps(mesh))
  const checks = checksOf(proxy, wanted)
  ctx.body = { total: checks.length, items: checks }
}

async function proxiesOfPolicy(ctx: ApiContext, deps: ApiDependencies): Promise<void> {
  const { mesh } = await inspected(ctx, deps, ['Dataplane', 'MeshHealthCheck'])
  const { targetRef } = named(ctx, mesh.meshHealthChecks)
  const items = mesh.dataplanes.filter((proxy) => reachesProxy(targetRef, proxy)).toSorted(byName)
  ctx.body = {
    total: items.length,
    items: items.map((proxy) => attached(ctx, proxy, [{ type: 'dataplane' }])),
  }
}

function attached(ctx: ApiContext, proxy: Dataplane, attachments: readonly Shown[]): Shown {
  return { kind: kindOf(proxy), dataplane: { mesh: ctx.params['mesh'], name: proxy.name }, attachments }
}

async function rowsOfPolicy(ctx: ApiContext, deps: ApiDependencies): Promise<void> {
  const { mesh } = await inspected(ctx, deps, ['Dataplane', 'MeshHealthCheck'])
  const { targetRef } = named(ctx, mesh.meshHealthChecks)
  const items = mesh.dataplanes
    .filter((proxy) => reachesProxy(targetRef, proxy))
    .toSorted(byName)
    .map(({ name, labels }) => ({ labels, mesh: ctx.params['mesh'], name, type: 'Dataplane' }))
  ctx.body = { items, total: items.length }
}

async function proxiesOfOlder(ctx: ApiContext, deps: ApiDependencies): Promise<void> {
  const { mesh } = await inspected(ctx, deps, ['Dataplane', 'HealthCheck'])
  const { name, destinations } = named(ctx, mesh.healthChecks)
  const isReached = (service: string) => bestRank(destinations, [{ [SERVICE_TAG]: service }]) !== undefined
  const work = new Work()
  const items = mesh.dataplanes.toSorted(byName).flatMap((proxy) => {
    const reached = outboundServices(proxy).filter(isReached)
    work.add(reached.length * tagSetsOf(proxy).length * sourcesOf(mesh.healthChecks))
    const services = reached.filter(
      (service) => selectHealthCheck(mesh.healthChecks, tagSetsOf(proxy), service)?.name === name,
    )
    if (services.length === 0) return []
    const attachments = services.map((service) => ({ type: 'service', name: service, service }))
    return [attached(ctx, proxy, attachments)]
  })
  ctx.body = { total: items.length, items }
}
