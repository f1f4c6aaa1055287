/**
 * `GET …/pools/{pool_id}/members/{id}/health`: the status of a member, since when, why, and the last results; with `wait_for`,
 * as soon as the status is that one.
 */
import { type MemberHealth, memberHealth } from '../../domain/status/member-health.ts'
import { findMemberFacts, type MemberFacts } from '../../store/status/health.ts'
import type { ApiContext, ApiDependencies, Route } from '../http/context.ts'
import { queryOf } from '../http/query.ts'
import { admitted } from '../http/waiting.ts'
import { takeHealthWait, untilHeld } from './awaited-health.ts'
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
      admitsItself: true,
      handler: (ctx) => show(ctx, deps, dialect),
    },
  ]
}

async function show(ctx: ApiContext, deps: ApiDependencies, dialect: MemberHealthDialect): Promise<void> {
  const wait = takeHealthWait(queryOf(ctx))
  const read = () => visibleFacts(ctx, deps)
  const render = (facts: MemberFacts) => ({ health: dialect.renderHealth(memberHealth(facts), facts) })
  if (wait === undefined) {
    ctx.body = render(await admitted(ctx, read))
    return
  }
  const { id: memberId } = memberKey(ctx)
  const holds = ({ state, pending }: MemberFacts) => state === wait.state && !pending
  const { found, shown } = await untilHeld(ctx, deps, { wait, about: { memberId }, read, holds })
  ctx.body = { ...render(found), wait: shown }
}

/** What is known of the member that a path names, for who may see it. Throws NOT_FOUND and FORBIDDEN. */
export async function visibleFacts(ctx: ApiContext, deps: ApiDependencies): Promise<MemberFacts> {
  const key = memberKey(ctx)
  const facts = await findMemberFacts(deps.db, key)
  if (facts === undefined) throw await memberNotFound(deps.db, key)
  ctx.state.access.authorise(facts.member.projectId)
  return facts
}
