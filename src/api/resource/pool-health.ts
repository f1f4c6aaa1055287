/**
 * `GET …/pools/{pool_id}/health`: the number of members per status, and the health of each, paged like every list; with
 * `wait_for`, as soon as all members that are switched on have that status.
 */
import { notFound } from '../../domain/errors.ts'
import { type MemberHealth, memberHealth } from '../../domain/status/member-health.ts'
import {
  countMemberStates,
  listMemberFacts,
  type MemberFacts,
  type StateCount,
} from '../../store/status/health.ts'
import { findPoolCounts, type MemberCounts } from '../../store/status/pool-counts.ts'
import { ownerOfPool } from '../../store/configuration/members.ts'
import { type ApiContext, type ApiDependencies, pathId, type Route } from '../http/context.ts'
import { answerList } from '../http/pages.ts'
import { type Parameters, queryOf } from '../http/query.ts'
import { admitted } from '../http/waiting.ts'
import { type AwaitedState, takeHealthWait, untilHeld } from './awaited-health.ts'

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
      admitsItself: true,
      handler: (ctx) => show(ctx, deps, dialect),
    },
  ]
}

async function show(ctx: ApiContext, deps: ApiDependencies, dialect: PoolHealthDialect): Promise<void> {
  const parameters = queryOf(ctx)
  const wait = takeHealthWait(parameters)
  const poolId = pathId(ctx, 'pool_id', 'pool')
  const answer = () => admitted(ctx, () => present(ctx, deps, { dialect, poolId, parameters }))
  if (wait === undefined) {
    ctx.body = await answer()
    return
  }
  const { shown } = await untilHeld(ctx, deps, {
    wait,
    about: { poolId },
    read: () => visibleCounts(ctx, deps, poolId),
    holds: (counts) => allAre(wait.state, counts),
  })
  // A client that left during the wait needs no answer.
  if (ctx.res.destroyed) return
  ctx.body = { ...(await answer()), wait: shown }
}

/** Throws NOT_FOUND and FORBIDDEN. */
async function assertVisible(ctx: ApiContext, deps: ApiDependencies, poolId: string): Promise<void> {
  const { byId, authorise } = ctx.state.access
  const owner = await ownerOfPool(deps.db, poolId, byId)
  if (owner === undefined) throw notFound('pool', poolId)
  authorise(owner)
}

async function visibleCounts(ctx: ApiContext, deps: ApiDependencies, poolId: string): Promise<MemberCounts> {
  await assertVisible(ctx, deps, poolId)
  return await findPoolCounts(deps.db, poolId)
}

/** Whether every member that is switched on has this status from probes of the present configuration; there must be one. */
export function allAre(state: AwaitedState, counts: MemberCounts): boolean {
  const on = counts.members - counts.disabled
  return on > 0 && counts.pending === 0 && (state === 'ONLINE' ? counts.online : counts.offline) === on
}

interface Shown {
  readonly dialect: PoolHealthDialect
  readonly poolId: string
  /** Those of the page. */
  readonly parameters: Parameters
}

async function present(
  ctx: ApiContext,
  deps: ApiDependencies,
  { dialect, poolId, parameters }: Shown,
): Promise<{ readonly health: object }> {
  await assertVisible(ctx, deps, poolId)
  const counts = await countMemberStates(deps.db, poolId)
  await answerList<MemberFacts>(ctx, deps, {
    name: 'members',
    resource: 'member',
    parameters,
    within: [{ attribute: 'pool_id', values: [poolId] }],
    read: (page) => listMemberFacts(deps.db, page),
    render: (facts) => dialect.renderMemberHealth(memberHealth(facts), facts),
  })
  return { health: { counts: dialect.renderCounts(counts), ...(ctx.body as object) } }
}
