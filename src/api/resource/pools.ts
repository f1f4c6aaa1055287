/** `…/pools`: create, list, show, update, delete; what the bodies mean is the dialect's. */
import { isDeepStrictEqual } from 'node:util'
import { dependsOn } from '../../domain/status/dependencies.ts'
import { DomainError, notFound } from '../../domain/errors.ts'
import { poolSettings } from '../../domain/target/pool-settings.ts'
import type { Listener, LoadBalancer, Pool } from '../../domain/types.ts'
import { type Tx } from '../../store/connection/database.ts'
import { findListener, setDefaultPool } from '../../store/configuration/listeners.ts'
import { lockLoadBalancer, touchPools } from '../../store/configuration/parents.ts'
import {
  deleteChildrenOfPool,
  deletePool,
  findPool,
  insertPool,
  listPools,
  type PoolChange,
  type PoolDraft,
  type PoolView,
  updatePool,
  versionedPools,
} from '../../store/configuration/pools.ts'
import { lockPoolFor } from '../write/locked-parents.ts'
import { readJson } from '../http/body.ts'
import { type ApiContext, type ApiDependencies, pathId, type Route } from '../http/context.ts'
import { assertDependencies } from '../write/dependencies.ts'
import { answerList, pick } from '../http/pages.ts'
import { fieldsOf, queryOf } from '../http/query.ts'
import { readUpdate, visible } from '../write/resent.ts'
import { assertParentsActive, assertQuota, assertUnused, noteChanges } from '../write/rules.ts'
import { writing } from '../write/writing.ts'

/** The parents of a new pool. */
export interface PoolParents {
  readonly loadBalancer: LoadBalancer
  readonly listener: Listener | undefined
}

/** The parents that a create names: at least one. */
interface NamedParents {
  readonly loadBalancerId: string | undefined
  readonly listenerId: string | undefined
}

/** Pools as one dialect speaks of them. All parsers throw DomainErrors. */
export interface PoolDialect {
  readonly paths: (path: string) => readonly string[]
  /** The order in which a create is refused; the draft is made in its place. */
  readonly createOrder: readonly CreateStep[]
  /** A delete also deletes the pool's monitor and members; without it, a pool that has any is not deleted. */
  readonly deletesChildren: boolean
  /** Reads a create body; the draft is made and checked once the parents are known. */
  readonly parseCreate: (
    body: unknown,
    projectId: string,
  ) => NamedParents & { readonly draftFor: (parents: PoolParents) => PoolDraft }
  /** Reads an update body; returns the differences from the stored object. */
  readonly parseUpdate: (body: unknown) => (stored: Pool) => PoolChange
  readonly render: (pool: PoolView) => Record<string, unknown>
  /** `render` reads `operatingStatus`: a pool is rendered anew when it changes. */
  readonly isStatusShown: boolean
}

/** `draft`: protocols and persistence; `default pool`: the listener has one; `parents`: the load balancer's status. */
type CreateStep = 'draft' | 'default pool' | 'quota' | 'parents'

export function poolRoutes(deps: ApiDependencies, dialect: PoolDialect): Route[] {
  const collection = dialect.paths('/pools')
  const item = dialect.paths('/pools/:id')
  return [
    { method: 'post', paths: collection, handler: (ctx) => create(ctx, deps, dialect) },
    { method: 'get', paths: collection, handler: (ctx) => list(ctx, deps, dialect) },
    { method: 'get', paths: item, handler: (ctx) => show(ctx, deps, dialect) },
    { method: 'put', paths: item, handler: (ctx) => update(ctx, deps, dialect) },
    { method: 'delete', paths: item, handler: (ctx) => remove(ctx, deps, dialect) },
  ]
}

async function create(ctx: ApiContext, deps: ApiDependencies, dialect: PoolDialect): Promise<void> {
  const { projectId } = ctx.state.identity
  const { draftFor, ...named } = dialect.parseCreate(await readJson(ctx), projectId)
  const pool = await writing(ctx, deps, async (tx) => {
    const parents = await lockParents(ctx, tx, named)
    let draft: PoolDraft | undefined
    const steps: Record<CreateStep, () => Promise<void> | void> = {
      draft: () => {
        draft = draftFor(parents)
      },
      'default pool': () => assertNoDefaultPool(parents.listener),
      quota: () =>
        assertQuota(tx, deps, { projectId: parents.loadBalancer.projectId, resource: 'pool', count: 1 }),
      parents: () => assertParentsActive(ctx, { loadBalancer: parents.loadBalancer }),
    }
    for (const step of dialect.createOrder) await steps[step]()
    const wanted = draft ?? draftFor(parents)
    await assertDependencies(tx, { ...wanted, poolId: wanted.id })
    const { id } = await insertPool(tx, wanted)
    if (parents.listener !== undefined) await setDefaultPool(tx, parents.listener.id, id)
    return await readBack(tx, id)
  })
  ctx.status = 201
  ctx.body = { pool: dialect.render(pool) }
}

