/** `…/loadbalancers`: create, list, show, update, delete; what the bodies mean is the dialect's. */
import { DomainError, notFound } from '../../domain/errors.ts'
import {
  deleteBelowLoadBalancer,
  deleteLoadBalancer,
  findLoadBalancer,
  listLoadBalancers,
  type LoadBalancerChange,
  type LoadBalancerKey,
  type LoadBalancerView,
  type StatusMeaning,
  updateLoadBalancer,
} from '../../store/configuration/load-balancers.ts'
import { touchLoadBalancer } from '../../store/configuration/parents.ts'
import type { LoadBalancer, ProvisioningStatus } from '../../domain/types.ts'
import { lockLoadBalancerFor } from '../write/locked-parents.ts'
import { readJson } from '../http/body.ts'
import { type ApiContext, type ApiDependencies, type ApiState, pathId, type Route } from '../http/context.ts'
import { type CreatedBelow, insertTree, type LoadBalancerTree, readTree } from './load-balancer-tree.ts'
import { answerList, pick } from '../http/pages.ts'
import { fieldsOf, type Parameters, queryOf } from '../http/query.ts'
import { readUpdate, visible } from '../write/resent.ts'
import { assertUnused, noteChanges } from '../write/rules.ts'
import { writing } from '../write/writing.ts'

/** Who creates something, and for whom that is allowed. */
export type Asker = Pick<ApiState, 'identity' | 'access'>

/** Load balancers as one dialect speaks of them. All parsers throw DomainErrors. */
export interface LoadBalancerDialect {
  readonly paths: (path: string) => readonly string[]
  readonly operatingStatus: StatusMeaning
  readonly parseCreate: (body: unknown, asker: Asker) => LoadBalancerTree | Promise<LoadBalancerTree>
  /** Reads an update body; returns the differences from the stored object. */
  readonly parseUpdate: (body: unknown) => (stored: LoadBalancer) => LoadBalancerChange
  readonly render: (loadBalancer: LoadBalancerView) => Record<string, unknown>
  /** The answer to a create, where it differs. */
  readonly renderCreated?: (
    loadBalancer: LoadBalancerView,
    below: CreatedBelow,
  ) => Promise<Record<string, unknown>>
  /** A create may have all children in its body. */
  readonly createsTree?: true
  /** Whether a delete also deletes the children. Absent: there is no such delete. */
  readonly isCascade?: (parameters: Parameters) => boolean
}

export function loadBalancerRoutes(deps: ApiDependencies, dialect: LoadBalancerDialect): Route[] {
  const collection = dialect.paths('/loadbalancers')
  const item = dialect.paths('/loadbalancers/:id')
  return [
    {
      method: 'post',
      paths: collection,
      ...(dialect.createsTree === true ? { largeBody: true } : {}),
      handler: (ctx) => create(ctx, deps, dialect),
    },
    { method: 'get', paths: collection, handler: (ctx) => list(ctx, deps, dialect) },
    { method: 'get', paths: item, handler: (ctx) => show(ctx, deps, dialect) },
    { method: 'put', paths: item, handler: (ctx) => update(ctx, deps, dialect) },
    { method: 'delete', paths: item, handler: (ctx) => remove(ctx, deps, dialect) },
  ]
}

async function create(ctx: ApiContext, deps: ApiDependencies, dialect: LoadBalancerDialect): Promise<void> {
  const tree = await dialect.parseCreate(await readJson(ctx), ctx.state)
  const { view, below } = await writing(ctx, deps, async (tx) => {
    await insertTree(tx, deps, tree)
    const { id, projectId } = tree.loadBalancer
    const created = await findLoadBalancer(tx, { id, projectId, meaning: dialect.operatingStatus })
    if (created === undefined) throw new Error('the load balancer that was just written is not there')
    return { view: created, below: await readTree(tx, tree) }
  })
  ctx.status = 201
  ctx.body = { loadbalancer: (await dialect.renderCreated?.(view, below)) ?? dialect.render(view) }
}

