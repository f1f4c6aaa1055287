/** Statements on load balancers. */
import type { RolledUpStatus } from '../../domain/status/roll-up.ts'
import type { LoadBalancer } from '../../domain/types.ts'
import { type InShard, tellShards } from './parents.ts'
import { type Db, type Tx, query } from '../connection/database.ts'
import { isLbaas } from '../door/lbaas-only.ts'
import {
  commonAttributes,
  type ListQuery,
  type ListSpec,
  listRows,
  mapPage,
  type Page,
  NEVER,
} from './lists.ts'
import { loadBalancerStatusOf, readCounted } from '../status/roll-up.ts'
import { LOAD_BALANCER_COLUMNS, type LoadBalancerRow, MADE_VIP_ADDRESS, toLoadBalancer } from './rows.ts'
import { COMMON_CHANGEABLE, COMMON_FIXED, insertRow, type Table, updateRow } from './write-row.ts'

export type LoadBalancerDraft = Omit<
  LoadBalancer,
  'createdAt' | 'updatedAt' | 'provisioningStatus' | 'madeVipAddress'
>
export type LoadBalancerChange = Partial<
  Pick<LoadBalancerDraft, 'name' | 'description' | 'adminStateUp' | 'tags' | 'echo'>
>

/**
 * What operating_status shows: whether it is switched on, or the roll-up of the members below it, which reads every
 * pool.
 */
export type StatusMeaning = 'switch' | 'roll-up'

/** A load balancer with the ids of its listeners and pools. */
export interface LoadBalancerView extends LoadBalancer {
  readonly operatingStatus: RolledUpStatus
  readonly listenerIds: readonly string[]
  readonly poolIds: readonly string[]
}

const STATUS_SQL: Readonly<Record<StatusMeaning, string>> = {
  switch: `(case when lb.admin_state_up then 'ONLINE' else 'OFFLINE' end)`,
  'roll-up': loadBalancerStatusOf('lb'),
}

const viewColumns = (meaning: StatusMeaning): string => `${LOAD_BALANCER_COLUMNS},
  ${STATUS_SQL[meaning]} as operating_status,
  array(select l.id from listener l where l.load_balancer_id = lb.id order by l.id) as listener_ids,
  array(select p.id from pool p where p.load_balancer_id = lb.id order by p.id) as pool_ids`

/** Attributes that are only stored and returned (`echo`), as SQL text. */
const echoed = (attribute: string) => `(lb.echo->>'${attribute}')`

/** Those that lists filter by. */
const ECHOED = ['vip_network_id', 'flavor_id', 'availability_zone', 'vip_qos_policy_id'] as const

const loadBalancerList = (meaning: StatusMeaning): ListSpec => ({
  from: 'load_balancer lb',
  columns: viewColumns(meaning),
  longColumns: ['name', 'description', 'tags', 'echo', 'listener_ids', 'pool_ids'],
  alias: 'lb',
  only: isLbaas('lb'),
  attributes: {
    ...commonAttributes('lb'),
    description: { sql: 'lb.description', type: 'text' },
    provider: { sql: 'lb.provider', type: 'text' },
    operating_status: { sql: STATUS_SQL[meaning], type: 'text' },
    vip_address: { sql: `coalesce(lb.vip_address, ${MADE_VIP_ADDRESS})`, type: 'text' },
    vip_port_id: { sql: 'lb.vip_port_id', type: 'text' },
    vip_subnet_id: { sql: 'lb.vip_subnet_id', type: 'text' },
    ...Object.fromEntries(ECHOED.map((name) => [name, { sql: echoed(name), type: 'text' as const }])),
    listener_id: {
      sql: 'lb.id',
      type: 'uuid',
      matches: (ids) =>
        `exists (select from listener l where l.load_balancer_id = lb.id and l.id = any(${ids}::uuid[]))`,
    },
    pool_id: {
      sql: 'lb.id',
      type: 'uuid',
      matches: (ids) =>
        `exists (select from pool p where p.load_balancer_id = lb.id and p.id = any(${ids}::uuid[]))`,
    },
    member_address: {
      sql: 'lb.id',
      type: 'text',
      matches: (addresses) => `exists (select from member m join pool p on p.id = m.pool_id
        where p.load_balancer_id = lb.id and m.address = any(${addresses}::text[]))`,
    },
    // We know neither servers nor networks, so such a filter matches nothing.
    member_device_id: NEVER,
    vpc_id: NEVER,
    created_at: { sql: `date_trunc('second', lb.created_at)`, type: 'timestamp' },
    updated_at: { sql: `date_trunc('second', lb.updated_at)`, type: 'timestamp' },
  },
})

