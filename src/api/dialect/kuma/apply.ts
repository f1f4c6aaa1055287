/**
 * `PUT /_apply` (an extension): several objects in one transaction, for those without kumactl. The answer says what is probed
 * then; with `dry_run=true` nothing is kept.
 */
import { DomainError } from '../../../domain/errors.ts'
import { changedProbes } from '../../../domain/door/changed-probes.ts'
import { APPLIED_MAX } from '../../../domain/kuma/limits.ts'
import type { ObjectChange } from '../../../domain/kuma/mesh-size.ts'
import type { ResourceType } from '../../../domain/kuma/objects.ts'
import type { Tx } from '../../../store/connection/database.ts'
import { DEFAULT_MESH } from '../../../store/kuma/meshes.ts'
import type { ApiContext, ApiDependencies, Route } from '../../http/context.ts'
import { sharerOf } from '../../http/sharer.ts'
import { mapInSlices } from '../../http/slices.ts'
import { isDryRunIn, writingOrTrying } from '../../write/dry-run.ts'
import { COLLECTIONS } from './collections.ts'
import { badRequest, findingsOf, notValid, refusal } from './findings.ts'
import {
  assertMeshRoom,
  type LockedMesh,
  lockedMesh,
  lockedSentMesh,
  noSuchMesh,
  storeObject,
} from './mesh-write.ts'
import type { Shown } from './render.ts'
import { keepProbed } from './keep-probed.ts'
import { objectOf } from './resources.ts'
import { readObject, type SentObject } from './schema/envelope.ts'
import { readMesh, type SentMesh } from './schema/mesh.ts'

export function applyRoutes(deps: ApiDependencies): Route[] {
  return [{ method: 'put', paths: ['/_apply'], largeBody: true, handler: (ctx) => apply(ctx, deps) }]
}

interface MeshItem extends Named {
  readonly type: 'Mesh'
  readonly sent: SentMesh
}

/** An object of a mesh. */
interface ObjectItem extends Named {
  readonly type: ResourceType
  readonly sent: SentObject
}

type Item = MeshItem | ObjectItem
type Result = 'created' | 'updated'

async function apply(ctx: ApiContext, deps: ApiDependencies): Promise<void> {
  const items = await itemsOf(ctx)
  const isDryRun = isDryRunIn(ctx, wrongDryRun)
  const work = (tx: Tx) => applyAll(ctx, deps, { tx, items })
  ctx.body = { dry_run: isDryRun, ...(await writingOrTrying(ctx, deps, { isDryRun, work })) }
}

/** All meshes are locked before anything of them is read or written; then their objects are stored, then what is probed. */
async function applyAll(
  ctx: ApiContext,
  deps: ApiDependencies,
  { tx, items }: { readonly tx: Tx; readonly items: readonly Item[] },
): Promise<Shown> {
  const results = new Map<Item, Result>()
  const { projectId } = ctx.state.identity
  const meshes = await lockMeshes(tx, { projectId, items, results })
  if ([...results.values()].includes('created')) await assertMeshRoom(tx, projectId)
  const changes = new Map<string, ObjectChange[]>([...meshes.keys()].map((mesh) => [mesh, []]))
  for (const item of items) {
    if (item.type === 'Mesh') continue
    const change = await naming(item, () => storeIn(tx, meshes.get(item.mesh), item))
    changes.get(item.mesh)?.push(change)
    results.set(item, change.before === undefined ? 'created' : 'updated')
  }
  const probes: Shown[] = []
  const unprobed: Shown[] = []
  const warnings = items.flatMap(warningsOf)
  for (const [mesh, locked] of meshes) {
    const kept = await keepProbed(ctx, deps, { tx, locked, changes: changes.get(mesh) ?? [] })
    warnings.push(...kept.warnings.map((warning) => `Mesh ${mesh}: ${warning}`))
    probes.push(...changedProbes(kept.changes).map((change) => ({ mesh, ...change })))
    unprobed.push(
      ...kept.wanted.unprobed.map(({ member, pool, why }) => ({ mesh, inbound: member, pool, why })),
    )
  }
  const objects = items.map((item) => ({
    type: item.type,
    mesh: item.mesh,
    name: item.name,
    result: results.get(item),
  }))
  return { objects, probes, unprobed, ...(warnings.length === 0 ? {} : { warnings }) }
}

/** What is strange in what was sent of an object, with the name of the object. */
function warningsOf(item: Item): readonly string[] {
  if (item.type === 'Mesh') return []
  return (item.sent.warnings ?? []).map((warning) => `${item.type} ${item.mesh}/${item.name}: ${warning}`)
}

/**
 * Locks every mesh that the body names and stores those that it sends, in the order of their names: two requests never wait for
 * each other. Those that do not exist are not in the answer.
 */
