/**
 * `PUT` and `DELETE …/maintenance` of members, pools and monitors: probing goes on, no transitions are published while it
 * lasts, and its end publishes what is true then. An extension of ours, the same in every dialect.
 */
import { notFound } from '../domain/errors.ts'
import { isMaintained, type MaintainedKind, type Maintenance, windowOf } from '../domain/maintenance.ts'
import { type Tx, transaction } from '../store/database.ts'
import { findHealthMonitor } from '../store/health-monitors.ts'
import { setMaintenance } from '../store/maintenance.ts'
import { findMember } from '../store/members.ts'
import { touchPools } from '../store/parents.ts'
import { lockPoolFor } from './access.ts'
import { readJson } from './body.ts'
import { type ApiContext, type ApiDependencies, pathId, type Route } from './context.ts'
import { memberKey } from './members.ts'
import { parseMaintenance } from './schema/maintenance.ts'

export interface MaintenanceDialect {
  readonly paths: (path: string) => readonly string[]
}

/** Locks what the path names, for whoever asks. Throws NOT_FOUND and FORBIDDEN. */
type Lock = (ctx: ApiContext, tx: Tx) => Promise<{ readonly id: string; readonly poolId: string }>

const MAINTAINED: readonly (readonly [kind: MaintainedKind, path: string, lock: Lock])[] = [
  ['member', '/pools/:pool_id/members/:id/maintenance', lockMember],
  ['pool', '/pools/:id/maintenance', lockPoolOfPath],
  ['healthmonitor', '/healthmonitors/:id/maintenance', lockMonitor],
]

export function maintenanceRoutes(deps: ApiDependencies, dialect: MaintenanceDialect): Route[] {
  return MAINTAINED.flatMap(([kind, path, lock]): Route[] => {
    const paths = dialect.paths(path)
    const write = async (ctx: ApiContext, maintenance: Maintenance | null): Promise<void> =>
      await transaction(deps.db, async (tx) => {
        const { id, poolId } = await lock(ctx, tx)
        if (!(await setMaintenance(tx, { kind, id }, maintenance))) throw notFound(kind, id)
        await touchPools(tx, [poolId])
      })
    return [
      {
        method: 'put',
        paths,
        handler: async (ctx) => {
          const nowMs = Date.now()
          const maintenance = parseMaintenance(await readJson(ctx), nowMs)
          await write(ctx, maintenance)
          ctx.body = { maintenance: { ...maintenance, active: isMaintained([windowOf(maintenance)], nowMs) } }
        },
      },
      {
        method: 'delete',
        paths,
        handler: async (ctx) => {
          await write(ctx, null)
          ctx.status = 204
        },
      },
    ]
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
  const monitor = await findHealthMonitor(tx, id, ctx.state.access.byId)
  if (monitor === undefined) throw notFound('healthmonitor', id)
  await lockPoolFor(ctx, tx, monitor.poolId)
  return { id, poolId: monitor.poolId }
}
