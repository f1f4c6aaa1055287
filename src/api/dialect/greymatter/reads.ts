/** Reads that zones and clusters have alike: all that match a filter in one answer, and one by its key (docs/peers/greymatter.md 1). */
import { findObject, listObjects, type ObjectKind } from '../../../store/greymatter/objects.ts'
import type { ApiContext, ApiDependencies, Route } from '../../http/context.ts'
import { JsonItems } from '../../http/json-body.ts'
import { unknownObject } from './refusal.ts'
import { filtersOf, keyOf, shownObject, shownText } from './requests.ts'

/** Where the objects of a kind are: all of them, and each. */
export const PATHS = {
  cluster: { all: '/v1.0/cluster', each: '/v1.0/cluster/:cluster_key' },
  zone: { all: '/v1.0/zone', each: '/v1.0/zone/:zone_key' },
} as const satisfies Record<ObjectKind, object>

const FILTERED = { cluster: ['cluster_key', 'zone_key', 'name'], zone: ['zone_key', 'name'] } as const

export function readRoutes(deps: ApiDependencies, kind: ObjectKind): Route[] {
  return [
    { method: 'get', paths: [PATHS[kind].all], handler: (ctx) => list(ctx, deps, kind) },
    { method: 'get', paths: [PATHS[kind].each], handler: (ctx) => show(ctx, deps, kind) },
  ]
}

async function list(ctx: ApiContext, deps: ApiDependencies, kind: ObjectKind): Promise<void> {
  const { filters, isNothing } = filtersOf(ctx, FILTERED[kind])
  const { projectId } = ctx.state.identity
  const found = isNothing ? [] : await listObjects(deps.db, kind, { projectId, filters })
  ctx.body = { result: new JsonItems(found.map(shownText)) }
}

async function show(ctx: ApiContext, deps: ApiDependencies, kind: ObjectKind): Promise<void> {
  const key = keyOf(ctx, `${kind}_key`, kind)
  const found = await findObject(deps.db, kind, { projectId: ctx.state.identity.projectId, key })
  if (found === undefined) throw unknownObject(kind, key)
  ctx.body = { result: shownObject(found) }
}
