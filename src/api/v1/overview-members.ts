/**
 * `GET /v1/overview/pools/{id}`, its members with the worst first, and `GET /v1/overview/members/{id}`: the health of each
 * in neutral words, with the reason as a sentence.
 */
import { notFound } from '../../domain/errors.ts'
import { memberHealth } from '../../domain/status/member-health.ts'
import { statusSentence } from '../../domain/status/status-sentence.ts'
import { type MemberFacts, readMemberFacts } from '../../store/status/health.ts'
import { findHealthMonitorOfPool } from '../../store/status/overview-monitor.ts'
import {
  countStaleMembers,
  findPoolOfMember,
  listPoolMembersWorstFirst,
} from '../../store/status/overview-members.ts'
import { findOverviewPool, type OverviewPoolRow } from '../../store/status/overview.ts'
import { renderHealth } from '../dialect/rendered-health.ts'
import { type ApiContext, type ApiDependencies, pathId, type Route } from '../http/context.ts'
import { assertReadable, pageOf, renderPage, renderPool } from './overview.ts'

export function overviewMemberRoutes(deps: ApiDependencies): Route[] {
  return [
    { method: 'get', paths: ['/v1/overview/pools/:id'], handler: (ctx) => showPool(ctx, deps) },
    { method: 'get', paths: ['/v1/overview/pools/:id/members'], handler: (ctx) => listMembers(ctx, deps) },
    { method: 'get', paths: ['/v1/overview/members/:id'], handler: (ctx) => showMember(ctx, deps) },
  ]
}

async function showPool(ctx: ApiContext, deps: ApiDependencies): Promise<void> {
  const pool = await poolOf(ctx, deps)
  const [stale, monitor] = await Promise.all([
    countStaleMembers(deps.db, pool.id),
    findHealthMonitorOfPool(deps.db, pool.id),
  ])
  const shown = renderPool(pool)
  ctx.body = {
    pool: {
      ...shown,
      members: { ...(shown['members'] as object), stale },
      healthmonitor: monitor ?? null,
    },
  }
}

async function listMembers(ctx: ApiContext, deps: ApiDependencies): Promise<void> {
  const pool = await poolOf(ctx, deps)
  const page = pageOf(ctx, [])
  const ids = await listPoolMembersWorstFirst(deps.db, { ...page, poolId: pool.id, limit: page.limit + 1 })
  const facts = ids === undefined ? [] : await readMemberFacts(deps.db, pool.id, ids.slice(0, page.limit))
  const byId = new Map(facts.map((each) => [each.id, each]))
  // One that was deleted in between is not shown.
  const rendered = renderPage(
    'members',
    ids?.map((id) => ({ id })),
    { page, render: ({ id }) => renderMember(byId.get(id)) },
  )
  ctx.body = { ...rendered, members: (rendered['members'] as object[]).filter((member) => 'id' in member) }
}

async function showMember(ctx: ApiContext, deps: ApiDependencies): Promise<void> {
  const id = pathId(ctx, 'id', 'member')
  const owner = await findPoolOfMember(deps.db, id)
  if (owner === undefined) throw notFound('member', id)
  assertReadable(ctx, owner.project_id, notFound('member', id))
  const [facts, pool, monitor] = await Promise.all([
    readMemberFacts(deps.db, owner.pool_id, [id]),
    findOverviewPool(deps.db, owner.pool_id),
    findHealthMonitorOfPool(deps.db, owner.pool_id),
  ])
  const [member] = facts
  if (member === undefined || pool === undefined) throw notFound('member', id)
  ctx.body = {
    member: {
      ...renderMember(member),
      pool: renderPool(pool),
      healthmonitor: monitor ?? null,
    },
  }
}

async function poolOf(ctx: ApiContext, deps: ApiDependencies): Promise<OverviewPoolRow> {
  const id = pathId(ctx, 'id', 'pool')
  const pool = await findOverviewPool(deps.db, id)
  if (pool === undefined) throw notFound('pool', id)
  assertReadable(ctx, pool.project_id, notFound('pool', id))
  return pool
}

/** Empty for a member that is gone. */
function renderMember(facts: MemberFacts | undefined): Record<string, unknown> {
  if (facts === undefined) return {}
  const { member } = facts
  const health = memberHealth(facts)
  return {
    id: member.id,
    name: member.name,
    project_id: member.projectId,
    pool_id: member.poolId,
    address: member.address,
    protocol_port: member.protocolPort,
    admin_state_up: member.adminStateUp,
    weight: member.weight,
    backup: member.backup,
    why: statusSentence(health.reason),
    ...renderHealth(health.state, health),
    evidence: facts.verdict?.evidence ?? null,
  }
}
