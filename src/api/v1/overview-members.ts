/**
 * `GET /v1/overview/pools/{id}`, its members with the worst first, and `GET /v1/overview/members/{id}`: the health of each
 * in neutral words, with the reason as a sentence; with `wait_for`, as soon as that is the status. Of every pool and member,
 * whichever API keeps it.
 */
import { notFound } from '../../domain/errors.ts'
import { memberHealth } from '../../domain/status/member-health.ts'
import { statusSentence } from '../../domain/status/status-sentence.ts'
import { onOneConnection } from '../../store/connection/database.ts'
import { type MemberFacts, readMemberFacts } from '../../store/status/health.ts'
import { findHealthMonitorOfPool } from '../../store/status/overview-monitor.ts'
import {
  countStaleMembers,
  findPoolOfMember,
  listPoolMembersWorstFirst,
} from '../../store/status/overview-members.ts'
import { findOverviewPool, type OverviewPoolRow } from '../../store/status/overview.ts'
import { findPoolCounts } from '../../store/status/pool-counts.ts'
import { renderHealth } from '../dialect/rendered-health.ts'
import { type ApiContext, type ApiDependencies, pathId, type Route } from '../http/context.ts'
import { queryOf } from '../http/query.ts'
import { admitted } from '../http/waiting.ts'
import { takeHealthWait, untilHeld } from '../resource/awaited-health.ts'
import { allAre } from '../resource/pool-health.ts'
import { assertReadable, pageOf, renderPage, renderPool } from './overview.ts'

export function overviewMemberRoutes(deps: ApiDependencies): Route[] {
  return [
    {
      method: 'get',
      paths: ['/v1/overview/pools/:id'],
      admitsItself: true,
      handler: (ctx) => showPool(ctx, deps),
    },
    { method: 'get', paths: ['/v1/overview/pools/:id/members'], handler: (ctx) => listMembers(ctx, deps) },
    {
      method: 'get',
      paths: ['/v1/overview/members/:id'],
      admitsItself: true,
      handler: (ctx) => showMember(ctx, deps),
    },
  ]
}

async function showPool(ctx: ApiContext, deps: ApiDependencies): Promise<void> {
  const wait = takeHealthWait(queryOf(ctx))
  const answer = () => admitted(ctx, () => presentPool(ctx, deps))
  if (wait === undefined) {
    ctx.body = await answer()
    return
  }
  const { shown } = await untilHeld(ctx, deps, {
    wait,
    about: { poolId: pathId(ctx, 'id', 'pool') },
    read: async () => await findPoolCounts(deps.db, (await poolOf(ctx, deps)).id),
    holds: (counts) => allAre(wait.state, counts),
  })
  // A client that left during the wait needs no answer.
  if (ctx.res.destroyed) return
  ctx.body = { ...(await answer()), wait: shown }
}

async function presentPool(ctx: ApiContext, deps: ApiDependencies): Promise<object> {
  const pool = await poolOf(ctx, deps)
  const [stale, monitor] = await onOneConnection(deps.db, (tx) =>
    Promise.all([countStaleMembers(tx, pool.id), findHealthMonitorOfPool(tx, pool.id)]),
  )
  const shown = renderPool(pool)
  return {
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
  const wait = takeHealthWait(queryOf(ctx))
  const read = () => presentMember(ctx, deps)
  if (wait === undefined) {
    ctx.body = (await admitted(ctx, read)).body
    return
  }
  const memberId = pathId(ctx, 'id', 'member')
  const holds = ({ facts: { state, pending } }: PresentMember) => state === wait.state && !pending
  const { found, shown } = await untilHeld(ctx, deps, { wait, about: { memberId }, read, holds })
  ctx.body = { ...found.body, wait: shown }
}

interface PresentMember {
  readonly facts: MemberFacts
  readonly body: object
}

async function presentMember(ctx: ApiContext, deps: ApiDependencies): Promise<PresentMember> {
  const id = pathId(ctx, 'id', 'member')
  const owner = await findPoolOfMember(deps.db, id)
  if (owner === undefined) throw notFound('member', id)
  assertReadable(ctx, owner.project_id, notFound('member', id))
  const [facts, pool, monitor] = await onOneConnection(deps.db, (tx) =>
    Promise.all([
      readMemberFacts(tx, owner.pool_id, [id]),
      findOverviewPool(tx, owner.pool_id),
      findHealthMonitorOfPool(tx, owner.pool_id),
    ]),
  )
  const [member] = facts
  if (member === undefined || pool === undefined) throw notFound('member', id)
  const shown = { ...renderMember(member), pool: renderPool(pool), healthmonitor: monitor ?? null }
  return { facts: member, body: { member: shown } }
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
