/** `/v1.0/zone`: create, list, show, edit, delete. A zone holds clusters together; their names are unique in it. */
import { randomUUID } from 'node:crypto'
import type { Zone } from '../../../domain/greymatter/cluster.ts'
import {
  DEFAULT_ZONE,
  PROJECT_ZONES_MAX,
  TEXT_MAX,
  ZONE_MAX_BYTES,
} from '../../../domain/greymatter/limits.ts'
import { isAbsent, type Json, Problems } from '../../../domain/greymatter/problem.ts'
import type { Tx } from '../../../store/connection/database.ts'
import { deleteScope } from '../../../store/door/scopes.ts'
import {
  deleteObject,
  findObject,
  insertObject,
  type ObjectKey,
  type StoredObject,
  updateObject,
} from '../../../store/greymatter/objects.ts'
import { freeZoneName, hasClusters, lockZoneCount } from '../../../store/greymatter/room.ts'
import type { ApiContext, ApiDependencies, Route } from '../../http/context.ts'
import { lockDoorScope } from '../../write/door-pools.ts'
import { writing } from '../../write/writing.ts'
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

export function zoneRoutes(deps: ApiDependencies): Route[] {
  const { all, each } = PATHS.zone
  return [
    ...readRoutes(deps, 'zone'),
    { method: 'post', paths: [all], handler: (ctx) => create(ctx, deps) },
    { method: 'put', paths: [each], handler: (ctx) => edit(ctx, deps) },
    { method: 'delete', paths: [each], handler: (ctx) => remove(ctx, deps) },
  ]
}

async function create(ctx: ApiContext, deps: ApiDependencies): Promise<void> {
  const zone = zoneIn(await readObject(ctx), randomUUID())
  const { projectId } = ctx.state.identity
  ctx.body = { result: shownObject(await writing(ctx, deps, (tx) => storeNewZone(tx, projectId, zone))) }
}

async function edit(ctx: ApiContext, deps: ApiDependencies): Promise<void> {
  const body = await readObject(ctx)
  const key = keyOf(ctx, 'zone_key', 'zone')
  const { projectId } = ctx.state.identity
  const written = await writing(ctx, deps, async (tx) => {
    const stored = await lockedZone(tx, { projectId, key })
    assertSeen(body['checksum'], stored)
    const sent = body['zone_key']
    if (!isAbsent(sent) && sent !== '' && sent !== key) throw immutableKey('zone_key cannot be changed')
    return await replaceZone(tx, projectId, zoneIn(body, key))
  })
  ctx.body = { result: shownObject(written) }
}

async function remove(ctx: ApiContext, deps: ApiDependencies): Promise<void> {
  const key = keyOf(ctx, 'zone_key', 'zone')
  const { projectId } = ctx.state.identity
  await writing(ctx, deps, async (tx) => {
    assertSeen(sentChecksum(ctx), await lockedZone(tx, { projectId, key }))
    if (await hasClusters(tx, projectId, key))
      throw constraint('the zone has clusters: delete them first', 'IN_USE')
    await deleteObject(tx, 'zone', { projectId, key })
    await deleteScope(tx, { projectId, door: DOOR, key })
  })
  ctx.body = {}
}

const DUPLICATES = { key: 'zone_key already used', name: 'name already used' } as const

/** Stores a zone under a new key. Throws DataConstraintErrorCode and DuplicateClusterKeyCode. */
export async function storeNewZone(tx: Tx, projectId: string, zone: Zone): Promise<StoredObject> {
  if (zone.zone_key !== DEFAULT_ZONE) await assertRoom(tx, projectId)
  return await inserted(tx, projectId, zone)
}

/** A zone that the caller has locked becomes this one. Throws DuplicateClusterKeyCode. */
export async function replaceZone(tx: Tx, projectId: string, zone: Zone): Promise<StoredObject> {
  const stored = toStore(zone)
  const written = { projectId, key: zone.zone_key, name: zone.name, ...stored }
  await orDuplicate(updateObject(tx, 'zone', written), DUPLICATES)
  return stored
}

/** Locked against writers of its clusters. Throws NotFound. */
async function lockedZone(tx: Tx, { projectId, key }: ObjectKey): Promise<StoredObject> {
  if ((await findObject(tx, 'zone', { projectId, key })) === undefined) throw unknownObject('zone', key)
  await lockDoorScope(tx, { projectId, door: DOOR, key })
  const stored = await findObject(tx, 'zone', { projectId, key })
  if (stored === undefined) throw unknownObject('zone', key)
  return stored
}

/**
 * Throws DataConstraintErrorCode when a zone does not exist. `default-zone` is made when it is first named: configurations are
 * written for it. Its name is another one where a zone has that name already. The caller has locked the scope of the zone.
 */
export async function assertZone(tx: Tx, { projectId, key }: ObjectKey): Promise<void> {
  if ((await findObject(tx, 'zone', { projectId, key })) !== undefined) return
  if (key !== DEFAULT_ZONE) throw constraint(`zone ${key} does not exist`)
  const name = await freeZoneName(tx, projectId, DEFAULT_ZONE)
  await inserted(tx, projectId, { zone_key: DEFAULT_ZONE, name })
}

async function inserted(tx: Tx, projectId: string, zone: Zone): Promise<StoredObject> {
  const { zone_key: key, name } = zone
  const stored = toStore(zone)
  await orDuplicate(insertObject(tx, 'zone', { projectId, key, zoneKey: key, name, ...stored }), DUPLICATES)
  return stored
}

/** `key`: what holds where the body has none. Throws InvalidObjectCode with everything that is wrong. */
export function zoneIn(body: Json, key: string): Zone {
  const { zone_key: sent, name, checksum, ...others } = body
  const problems = new Problems()
  problems.textOrNothing('zone.checksum', checksum)
  const zoneKey = isAbsent(sent) || sent === '' ? key : sent
  problems.key('zone.zone_key', zoneKey, TEXT_MAX)
  problems.name('zone.name', name, TEXT_MAX)
  const zone = { zone_key: zoneKey, name, ...others }
  if (Buffer.byteLength(JSON.stringify(zone)) > ZONE_MAX_BYTES)
    problems.add('zone', `must have at most ${ZONE_MAX_BYTES} bytes`)
  if (problems.all.length > 0) throw invalidObject('zone', problems.all)
  return zone as unknown as Zone
}

/** The default zone needs no room: it is not counted. */
async function assertRoom(tx: Tx, projectId: string): Promise<void> {
  if ((await lockZoneCount(tx, projectId, DEFAULT_ZONE)) < PROJECT_ZONES_MAX) return
  throw constraint(`a project may have at most ${PROJECT_ZONES_MAX} zones`, 'QUOTA_EXCEEDED')
}
