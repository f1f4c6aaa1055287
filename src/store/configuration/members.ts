/** Statements on members. The present status of a member comes with its row, from the view `member_detail`. */
import type { MemberReason, MemberState } from '../../domain/status/member-status.ts'
import type { Member } from '../../domain/types.ts'
import { type Db, type Tx, query, violatedConstraint } from '../connection/database.ts'
import { isLbaas, type Reach } from '../door/lbaas-only.ts'
import { versionedList, type VersionedList } from './versioned-rows.ts'
import { commonAttributes, type ListQuery, type ListSpec, listRows, mapPage, type Page } from './lists.ts'
import { candidatesByStatus } from '../status/members-by-status.ts'
import { memberStatusOf } from '../status/roll-up.ts'
import { MEMBER_COLUMNS, type MemberRow, toMember } from './rows.ts'
import {
  COMMON_CHANGEABLE,
  COMMON_FIXED,
  insertRow,
  NEW_GENERATION,
  type Table,
  updateRow,
} from './write-row.ts'

/** What a new member is made of. */
export type MemberDraft = Omit<Member, 'createdAt' | 'updatedAt' | 'provisioningStatus'>

/** What a change may change; absent keys stay. */
export type MemberChange = Partial<
  Omit<MemberDraft, 'id' | 'projectId' | 'poolId' | 'address' | 'protocolPort'>
>

/** A member with what it is at the moment. */
export interface MemberView extends Member {
  readonly loadBalancerId: string
  readonly provider: string
  readonly state: MemberState
  /** Start of the state; null when no probe decided it. */
  readonly since: Date | null
  readonly reason: MemberReason
  /** Probed, and without a verdict since the configuration changed. */
  readonly pending: boolean
}

/** The pool has a member with this address and port already, perhaps in another spelling. */
export class MemberExistsError extends Error {}

const MEMBER_VIEW_FROM = 'member_listed m'
const MEMBER_VIEW_COLUMNS = `${MEMBER_COLUMNS}, m.load_balancer_id, m.provider, m.state, m.since, m.reason, m.pending`

interface MemberViewRow extends MemberRow {
  load_balancer_id: string
  provider: string
  state: MemberState
  since: Date | null
  reason: MemberReason
  pending: boolean
}

/** Attributes of members over `member_listed m`, or `member_detail m`. */
export const MEMBER_LIST_ATTRIBUTES: ListSpec['attributes'] = {
  ...commonAttributes('m'),
  address: { sql: 'm.address', type: 'text' },
  protocol_port: { sql: 'm.protocol_port', type: 'integer' },
  subnet_id: { sql: 'm.subnet_id', type: 'text' },
  weight: { sql: 'm.weight', type: 'integer' },
  backup: { sql: 'm.backup', type: 'boolean' },
  monitor_address: { sql: 'm.monitor_address', type: 'text' },
  monitor_port: { sql: 'm.monitor_port', type: 'integer' },
  operating_status: { sql: 'm.operating_status', type: 'text' },
  rolled_up_status: { sql: memberStatusOf('m'), type: 'text' },
  stale: {
    sql: 'exists (select from member_status ms where ms.member_id = m.id and ms.stale)',
    type: 'boolean',
  },
  pool_id: { sql: 'm.pool_id', type: 'uuid' },
  loadbalancer_id: { sql: 'm.load_balancer_id', type: 'uuid' },
  // No member of ours is known to be a cloud server.
  device_id: { sql: `''`, type: 'text' },
  device_owner: { sql: `''`, type: 'text' },
  created_at: { sql: 'm.created_at', type: 'timestamp', notNull: true },
  updated_at: { sql: 'm.updated_at', type: 'timestamp' },
}

export const MEMBER_LIST = {
  from: MEMBER_VIEW_FROM,
  columns: MEMBER_VIEW_COLUMNS,
  longColumns: ['name', 'tags', 'echo'],
  alias: 'm',
  only: 'm.is_lbaas',
  version: 'm.version',
  attributes: MEMBER_LIST_ATTRIBUTES,
} as const satisfies ListSpec

/** Throws MemberExistsError. The index decides, so concurrent creates are safe. Returns the id. */
export async function insertMember(tx: Tx, draft: MemberDraft): Promise<string> {
  try {
    return (await insertRow<{ id: string }, MemberDraft>(tx, MEMBER_TABLE, draft)).id
  } catch (error) {
    if (violatedConstraint(error) === 'member_target_key') throw new MemberExistsError()
    throw error
  }
}

