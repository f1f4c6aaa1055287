/**
 * What is probed of a mesh follows from all of its objects, in the transaction that wrote some of them. Pools that stay the same
 * are not written, so their checks go on.
 */
import { createHash } from 'node:crypto'
import type { PoolChanges } from '../../../domain/door/pool-changes.ts'
import { DomainError } from '../../../domain/errors.ts'
import { differingPoolSteps, type TextDigest } from '../../../domain/kuma/door-pools.ts'
import { MESH_MAX_BYTES, RESOURCES_OF_MESH_MAX } from '../../../domain/kuma/limits.ts'
import {
  changedInbounds,
  excessOf,
  growthOf,
  type ObjectChange,
  withoutInbounds,
} from '../../../domain/kuma/mesh-size.ts'
import { meshOfStored, type StoredObject } from '../../../domain/kuma/stored-objects.ts'
import { type WantedPools, wantedPoolSteps } from '../../../domain/kuma/wanted-pools.ts'
import type { Tx } from '../../../store/connection/database.ts'
import { lockDoorPools } from '../../../store/door/door-pools.ts'
import { readKeysOfPoolsWith, readPoolDigests } from '../../../store/kuma/pool-digests.ts'
import { readMesh, sizeOfMesh } from '../../../store/kuma/resources.ts'
import { keepInboundChecks } from '../../../store/kuma/verdicts.ts'
import type { ApiContext, ApiDependencies } from '../../http/context.ts'
import { sharerOf } from '../../http/sharer.ts'
import { stepsInSlices } from '../../http/slices.ts'
import { keepDoorPools } from '../../write/door-pools.ts'
import { refusal } from './findings.ts'
import type { LockedMesh } from './mesh-write.ts'

/** What a write has probed. */
export interface Kept {
  readonly wanted: Pick<WantedPools, 'unprobed'>
  readonly changes: PoolChanges
  /** For the author of the write. */
  readonly warnings: readonly string[]
}

/** A mesh that was written into. */
export interface Written {
  readonly tx: Tx
  readonly locked: LockedMesh
  readonly changes: readonly ObjectChange[]
}

/**
 * Makes what is probed follow from the objects of the mesh. Throws QUOTA_EXCEEDED, TARGET_DENIED, and TOO_MANY_ITEMS when the
 * policies are too many for the services.
 */
export async function keepProbed(ctx: ApiContext, deps: ApiDependencies, written: Written): Promise<Kept> {
  const { tx, locked, changes } = written
  const { scope, projectId, mesh } = locked
  if (await isBeyondSize(written)) return await keepWithoutChanged(deps, written)
  const rows = await readMesh(tx, projectId, mesh)
  const sharer = sharerOf(ctx.state.identity)
  const wanted = await wantedOf(sharer, rows, { locked, changes })
  if (wanted === undefined) return await keepWithoutChanged(deps, written)
  const stored = await readPoolDigests(tx, scope.id)
  // Only the pools that differ are read with their members.
  const differing = differingPoolSteps(mesh, wanted.pools, stored, newDigest)
  const { pools, keys } = await stepsInSlices(sharer, differing)
  const poolChanges = await keepDoorPools(tx, deps, { scope, wanted: pools, keys })
  await keepInboundChecks(tx, scope, poolChanges)
  return { wanted, changes: poolChanges, warnings: [] }
}

/** Before the mesh is read. Throws QUOTA_EXCEEDED, except when it was as large before. */
async function isBeyondSize({ tx, locked: { projectId, mesh }, changes }: Written): Promise<boolean> {
  const excess = excessOf(await sizeOfMesh(tx, projectId, mesh), growthOf(changes))
  if (excess !== 'growing') return excess === 'shrinking'
  throw refusal('QUOTA_EXCEEDED', {
    title: 'Could not create a resource',
    details: `A mesh has at most ${RESOURCES_OF_MESH_MAX} objects of ${MESH_MAX_BYTES} bytes in all.`,
  })
}

/**
 * What the objects of a mesh have probed; undefined = too much to work out, as it was before changes that made it smaller.
 * Throws TOO_MANY_ITEMS when it is these changes that make it too much.
 */
async function wantedOf(
  sharer: string,
  rows: readonly StoredObject[],
  { locked: { labels }, changes }: Pick<Written, 'locked' | 'changes'>,
): Promise<WantedPools | undefined> {
  const wanted = await wantedUnlessTooMuch(sharer, rows, labels)
  if (!(wanted instanceof DomainError)) return wanted
  const { objects, bytes } = growthOf(changes)
  if (objects > 0 || bytes > 0) throw wanted
  const before = await wantedUnlessTooMuch(sharer, rowsBefore(rows, changes), labels)
  if (before instanceof DomainError) return undefined
  throw wanted
}

async function wantedUnlessTooMuch(
  sharer: string,
  rows: readonly StoredObject[],
  labels: LockedMesh['labels'],
): Promise<WantedPools | DomainError> {
  try {
    return await stepsInSlices(sharer, wantedPoolSteps(meshOfStored(rows, labels)))
  } catch (error) {
    if (error instanceof DomainError && error.code === 'TOO_MANY_ITEMS') return error
    throw error
  }
}

/** The objects of a mesh as they were. Of several changes of one object the first one knows. */
function rowsBefore(
  rows: readonly StoredObject[],
  changes: readonly ObjectChange[],
): readonly StoredObject[] {
  const keyOf = ({ type, name }: Pick<StoredObject, 'type' | 'name'>) => `${type} ${name}`
  const first = new Map(changes.toReversed().map((change) => [keyOf(change), change]))
  return [
    ...rows.filter((row) => !first.has(keyOf(row))),
    ...[...first.values()].flatMap(({ before }) => before ?? []),
  ]
}

/** Of a mesh that is beyond its limits: pools stay as they are, without the inbounds that changed. */
async function keepWithoutChanged(
  deps: ApiDependencies,
  { tx, locked: { scope }, changes }: Written,
): Promise<Kept> {
  const inbounds = changedInbounds(changes)
  const keys = await readKeysOfPoolsWith(tx, scope.id, [...inbounds])
  const kept = await lockDoorPools(tx, scope.id, keys)
  const wanted = kept.flatMap((pool) => withoutInbounds(pool, inbounds) ?? [])
  const poolChanges = await keepDoorPools(tx, deps, { scope, wanted, keys })
  await keepInboundChecks(tx, scope, poolChanges)
  return { wanted: { unprobed: [] }, changes: poolChanges, warnings: [BEYOND] }
}

const BEYOND =
  'the mesh is beyond its limits: until it fits, what is probed stays as it was, without the inbounds that were changed or deleted'

/** What a write is answered with: nothing, or what its author should know. */
export function writtenWith(warnings: readonly string[]): { readonly warnings?: readonly string[] } {
  return warnings.length === 0 ? {} : { warnings }
}

function newDigest(): TextDigest {
  const hash = createHash('sha256')
  return { update: (text) => void hash.update(text), digest: () => hash.digest('base64') }
}
