/** `…/listeners`: create, list, show, update, delete; what the bodies mean is the dialect's. */
import { DomainError, notFound } from '../../domain/errors.ts'
import { listenerStatus } from '../../domain/status/roll-up.ts'
import type { Listener, LoadBalancer, Pool } from '../../domain/types.ts'
import { type Tx } from '../../store/connection/database.ts'
import {
  deleteListener,
  findListener,
  insertListener,
  type ListenerChange,
  type ListenerDraft,
  type ListenerView,
  listListeners,
  PortTakenError,
  updateListener,
  versionedListeners,
} from '../../store/configuration/listeners.ts'
import { findPool } from '../../store/configuration/pools.ts'
import { lockLoadBalancerFor } from '../write/locked-parents.ts'
import { readJson } from '../http/body.ts'
import { type ApiContext, type ApiDependencies, pathId, type Route } from '../http/context.ts'
import { answerList, pick } from '../http/pages.ts'
import { fieldsOf, queryOf } from '../http/query.ts'
import { readUpdate, visible } from '../write/resent.ts'
import { assertParentsActive, assertQuota, assertUnused, noteChanges } from '../write/rules.ts'
import { writing } from '../write/writing.ts'

/** Listeners as one dialect speaks of them. All parsers throw DomainErrors. */
export interface ListenerDialect {
  readonly paths: (path: string) => readonly string[]
  /** Reads a create body; the draft is made and checked once load balancer and pool are known. */
  readonly parseCreate: (
    body: unknown,
    projectId: string,
  ) => {
    readonly loadBalancerId: string
    readonly poolId: string | undefined
    readonly draftFor: (loadBalancer: LoadBalancer, pool: Pool | undefined) => ListenerDraft
  }
  /**
   * Reads an update body; returns the differences from the stored object. `poolId`: the pool that it sends traffic to.
   */
  readonly parseUpdate: (body: unknown) => {
    readonly poolId: string | undefined
    readonly changeFor: (
      stored: Listener,
      pool: Pool | undefined,
      loadBalancer: LoadBalancer,
    ) => ListenerChange
  }
  readonly render: (listener: ListenerView) => Record<string, unknown>
  /** The quota is checked before the rest of a create. */
  readonly quotaFirst?: true
  /** A listener may be deleted while it has a default pool. */
  readonly deletedWithPool?: true
  /** The refusal of a pool of another load balancer. */
  readonly poolElsewhere: (poolId: string) => DomainError
}

export function listenerRoutes(deps: ApiDependencies, dialect: ListenerDialect): Route[] {
  const collection = dialect.paths('/listeners')
  return [
    { method: 'post', paths: collection, handler: (ctx) => create(ctx, deps, dialect) },
    { method: 'get', paths: collection, handler: (ctx) => list(ctx, deps, dialect) },
    ...shownListenerRoutes(deps, dialect),
    {
      method: 'delete',
      paths: dialect.paths('/listeners/:id'),
      handler: (ctx) => remove(ctx, deps, dialect),
    },
  ]
}

type ShownListenerDialect = Pick<ListenerDialect, 'paths' | 'parseUpdate' | 'poolElsewhere' | 'render'>

/** Show and update only, for a second way to speak of the same listeners. */
export function shownListenerRoutes(deps: ApiDependencies, dialect: ShownListenerDialect): Route[] {
  const item = dialect.paths('/listeners/:id')
  return [
    { method: 'get', paths: item, handler: (ctx) => show(ctx, deps, dialect) },
    { method: 'put', paths: item, handler: (ctx) => update(ctx, deps, dialect) },
  ]
}

async function create(ctx: ApiContext, deps: ApiDependencies, dialect: ListenerDialect): Promise<void> {
  const { projectId } = ctx.state.identity
  const { loadBalancerId, poolId, draftFor } = dialect.parseCreate(await readJson(ctx), projectId)
  const listener = await writing(ctx, deps, async (tx) => {
    const loadBalancer = await lockLoadBalancerFor(ctx, tx, loadBalancerId)
    const claim = { projectId: loadBalancer.projectId, resource: 'listener', count: 1 } as const
    if (dialect.quotaFirst === true) await assertQuota(tx, deps, claim)
    const pool = await poolOf(tx, { loadBalancer, poolId, dialect })
    assertParentsActive(ctx, { loadBalancer })
    const draft = draftFor(loadBalancer, pool)
    if (dialect.quotaFirst !== true) await assertQuota(tx, deps, claim)
    return viewOf(await insertListenerOrRefuse(tx, draft), loadBalancer)
  })
  ctx.status = 201
  ctx.body = { listener: dialect.render(listener) }
}

/** What was just written, as it is shown. */
function viewOf(listener: Listener, loadBalancer: LoadBalancer): ListenerView {
  const { provider, adminStateUp: loadBalancerUp } = loadBalancer
  const facts = { provider, loadBalancerUp, listenerUp: listener.adminStateUp }
  return { ...listener, operatingStatus: listenerStatus(facts) }
}

