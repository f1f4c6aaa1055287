/**
 * `PUT /v1.0/_apply` (an extension): zones and clusters of a file in one transaction, for those without a client of this API. Each
 * is created, or replaced whatever its checksum is. The answer says what is probed then; with `dry_run=true` nothing is kept.
 */
import { parseAddress } from '../../../domain/address/ip-address.ts'
import { changedProbes } from '../../../domain/door/changed-probes.ts'
import type { DoorPool } from '../../../domain/door/door-pool.ts'
import { type Cluster, instanceKey, type Zone } from '../../../domain/greymatter/cluster.ts'
import { APPLIED_MAX, INSTANCES_MAX } from '../../../domain/greymatter/limits.ts'
import { isJsonObject } from '../../../domain/greymatter/problem.ts'
import type { Tx } from '../../../store/connection/database.ts'
import { findZoneKeys } from '../../../store/greymatter/objects.ts'
import type { ApiContext, ApiDependencies, Route } from '../../http/context.ts'
import { sharerOf } from '../../http/sharer.ts'
import { mapInSlices, nextSlice } from '../../http/slices.ts'
import { keepDoorPools, type LockedScope, lockDoorScope } from '../../write/door-pools.ts'
import { isDryRunIn, writingOrTrying } from '../../write/dry-run.ts'
import { assertClusterRoom, clusterIn, replaceCluster, storeNewCluster } from './clusters.ts'
import { poolFor } from './cluster-pools.ts'
import { badParameter, ControlRefusal, immutableKey, invalidObject } from './refusal.ts'
import { DOOR, readObject } from './requests.ts'
import { HOST_IS_A_NAME, whyOf } from './words.ts'
import { assertZone, replaceZone, storeNewZone, zoneIn } from './zones.ts'

export function applyRoutes(deps: ApiDependencies): Route[] {
  return [{ method: 'put', paths: ['/v1.0/_apply'], largeBody: true, handler: (ctx) => apply(ctx, deps) }]
}

interface ZoneItem {
  readonly kind: 'zone'
  readonly key: string
  readonly zone: Zone
}

interface ClusterItem {
  readonly kind: 'cluster'
  readonly key: string
  readonly cluster: Cluster
  readonly pool: DoorPool
}

type Item = ZoneItem | ClusterItem
type Stored = 'created' | 'updated'

async function apply(ctx: ApiContext, deps: ApiDependencies): Promise<void> {
  const items = await itemsOf(ctx, deps)
  const isDryRun = isDryRunIn(ctx, (message) => badParameter(`dry_run ${message}`))
  const result = await writingOrTrying(ctx, deps, {
    isDryRun,
    work: (tx) => applyAll(ctx, deps, { tx, items }),
  })
  ctx.body = { result: { dry_run: isDryRun, ...result } }
}

/** Scopes are locked before anything of them is read, in one order; then zones are stored, then clusters, then their pools. */
async function applyAll(
  ctx: ApiContext,
  deps: ApiDependencies,
  { tx, items }: { readonly tx: Tx; readonly items: readonly Item[] },
): Promise<object> {
  const { projectId } = ctx.state.identity
  const zones = items.filter((item) => item.kind === 'zone')
  const clusters = items.filter((item) => item.kind === 'cluster')
  const scopes = await lockScopes(tx, projectId, { zones, clusters })
  const results = new Map([
    ...(await storeZones(tx, projectId, zones)),
    ...(await storeClusters(tx, projectId, clusters)),
  ])
  const probes: object[] = []
  for (const scope of scopes) {
    const wanted = clusters.filter(({ cluster }) => cluster.zone_key === scope.key).map(({ pool }) => pool)
    for (const part of partsOf(wanted)) {
      const changes = await keepDoorPools(tx, deps, { scope, wanted: part, keys: part.map(({ key }) => key) })
      for (const { pool, ...change } of changedProbes(changes))
        probes.push({ zone_key: scope.key, cluster_key: pool, ...change })
      await nextSlice(sharerOf(ctx.state.identity))
    }
  }
  return {
    objects: items.map((item) => ({ kind: item.kind, key: item.key, result: results.get(item) })),
    probes,
    unprobed: clusters.flatMap(unprobedOf),
  }
}

/** Pools with no more members together than one cluster may have: nothing else is answered while one part is compared. */
function partsOf(pools: readonly DoorPool[]): readonly (readonly DoorPool[])[] {
  const parts: DoorPool[][] = []
  let members = INSTANCES_MAX
  for (const pool of pools) {
    members += pool.members.length
    if (members > INSTANCES_MAX || parts.length === 0) {
      parts.push([])
      members = pool.members.length
    }
    parts.at(-1)?.push(pool)
  }
  return parts
}

interface Items {
  readonly zones: readonly ZoneItem[]
  readonly clusters: readonly ClusterItem[]
}

