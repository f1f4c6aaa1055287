/** `…/healthmonitors`: create, list, show, update, delete; what the bodies mean is the dialect's. */
import { DomainError, notFound } from '../../domain/errors.ts'
import { invalidatesResults } from '../../domain/options/monitor-options.ts'
import type { HealthMonitor } from '../../domain/health-monitor.ts'
import type { Pool } from '../../domain/types.ts'
import { type Tx } from '../../store/connection/database.ts'
import {
  deleteHealthMonitor,
  findHealthMonitor,
  findMonitorOfPool,
  type HealthMonitorChange,
  type HealthMonitorDraft,
  insertHealthMonitor,
  listHealthMonitors,
  PoolHasMonitorError,
  updateHealthMonitor,
  versionedHealthMonitors,
} from '../../store/configuration/health-monitors.ts'
import { addressesOfPool, renewMembersOfPort } from '../../store/configuration/members.ts'
import {
  type LockedPool,
  lockPoolOfMonitor,
  type ParentLoadBalancer,
  tellShards,
  touchPools,
} from '../../store/configuration/parents.ts'
import { lockPoolForNewMonitor } from '../write/locked-parents.ts'
import { readJson } from '../http/body.ts'
import { type ApiContext, type ApiDependencies, pathId, type Route } from '../http/context.ts'
import { answerList, pick } from '../http/pages.ts'
import { fieldsOf, queryOf } from '../http/query.ts'
import { assertProbeRate, memberDemand, ofMembers, plus } from '../write/probe-rate.ts'
import { readUpdate, visible } from '../write/resent.ts'
import { assertParentsActive, assertQuota, assertTargetAllowed, noteChanges } from '../write/rules.ts'
import { writing } from '../write/writing.ts'

/** Health monitors as one dialect speaks of them. All parsers throw DomainErrors. */
export interface HealthMonitorDialect {
  readonly paths: (path: string) => readonly string[]
  /** The order in which a create is refused; the draft is made in its place. */
  readonly createOrder: readonly CreateStep[]
  /** Reads a create body; the other checks come, in the order of the dialect, once the pool is known. */
  readonly parseCreate: (
    body: unknown,
    projectId: string,
  ) => {
    readonly poolId: string
    readonly assertFits?: (pool: Pool) => void
    readonly draftFor: (pool: Pool, loadBalancer: ParentLoadBalancer) => HealthMonitorDraft
  }
  /** Reads an update body; returns the differences from the stored object. */
  readonly parseUpdate: (body: unknown) => (stored: HealthMonitor, pool: Pool) => HealthMonitorChange
  readonly render: (monitor: HealthMonitor) => Record<string, unknown>
  readonly filterValue: (attribute: string, value: string) => string
}

/** `fit`: type and pool; `parents`: their status; `duplicate`: the pool has a monitor already. */
type CreateStep = 'fit' | 'draft' | 'duplicate' | 'quota' | 'parents'

export function healthMonitorRoutes(deps: ApiDependencies, dialect: HealthMonitorDialect): Route[] {
  const collection = dialect.paths('/healthmonitors')
  const item = dialect.paths('/healthmonitors/:id')
  return [
    { method: 'post', paths: collection, handler: (ctx) => create(ctx, deps, dialect) },
    { method: 'get', paths: collection, handler: (ctx) => list(ctx, deps, dialect) },
    { method: 'get', paths: item, handler: (ctx) => show(ctx, deps, dialect) },
    { method: 'put', paths: item, handler: (ctx) => update(ctx, deps, dialect) },
    { method: 'delete', paths: item, handler: (ctx) => remove(ctx, deps) },
  ]
}

async function create(ctx: ApiContext, deps: ApiDependencies, dialect: HealthMonitorDialect): Promise<void> {
  const { projectId } = ctx.state.identity
  const { poolId, assertFits, draftFor } = dialect.parseCreate(await readJson(ctx), projectId)
  const created = writing(ctx, deps, async (tx) => {
    const parents = await lockPoolForNewMonitor(ctx, tx, poolId)
    const { projectId: owner } = parents.pool
    const set = parents.setQuotas
    let draft: HealthMonitorDraft | undefined
    const steps: Record<CreateStep, () => Promise<void> | void> = {
      fit: () => assertFits?.(parents.pool),
      draft: () => {
        draft = draftFor(parents.pool, parents.loadBalancer)
      },
      duplicate: () => assertNoMonitorYet(poolId, parents.monitorId),
      quota: () => assertQuota(tx, deps, { projectId: owner, resource: 'healthmonitor', count: 1, set }),
      parents: () => assertParentsActive(ctx, parents),
    }
    for (const step of dialect.createOrder) await steps[step]()
    return await insert(tx, deps, { draft: draft ?? draftFor(parents.pool, parents.loadBalancer), parents })
  })
  const monitor = await created.catch(async (error: unknown) => {
    // The writer of the other monitor had not locked the pool, so it could not be seen before.
    if (error instanceof PoolHasMonitorError)
      assertNoMonitorYet(poolId, (await findMonitorOfPool(deps.db, poolId))?.id ?? null)
    throw error
  })
  ctx.status = 201
  ctx.body = { healthmonitor: dialect.render(monitor) }
}

