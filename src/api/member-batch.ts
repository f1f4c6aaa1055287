/**
 * `PUT …/pools/{pool_id}/members`: many members of one pool in one transaction, all or nothing.
 *
 * `replace` makes the pool look like the list: a member whose address and port are in it stays, with its id and its
 * verdict, and gets the attributes of the list, absent ones as at create (the ELB reference: "replaced with those in the
 * request body"; Octavia's batch resets them too); the others go. `add` creates, and refuses what is there already.
 */
import { DomainError, notFound } from '../domain/errors.ts'
import { parseAddress } from '../domain/ip-address.ts'
import type { Pool } from '../domain/types.ts'
import { type Tx, transaction } from '../store/database.ts'
import {
  deleteMembers,
  deleteMembersBut,
  findMembersAt,
  insertMembers,
  type KeptMember,
  type KeptMemberChange,
  updateMembers,
} from '../store/member-batch.ts'
import { type MemberDraft, MemberExistsError } from '../store/members.ts'
import { lockPool, touchPools } from '../store/parents.ts'
import { readJson } from './body.ts'
import { type ApiContext, type ApiDependencies, pathId, type Route } from './context.ts'
import { assertTargetsAllowed, memberExists } from './members.ts'
import { assertQuota } from './rules.ts'

/** What a batch asks for. */
export type MemberBatch =
  | { readonly action: 'add' | 'replace'; readonly draftsFor: (pool: Pool) => readonly MemberDraft[] }
  | { readonly action: 'delete'; readonly ids: readonly string[] }

export interface MemberBatchDialect {
  readonly paths: (path: string) => readonly string[]
  /** Reads a body; throws DomainErrors. */
  readonly parseBatch: (body: unknown, projectId: string) => MemberBatch
}

export function memberBatchRoutes(deps: ApiDependencies, dialect: MemberBatchDialect): Route[] {
  return [
    {
      method: 'put',
      paths: dialect.paths('/pools/:pool_id/members'),
      handler: (ctx) => change(ctx, deps, dialect),
    },
  ]
}

async function change(ctx: ApiContext, deps: ApiDependencies, dialect: MemberBatchDialect): Promise<void> {
  const { projectId } = ctx.state.identity
  const poolId = pathId(ctx, 'pool_id', 'pool')
  const batch = dialect.parseBatch(await readJson(ctx), projectId)
  await transaction(deps.db, async (tx) => {
    const parents = await lockPool(tx, poolId, projectId)
    if (parents === undefined) throw notFound('pool', poolId)
    if (await applied(tx, deps, batch, parents.pool)) await touchPools(tx, [poolId])
  })
  ctx.status = 202
  ctx.body = ''
  ctx.remove('Content-Type')
}

/** Whether anything changed that is probed. */
async function applied(tx: Tx, deps: ApiDependencies, batch: MemberBatch, pool: Pool): Promise<boolean> {
  if (batch.action === 'delete') return await removeMembers(tx, pool.id, batch.ids)
  const drafts = batch.draftsFor(pool)
  assertDistinct(drafts)
  return batch.action === 'add'
    ? await addMembers(tx, deps, pool, drafts)
    : await replace(tx, deps, pool, drafts)
}

async function removeMembers(tx: Tx, poolId: string, ids: readonly string[]): Promise<boolean> {
  const gone = new Set(await deleteMembers(tx, poolId, ids))
  const missing = ids.find((id) => !gone.has(id))
  if (missing !== undefined) throw notFound('member', missing)
  return gone.size > 0
}

async function addMembers(
  tx: Tx,
  deps: ApiDependencies,
  pool: Pool,
  drafts: readonly MemberDraft[],
): Promise<boolean> {
  const present = (await findMembersAt(tx, pool.id, drafts))[0]
  const first = present && drafts[present.index]
  if (first !== undefined) throw memberExists(pool.id, first)
  await assertRoomFor(tx, deps, pool, drafts.length)
  await create(tx, deps, pool, drafts)
  return drafts.length > 0
}

async function replace(
  tx: Tx,
  deps: ApiDependencies,
  pool: Pool,
  drafts: readonly MemberDraft[],
): Promise<boolean> {
  const kept = await findMembersAt(tx, pool.id, drafts)
  const keptAt = new Set(kept.map((member) => member.index))
  const added = drafts.filter((_, index) => !keptAt.has(index))
  const deleted = await deleteMembersBut(
    tx,
    pool.id,
    kept.map((member) => member.id),
  )
  // A pool that shrinks is welcome even when the project has more than its quota.
  if (added.length > deleted) await assertRoomFor(tx, deps, pool, added.length)
  await create(tx, deps, pool, added)
  const changes = kept.flatMap((member) => changeOf(member, drafts[member.index]))
  await updateMembers(tx, changes)
  const switched = changes.some(
    (wanted) => kept.find((member) => member.id === wanted.id)?.adminStateUp !== wanted.adminStateUp,
  )
  return deleted > 0 || added.length > 0 || switched
}

/** The change that makes a member look like its draft; none when it does already. */
function changeOf(member: KeptMember, draft: MemberDraft | undefined): KeptMemberChange[] {
  if (draft === undefined) return []
  const { name, subnetId, weight, adminStateUp } = draft
  const same =
    member.name === name &&
    member.subnetId === subnetId &&
    member.weight === weight &&
    member.adminStateUp === adminStateUp
  return same ? [] : [{ id: member.id, name, subnetId, weight, adminStateUp }]
}

/** Throws QUOTA_EXCEEDED. Counts what is there now, so what the batch removed is free again. */
async function assertRoomFor(tx: Tx, deps: ApiDependencies, pool: Pool, count: number): Promise<void> {
  if (count > 0) await assertQuota(tx, deps, { projectId: pool.projectId, resource: 'member', count })
}

async function create(
  tx: Tx,
  deps: ApiDependencies,
  pool: Pool,
  drafts: readonly MemberDraft[],
): Promise<void> {
  if (drafts.length === 0) return
  await assertTargetsAllowed(tx, deps, pool.id, drafts)
  try {
    await insertMembers(tx, drafts)
  } catch (error) {
    // Unreachable while every writer locks the pool; the index has the last word.
    if (error instanceof MemberExistsError && drafts[0] !== undefined) throw memberExists(pool.id, drafts[0])
    throw error
  }
}

/** Throws INVALID_FIELD when one target is in the list twice, in whatever spelling. */
function assertDistinct(drafts: readonly MemberDraft[]): void {
  const seen = new Set<string>()
  for (const { address, protocolPort } of drafts) {
    const target = `${parseAddress(address)?.canonical ?? address} ${protocolPort}`
    if (seen.has(target)) {
      const reason = `address '${address}' with protocol_port '${protocolPort}' is in the list more than once`
      throw new DomainError('INVALID_FIELD', `Invalid input for members. Reason: ${reason}.`, {
        field: 'members',
        reason,
      })
    }
    seen.add(target)
  }
}
