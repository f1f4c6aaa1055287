/** `…/pools/{pool_id}/members`: create, list, show, update, delete; what the bodies mean is the dialect's. */
import { DomainError, notFound } from '../../domain/errors.ts'
import { isRetargeted } from '../../domain/target/retargeting.ts'
import type { HealthMonitor } from '../../domain/health-monitor.ts'
import type { Member, Pool } from '../../domain/types.ts'
import { type Db, type Tx } from '../../store/connection/database.ts'
import { findMonitorOfPool } from '../../store/configuration/health-monitors.ts'
import {
  deleteMember,
  findMember,
  insertMember,
  listMembers,
  type MemberChange,
  type MemberDraft,
  MemberExistsError,
  type MemberKey,
  type MemberView,
  ownerOfPool,
  poolExists,
  updateMember,
  versionedMembers,
} from '../../store/configuration/members.ts'
import { tellShards, touchPools } from '../../store/configuration/parents.ts'
import { lockPoolFor } from '../write/locked-parents.ts'
import { readJson } from '../http/body.ts'
import { type ApiContext, type ApiDependencies, pathId, type Route } from '../http/context.ts'
import { assertDependencies } from '../write/dependencies.ts'
import { answerList, pick } from '../http/pages.ts'
import { fieldsOf, queryOf } from '../http/query.ts'
import { assertProbeRate, memberDemand } from '../write/probe-rate.ts'
import { readUpdate, visible } from '../write/resent.ts'
import { assertParentsActive, assertQuota, assertTargetAllowed, noteChanges } from '../write/rules.ts'
import { writing } from '../write/writing.ts'

/** Members as one dialect speaks of them. All parsers throw DomainErrors. */
export interface MemberDialect {
  readonly paths: (path: string) => readonly string[]
  /** Reads a create body; the draft is made once the pool is known. */
  readonly parseCreate: (body: unknown, projectId: string) => (pool: Pool) => MemberDraft
  /** Reads an update body; returns the differences from the stored object. */
  readonly parseUpdate: (body: unknown) => (stored: Member) => MemberChange
  readonly render: (member: MemberView) => Record<string, unknown>
}

export function memberRoutes(deps: ApiDependencies, dialect: MemberDialect): Route[] {
  const collection = dialect.paths('/pools/:pool_id/members')
  const item = dialect.paths('/pools/:pool_id/members/:id')
  return [
    { method: 'post', paths: collection, handler: (ctx) => create(ctx, deps, dialect) },
    { method: 'get', paths: collection, handler: (ctx) => list(ctx, deps, dialect) },
    { method: 'get', paths: item, handler: (ctx) => show(ctx, deps, dialect) },
    { method: 'put', paths: item, handler: (ctx) => update(ctx, deps, dialect) },
    { method: 'delete', paths: item, handler: (ctx) => remove(ctx, deps) },
  ]
}

async function create(ctx: ApiContext, deps: ApiDependencies, dialect: MemberDialect): Promise<void> {
  const { projectId } = ctx.state.identity
  const poolId = pathId(ctx, 'pool_id', 'pool')
  const draftFor = dialect.parseCreate(await readJson(ctx), projectId)
  const member = await writing(ctx, deps, async (tx) => {
    const parents = await lockPoolFor(ctx, tx, poolId)
    const draft = draftFor(parents.pool)
    await assertQuota(tx, deps, { projectId: draft.projectId, resource: 'member', count: 1 })
    assertParentsActive(ctx, parents)
    const monitor = await assertTargetsAllowed(tx, deps, poolId, [draft])
    await assertDependencies(tx, draft)
    const id = await insertOrRefuse(tx, draft)
    tellShards(tx, [parents])
    const [created] = await Promise.all([
      readBack(tx, { poolId, id, projectId: undefined }),
      assertProbeRate(tx, deps, { projectId: draft.projectId, raise: memberDemand(monitor) }),
    ])
    return created
  })
  ctx.status = 201
  ctx.body = { member: dialect.render(member) }
}

async function list(ctx: ApiContext, deps: ApiDependencies, dialect: MemberDialect): Promise<void> {
  const poolId = pathId(ctx, 'pool_id', 'pool')
  const members = versionedMembers(deps.db)
  await answerList<MemberView>(ctx, deps, {
    name: 'members',
    resource: 'member',
    within: [{ attribute: 'pool_id', values: [poolId] }],
    read: async (page) => {
      const found = await listMembers(deps.db, page)
      // Only for an empty page must be checked whether the pool exists.
      if (found.length === 0) await assertPoolKnown(ctx, deps.db, poolId)
      return found
    },
    versioned: {
      ...members,
      versions: async (page) => {
        const found = await members.versions(page)
        if (found.length === 0) await assertPoolKnown(ctx, deps.db, poolId)
        return found
      },
    },
    render: dialect.render,
  })
}

async function show(ctx: ApiContext, deps: ApiDependencies, dialect: MemberDialect): Promise<void> {
  const key = memberKey(ctx)
  const member = await findMember(deps.db, key)
  if (member === undefined) throw await memberNotFound(deps.db, key)
  ctx.state.access.authorise(member.projectId)
  ctx.body = { member: pick(dialect.render(member), fieldsOf(queryOf(ctx))) }
}