async function insert(
  tx: Tx,
  deps: ApiDependencies,
  { draft, parents }: { readonly draft: HealthMonitorDraft; readonly parents: LockedPool },
): Promise<HealthMonitor> {
  await assertMonitorPortAllowed(tx, deps, draft)
  const raise = ofMembers(memberDemand(draft), parents.memberCount)
  tellShards(tx, [parents])
  const write = () => insertHealthMonitor(tx, draft)
  if (raise.perSecond === 0) return await tx.commitWith(write)
  const [created] = await Promise.all([
    write(),
    assertProbeRate(tx, deps, { projectId: draft.projectId, raise }),
  ])
  return created
}

async function list(ctx: ApiContext, deps: ApiDependencies, dialect: HealthMonitorDialect): Promise<void> {
  await answerList<HealthMonitor>(ctx, deps, {
    name: 'healthmonitors',
    resource: 'healthmonitor',
    read: (query) => listHealthMonitors(deps.db, query),
    versioned: versionedHealthMonitors(deps.db),
    render: dialect.render,
    filterValue: dialect.filterValue,
  })
}

async function show(ctx: ApiContext, deps: ApiDependencies, dialect: HealthMonitorDialect): Promise<void> {
  const id = pathId(ctx, 'id', 'healthmonitor')
  const monitor = await findHealthMonitor(deps.db, id, ctx.state.access.byId)
  if (monitor === undefined) throw notFound('healthmonitor', id)
  ctx.state.access.authorise(monitor.projectId)
  ctx.body = { healthmonitor: pick(dialect.render(monitor), fieldsOf(queryOf(ctx))) }
}

async function update(ctx: ApiContext, deps: ApiDependencies, dialect: HealthMonitorDialect): Promise<void> {
  const id = pathId(ctx, 'id', 'healthmonitor')
  const update = await readUpdate(ctx, await readJson(ctx), {
    resource: 'healthmonitor',
    parse: dialect.parseUpdate,
    show: async () => {
      const found = visible(ctx, await findHealthMonitor(deps.db, id, ctx.state.access.byId))
      return found && dialect.render(found)
    },
  })
  const after = await writing(ctx, deps, async (tx) => {
    const { stored, parents } = await lockMonitor(ctx, tx, id)
    const shown = () => dialect.render(stored)
    const values = update.apply(shown, (changeFor) => changeFor(stored, parents.pool))
    assertParentsActive(ctx, parents)
    if (!noteChanges(ctx, values, shown)) return stored
    await assertMonitorPortAllowed(tx, deps, { ...stored, ...values })
    const updated = await updateHealthMonitor(tx, id, { values, renewed: startsAnew(stored, values) })
    if (values.monitorPort !== undefined && updated.type !== 'PING') {
      const ports = { from: stored.monitorPort, to: updated.monitorPort }
      await renewMembersOfPort(tx, stored.poolId, ports)
    }
    const demandOf = (monitor: HealthMonitor) => memberDemand(monitor, parents.trafficSeen)
    const raise = ofMembers(plus(demandOf(updated), demandOf(stored), -1), parents.memberCount)
    await assertProbeRate(tx, deps, { projectId: updated.projectId, raise })
    if (Object.keys(values).length > 0) await touchPools(tx, [stored.poolId])
    return updated
  })
  ctx.body = { healthmonitor: dialect.render(after) }
}

async function remove(ctx: ApiContext, deps: ApiDependencies): Promise<void> {
  const id = pathId(ctx, 'id', 'healthmonitor')
  await writing(ctx, deps, async (tx) => {
    const { byId, authorise } = ctx.state.access
    const parents = await lockPoolOfMonitor(tx, id, byId)
    if (parents === undefined) throw notFound('healthmonitor', id)
    // A monitor is of the project of its pool.
    authorise(parents.pool.projectId)
    assertParentsActive(ctx, parents)
    tellShards(tx, [parents])
    // Another request may have deleted it while this one waited for its parents.
    if (!(await tx.commitWith(() => deleteHealthMonitor(tx, id)))) throw notFound('healthmonitor', id)
  })
  ctx.status = 204
}

/** Reads a monitor with its parents locked, so that what was read stays true until commit. Throws NOT_FOUND, FORBIDDEN. */
async function lockMonitor(
  ctx: ApiContext,
  tx: Tx,
  id: string,
): Promise<{ stored: HealthMonitor; parents: LockedPool }> {
  const { byId, authorise } = ctx.state.access
  const [parents, stored] = await Promise.all([
    lockPoolOfMonitor(tx, id, byId),
    findHealthMonitor(tx, id, byId),
  ])
  if (stored === undefined || parents === undefined) throw notFound('healthmonitor', id)
  authorise(stored.projectId)
  return { stored, parents }
}

function assertNoMonitorYet(poolId: string, existing: string | null): void {
  if (existing === null) return
  throw new DomainError('HEALTH_MONITOR_EXISTS', `Pool ${poolId} already has health monitor ${existing}`, {
    pool: poolId,
    monitor: existing,
  })
}

/** A monitor's own port aims at every member of the pool: each of those targets must be allowed. */
async function assertMonitorPortAllowed(
  tx: Tx,
  deps: ApiDependencies,
  monitor: Pick<HealthMonitor, 'poolId' | 'monitorPort'>,
): Promise<void> {
  if (monitor.monitorPort === null) return
  for (const address of await addressesOfPool(tx, monitor.poolId)) {
    assertTargetAllowed(deps, { address, port: monitor.monitorPort, field: 'monitor_port' })
  }
}

/** Another type, switched on again, or another request: earlier results do not count for the new check. */
function startsAnew(stored: HealthMonitor, values: HealthMonitorChange): boolean {
  if (values.type !== undefined || values.adminStateUp === true) return true
  return values.options !== undefined && invalidatesResults(stored.options, values.options)
}
