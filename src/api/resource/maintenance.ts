/**
 * `PUT`, `GET` and `DELETE …/maintenance` of members, pools and monitors: probing goes on, no transitions are published
 * while it lasts, and its end publishes the status at that time. An extension of ours, the same in every dialect.
 */
import { notFound } from '../../domain/errors.ts'
import {
  isMaintained,
  type MaintainedKind,
  type Maintenance,
  presentMaintenance,
  windowsOf,
} from '../../domain/status/maintenance.ts'
import { type Tx } from '../../store/connection/database.ts'
import { findHealthMonitor } from '../../store/configuration/health-monitors.ts'
import { findMaintenance, type MaintainedKey, setMaintenance } from '../../store/configuration/maintenance.ts'
import { findMember } from '../../store/configuration/members.ts'
import { touchPools } from '../../store/configuration/parents.ts'
import { lockPoolFor } from '../write/locked-parents.ts'
import { readJson } from '../http/body.ts'
import { type ApiContext, type ApiDependencies, pathId, type Route } from '../http/context.ts'
import { memberKey, memberNotFound } from './members.ts'
import { parseMaintenance } from '../schema/maintenance.ts'
import { writing } from '../write/writing.ts'

export interface MaintenanceDialect {
  readonly paths: (path: string) => readonly string[]
}

/** Locks the object of the path for an identity. Throws NOT_FOUND and FORBIDDEN. */
type Lock = (ctx: ApiContext, tx: Tx) => Promise<{ readonly id: string; readonly poolId: string }>

/** The object of the path. Throws NOT_FOUND for an invalid id. */
type Key = (ctx: ApiContext) => Omit<MaintainedKey, 'kind'>

interface Maintained {
  readonly kind: MaintainedKind
  readonly path: string
  readonly lock: Lock
  readonly keyOf: Key
}

const MAINTAINED: readonly Maintained[] = [
  { kind: 'member', path: '/pools/:pool_id/members/:id/maintenance', lock: lockMember, keyOf: memberKey },
  { kind: 'pool', path: '/pools/:id/maintenance', lock: lockPoolOfPath, keyOf: keyOfKind('pool') },
  {
    kind: 'healthmonitor',
    path: '/healthmonitors/:id/maintenance',
    lock: lockMonitor,
    keyOf: keyOfKind('healthmonitor'),
  },
]

export function maintenanceRoutes(deps: ApiDependencies, dialect: MaintenanceDialect): Route[] {
  return MAINTAINED.flatMap((maintained): Route[] => {
    const paths = dialect.paths(maintained.path)
    return [
      { method: 'get', paths, handler: (ctx) => show(ctx, deps, maintained) },
      { method: 'put', paths, handler: (ctx) => set(ctx, deps, maintained) },
      { method: 'delete', paths, handler: (ctx) => end(ctx, deps, maintained) },
    ]
  })
}

async function show(ctx: ApiContext, deps: ApiDependencies, { kind, keyOf }: Maintained): Promise<void> {
  const key = keyOf(ctx)
  const found = await findMaintenance(deps.db, { ...key, kind })
  if (found === undefined) throw await notThere(deps, kind, key)
  ctx.state.access.authorise(found.projectId)
  if (found.maintenance === null) throw notFound(`maintenance of ${kind}`, key.id)
  ctx.body = render(found.maintenance, Date.now())
}

async function notThere(deps: ApiDependencies, kind: MaintainedKind, key: ReturnType<Key>): Promise<Error> {
  const { poolId, ...named } = key
  return poolId === undefined ? notFound(kind, key.id) : await memberNotFound(deps.db, { ...named, poolId })
}

async function set(ctx: ApiContext, deps: ApiDependencies, maintained: Maintained): Promise<void> {
  const nowMs = Date.now()
  const maintenance = parseMaintenance(await readJson(ctx), nowMs)
  await write(ctx, deps, { ...maintained, maintenance })
  ctx.body = render(maintenance, nowMs)
}

async function end(ctx: ApiContext, deps: ApiDependencies, maintained: Maintained): Promise<void> {
  await write(ctx, deps, { ...maintained, maintenance: null })
  ctx.status = 204
}

async function write(
  ctx: ApiContext,
  deps: ApiDependencies,
  { kind, lock, maintenance }: Maintained & { readonly maintenance: Maintenance | null },
): Promise<void> {
  await writing(ctx, deps, async (tx) => {
    const { id, poolId } = await lock(ctx, tx)
    const isChanged = await setMaintenance(tx, { kind, id }, maintenance)
    if (isChanged === undefined) throw notFound(kind, id)
    if (isChanged) await touchPools(tx, [poolId])
  })
}

function render(maintenance: Maintenance, nowMs: number): Record<string, unknown> {
  const active = isMaintained(windowsOf(maintenance), nowMs)
  return { maintenance: { ...presentMaintenance(maintenance, nowMs), active } }
}

function keyOfKind(kind: MaintainedKind): Key {
  return (ctx) => ({
    id: pathId(ctx, 'id', kind),
    projectId: ctx.state.access.byId,
    reach: ctx.state.reach,
  })
}

async function lockMember(ctx: ApiContext, tx: Tx) {
  const key = memberKey(ctx)
  await lockPoolFor(ctx, tx, key.poolId)
  if ((await findMember(tx, key)) === undefined) throw notFound('member', key.id)
  return { id: key.id, poolId: key.poolId }
}

async function lockPoolOfPath(ctx: ApiContext, tx: Tx) {
  const id = pathId(ctx, 'id', 'pool')
  await lockPoolFor(ctx, tx, id)
  return { id, poolId: id }
}

async function lockMonitor(ctx: ApiContext, tx: Tx) {
  const id = pathId(ctx, 'id', 'healthmonitor')
  const monitor = await findHealthMonitor(tx, id, ctx.state.access.byId, ctx.state.reach)
  if (monitor === undefined) throw notFound('healthmonitor', id)
  await lockPoolFor(ctx, tx, monitor.poolId)
  return { id, poolId: monitor.poolId }
}
