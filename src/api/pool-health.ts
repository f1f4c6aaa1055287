/** `GET …/pools/{pool_id}/health`: how many members are what, and the health of each, paged like every list. */
import { notFound } from '../domain/errors.ts'
import { type MemberHealth, memberHealth } from '../domain/member-health.ts'
import type { Member } from '../domain/types.ts'
import { countMemberStates, listMemberFacts, type MemberFacts, type StateCount } from '../store/health.ts'
import { MEMBER_ATTRIBUTES, poolExists } from '../store/members.ts'
import { type ApiContext, type ApiDependencies, pathId, type Route } from './context.ts'
import { answerList } from './pages.ts'

export interface PoolHealthDialect {
  readonly paths: (path: string) => readonly string[]
  readonly renderMemberHealth: (member: Member, health: MemberHealth) => Record<string, unknown>
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
  const { projectId } = ctx.state.identity
  const poolId = pathId(ctx, 'pool_id', 'pool')
  const counts = await countMemberStates(deps.db, poolId, projectId)
  if (counts.length === 0 && !(await poolExists(deps.db, poolId, projectId))) throw notFound('pool', poolId)
  await answerList<MemberFacts>(ctx, deps, {
    name: 'members',
    resource: 'member',
    attributes: MEMBER_ATTRIBUTES,
    within: [{ attribute: 'pool_id', values: [poolId] }],
    read: (page) => listMemberFacts(deps.db, page),
    render: (facts) => dialect.renderMemberHealth(facts.member, memberHealth(facts)),
  })
  ctx.body = { health: { counts: dialect.renderCounts(counts), ...(ctx.body as object) } }
}
