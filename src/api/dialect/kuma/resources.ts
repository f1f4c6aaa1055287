/** The objects of a mesh: list, show, create or replace, delete (docs/peers/kuma.md 2 to 6). */
import type { ResourceType } from '../../../domain/kuma/objects.ts'
import {
  findResource,
  listResources,
  type ResourceKey,
  type ResourceRow,
} from '../../../store/kuma/resources.ts'
import { readJson } from '../../http/body.ts'
import type { ApiContext, ApiDependencies, Route } from '../../http/context.ts'
import { DomainError } from '../../../domain/errors.ts'
import { writing } from '../../write/writing.ts'
import { type Collection, COLLECTIONS } from './collections.ts'
import { absent, badRequest, notValid } from './findings.ts'
import { keepProbed, writtenWith } from './keep-probed.ts'
import { lockedMesh, noSuchMesh, removeObject, storeObject } from './mesh-write.ts'
import { answerPage, filtersOf, NEW_WORDS, OLD_WORDS, pageOf } from './pages.ts'
import { renderResource, type Shown, withHealth } from './render.ts'
import { readObject } from './schema/envelope.ts'
import { readVerdictsOf } from './verdicts.ts'
import { meshServiceShown } from './mesh-service-status.ts'

export function resourceRoutes(deps: ApiDependencies): Route[] {
  return COLLECTIONS.flatMap((collection): Route[] => {
    const all = `/${collection.path}`
    const ofMesh = `/meshes/:mesh/${collection.path}`
    const one = `${ofMesh}/:name`
    return [
      { method: 'get', paths: [all], handler: (ctx) => list(ctx, deps, { collection, path: all }) },
      { method: 'get', paths: [ofMesh], handler: (ctx) => list(ctx, deps, { collection, path: ofMesh }) },
      { method: 'get', paths: [one], handler: (ctx) => show(ctx, deps, collection) },
      { method: 'put', paths: [one], handler: (ctx) => put(ctx, deps, collection) },
      { method: 'delete', paths: [one], handler: (ctx) => remove(ctx, deps, collection) },
    ]
  })
}

/** Renders rows of one page: what proxies and services show follows from checks. */
export async function rendererOf(
  ctx: ApiContext,
  { db }: ApiDependencies,
  rows: readonly ResourceRow[],
): Promise<(row: ResourceRow) => Shown> {
  const { projectId } = ctx.state.identity
  const [type] = rows.map((row) => row.type)
  if (type === 'MeshService') return await meshServiceShown(db, projectId, rows)
  if (type !== 'Dataplane') return renderResource
  const healthy = await withHealthOf(ctx, { db }, rows)
  return (row) => renderResource(healthy(row))
}

/** Proxies of some meshes with their health. */
export async function withHealthOf(
  ctx: ApiContext,
  { db }: Pick<ApiDependencies, 'db'>,
  rows: readonly ResourceRow[],
): Promise<(row: ResourceRow) => ResourceRow> {
  const verdicts = await readVerdictsOf(db, ctx.state.identity.projectId, rows)
  return (row) => withHealth(row, verdicts.get(row.mesh) ?? new Map())
}

async function list(
  ctx: ApiContext,
  deps: ApiDependencies,
  { collection, path }: { readonly collection: Collection; readonly path: string },
): Promise<void> {
  const mesh = ctx.params['mesh']
  const page = pageOf(ctx, collection.hasSpec ? NEW_WORDS : OLD_WORDS)
  const filters = filtersOf(ctx, path.replace(/:(\w+)/g, '{$1}'))
  const { projectId } = ctx.state.identity
  const { total, rows } = await listResources(deps.db, {
    projectId,
    type: collection.type,
    ...(mesh === undefined ? {} : { mesh }),
    ...filters,
    ...page,
  })
  const render = await rendererOf(ctx, deps, rows)
  await answerPage(ctx, deps, { total, offset: page.offset, rows, render })
}

async function show(ctx: ApiContext, deps: ApiDependencies, { type }: Collection): Promise<void> {
  const row = await foundOf(ctx, deps, type)
  ctx.body = (await rendererOf(ctx, deps, [row]))(row)
}

/** The object of the path. Throws NOT_FOUND. */
export async function foundOf(
  ctx: ApiContext,
  { db }: ApiDependencies,
  type: ResourceType,
): Promise<ResourceRow> {
  const row = await findResource(db, keyOf(ctx, type))
  if (row === undefined) throw absent('retrieve')
  return row
}

function keyOf(ctx: ApiContext, type: ResourceType): ResourceKey {
  const { mesh = '', name = '' } = ctx.params
  return { projectId: ctx.state.identity.projectId, mesh, type, name }
}

async function put(ctx: ApiContext, deps: ApiDependencies, collection: Collection): Promise<void> {
  const { type, hasSpec } = collection
  const key = keyOf(ctx, type)
  const sent = readObject(await objectOf(ctx, type), collection, key)
  if (sent.findings.length > 0) {
    const isNew = hasSpec || (await findResource(deps.db, key)) === undefined
    throw notValid(sent.findings, hasSpec ? 'process' : isNew ? 'create' : 'update')
  }
  const { isNew, kept } = await writing(ctx, deps, async (tx) => {
    const locked = await lockedMesh(tx, key.projectId, key.mesh)
    if (locked === undefined) throw noSuchMesh(type, key.mesh)
    const change = await storeObject(tx, locked, { type, name: key.name, sent })
    return {
      isNew: change.before === undefined,
      kept: await keepProbed(ctx, deps, { tx, locked, changes: [change] }),
    }
  })
  ctx.status = isNew ? 201 : 200
  ctx.body = writtenWith([...(sent.warnings ?? []), ...kept.warnings])
}

/** The body. What is no JSON is refused in Kuma's words. */
export async function objectOf(ctx: ApiContext, type: string): Promise<unknown> {
  try {
    return await readJson(ctx)
  } catch (error) {
    if (error instanceof DomainError && error.facts['problem'] === 'syntax')
      throw badRequest(type, 'unexpected end of JSON input')
    throw error
  }
}

async function remove(ctx: ApiContext, deps: ApiDependencies, { type }: Collection): Promise<void> {
  const { projectId, mesh, name } = keyOf(ctx, type)
  const { warnings } = await writing(ctx, deps, async (tx) => {
    const locked = await lockedMesh(tx, projectId, mesh)
    const change = locked && (await removeObject(tx, locked, { type, name }))
    if (locked === undefined || change === undefined) throw absent('delete')
    return await keepProbed(ctx, deps, { tx, locked, changes: [change] })
  })
  ctx.status = 200
  ctx.body = writtenWith(warnings)
}