async function update(ctx: ApiContext, deps: ApiDependencies, dialect: MemberDialect): Promise<void> {
  const key = memberKey(ctx)
  const update = await readUpdate(ctx, await readJson(ctx), {
    resource: 'member',
    parse: dialect.parseUpdate,
    show: async () => {
      const found = visible(ctx, await findMember(deps.db, key))
      return found && dialect.render(found)
    },
  })
  const after = await writing(ctx, deps, async (tx) => {
    const parents = await lockPoolFor(ctx, tx, key.poolId)
    const stored = await findMember(tx, key)
    if (stored === undefined) throw notFound('member', key.id)
    const shown = () => dialect.render(stored)
    const values = update.apply(shown, (changeFor) => changeFor(stored))
    assertParentsActive(ctx, parents)
    if (!noteChanges(ctx, values, shown)) return stored
    const after = { ...stored, ...values }
    const monitor = namesTarget(values)
      ? await assertTargetsAllowed(tx, deps, key.poolId, [after])
      : undefined
    await assertDependencies(tx, after, stored.echo)
    const renewed = values.adminStateUp === true || isRetargeted(monitor, stored, after)
    await updateMember(tx, key.id, { values, renewed })
    if (changesCheck(values)) await touchPools(tx, [key.poolId])
    return await readBack(tx, key)
  })
  ctx.body = { member: dialect.render(after) }
}

async function remove(ctx: ApiContext, deps: ApiDependencies): Promise<void> {
  const key = memberKey(ctx)
  await writing(ctx, deps, async (tx) => {
    const parents = await lockPoolFor(ctx, tx, key.poolId)
    if ((await findMember(tx, key)) !== undefined) assertParentsActive(ctx, parents)
    if (!(await deleteMember(tx, key.poolId, key.id))) throw notFound('member', key.id)
    tellShards(tx, [parents])
  })
  ctx.status = 204
}

/** The member of a path. Throws NOT_FOUND for an invalid id. */
export function memberKey(ctx: ApiContext): MemberKey {
  return {
    poolId: pathId(ctx, 'pool_id', 'pool'),
    id: pathId(ctx, 'id', 'member'),
    projectId: ctx.state.access.byId,
    reach: ctx.state.reach,
  }
}

/** Throws NOT_FOUND and FORBIDDEN. */
async function assertPoolKnown(ctx: ApiContext, db: Db, poolId: string): Promise<void> {
  const owner = await ownerOfPool(db, poolId, ctx.state.access.byId)
  if (owner === undefined) throw notFound('pool', poolId)
  ctx.state.access.authorise(owner)
}

/** What does not exist: the pool, or the member in it. */
export async function memberNotFound(db: Db, key: MemberKey): Promise<DomainError> {
  const pool = await poolExists(db, key.poolId, key.projectId, key.reach)
  return pool ? notFound('member', key.id) : notFound('pool', key.poolId)
}

type Target = Pick<Member, 'address' | 'protocolPort' | 'monitorAddress' | 'monitorPort'>

/** Checks members against the target policy, also on the given port of the pool's monitor. Throws TARGET_DENIED. */
export async function assertTargetsAllowed(
  tx: Tx,
  deps: ApiDependencies,
  poolId: string,
  targets: readonly Target[],
): Promise<HealthMonitor | undefined> {
  const monitor = await findMonitorOfPool(tx, poolId)
  for (const target of targets) assertMemberAllowed(deps, monitor, target)
  return monitor
}

/** Checks each member that it is called with, as `assertTargetsAllowed` does. */
export async function targetGuard(
  tx: Tx,
  deps: ApiDependencies,
  poolId: string,
): Promise<(target: Target) => void> {
  const monitor = await findMonitorOfPool(tx, poolId)
  return (target) => assertMemberAllowed(deps, monitor, target)
}

function assertMemberAllowed(
  deps: ApiDependencies,
  monitor: Pick<HealthMonitor, 'monitorPort'> | undefined,
  { address, protocolPort, monitorAddress, monitorPort }: Target,
): void {
  assertTargetAllowed(deps, { address, port: protocolPort, field: 'address' })
  const probed = {
    address: monitorAddress ?? address,
    field: monitorAddress === null ? 'address' : 'monitor_address',
  }
  for (const port of new Set([protocolPort, monitor?.monitorPort ?? null, monitorPort])) {
    if (port !== null) assertTargetAllowed(deps, { ...probed, port })
  }
}

/** The refusal of a target that the pool has already. */
export function memberExists(poolId: string, target: Pick<Member, 'address' | 'protocolPort'>): DomainError {
  const { address, protocolPort: port } = target
  const message = `Member with address ${address} and protocol_port ${port} already present in pool ${poolId}`
  return new DomainError('MEMBER_EXISTS', message, { address, port, pool: poolId })
}

async function insertOrRefuse(tx: Tx, draft: MemberDraft): Promise<string> {
  try {
    return await insertMember(tx, draft)
  } catch (error) {
    if (error instanceof MemberExistsError) throw memberExists(draft.poolId, draft)
    throw error
  }
}

async function readBack(tx: Tx, key: MemberKey): Promise<MemberView> {
  const member = await findMember(tx, key)
  if (member === undefined) throw new Error('the member that was just written is not there')
  return member
}

/** Other attributes are not probed: the check goes on. */
function changesCheck(values: MemberChange): boolean {
  return values.adminStateUp !== undefined || values.echo !== undefined || namesTarget(values)
}

/** Probes may go elsewhere from now on. */
function namesTarget(values: MemberChange): boolean {
  return values.monitorAddress !== undefined || values.monitorPort !== undefined
}
