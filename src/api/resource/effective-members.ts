/**
 * `GET …/pools/{pool_id}/effective-members`: who should get what is sent to a pool now, and why (ADR 36). The same words in every
 * API: it is ours, and read by what sets up a load balancer.
 */
import { notFound } from '../../domain/errors.ts'
import { EFFECTIVE_MEMBERS_PAGE, EFFECTIVE_MEMBERS_PAGE_DEFAULT } from '../../domain/limits.ts'
import { memberTraffic, TRAFFIC_KINDS, TRAFFIC_REASONS } from '../../domain/pool-health/traffic.ts'
import {
  type EffectiveMember,
  type EffectiveMembers,
  findEffectiveMembers,
} from '../../store/status/effective-members.ts'
import { type ApiContext, type ApiDependencies, pathId, type Route } from '../http/context.ts'
import { invalidQuery, type Parameters } from '../http/query.ts'
import { idOf, inRange, knownParameters, numberOf } from '../v1/parameters.ts'

export interface EffectiveMembersDialect {
  readonly paths: (path: string) => readonly string[]
}

export function effectiveMemberRoutes(deps: ApiDependencies, dialect: EffectiveMembersDialect): Route[] {
  return [
    {
      method: 'get',
      paths: dialect.paths('/pools/:pool_id/effective-members'),
      handler: (ctx) => show(ctx, deps),
    },
  ]
}

async function show(ctx: ApiContext, deps: ApiDependencies): Promise<void> {
  const poolId = pathId(ctx, 'pool_id', 'pool')
  const parameters = knownParameters(ctx, ['receives', 'limit', 'marker'])
  const limit = inRange(
    numberOf(parameters, 'limit') ?? EFFECTIVE_MEMBERS_PAGE_DEFAULT,
    'limit',
    EFFECTIVE_MEMBERS_PAGE,
  )
  const found = await findEffectiveMembers(deps.db, {
    poolId,
    projectId: ctx.state.access.byId,
    reach: ctx.state.reach ?? 'lbaas',
    receives: receivesOf(parameters),
    after: idOf(parameters, 'marker'),
    // One more shows whether there is a next page.
    limit: limit + 1,
  })
  if (found === undefined) throw notFound('pool', poolId)
  ctx.state.access.authorise(found.projectId)
  ctx.body = { effective_members: { pool_id: poolId, ...render(found, limit) } }
}

/** Throws INVALID_QUERY. */
function receivesOf(parameters: Parameters): boolean | undefined {
  const word = parameters.get('receives')
  if (word === null) return undefined
  if (word !== 'true' && word !== 'false') throw invalidQuery('receives must be true or false.')
  return word === 'true'
}

function render({ traffic, rule, counts, members }: EffectiveMembers, limit: number): object {
  const page = members.slice(0, limit)
  return {
    traffic: traffic.kind,
    why: `${TRAFFIC_KINDS[traffic.kind]}.`,
    first: traffic.first,
    backups: traffic.backups,
    rule: rule.whenTooFew && {
      at_least: rule.atLeast,
      percent: rule.percent,
      when_too_few: rule.whenTooFew,
      overprovisioning_percent: rule.overprovisioningPercent,
    },
    counts: {
      members: counts.members,
      able: counts.able,
      passing: counts.passing,
      able_backup: counts.ableBackup,
      passing_backup: counts.passingBackup,
    },
    members: page.map((member) => renderMember(member, traffic)),
    next: members.length > limit ? (page.at(-1)?.id ?? null) : null,
  }
}

function renderMember(member: EffectiveMember, traffic: EffectiveMembers['traffic']): object {
  const { id, name, address, protocolPort, weight, backup } = member
  const { receives, why } = memberTraffic(member, traffic)
  return {
    id,
    name,
    address,
    protocol_port: protocolPort,
    weight,
    backup,
    receives,
    reason: why,
    why: `${TRAFFIC_REASONS[why]}.`,
  }
}
