/**
 * `PUT …/pools/{pool_id}/members`: many members of one pool in one transaction, all or nothing, in a handful of
 * statements however many they are.
 *
 * `replace` makes the pool look like the list: a member whose address and port are in it stays, with its id and its
 * verdict, and gets the values of the list by the dialect's rules; the others are deleted, unless they are to stay.
 * `add` creates, and refuses targets that exist.
 */
import { isDeepStrictEqual } from 'node:util'
import { dependsOn } from '../../domain/status/dependencies.ts'
import { notFound } from '../../domain/errors.ts'
import { parseAddress } from '../../domain/address/ip-address.ts'
import { isRetargeted } from '../../domain/target/retargeting.ts'
import type { HealthMonitor } from '../../domain/health-monitor.ts'
import type { Pool } from '../../domain/types.ts'
import type { Identity } from '../../identity/identity.ts'
import { type Tx } from '../../store/connection/database.ts'
import { findMonitorOfPool } from '../../store/configuration/health-monitors.ts'
import {
  deleteMembers,
  deleteMembersBut,
  findMembersAt,
  insertMembers,
  type KeptMember,
  type KeptMemberChange,
  type KeptValues,
  type MemberTarget,
  updateMembers,
} from '../../store/configuration/member-batch.ts'
import { type MemberDraft, MemberExistsError } from '../../store/configuration/members.ts'
import { type LockedPool, tellShards, touchPools } from '../../store/configuration/parents.ts'
import { lockPoolFor } from '../write/locked-parents.ts'
import { readJson } from '../http/body.ts'
import { assertWrittenDependencies } from '../write/dependencies.ts'
import { type ApiContext, type ApiDependencies, pathId, type Route } from '../http/context.ts'
import { memberExists, targetGuard } from './members.ts'
import { type Parameters, queryOf } from '../http/query.ts'
import { assertProbeRate, memberDemand, ofMembers } from '../write/probe-rate.ts'
import { assertParentsActive, assertQuota } from '../write/rules.ts'
import { sharerOf } from '../http/sharer.ts'
import { inSlices, mapInSlices } from '../http/slices.ts'
import { writing } from '../write/writing.ts'

/** What a batch asks for. */
export type MemberBatch =
  | { readonly action: 'add'; readonly draftFor: readonly ((pool: Pool) => MemberDraft)[] }
  | MemberReplacement
  | { readonly action: 'delete'; readonly ids: readonly string[] }

export interface MemberReplacement {
  readonly action: 'replace'
  /** One for each member of the list. */
  readonly draftFor: readonly ((pool: Pool) => MemberDraft)[]
  /** The new values of an existing member that is in the list, at `index`. */
  readonly keptValues: (draft: MemberDraft, stored: KeptValues, index: number) => KeptValues
  /** Members that are not in the list stay. */
  readonly leavesOthers?: boolean
}

/** The first target that is in a list twice, in whatever spelling. */
export interface BatchTargets {
  readonly repeated: MemberTarget | undefined
  /** The pool has a member there already. */
  readonly isPresent: boolean
  readonly poolId: string
}

export interface MemberBatchDialect {
  readonly paths: (path: string) => readonly string[]
  /** Reads a body, its members in slices; throws DomainErrors. */
  readonly parseBatch: (body: unknown, asker: Identity, parameters: Parameters) => Promise<MemberBatch>
  /** Throws the dialect's refusal of a repeated target. */
  readonly assertDistinct: (targets: BatchTargets) => void
}

export function memberBatchRoutes(deps: ApiDependencies, dialect: MemberBatchDialect): Route[] {
  return [
    {
      method: 'put',
      paths: dialect.paths('/pools/:pool_id/members'),
      largeBody: true,
      handler: (ctx) => change(ctx, deps, dialect),
    },
  ]
}

/** What the steps of one batch share. */
interface Work {
  readonly ctx: ApiContext
  readonly deps: ApiDependencies
  readonly dialect: MemberBatchDialect
  readonly tx: Tx
  readonly parents: LockedPool
}

async function change(ctx: ApiContext, deps: ApiDependencies, dialect: MemberBatchDialect): Promise<void> {
  const poolId = pathId(ctx, 'pool_id', 'pool')
  const batch = await dialect.parseBatch(await readJson(ctx), ctx.state.identity, queryOf(ctx))
  await writing(ctx, deps, async (tx) => {
    const parents = await lockPoolFor(ctx, tx, poolId)
    const { added, changed } = await applied({ ctx, deps, dialect, tx, parents }, batch)
    if (changed === undefined) return
    // Members that come or go raise the version themselves.
    if (changed === 'members') tellShards(tx, [parents])
    await Promise.all([
      changed === 'checks' && touchPools(tx, [poolId]),
      added > 0 && assertRate(tx, deps, { parents, added }),
    ])
  })
  ctx.status = 202
  ctx.body = ''
  ctx.remove('Content-Type')
}