/** Changes a member; `renewed` starts a new generation of its check: earlier results do not count. */
export async function updateMember(
  tx: Tx,
  id: string,
  change: { readonly values: MemberChange; readonly renewed: boolean },
): Promise<void> {
  await updateRow<{ id: string }, MemberDraft>(tx, MEMBER_TABLE, id, change)
}

/**
 * Starts a new generation of the checks whose port changes with this monitor port of the pool; null = the member's own
 * port.
 */
export async function renewMembersOfPort(
  tx: Tx,
  poolId: string,
  { from, to }: { readonly from: number | null; readonly to: number | null },
): Promise<void> {
  await query(
    tx,
    `update member set ${NEW_GENERATION}
     where pool_id = $1 and monitor_port is null
       and coalesce($2::integer, protocol_port) <> coalesce($3::integer, protocol_port)`,
    [poolId, from, to],
  )
}

/** Whether there was one to delete. */
export async function deleteMember(tx: Tx, poolId: string, id: string): Promise<boolean> {
  const rows = await query(tx, 'delete from member where id = $1 and pool_id = $2 returning id', [id, poolId])
  return rows.length > 0
}

/** Names one member below its pool, in a project (in any, when undefined). */
export interface MemberKey {
  readonly poolId: string
  readonly id: string
  readonly projectId: string | undefined
  /** `all`: also one that a door keeps. Absent = of LBaaS. */
  readonly reach?: Reach | undefined
}

export async function findMember(db: Db, key: MemberKey): Promise<MemberView | undefined> {
  const rows = await query<MemberViewRow>(
    db,
    `select ${MEMBER_VIEW_COLUMNS} from ${MEMBER_VIEW_FROM}
     where m.id = $1 and m.pool_id = $2 and ($3::text is null or m.project_id = $3)
       ${key.reach === 'all' ? '' : 'and m.is_lbaas'}`,
    [key.id, key.poolId, key.projectId ?? null],
  )
  return rows[0] && toMemberView(rows[0])
}

export async function listMembers(db: Db, list: ListQuery): Promise<Page<MemberView>> {
  const rows = await listRows<MemberViewRow>(db, MEMBER_LIST, list, candidatesByStatus(db, list))
  return mapPage(rows, toMemberView)
}

/** The same list by versions. */
export function versionedMembers(db: Db): VersionedList<MemberView> {
  return versionedList(db, {
    spec: MEMBER_LIST,
    toItem: toMemberView,
    narrowings: (list) => candidatesByStatus(db, list),
  })
}

/** Whether the project (any, when undefined) has this pool; `reach`: whether one of a door counts too. */
export async function poolExists(
  db: Db,
  id: string,
  projectId: string | undefined,
  reach: Reach = 'lbaas',
): Promise<boolean> {
  return (await ownerOfPool(db, id, projectId, reach)) !== undefined
}

/** The project that a pool belongs to, when it is this one (any, when undefined); `reach`: as in `poolExists`. */
export async function ownerOfPool(
  db: Db,
  id: string,
  projectId: string | undefined,
  reach: Reach = 'lbaas',
): Promise<string | undefined> {
  const rows = await query<{ project_id: string }>(
    db,
    `select project_id from pool where id = $1 and ($2::text is null or project_id = $2)
       ${reach === 'all' ? '' : `and ${isLbaas('pool')}`}`,
    [id, projectId ?? null],
  )
  return rows[0]?.project_id
}

/** The distinct addresses at which a pool's members are probed. */
export async function addressesOfPool(db: Db, poolId: string): Promise<string[]> {
  const rows = await query<{ address: string }>(
    db,
    'select distinct coalesce(monitor_address, address) as address from member where pool_id = $1',
    [poolId],
  )
  return rows.map((row) => row.address)
}

function toMemberView(row: MemberViewRow): MemberView {
  return Object.assign(toMember(row), {
    loadBalancerId: row.load_balancer_id,
    provider: row.provider,
    state: row.state,
    since: row.since,
    reason: row.reason,
    pending: row.pending,
  })
}

/** Writes return the id only: a statement does not see its own rows through the view. */
export const MEMBER_TABLE: Table<MemberDraft> = {
  name: 'member',
  alias: 'm',
  returning: 'm.id',
  fixed: [...COMMON_FIXED, ['poolId', 'pool_id'], ['address', 'address'], ['protocolPort', 'protocol_port']],
  changeable: [
    ...COMMON_CHANGEABLE,
    ['subnetId', 'subnet_id'],
    ['weight', 'weight'],
    ['backup', 'backup'],
    ['monitorAddress', 'monitor_address'],
    ['monitorPort', 'monitor_port'],
  ],
}
