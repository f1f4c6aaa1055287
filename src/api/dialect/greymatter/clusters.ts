/**
 * `/v1.0/cluster`: create, list, show, edit, delete (docs/peers/greymatter.md 1 and 9). Each write makes the pool of the cluster what
 * the cluster says.
 */
import { randomUUID } from 'node:crypto'
import type { Cluster } from '../../../domain/greymatter/cluster.ts'
import { PROJECT_CLUSTERS_MAX_BYTES } from '../../../domain/greymatter/limits.ts'
import { poolOfCluster } from '../../../domain/greymatter/pool-of-cluster.ts'
import { isAbsent, type Json } from '../../../domain/greymatter/problem.ts'
import { readCluster } from '../../../domain/greymatter/read-cluster.ts'
import type { Tx } from '../../../store/connection/database.ts'
import {
  deleteObject,
  findObject,
  insertObject,
  type StoredObject,
  updateObject,
} from '../../../store/greymatter/objects.ts'
import { lockClusterBytes } from '../../../store/greymatter/room.ts'
import type { ApiContext, ApiDependencies, Route } from '../../http/context.ts'
import { keepDoorPools, type LockedScope, lockDoorScope } from '../../write/door-pools.ts'
import { writing } from '../../write/writing.ts'
import { poolFor } from './cluster-pools.ts'
import { PATHS, readRoutes } from './reads.ts'
import { constraint, immutableKey, invalidObject, unknownObject } from './refusal.ts'
import {
  assertSeen,
  DOOR,
  keyOf,
  orDuplicate,
  readObject,
  sentChecksum,
  shownObject,
  toStore,
} from './requests.ts'
import { assertZone } from './zones.ts'

export function clusterRoutes(deps: ApiDependencies): Route[] {
  const { all, each } = PATHS.cluster
  return [
    ...readRoutes(deps, 'cluster'),
    { method: 'post', paths: [all], largeBody: true, handler: (ctx) => create(ctx, deps) },
    { method: 'put', paths: [each], largeBody: true, handler: (ctx) => edit(ctx, deps) },
    { method: 'delete', paths: [each], handler: (ctx) => remove(ctx, deps) },
  ]
}

async function create(ctx: ApiContext, deps: ApiDependencies): Promise<void> {
  const cluster = clusterIn(await readObject(ctx), randomUUID())
  const pool = poolFor(deps, cluster)
  const { projectId } = ctx.state.identity
  const stored = await writing(ctx, deps, async (tx) => {
    const scope = await lockDoorScope(tx, { projectId, door: DOOR, key: cluster.zone_key })
    await assertZone(tx, { projectId, key: cluster.zone_key })
    const created = await storeNewCluster(tx, projectId, cluster)
    await assertClusterRoom(tx, projectId)
    await keepDoorPools(tx, deps, { scope, wanted: [pool], keys: [pool.key] })
    return created
  })
  ctx.body = { result: shownObject(stored) }
}

async function edit(ctx: ApiContext, deps: ApiDependencies): Promise<void> {
  const body = await readObject(ctx)
  const clusterKey = keyOf(ctx, 'cluster_key', 'cluster')
  await writeCluster(ctx, deps, {
    clusterKey,
    checksum: body['checksum'],
    next: (before) => {
      assertKeysKept(body, before)
      return clusterIn(body, clusterKey)
    },
  })
}

async function remove(ctx: ApiContext, deps: ApiDependencies): Promise<void> {
  const key = keyOf(ctx, 'cluster_key', 'cluster')
  const { projectId } = ctx.state.identity
  await writing(ctx, deps, async (tx) => {
    const { stored, scope } = await lockCluster(ctx, tx, key)
    assertSeen(sentChecksum(ctx), stored)
    await deleteObject(tx, 'cluster', { projectId, key })
    await keepDoorPools(tx, deps, { scope, wanted: [], keys: [key] })
  })
  ctx.body = {}
}

export interface ClusterWrite {
  readonly clusterKey: string
  /** What the request has seen. */
  readonly checksum: unknown
  /** What the cluster becomes. Throws refusals. */
  readonly next: (before: Cluster) => Cluster
}