async function lockMeshes(
  tx: Tx,
  {
    projectId,
    items,
    results,
  }: { readonly projectId: string; readonly items: readonly Item[]; readonly results: Map<Item, Result> },
): Promise<ReadonlyMap<string, LockedMesh>> {
  const meshes = new Map<string, LockedMesh>()
  for (const mesh of [...new Set(items.map((item) => item.mesh))].toSorted()) {
    const sent = items.filter((item): item is MeshItem => item.type === 'Mesh' && item.mesh === mesh)
    for (const item of sent) {
      const { locked, isNew } = await naming(item, () => lockedSentMesh(tx, projectId, item.sent))
      results.set(item, isNew ? 'created' : 'updated')
      meshes.set(mesh, locked)
    }
    const locked = meshes.get(mesh) ?? (await lockedMesh(tx, projectId, mesh))
    if (locked !== undefined) meshes.set(mesh, locked)
  }
  return meshes
}

async function storeIn(
  tx: Tx,
  locked: LockedMesh | undefined,
  { type, mesh, name, sent }: ObjectItem,
): Promise<ObjectChange> {
  if (locked === undefined) throw noSuchMesh(type, mesh)
  return await storeObject(tx, locked, { type, name, sent })
}

/**
 * Reads all objects, before anything is written; in slices, as a large body takes longer than others should wait. Throws
 * INVALID_JSON, INVALID_FIELD.
 */
async function itemsOf(ctx: ApiContext): Promise<readonly Item[]> {
  const body = await objectOf(ctx, 'apply')
  const objects = typeof body === 'object' && body !== null && 'objects' in body ? body.objects : undefined
  if (!Array.isArray(objects) || objects.length === 0)
    throw wrongBody('objects', 'must have at least one element')
  if (objects.length > APPLIED_MAX) throw wrongBody('objects', `must have at most ${APPLIED_MAX} elements`)
  const items = await mapInSlices(sharerOf(ctx.state.identity), objects, itemOf, { lookEvery: 1 })
  const seen = new Set<string>()
  for (const [i, { type, mesh, name }] of items.entries()) {
    const place = type === 'Mesh' ? `${type} ${name}` : `${type} ${mesh}/${name}`
    if (seen.has(place)) throw wrongBody(`objects[${i}]`, `${place} is there twice`)
    seen.add(place)
  }
  return items
}

function itemOf(object: unknown, index: number): Item {
  const field = `objects[${index}]`
  if (typeof object !== 'object' || object === null || Array.isArray(object))
    throw badRequest('apply', `${field} is no object`)
  const { type, mesh = DEFAULT_MESH, name } = object as Readonly<Record<string, unknown>>
  if (typeof type !== 'string' || typeof mesh !== 'string' || typeof name !== 'string')
    throw wrongBody(field, 'type, mesh and name must be texts')
  if (type === 'Mesh') {
    const place = { type, mesh: name, name } as const
    return naming(place, () => ({ ...place, sent: readMesh(object, name) }))
  }
  const collection = COLLECTIONS.find((each) => each.type === type)
  if (collection === undefined) {
    const known = ['Mesh', ...COLLECTIONS.map((each) => each.type)].join(' ')
    throw wrongBody(`${field}.type`, `${type} should be one of [${known}]`)
  }
  return naming({ type, mesh, name }, () => {
    const sent = readObject({ mesh, ...object }, collection, { mesh, name })
    if (sent.findings.length > 0) throw notValid(sent.findings)
    return { type: collection.type, mesh, name, sent }
  })
}

function wrongBody(field: string, message: string): DomainError {
  return wrong('INVALID_FIELD', field, message)
}

function wrongDryRun(message: string): DomainError {
  return wrong('INVALID_QUERY', 'dry_run', message)
}

function wrong(code: 'INVALID_FIELD' | 'INVALID_QUERY', field: string, message: string): DomainError {
  return refusal(code, {
    title: 'Could not process a resource',
    details: `${field}: ${message}`,
    findings: [{ field, message }],
  })
}

interface Named {
  readonly type: string
  readonly mesh: string
  readonly name: string
}

/** Does something with an object; its refusals say which one it is. */
function naming<Done>(item: Named, work: () => Done): Done {
  const named = (error: unknown): unknown => {
    if (!(error instanceof DomainError)) return error
    const details = `${item.type} ${item.mesh}/${item.name}: ${error.message}`
    return refusal(error.code, {
      title: String(error.facts['title'] ?? 'Could not process a resource'),
      details: [details, ...findingsOf(error).map(({ field, message }) => `${field} ${message}`)].join('; '),
      findings: findingsOf(error),
    })
  }
  try {
    const result = work()
    if (!(result instanceof Promise)) return result
    return result.catch((error: unknown) => {
      throw named(error)
    }) as Done
  } catch (error) {
    throw named(error)
  }
}