/** Throws LISTENER_EXISTS. */
export async function insertListenerOrRefuse(tx: Tx, draft: ListenerDraft): Promise<Listener> {
  try {
    return await insertListener(tx, draft)
  } catch (error) {
    if (!(error instanceof PortTakenError)) throw error
    const { loadBalancerId, protocol, protocolPort: port } = draft
    const message = `Load balancer ${loadBalancerId} already has a listener with protocol_port of ${port}.`
    throw new DomainError('LISTENER_EXISTS', message, { loadbalancer: loadBalancerId, protocol, port })
  }
}

interface NamedPool {
  readonly loadBalancer: Pick<LoadBalancer, 'id' | 'projectId'>
  readonly poolId: string | undefined
  readonly dialect: Pick<ListenerDialect, 'poolElsewhere'>
}

/** A pool of the same load balancer, which the caller has locked. Throws NOT_FOUND, POOL_DOES_NOT_FIT_LISTENER. */
async function poolOf(tx: Tx, { loadBalancer, poolId, dialect }: NamedPool): Promise<Pool | undefined> {
  if (poolId === undefined) return undefined
  const pool = await findPool(tx, poolId, loadBalancer.projectId)
  if (pool === undefined) throw notFound('pool', poolId)
  if (pool.loadBalancerId === loadBalancer.id) return pool
  throw dialect.poolElsewhere(poolId)
}

async function list(ctx: ApiContext, deps: ApiDependencies, dialect: ListenerDialect): Promise<void> {
  await answerList<ListenerView>(ctx, deps, {
    name: 'listeners',
    resource: 'listener',
    read: (query) => listListeners(deps.db, query),
    versioned: versionedListeners(deps.db),
    render: dialect.render,
  })
}

async function show(
  ctx: ApiContext,
  deps: ApiDependencies,
  dialect: Pick<ListenerDialect, 'render'>,
): Promise<void> {
  const id = pathId(ctx, 'id', 'listener')
  const listener = await findListener(deps.db, id, ctx.state.access.byId)
  if (listener === undefined) throw notFound('listener', id)
  ctx.state.access.authorise(listener.projectId)
  ctx.body = { listener: pick(dialect.render(listener), fieldsOf(queryOf(ctx))) }
}

async function update(ctx: ApiContext, deps: ApiDependencies, dialect: ShownListenerDialect): Promise<void> {
  const id = pathId(ctx, 'id', 'listener')
  const update = await readUpdate(ctx, await readJson(ctx), {
    resource: 'listener',
    parse: dialect.parseUpdate,
    show: async () => {
      const found = visible(ctx, await findListener(deps.db, id, ctx.state.access.byId))
      return found && dialect.render(found)
    },
  })
  const { poolId } = update.parsed
  const listener = await writing(ctx, deps, async (tx) => {
    const { stored, loadBalancer } = await lockListener(ctx, tx, id)
    const pool = await poolOf(tx, { loadBalancer, poolId, dialect })
    const shown = () => dialect.render(stored)
    const values = update.apply(shown, ({ changeFor }) => changeFor(stored, pool, loadBalancer))
    assertParentsActive(ctx, { loadBalancer })
    return noteChanges(ctx, values, shown)
      ? viewOf(await updateListener(tx, id, values), loadBalancer)
      : stored
  })
  ctx.body = { listener: dialect.render(listener) }
}

async function remove(ctx: ApiContext, deps: ApiDependencies, dialect: ListenerDialect): Promise<void> {
  const id = pathId(ctx, 'id', 'listener')
  await writing(ctx, deps, async (tx) => {
    const { stored, loadBalancer } = await lockListener(ctx, tx, id)
    // First the pool goes, or default_pool_id is set to null.
    if (dialect.deletedWithPool !== true && stored.defaultPoolId !== null) {
      assertUnused('listener', { pool: [stored.defaultPoolId] })
    }
    assertParentsActive(ctx, { loadBalancer })
    await deleteListener(tx, id)
  })
  ctx.status = 204
}

/** Reads a listener with its load balancer locked, so that what was read stays true until commit. Throws NOT_FOUND. */
async function lockListener(
  ctx: ApiContext,
  tx: Tx,
  id: string,
): Promise<{ stored: ListenerView; loadBalancer: LoadBalancer }> {
  const seen = await findListener(tx, id, ctx.state.access.byId)
  const loadBalancer = seen && (await lockLoadBalancerFor(ctx, tx, seen.loadBalancerId))
  const stored = loadBalancer && (await findListener(tx, id, undefined))
  if (stored === undefined || loadBalancer === undefined) throw notFound('listener', id)
  return { stored, loadBalancer }
}
