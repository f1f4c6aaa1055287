/** `GET …/loadbalancers/{id}/statuses` and `/status`: the statuses of a load balancer and of everything below it. */
import { DomainError, notFound } from '../../domain/errors.ts'
import { STATUS_TREE_MEMBERS_MAX } from '../../domain/limits.ts'
import {
  readStatusTree,
  type StatusTree,
  type StatusTreeKey,
  type TreeMember,
} from '../../store/status/status-tree.ts'
import { type ApiContext, type ApiDependencies, pathId, type Route } from '../http/context.ts'
import { sharerOf } from '../http/sharer.ts'

export interface StatusTreeDialect {
  readonly paths: (path: string) => readonly string[]
  /** Which members it shows: others are not read, and do not count for any status. */
  readonly membersOf: StatusTreeKey['membersOf']
  /** Renders members in slices: there may be thousands. */
  readonly render: (tree: StatusTree, sharer: string) => Promise<Record<string, unknown>>
}

export function statusTreeRoutes(deps: ApiDependencies, dialect: StatusTreeDialect): Route[] {
  const paths = ['/loadbalancers/:id/statuses', '/loadbalancers/:id/status'].flatMap(dialect.paths)
  return [{ method: 'get', paths, handler: (ctx) => show(ctx, deps, dialect) }]
}

async function show(ctx: ApiContext, deps: ApiDependencies, dialect: StatusTreeDialect): Promise<void> {
  const id = pathId(ctx, 'id', 'loadbalancer')
  const { byId, authorise } = ctx.state.access
  const tree = await readStatusTree(deps.db, {
    id,
    projectId: byId,
    membersMax: STATUS_TREE_MEMBERS_MAX,
    membersOf: dialect.membersOf,
  })
  if (tree === undefined) throw notFound('loadbalancer', id)
  authorise(tree.loadBalancer.projectId)
  if (tree.members.length > STATUS_TREE_MEMBERS_MAX) {
    const message = `The load balancer has more than ${STATUS_TREE_MEMBERS_MAX} members; list them with /members?loadbalancer_id=${id}.`
    throw new DomainError('TOO_MANY_ITEMS', message, { max: STATUS_TREE_MEMBERS_MAX })
  }
  ctx.body = await dialect.render(tree, sharerOf(ctx.state.identity))
}

/** Renders the members of each pool, one `values` for each of `members`, in the order of the tree. */
export function membersByPool<Value>(
  members: readonly TreeMember[],
  values: readonly Value[],
): ReadonlyMap<string, readonly Value[]> {
  const pools = new Map<string, Value[]>()
  for (const [i, { poolId }] of members.entries()) {
    const siblings = pools.get(poolId) ?? []
    if (siblings.length === 0) pools.set(poolId, siblings)
    const value = values[i]
    if (value !== undefined) siblings.push(value)
  }
  return pools
}