/** Changes a cluster that the request has seen, and answers with it. */
export async function writeCluster(
  ctx: ApiContext,
  deps: ApiDependencies,
  { clusterKey, checksum, next }: ClusterWrite,
): Promise<void> {
  const { projectId } = ctx.state.identity
  const written = await writing(ctx, deps, async (tx) => {
    const { stored, scope } = await lockCluster(ctx, tx, clusterKey)
    assertSeen(checksum, stored)
    const before = JSON.parse(stored.object) as Cluster
    const after = next(before)
    const pool = isCheckedAlike(before, after) ? poolOfCluster(after) : poolFor(deps, after)
    const replaced = await replaceCluster(tx, projectId, after)
    const isLarger = Buffer.byteLength(replaced.object) > Buffer.byteLength(stored.object)
    if (isLarger) await assertClusterRoom(tx, projectId)
    await keepDoorPools(tx, deps, { scope, wanted: [pool], keys: [clusterKey] })
    noteChanged(ctx, before, after)
    return replaced
  })
  ctx.body = { result: shownObject(written) }
}

/** What is probed was held to the rules when it was written: a rule that is younger keeps no instance in its cluster. */
function isCheckedAlike(before: Cluster, after: Cluster): boolean {
  const checkOf = ({ name, require_tls, health_checks, ssl_config }: Cluster) =>
    JSON.stringify([name, require_tls, health_checks, ssl_config])
  return checkOf(before) === checkOf(after)
}

const DUPLICATES = { key: 'cluster_key already used', name: 'name already used in zone' } as const

/** Stores a cluster under a new key; the caller has locked the scope of its zone, which exists. Throws DuplicateClusterKeyCode. */
export async function storeNewCluster(tx: Tx, projectId: string, cluster: Cluster): Promise<StoredObject> {
  const { cluster_key: key, zone_key: zoneKey, name } = cluster
  const stored = toStore(cluster)
  await orDuplicate(insertObject(tx, 'cluster', { projectId, key, zoneKey, name, ...stored }), DUPLICATES)
  return stored
}

/** A cluster that the caller has locked becomes another one. Throws DuplicateClusterKeyCode. */
export async function replaceCluster(tx: Tx, projectId: string, after: Cluster): Promise<StoredObject> {
  const replaced = toStore(after)
  const written = { projectId, key: after.cluster_key, name: after.name, ...replaced }
  await orDuplicate(updateObject(tx, 'cluster', written), DUPLICATES)
  return replaced
}

/** Locks the zone of a cluster, then reads the cluster: it never changes its zone. Throws NotFound. */
async function lockCluster(
  ctx: ApiContext,
  tx: Tx,
  key: string,
): Promise<{ readonly stored: StoredObject; readonly scope: LockedScope }> {
  const { projectId } = ctx.state.identity
  const seen = await findObject(tx, 'cluster', { projectId, key })
  if (seen === undefined) throw unknownObject('cluster', key)
  const scope = await lockDoorScope(tx, { projectId, door: DOOR, key: seen.zoneKey })
  const stored = await findObject(tx, 'cluster', { projectId, key })
  // Deleted meanwhile, and perhaps made again elsewhere: not what the request has seen.
  if (stored?.zoneKey !== seen.zoneKey) throw unknownObject('cluster', key)
  return { stored, scope }
}

/** `key`: what holds where the body has none. Throws InvalidObjectCode with everything that is wrong. */
export function clusterIn(body: Json, key: string): Cluster {
  const read = readCluster(body, key)
  if ('problems' in read) throw invalidObject('cluster', read.problems)
  return read.value
}

function assertKeysKept(body: Json, before: Cluster): void {
  for (const name of ['cluster_key', 'zone_key'] as const) {
    const sent = body[name]
    if (!isAbsent(sent) && sent !== '' && sent !== before[name])
      throw immutableKey(`${name} cannot be changed`)
  }
}

/**
 * Throws DataConstraintErrorCode when the clusters of the project, as this transaction has written them, are more than one answer
 * lists.
 */
export async function assertClusterRoom(tx: Tx, projectId: string): Promise<void> {
  if ((await lockClusterBytes(tx, projectId)) <= PROJECT_CLUSTERS_MAX_BYTES) return
  throw constraint(
    `the clusters of a project may have at most ${PROJECT_CLUSTERS_MAX_BYTES} bytes together`,
    'QUOTA_EXCEEDED',
  )
}

/** For the line of audit. */
function noteChanged(ctx: ApiContext, before: Cluster, after: Cluster): void {
  const names = new Set([...Object.keys(before), ...Object.keys(after)])
  ctx.state.changed = [...names].filter(
    (name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]),
  )
}