interface Applied {
  /** Members more than before. */
  readonly added: number
  /** What changed of what is probed: members came or went, or only the checks of some. */
  readonly changed: 'members' | 'checks' | undefined
}

async function applied(work: Work, batch: MemberBatch): Promise<Applied> {
  const { tx, parents } = work
  switch (batch.action) {
    case 'delete':
      return await removeMembers(tx, parents.pool.id, batch.ids)
    case 'add':
      return await addMembers(work, await draftsOf(work, batch))
    case 'replace':
      return await replaceMembers(work, batch)
  }
}

/** The members of the list, made in slices. */
async function draftsOf(
  { ctx, parents }: Work,
  { draftFor }: Pick<MemberReplacement, 'draftFor'>,
): Promise<readonly MemberDraft[]> {
  return await mapInSlices(sharerOf(ctx.state.identity), draftFor, (draft) => draft(parents.pool))
}

/** Throws QUOTA_EXCEEDED. */
async function assertRate(
  tx: Tx,
  deps: ApiDependencies,
  { parents, added }: { readonly parents: LockedPool; readonly added: number },
): Promise<void> {
  const { id, projectId } = parents.pool
  const raise = ofMembers(memberDemand(await findMonitorOfPool(tx, id)), added)
  await assertProbeRate(tx, deps, { projectId, raise })
}

async function removeMembers(tx: Tx, poolId: string, ids: readonly string[]): Promise<Applied> {
  const gone = new Set(await deleteMembers(tx, poolId, ids))
  const missing = ids.find((id) => !gone.has(id))
  if (missing !== undefined) throw notFound('member', missing)
  return { added: 0, changed: gone.size > 0 ? 'members' : undefined }
}

async function addMembers(work: Work, drafts: readonly MemberDraft[]): Promise<Applied> {
  const { tx, parents, dialect } = work
  const poolId = parents.pool.id
  const repeated = await repeatedTarget(sharerOf(work.ctx.state.identity), drafts)
  dialect.assertDistinct({ repeated, isPresent: false, poolId })
  const present = (await findMembersAt(tx, poolId, drafts))[0]
  const first = present && drafts[present.index]
  if (first !== undefined) throw memberExists(poolId, first)
  await assertRoomFor(work, drafts.length)
  await create(work, drafts)
  await assertWrittenDependencies(tx, parents.pool.projectId, drafts.flatMap(namedBy))
  return { added: drafts.length, changed: drafts.length > 0 ? 'members' : undefined }
}

async function replaceMembers(work: Work, batch: MemberReplacement): Promise<Applied> {
  const { ctx, tx, parents, dialect } = work
  const poolId = parents.pool.id
  const drafts = await draftsOf(work, batch)
  const kept = await findMembersAt(tx, poolId, drafts)
  const keptAt = new Set(kept.map((member) => member.index))
  const repeated = await repeatedTarget(sharerOf(ctx.state.identity), drafts)
  const isPresent = repeated !== undefined && keptAt.has(drafts.indexOf(repeated))
  dialect.assertDistinct({ repeated, isPresent, poolId })
  const added = drafts.filter((_, index) => !keptAt.has(index))
  const ids = kept.map((member) => member.id)
  const deleted = batch.leavesOthers === true ? 0 : await deleteMembersBut(tx, poolId, ids)
  if (drafts.length === 0 && deleted === 0) return { added: 0, changed: undefined }
  // A pool may shrink even when the project is over its quota.
  if (added.length > deleted) await assertRoomFor(work, added.length)
  assertParentsActive(ctx, parents)
  await create(work, added)
  const changes = await changesOf(work, { kept, drafts, batch })
  await assertTargetsAllowed(work, retargeted(changes, kept, drafts))
  await updateMembers(tx, changes)
  const redirected = changes.filter(namesOthers)
  const named = [
    ...added.flatMap(namedBy),
    ...redirected.flatMap(({ values, before }) => newlyNamed(values, before)),
  ]
  await assertWrittenDependencies(tx, parents.pool.projectId, named)
  if (deleted > 0 || added.length > 0) return { added: added.length - deleted, changed: 'members' }
  const isChecked =
    redirected.length > 0 || changes.some(({ renewed, values }) => renewed || !values.adminStateUp)
  return { added: 0, changed: isChecked ? 'checks' : undefined }
}