export const LOAD_BALANCER_LISTS: Readonly<Record<StatusMeaning, ListSpec>> = {
  switch: loadBalancerList('switch'),
  'roll-up': loadBalancerList('roll-up'),
}

export async function insertLoadBalancer(tx: Tx, draft: LoadBalancerDraft): Promise<LoadBalancer> {
  return toLoadBalancer(await insertRow<LoadBalancerRow, LoadBalancerDraft>(tx, TABLE, draft))
}

/** Changes a load balancer; `renewed` starts a new generation of every check below it (switched on again). */
export async function updateLoadBalancer(
  tx: Tx,
  id: string,
  change: { readonly values: LoadBalancerChange; readonly renewed: boolean },
): Promise<void> {
  await updateRow<LoadBalancerRow, LoadBalancerDraft>(tx, TABLE, id, change)
}

/** Deletes a load balancer that has neither listeners nor pools. */
export async function deleteLoadBalancer(tx: Tx, id: string): Promise<void> {
  await query(tx, 'delete from load_balancer where id = $1', [id])
}

/** Deletes everything below a load balancer that the caller has locked, and notifies probers. */
export async function deleteBelowLoadBalancer(tx: Tx, id: string): Promise<void> {
  const pools = '(select p.id from pool p where p.load_balancer_id = $1)'
  await query(tx, `delete from member where pool_id in ${pools}`, [id])
  await query(tx, `delete from health_monitor where pool_id in ${pools}`, [id])
  await query(tx, 'delete from listener where load_balancer_id = $1', [id])
  const gone = 'delete from pool where load_balancer_id = $1 returning shard'
  tellShards(tx, await query<InShard>(tx, gone, [id]))
}

/** What was wrong with a load balancer is over. */
export async function activateLoadBalancer(tx: Tx, id: string): Promise<void> {
  await query(
    tx,
    `update load_balancer set provisioning_status = 'ACTIVE', updated_at = now() where id = $1`,
    [id],
  )
}

/** Identifies a load balancer in a project (in any, when undefined), and which status to read. */
export interface LoadBalancerKey {
  readonly id: string
  readonly projectId: string | undefined
  readonly meaning: StatusMeaning
}

export async function findLoadBalancer(db: Db, key: LoadBalancerKey): Promise<LoadBalancerView | undefined> {
  const rows = await readCounted(db, () =>
    query<LoadBalancerViewRow>(
      db,
      `select ${viewColumns(key.meaning)} from load_balancer lb
       where lb.id = $1 and ($2::text is null or lb.project_id = $2) and ${isLbaas('lb')}`,
      [key.id, key.projectId ?? null],
    ),
  )
  return rows[0] && toView(rows[0])
}

export async function listLoadBalancers(
  db: Db,
  list: ListQuery,
  meaning: StatusMeaning,
): Promise<Page<LoadBalancerView>> {
  const rows = await listRows<LoadBalancerViewRow>(db, LOAD_BALANCER_LISTS[meaning], list)
  return mapPage(rows, toView)
}

interface LoadBalancerViewRow extends LoadBalancerRow {
  operating_status: RolledUpStatus
  listener_ids: string[]
  pool_ids: string[]
}

function toView(row: LoadBalancerViewRow): LoadBalancerView {
  return Object.assign(toLoadBalancer(row), {
    operatingStatus: row.operating_status,
    listenerIds: row.listener_ids,
    poolIds: row.pool_ids,
  })
}

const TABLE: Table<LoadBalancerDraft> = {
  name: 'load_balancer',
  alias: 'lb',
  returning: LOAD_BALANCER_COLUMNS,
  fixed: [
    ...COMMON_FIXED,
    ['provider', 'provider'],
    ['vipAddress', 'vip_address'],
    ['vipSubnetId', 'vip_subnet_id'],
    ['vipPortId', 'vip_port_id'],
  ],
  changeable: [...COMMON_CHANGEABLE, ['description', 'description']],
}