async function readBack(tx: Tx, id: string): Promise<PoolView> {
  const pool = await findPool(tx, id, undefined)
  if (pool === undefined) throw new Error('the pool that was just written is not there')
  return pool
}

/** The load balancer locked, the listener as it is under that lock. Throws NOT_FOUND, INVALID_FIELD. */
async function lockParents(ctx: ApiContext, tx: Tx, named: NamedParents): Promise<PoolParents> {
  const { listenerId } = named
  const { byId: projectId, authorise } = ctx.state.access
  const seen = listenerId === undefined ? undefined : await findListener(tx, listenerId, projectId)
  if (listenerId !== undefined && seen === undefined) throw notFound('listener', listenerId)
  const loadBalancerId = named.loadBalancerId ?? seen?.loadBalancerId ?? ''
  const loadBalancer = await lockLoadBalancer(tx, loadBalancerId, projectId)
  if (loadBalancer === undefined) throw notFound('loadbalancer', loadBalancerId)
  authorise(loadBalancer.projectId)
  if (listenerId === undefined) return { loadBalancer, listener: undefined }
  const listener = await findListener(tx, listenerId, projectId)
  if (listener === undefined) throw notFound('listener', listenerId)
  if (listener.loadBalancerId !== loadBalancer.id) {
    throw new DomainError(
      'POOL_DOES_NOT_FIT_LISTENER',
      `Listener ${listenerId} is not of load balancer ${loadBalancer.id}.`,
    )
  }
  return { loadBalancer, listener }
}

function assertNoDefaultPool(listener: Listener | undefined): void {
  if (listener === undefined || listener.defaultPoolId === null) return
  throw new DomainError(
    'LISTENER_HAS_POOL',
    `Listener ${listener.id} is already using default pool ${listener.defaultPoolId}`,
    { listener: listener.id, pool: listener.defaultPoolId },
  )
}

async function list(ctx: ApiContext, deps: ApiDependencies, dialect: PoolDialect): Promise<void> {
  await answerList<PoolView>(ctx, deps, {
    name: 'pools',
    resource: 'pool',
    read: (query) => listPools(deps.db, query),
    versioned: versionedPools(deps.db, { isStatusShown: dialect.isStatusShown }),
    render: dialect.render,
  })
}

async function show(ctx: ApiContext, deps: ApiDependencies, dialect: PoolDialect): Promise<void> {
  const id = pathId(ctx, 'id', 'pool')
  const pool = await findPool(deps.db, id, ctx.state.access.byId)
  if (pool === undefined) throw notFound('pool', id)
  ctx.state.access.authorise(pool.projectId)
  ctx.body = { pool: pick(dialect.render(pool), fieldsOf(queryOf(ctx))) }
}

async function update(ctx: ApiContext, deps: ApiDependencies, dialect: PoolDialect): Promise<void> {
  const id = pathId(ctx, 'id', 'pool')
  const update = await readUpdate(ctx, await readJson(ctx), {
    resource: 'pool',
    parse: dialect.parseUpdate,
    show: async () => {
      const found = visible(ctx, await findPool(deps.db, id, ctx.state.access.byId))
      return found && dialect.render(found)
    },
  })
  const after = await writing(ctx, deps, async (tx) => {
    const parents = await lockPoolFor(ctx, tx, id)
    const stored = await readBack(tx, id)
    const shown = () => dialect.render(stored)
    const values = update.apply(shown, (changeFor) => changeFor(stored))
    assertParentsActive(ctx, { loadBalancer: parents.loadBalancer })
    if (!noteChanges(ctx, values, shown)) return stored
    await updatePool(tx, id, { values, renewed: values.adminStateUp === true })
    await assertDependencies(tx, { ...stored, ...values, poolId: id }, stored.echo)
    if (changesChecks(values, stored)) await touchPools(tx, [id])
    return await readBack(tx, id)
  })
  ctx.body = { pool: dialect.render(after) }
}

/** What else changes is not probed. */
function changesChecks(values: PoolChange, stored: Pool): boolean {
  if (values.adminStateUp !== undefined) return true
  if (values.echo === undefined) return false
  return (
    !isDeepStrictEqual(dependsOn(values.echo), dependsOn(stored.echo)) ||
    !isDeepStrictEqual(poolSettings({ ...stored, ...values }), poolSettings(stored))
  )
}

async function remove(ctx: ApiContext, deps: ApiDependencies, dialect: PoolDialect): Promise<void> {
  const id = pathId(ctx, 'id', 'pool')
  await writing(ctx, deps, async (tx) => {
    const parents = await lockPoolFor(ctx, tx, id)
    const stored = await readBack(tx, id)
    assertParentsActive(ctx, { loadBalancer: parents.loadBalancer })
    if (dialect.deletesChildren) {
      await deleteChildrenOfPool(tx, id)
    } else {
      assertUnused('pool', {
        healthmonitor: stored.healthMonitorId === null ? [] : [stored.healthMonitorId],
        member: stored.memberIds === '' ? [] : stored.memberIds.split(','),
      })
    }
    await deletePool(tx, id)
  })
  ctx.status = 204
}