interface Change extends KeptMemberChange {
  readonly before: KeptValues
}

function namedBy({ echo }: Pick<KeptValues, 'echo'>): readonly string[] {
  return dependsOn(echo)
}

function newlyNamed(values: KeptValues, before: KeptValues): string[] {
  const known = new Set(namedBy(before))
  return namedBy(values).filter((id) => !known.has(id))
}

function namesOthers({ values, before }: Change): boolean {
  return !isDeepStrictEqual(namedBy(values), namedBy(before))
}

interface Replaced {
  readonly kept: readonly KeptMember[]
  readonly drafts: readonly MemberDraft[]
  readonly batch: MemberReplacement
}

/** The changes of all, found in slices. */
async function changesOf({ ctx, tx, parents }: Work, { kept, drafts, batch }: Replaced): Promise<Change[]> {
  const monitor = kept.length === 0 ? undefined : await findMonitorOfPool(tx, parents.pool.id)
  const changes = await mapInSlices(sharerOf(ctx.state.identity), kept, (member) =>
    changeOf(member, drafts[member.index], { batch, monitor }),
  )
  return changes.flat()
}

/** Checks members against the target policy, in slices. Throws TARGET_DENIED. */
async function assertTargetsAllowed(
  { tx, deps, ctx, parents }: Work,
  drafts: readonly MemberDraft[],
): Promise<void> {
  const assertAllowed = await targetGuard(tx, deps, parents.pool.id)
  await mapInSlices(sharerOf(ctx.state.identity), drafts, assertAllowed)
}

/** The change that the list makes of a member; none when it is so already. */
function changeOf(
  { id, index, values: stored }: KeptMember,
  draft: MemberDraft | undefined,
  { batch, monitor }: { readonly batch: MemberReplacement; readonly monitor: HealthMonitor | undefined },
): Change[] {
  if (draft === undefined) return []
  const values = batch.keptValues(draft, stored, index)
  if (isDeepStrictEqual(values, stored)) return []
  const switchedOn = values.adminStateUp && !stored.adminStateUp
  const moved =
    namesTarget(values, stored) && isRetargeted(monitor, { ...draft, ...stored }, { ...draft, ...values })
  return [{ id, values, before: stored, renewed: switchedOn || moved }]
}

function namesTarget(values: KeptValues, before: KeptValues): boolean {
  return values.monitorAddress !== before.monitorAddress || values.monitorPort !== before.monitorPort
}

/** Members that may be probed elsewhere, as targets. */
function retargeted(
  changes: readonly Change[],
  kept: readonly KeptMember[],
  drafts: readonly MemberDraft[],
): MemberDraft[] {
  const indexes = new Map(kept.map(({ id, index }) => [id, index]))
  return changes
    .filter(({ renewed, values, before }) => renewed || namesTarget(values, before))
    .flatMap(({ id, values: { monitorAddress, monitorPort } }) => {
      const draft = drafts[indexes.get(id) ?? -1]
      return draft === undefined ? [] : [{ ...draft, monitorAddress, monitorPort }]
    })
}

/** Throws QUOTA_EXCEEDED. Counts the present members, so deleted ones are free again. */
async function assertRoomFor({ tx, deps, parents }: Work, count: number): Promise<void> {
  const { projectId } = parents.pool
  if (count > 0) await assertQuota(tx, deps, { projectId, resource: 'member', count })
}

async function create(work: Work, drafts: readonly MemberDraft[]): Promise<void> {
  if (drafts.length === 0) return
  const { tx } = work
  const poolId = work.parents.pool.id
  await assertTargetsAllowed(work, drafts)
  try {
    await insertMembers(tx, drafts)
  } catch (error) {
    // Unreachable while every writer locks the pool; the index decides.
    if (error instanceof MemberExistsError && drafts[0] !== undefined) throw memberExists(poolId, drafts[0])
    throw error
  }
}

/** A repeated target of the list, in the spelling of its second place. */
export async function repeatedTarget(
  sharer: string,
  drafts: readonly MemberDraft[],
): Promise<MemberDraft | undefined> {
  const seen = new Set<string>()
  let repeated: MemberDraft | undefined
  await inSlices(sharer, drafts, (draft) => {
    const target = `${parseAddress(draft.address)?.canonical ?? draft.address} ${draft.protocolPort}`
    if (seen.has(target)) repeated = draft
    seen.add(target)
    return repeated === undefined
  })
  return repeated
}
