/** `…/loadbalancers`: create, list, show, update, delete; what the bodies mean is the dialect's. */
import { notFound } from '../domain/errors.ts'
import { transaction } from '../store/database.ts'
import {
  deleteLoadBalancer,
  findLoadBalancer,
  insertLoadBalancer,
  listLoadBalancers,
  LOAD_BALANCER_ATTRIBUTES,
  LOAD_BALANCER_SORTABLE,
  type LoadBalancerChange,
  type LoadBalancerDraft,
  type LoadBalancerView,
  updateLoadBalancer,
} from '../store/load-balancers.ts'
import { lockLoadBalancer, touchLoadBalancer } from '../store/parents.ts'
import type { LoadBalancer } from '../domain/types.ts'
import { readJson } from './body.ts'
import { type ApiContext, type ApiDependencies, pathId, type Route } from './context.ts'
import { answerList, pick } from './pages.ts'
import { fieldsOf, queryOf } from './query.ts'
import { assertQuota, assertUnused } from './rules.ts'

/** Load balancers as one dialect speaks of them. All parsers throw DomainErrors. */
export interface LoadBalancerDialect {
  readonly paths: (path: string) => readonly string[]
  readonly parseCreate: (body: unknown, projectId: string) => LoadBalancerDraft
  /** Reads an update body; gives what differs from what is stored. */
  readonly parseUpdate: (body: unknown) => (stored: LoadBalancer) => LoadBalancerChange
  readonly render: (loadBalancer: LoadBalancerView) => Record<string, unknown>
}

export function loadBalancerRoutes(deps: ApiDependencies, dialect: LoadBalancerDialect): Route[] {
  const collection = dialect.paths('/loadbalancers')
  const item = dialect.paths('/loadbalancers/:id')
  return [
    { method: 'post', paths: collection, handler: (ctx) => create(ctx, deps, dialect) },
    { method: 'get', paths: collection, handler: (ctx) => list(ctx, deps, dialect) },
    { method: 'get', paths: item, handler: (ctx) => show(ctx, deps, dialect) },
    { method: 'put', paths: item, handler: (ctx) => update(ctx, deps, dialect) },
    { method: 'delete', paths: item, handler: (ctx) => remove(ctx, deps) },
  ]
}

async function create(ctx: ApiContext, deps: ApiDependencies, dialect: LoadBalancerDialect): Promise<void> {
  const { projectId } = ctx.state.identity
  const draft = dialect.parseCreate(await readJson(ctx), projectId)
  const created = await transaction(deps.db, async (tx) => {
    await assertQuota(tx, deps, { projectId: draft.projectId, resource: 'loadbalancer', count: 1 })
    return await insertLoadBalancer(tx, draft)
  })
  ctx.status = 201
  ctx.body = { loadbalancer: dialect.render({ ...created, listenerIds: [], poolIds: [] }) }
}

async function list(ctx: ApiContext, deps: ApiDependencies, dialect: LoadBalancerDialect): Promise<void> {
  await answerList<LoadBalancerView>(ctx, deps, {
    name: 'loadbalancers',
    resource: 'loadbalancer',
    attributes: LOAD_BALANCER_ATTRIBUTES,
    sortable: LOAD_BALANCER_SORTABLE,
    read: (query) => listLoadBalancers(deps.db, query),
    render: dialect.render,
  })
}

async function show(ctx: ApiContext, deps: ApiDependencies, dialect: LoadBalancerDialect): Promise<void> {
  const id = pathId(ctx, 'id', 'loadbalancer')
  const loadBalancer = await findLoadBalancer(deps.db, id, ctx.state.identity.projectId)
  if (loadBalancer === undefined) throw notFound('loadbalancer', id)
  ctx.body = { loadbalancer: pick(dialect.render(loadBalancer), fieldsOf(queryOf(ctx))) }
}

async function update(ctx: ApiContext, deps: ApiDependencies, dialect: LoadBalancerDialect): Promise<void> {
  const id = pathId(ctx, 'id', 'loadbalancer')
  const { projectId } = ctx.state.identity
  const changeFor = dialect.parseUpdate(await readJson(ctx))
  const loadBalancer = await transaction(deps.db, async (tx) => {
    const stored = await lockLoadBalancer(tx, id, projectId)
    if (stored === undefined) throw notFound('loadbalancer', id)
    const values = changeFor(stored)
    if (Object.keys(values).length > 0) {
      await updateLoadBalancer(tx, id, { values, renewed: values.adminStateUp === true })
    }
    if (values.adminStateUp !== undefined) await touchLoadBalancer(tx, id)
    return await findLoadBalancer(tx, id, projectId)
  })
  if (loadBalancer === undefined) throw notFound('loadbalancer', id)
  ctx.body = { loadbalancer: dialect.render(loadBalancer) }
}

async function remove(ctx: ApiContext, deps: ApiDependencies): Promise<void> {
  const id = pathId(ctx, 'id', 'loadbalancer')
  const { projectId } = ctx.state.identity
  await transaction(deps.db, async (tx) => {
    await lockLoadBalancer(tx, id, projectId)
    const stored = await findLoadBalancer(tx, id, projectId)
    if (stored === undefined) throw notFound('loadbalancer', id)
    assertUnused('loadbalancer', { listener: stored.listenerIds, pool: stored.poolIds })
    await deleteLoadBalancer(tx, id)
  })
  ctx.status = 204
}