async function list(ctx: ApiContext, deps: ApiDependencies, dialect: LoadBalancerDialect): Promise<void> {
  await answerList<LoadBalancerView>(ctx, deps, {
    name: 'loadbalancers',
    resource: 'loadbalancer',
    read: (query) => listLoadBalancers(deps.db, query, dialect.operatingStatus),
    render: dialect.render,
  })
}

async function show(ctx: ApiContext, deps: ApiDependencies, dialect: LoadBalancerDialect): Promise<void> {
  const id = pathId(ctx, 'id', 'loadbalancer')
  const loadBalancer = await findLoadBalancer(deps.db, keyOf(ctx, id, dialect))
  if (loadBalancer === undefined) throw notFound('loadbalancer', id)
  ctx.state.access.authorise(loadBalancer.projectId)
  ctx.body = { loadbalancer: pick(dialect.render(loadBalancer), fieldsOf(queryOf(ctx))) }
}

async function update(ctx: ApiContext, deps: ApiDependencies, dialect: LoadBalancerDialect): Promise<void> {
  const id = pathId(ctx, 'id', 'loadbalancer')
  const { parsed: changeFor } = await readUpdate(ctx, await readJson(ctx), {
    resource: 'loadbalancer',
    parse: dialect.parseUpdate,
    show: async () => {
      const found = visible(ctx, await findLoadBalancer(deps.db, keyOf(ctx, id, dialect)))
      return found && dialect.render(found)
    },
  })
  const loadBalancer = await writing(ctx, deps, async (tx) => {
    const stored = await lockLoadBalancerFor(ctx, tx, id)
    assertChangeable(ctx, stored, ['ACTIVE'])
    const values = changeFor(stored)
    if (noteChanges(ctx, values)) {
      await updateLoadBalancer(tx, id, { values, renewed: values.adminStateUp === true })
    }
    if (values.adminStateUp !== undefined) await touchLoadBalancer(tx, id)
    const after = await findLoadBalancer(tx, keyOf(ctx, id, dialect))
    if (after !== undefined) ctx.state.before = dialect.render({ ...after, ...stored })
    return after
  })
  if (loadBalancer === undefined) throw notFound('loadbalancer', id)
  ctx.body = { loadbalancer: dialect.render(loadBalancer) }
}

async function remove(ctx: ApiContext, deps: ApiDependencies, dialect: LoadBalancerDialect): Promise<void> {
  const id = pathId(ctx, 'id', 'loadbalancer')
  const isCascade = dialect.isCascade?.(queryOf(ctx)) ?? false
  await writing(ctx, deps, async (tx) => {
    await lockLoadBalancerFor(ctx, tx, id)
    const stored = await findLoadBalancer(tx, { id, projectId: undefined, meaning: 'switch' })
    if (stored === undefined) throw notFound('loadbalancer', id)
    if (!isCascade) assertUnused('loadbalancer', { listener: stored.listenerIds, pool: stored.poolIds }, id)
    assertChangeable(ctx, stored, SETTLED)
    if (isCascade) await deleteBelowLoadBalancer(tx, id)
    await deleteLoadBalancer(tx, id)
  })
  ctx.status = 204
}

/** Where a load balancer may be in order to be deleted or failed over. */
export const SETTLED: readonly ProvisioningStatus[] = ['ACTIVE', 'ERROR']

/** Throws IMMUTABLE, in dialects that check it, when the load balancer is not in one of these statuses. */
export function assertChangeable(
  ctx: ApiContext,
  { id, provisioningStatus: state }: LoadBalancer,
  statuses: readonly ProvisioningStatus[],
): void {
  if (!ctx.state.dialect.writes.needsActiveParents || statuses.includes(state)) return
  const message = `Invalid state ${state} of loadbalancer resource ${id}`
  throw new DomainError('IMMUTABLE', message, { resource: 'loadbalancer', id, state })
}

function keyOf(ctx: ApiContext, id: string, dialect: LoadBalancerDialect): LoadBalancerKey {
  return { id, projectId: ctx.state.access.byId, meaning: dialect.operatingStatus }
}
