/** `GET …/pools/{pool_id}/health`: the number of members per status, and the health of each, paged like every list. */
import { notFound } from '../../domain/errors.ts'
import { type MemberHealth, memberHealth } from '../../domain/status/member-health.ts'
import { countMemberStates, listMemberFacts, type MemberFacts, type StateCount } from '../../store/health.ts'
import { ownerOfPool } from '../../store/members.ts'
import { type ApiContext, type ApiDependencies, pathId, type Route } from '../http/context.ts'
import { answerList } from '../http/pages.ts'

export interface PoolHealthDialect {
  readonly paths: (path: string) => readonly string[]
  readonly renderMemberHealth: (health: MemberHealth, facts: MemberFacts) => Record<string, unknown>
  readonly renderCounts: (counts: readonly StateCount[]) => Record<string, unknown>
}

export function poolHealthRoutes(deps: ApiDependencies, dialect: PoolHealthDialect): Route[] {
  return [
    {
      method: 'get',
      paths: dialect.paths('/pools/:pool_id/health'),
      handler: (ctx) => show(ctx, deps, dialect),
    },
  ]
}

async function show(ctx: ApiContext, deps: ApiDependencies, dialect: PoolHealthDialect): Promise<void> {
  const { byId, authorise } = ctx.state.access
  const poolId = pathId(ctx, 'pool_id', 'pool')
  const owner = await ownerOfPool(deps.db, poolId, byId)
  if (owner === undefined) throw notFound('pool', poolId)
  authorise(owner)
  const counts = await countMemberStates(deps.db, poolId)
  await answerList<MemberFacts>(ctx, deps, {
    name: 'members',
    resource: 'member',
    within: [{ attribute: 'pool_id', values: [poolId] }],
    read: (page) => listMemberFacts(deps.db, page),
    render: (facts) => dialect.renderMemberHealth(memberHealth(facts), facts),
  })
  ctx.body = { health: { counts: dialect.renderCounts(counts), ...(ctx.body as object) } }
}