/** Of the zones that exist or get clusters. */
async function lockScopes(
  tx: Tx,
  projectId: string,
  { zones, clusters }: Items,
): Promise<readonly LockedScope[]> {
  const keys = zones.map(({ key }) => key)
  const existing = await findZoneKeys(tx, 'zone', { projectId, keys })
  const wanted = new Set([...clusters.map(({ cluster }) => cluster.zone_key), ...existing.keys()])
  const scopes: LockedScope[] = []
  for (const key of [...wanted].toSorted())
    scopes.push(await lockDoorScope(tx, { projectId, door: DOOR, key }))
  return scopes
}

type Results = readonly (readonly [Item, Stored])[]

async function storeZones(tx: Tx, projectId: string, zones: readonly ZoneItem[]): Promise<Results> {
  const existing = await findZoneKeys(tx, 'zone', { projectId, keys: zones.map(({ key }) => key) })
  const results: [Item, Stored][] = []
  for (const item of zones) {
    const isThere = existing.has(item.key)
    await (isThere ? replaceZone : storeNewZone)(tx, projectId, item.zone).catch(refusedWithName(item))
    results.push([item, isThere ? 'updated' : 'created'])
  }
  return results
}

async function storeClusters(tx: Tx, projectId: string, clusters: readonly ClusterItem[]): Promise<Results> {
  const existing = await findZoneKeys(tx, 'cluster', { projectId, keys: clusters.map(({ key }) => key) })
  const firstOfZones = new Map(clusters.toReversed().map((item) => [item.cluster.zone_key, item]))
  for (const [key, item] of firstOfZones)
    await assertZone(tx, { projectId, key }).catch(refusedWithName(item))
  const results: [Item, Stored][] = []
  for (const item of clusters) {
    const { key, cluster } = item
    const zoneKey = existing.get(key)
    if (zoneKey !== undefined && zoneKey !== cluster.zone_key)
      refusedWithName(item)(immutableKey('zone_key cannot be changed'))
    const isThere = zoneKey !== undefined
    await (isThere ? replaceCluster : storeNewCluster)(tx, projectId, cluster).catch(refusedWithName(item))
    results.push([item, isThere ? 'updated' : 'created'])
  }
  if (clusters.length > 0) await assertClusterRoom(tx, projectId)
  return results
}

/** What of a cluster nobody probes: all of it without a health check, else the instances that are names. */
function unprobedOf({ key, cluster, pool }: ClusterItem): readonly object[] {
  if (pool.monitor === null) return [{ cluster_key: key, instance: null, why: whyOf('NO_MONITOR') }]
  return cluster.instances
    .filter(({ host }) => parseAddress(host) === undefined)
    .map((instance) => ({ cluster_key: key, instance: instanceKey(instance), why: whyOf(HOST_IS_A_NAME) }))
}

/** Reads all objects before anything is locked. Throws InvalidObjectCode. */
async function itemsOf(ctx: ApiContext, deps: ApiDependencies): Promise<readonly Item[]> {
  const { objects } = await readObject(ctx)
  if (!Array.isArray(objects) || objects.length === 0)
    throw wrongBody('objects', 'must have at least one item')
  if (objects.length > APPLIED_MAX) throw wrongBody('objects', `must have at most ${APPLIED_MAX} items`)
  const read = (object: unknown, i: number) => itemOf(object, `objects[${i}]`, deps)
  const items = await mapInSlices(sharerOf(ctx.state.identity), objects, read, { lookEvery: 1 })
  const seen = new Set<string>()
  for (const [i, item] of items.entries()) {
    const name = nameOf(item)
    if (seen.has(name)) throw wrongBody(`objects[${i}]`, `${name} is there twice`)
    seen.add(name)
  }
  return items
}

/** A cluster names its zone too, so an object without a `cluster_key` is a zone. */
function itemOf(object: unknown, at: string, deps: ApiDependencies): Item {
  if (!isJsonObject(object)) throw wrongBody(at, 'must be an object')
  const kind = 'cluster_key' in object ? 'cluster' : 'zone'
  const key = object[`${kind}_key`]
  if (kind === 'zone' && OF_CLUSTERS.some((name) => name in object))
    throw wrongBody(`${at}.cluster_key`, 'may not be empty')
  if (typeof key !== 'string' || key === '') throw wrongBody(`${at}.${kind}_key`, 'may not be empty')
  try {
    if (kind === 'zone') return { kind, key, zone: zoneIn(object, key) }
    const cluster = clusterIn(object, key)
    return { kind, key, cluster, pool: poolFor(deps, cluster) }
  } catch (error) {
    return refusedWithName({ kind, key })(error)
  }
}

/** What no zone has. */
const OF_CLUSTERS = ['instances', 'health_checks'] as const

function wrongBody(attribute: string, msg: string): ControlRefusal {
  return invalidObject('body', [{ attribute, msg }])
}

type Named = Pick<Item, 'kind' | 'key'>

function nameOf({ kind, key }: Named): string {
  return `${kind} ${key.slice(0, 255)}`
}

/** Throws a refusal again that says which object it is about; other errors as they are. */
function refusedWithName(item: Named): (error: unknown) => never {
  return (error) => {
    if (!(error instanceof ControlRefusal)) throw error
    const { code, controlCode, problems } = error
    const message = `${nameOf(item)}: ${error.message}`
    throw new ControlRefusal(code, { code: controlCode, message, problems })
  }
}
