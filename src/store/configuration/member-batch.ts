/** Statements that change many members of one pool at once. */
import type { Member } from '../../domain/types.ts'
import { type Tx, query, violatedConstraint } from '../connection/database.ts'
import { MEMBER_TABLE, type MemberDraft, MemberExistsError } from './members.ts'
import type { MemberRow } from './rows.ts'
import { insertRows, NEW_GENERATION } from './write-row.ts'

/** Where a member is: one address and port of a pool, however it is spelled. */
export interface MemberTarget {
  readonly address: string
  readonly protocolPort: number
}

/** The attributes that a batch may change of an existing member. */
export type KeptValues = Pick<
  Member,
  | 'name'
  | 'subnetId'
  | 'weight'
  | 'adminStateUp'
  | 'backup'
  | 'monitorAddress'
  | 'monitorPort'
  | 'tags'
  | 'echo'
>

export interface KeptMember {
  readonly id: string
  /** Position in the targets that were asked for. */
  readonly index: number
  readonly values: KeptValues
}

export interface KeptMemberChange {
  readonly id: string
  readonly values: KeptValues
  /** Starts a new generation of the check: earlier results do not count. */
  readonly renewed: boolean
}

/** The members of a pool that are at one of these targets. */
export async function findMembersAt(
  tx: Tx,
  poolId: string,
  targets: readonly MemberTarget[],
): Promise<KeptMember[]> {
  if (targets.length === 0) return []
  const rows = await query<KeptMemberRow>(
    tx,
    `select m.id, (t.ord - 1)::integer as index, m.name, m.subnet_id, m.weight, m.admin_state_up, m.backup,
       m.monitor_address, m.monitor_port, m.tags, m.echo
     from unnest($1::text[], $2::integer[]) with ordinality t(address, port, ord)
     join member m on m.pool_id = $3 and m.address::inet = t.address::inet and m.protocol_port = t.port`,
    [targets.map((target) => target.address), targets.map((target) => target.protocolPort), poolId],
  )
  return rows.map((row) => ({
    id: row.id,
    index: row.index,
    values: {
      name: row.name,
      subnetId: row.subnet_id,
      weight: row.weight,
      adminStateUp: row.admin_state_up,
      backup: row.backup,
      monitorAddress: row.monitor_address,
      monitorPort: row.monitor_port,
      tags: row.tags,
      echo: row.echo,
    },
  }))
}

type KeptMemberRow = { index: number } & Pick<
  MemberRow,
  | 'id'
  | 'name'
  | 'subnet_id'
  | 'weight'
  | 'admin_state_up'
  | 'backup'
  | 'monitor_address'
  | 'monitor_port'
  | 'tags'
  | 'echo'
>

/** Deletes every member of a pool except these; returns how many. */
export async function deleteMembersBut(tx: Tx, poolId: string, kept: readonly string[]): Promise<number> {
  const rows = await query<{ deleted: number }>(
    tx,
    `with gone as (delete from member where pool_id = $1 and id <> all($2::uuid[]) returning id)
     select count(*) as deleted from gone`,
    [poolId, kept],
  )
  return rows[0]?.deleted ?? 0
}

/** Deletes these members of a pool; returns the ids that existed. */
export async function deleteMembers(tx: Tx, poolId: string, ids: readonly string[]): Promise<string[]> {
  const rows = await query<{ id: string }>(
    tx,
    'delete from member where pool_id = $1 and id = any($2::uuid[]) returning id',
    [poolId, ids],
  )
  return rows.map((row) => row.id)
}

/** Throws MemberExistsError. */
export async function insertMembers(tx: Tx, drafts: readonly MemberDraft[]): Promise<void> {
  try {
    await insertRows<MemberDraft>(tx, MEMBER_TABLE, drafts)
  } catch (error) {
    if (violatedConstraint(error) === 'member_target_key') throw new MemberExistsError()
    throw error
  }
}

/** Changes members, all in two statements, and sets them ACTIVE. */
export async function updateMembers(tx: Tx, changes: readonly KeptMemberChange[]): Promise<void> {
  if (changes.length === 0) return
  const records = changes.map(({ id, values }) => ({
    id,
    name: values.name,
    subnet_id: values.subnetId,
    weight: values.weight,
    admin_state_up: values.adminStateUp,
    backup: values.backup,
    monitor_address: values.monitorAddress,
    monitor_port: values.monitorPort,
    tags: values.tags,
    echo: values.echo,
  }))
  const renewed = changes.filter((change) => change.renewed).map((change) => change.id)
  await query(tx, `update member set ${NEW_GENERATION} where id = any($1::uuid[])`, [renewed])
  await query(
    tx,
    `update member m set name = c.name, subnet_id = c.subnet_id, weight = c.weight,
       admin_state_up = c.admin_state_up, backup = c.backup, monitor_address = c.monitor_address,
       monitor_port = c.monitor_port, tags = c.tags, echo = c.echo, provisioning_status = 'ACTIVE', updated_at = now()
     from jsonb_populate_recordset(null::member, $1::jsonb) c where m.id = c.id`,
    [JSON.stringify(records)],
  )
}
