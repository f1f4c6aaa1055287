/** Meshes: list, show, create or replace, delete. A mesh belongs to a project; `default` is always there. */
import { deleteScope } from '../../../store/door/scopes.ts'
import { deleteMesh, findMesh, listMeshes, type MeshRow } from '../../../store/kuma/meshes.ts'
import { countResources } from '../../../store/kuma/resources.ts'
import type { ApiContext, ApiDependencies, Route } from '../../http/context.ts'
import { writing } from '../../write/writing.ts'
import { absent, refusal } from './findings.ts'
import { keepProbed, writtenWith } from './keep-probed.ts'
import { assertMeshRoom, DOOR, lockedMesh, lockedSentMesh } from './mesh-write.ts'
import { answerPage, pageOf, sliceOf } from './pages.ts'
import type { Shown } from './render.ts'
import { objectOf } from './resources.ts'
import { readMesh } from './schema/mesh.ts'

export function meshRoutes(deps: ApiDependencies): Route[] {
  const one = '/meshes/:mesh'
  return [
    { method: 'get', paths: ['/meshes'], handler: (ctx) => list(ctx, deps) },
    { method: 'get', paths: [one], handler: (ctx) => show(ctx, deps) },
    { method: 'put', paths: [one], handler: (ctx) => put(ctx, deps) },
    { method: 'delete', paths: [one], handler: (ctx) => remove(ctx, deps) },
  ]
}

async function list(ctx: ApiContext, deps: ApiDependencies): Promise<void> {
  const page = pageOf(ctx)
  const all = await listMeshes(deps.db, ctx.state.identity.projectId)
  await answerPage(ctx, deps, {
    total: all.length,
    offset: page.offset,
    rows: sliceOf(all, page),
    render: renderMesh,
  })
}

async function show(ctx: ApiContext, { db }: ApiDependencies): Promise<void> {
  const mesh = await findMesh(db, ctx.state.identity.projectId, ctx.params['mesh'] ?? '')
  if (mesh === undefined) throw absent('retrieve')
  ctx.body = renderMesh(mesh)
}

/** Where its policies probe is in its labels, so what is probed may change with it. */
async function put(ctx: ApiContext, deps: ApiDependencies): Promise<void> {
  const sent = readMesh(await objectOf(ctx, 'Mesh'), ctx.params['mesh'] ?? '')
  const { isCreated, warnings } = await writing(ctx, deps, async (tx) => {
    const { projectId } = ctx.state.identity
    const { locked, isNew } = await lockedSentMesh(tx, projectId, sent)
    if (isNew) await assertMeshRoom(tx, projectId)
    const kept = await keepProbed(ctx, deps, { tx, locked, changes: [] })
    return { isCreated: isNew, warnings: kept.warnings }
  })
  ctx.status = isCreated ? 201 : 200
  ctx.body = writtenWith(warnings)
}

/** Proxies must be gone; services and policies go with their mesh. */
async function remove(ctx: ApiContext, deps: ApiDependencies): Promise<void> {
  const { projectId } = ctx.state.identity
  const name = ctx.params['mesh'] ?? ''
  await writing(ctx, deps, async (tx) => {
    const locked = await lockedMesh(tx, projectId, name)
    if (locked === undefined) throw absent('delete')
    const { Dataplane = 0 } = (await countResources(tx, projectId, [name])).get(name) ?? {}
    if (Dataplane > 0) {
      const message = 'unable to delete mesh, there are still some dataplanes attached'
      throw refusal('IN_USE', {
        title: 'Could not delete a resource',
        details: 'Resource is not valid',
        findings: [{ field: 'mesh', message }],
      })
    }
    await deleteMesh(tx, projectId, name)
    // Without proxies there are no members, so no pools.
    await deleteScope(tx, { projectId, door: DOOR, key: name })
  })
  ctx.status = 200
  ctx.body = {}
}

function renderMesh({ name, labels, createdAt, updatedAt }: MeshRow): Shown {
  return { type: 'Mesh', name, creationTime: createdAt, modificationTime: updatedAt, labels }
}
