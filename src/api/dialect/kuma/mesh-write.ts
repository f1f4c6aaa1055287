/**
 * A write into a mesh: it is locked, and its objects are stored. What is probed follows in the same transaction
 * (keep-probed.ts).
 */
import { MESHES_OF_PROJECT_MAX } from '../../../domain/kuma/limits.ts'
import type { ObjectChange } from '../../../domain/kuma/mesh-size.ts'
import type { Inbound, ResourceType, Tags } from '../../../domain/kuma/objects.ts'
import type { DataplaneBody } from '../../../domain/kuma/stored-objects.ts'
import { shownHealth } from '../../../domain/kuma/status.ts'
import { inboundKey } from '../../../domain/kuma/wanted-pools.ts'
import type { Tx } from '../../../store/connection/database.ts'
import { lockMesh, lockMeshCount, putMesh } from '../../../store/kuma/meshes.ts'
import {
  deleteResource,
  findResource,
  putResource,
  type ResourceKey,
  type ResourceRow,
} from '../../../store/kuma/resources.ts'
import { type LockedScope, lockDoorScope } from '../../write/door-pools.ts'
import { collectionOf } from './collections.ts'
import { notValid, refusal } from './findings.ts'
import { labelsOf, originFindings } from './labels.ts'
import type { SentMesh } from './schema/mesh.ts'
import { readVerdictsOf } from './verdicts.ts'

/** The door, as pools and events name it. */
export const DOOR = 'kuma'

/** A mesh that this transaction has locked. */
export interface LockedMesh {
  readonly scope: LockedScope
  readonly projectId: string
  readonly mesh: string
  readonly labels: Tags
}

/**
 * Locks a mesh against other writers; undefined when there is none of this name. Every write begins with it, or with
 * `lockedSentMesh`: first the scope, then the row of the mesh.
 */
export async function lockedMesh(tx: Tx, projectId: string, mesh: string): Promise<LockedMesh | undefined> {
  const scope = await lockDoorScope(tx, { projectId, door: DOOR, key: mesh })
  const row = await lockMesh(tx, projectId, mesh)
  return row === undefined ? undefined : { scope, projectId, mesh, labels: row.labels }
}

/** Locks a mesh as `lockedMesh` does, and stores it as it was sent; whether it is new. Who makes one calls `assertMeshRoom`. */
export async function lockedSentMesh(
  tx: Tx,
  projectId: string,
  { name, labels }: SentMesh,
): Promise<{ readonly locked: LockedMesh; readonly isNew: boolean }> {
  const scope = await lockDoorScope(tx, { projectId, door: DOOR, key: name })
  const isNew = await putMesh(tx, projectId, { name, labels, body: {} })
  return { locked: { scope, projectId, mesh: name, labels }, isNew }
}

/** Once all new meshes are stored, and all that the transaction writes into are locked. Throws QUOTA_EXCEEDED. */
export async function assertMeshRoom(tx: Tx, projectId: string): Promise<void> {
  if ((await lockMeshCount(tx, projectId)) <= MESHES_OF_PROJECT_MAX) return
  throw refusal('QUOTA_EXCEEDED', {
    title: 'Could not create a resource',
    details: `A project has at most ${MESHES_OF_PROJECT_MAX} meshes.`,
  })
}

/** The refusal of a write into a mesh that is not there: each type has its own. */
export function noSuchMesh(type: ResourceType, mesh: string) {
  if (collectionOf(type).hasSpec)
    return refusal('NOT_FOUND', { title: 'Failed to retrieve Mesh', details: 'Not found' })
  return refusal('INVALID_FIELD', {
    title: 'Could not create a resource',
    details: 'Mesh is not found',
    findings: [{ field: 'mesh', message: `mesh of name ${mesh} is not found` }],
  })
}

/** An object as its author sent it. */
export interface Sent {
  readonly labels: Tags
  readonly body: Readonly<Record<string, unknown>>
}

/** Stores an object. Throws INVALID_FIELD. */
export async function storeObject(
  tx: Tx,
  { projectId, mesh }: LockedMesh,
  { type, name, sent }: { readonly type: ResourceType; readonly name: string; readonly sent: Sent },
): Promise<ObjectChange> {
  const key: ResourceKey = { projectId, mesh, type, name }
  const before = await findResource(tx, key)
  const wrong = originFindings(before?.labels, sent.labels)
  if (wrong.length > 0) throw notValid(wrong, 'update')
  const { networking } = sent.body as unknown as Partial<DataplaneBody>
  const labels = labelsOf(type, mesh, {
    labels: sent.labels,
    isBuiltin: networking?.gateway?.type === 'BUILTIN',
  })
  const body = type === 'Dataplane' ? await withKnownHealth(tx, { key, before, body: sent.body }) : sent.body
  const bytes = await putResource(tx, key, { labels, body })
  return { type, name, before, after: { body }, bytes }
}

/**
 * Who sends a proxy with a probe of its application for the first time sends one that is not ready. Later, an inbound keeps the
 * health that was shown, until the checks that it has then say otherwise.
 */
async function withKnownHealth(
  tx: Tx,
  {
    key,
    before,
    body,
  }: { readonly key: ResourceKey; readonly before: ResourceRow | undefined; readonly body: Sent['body'] },
): Promise<Sent['body']> {
  const { networking } = body as unknown as DataplaneBody
  const inbounds = networking.inbound ?? []
  if (before === undefined) return bodyWith(body, inbounds.map(asCreated))
  const verdicts = (await readVerdictsOf(tx, key.projectId, [key])).get(key.mesh)
  const known = new Map(
    ((before.body as unknown as DataplaneBody).networking.inbound ?? []).map((inbound) => [
      inbound.port,
      inbound,
    ]),
  )
  return bodyWith(
    body,
    inbounds.map((inbound) => {
      const stored = known.get(inbound.port)
      const verdict = verdicts?.get(inboundKey(key.name, inbound.port))
      // What is ignored is not probed any more.
      if (stored === undefined || verdict === undefined || inbound.state === 'Ignored') return inbound
      const { health: _, state: __, ...rest } = inbound
      return { ...rest, ...shownHealth(stored, verdict) }
    }),
  )
}

function bodyWith(body: Sent['body'], inbound: readonly Inbound[]): Sent['body'] {
  const { networking } = body as unknown as DataplaneBody
  return inbound.length === 0 ? body : { ...body, networking: { ...networking, inbound } }
}

function asCreated(inbound: Inbound): Inbound {
  return inbound.serviceProbe === undefined
    ? inbound
    : { ...inbound, health: {}, state: inbound.state ?? 'NotReady' }
}

/** Deletes an object; undefined = there is none of this name. */
export async function removeObject(
  tx: Tx,
  { projectId, mesh }: LockedMesh,
  of: { readonly type: ResourceType; readonly name: string },
): Promise<ObjectChange | undefined> {
  const before = await deleteResource(tx, { projectId, mesh, ...of })
  return before === undefined ? undefined : { ...of, before, bytes: -before.bytes }
}
