/** `GET …/pools/{pool_id}/members/{id}/health`: the status of a member, since when, why, and the last results. */
import { type MemberHealth, memberHealth } from '../../domain/status/member-health.ts'
import { findMemberFacts, type MemberFacts } from '../../store/health.ts'
import type { ApiContext, ApiDependencies, Route } from '../http/context.ts'
import { memberKey, memberNotFound } from './members.ts'

export interface MemberHealthDialect {
  readonly paths: (path: string) => readonly string[]
  readonly renderHealth: (health: MemberHealth, facts: MemberFacts) => Record<string, unknown>
}

export function memberHealthRoutes(deps: ApiDependencies, dialect: MemberHealthDialect): Route[] {
  return [
    {
      method: 'get',
      paths: dialect.paths('/pools/:pool_id/members/:id/health'),
      handler: (ctx) => show(ctx, deps, dialect),
    },
  ]
}

async function show(ctx: ApiContext, deps: ApiDependencies, dialect: MemberHealthDialect): Promise<void> {
  const key = memberKey(ctx)
  const facts = await findMemberFacts(deps.db, key)
  if (facts === undefined) throw await memberNotFound(deps.db, key)
  ctx.state.access.authorise(facts.member.projectId)
  ctx.body = { health: dialect.renderHealth(memberHealth(facts), facts) }
}
