/** Statements on load balancers. */
import type { LoadBalancer } from '../domain/types.ts'
import { type Db, type Tx, query } from './database.ts'
import { type ListQuery, type ListSpec, listRows, NEVER, sortableOf } from './lists.ts'
import { LOAD_BALANCER_COLUMNS, type LoadBalancerRow, toLoadBalancer } from './rows.ts'
import {
  COMMON_CHANGEABLE,
  COMMON_FIXED,
  insertRow,
  NEW_GENERATION,
  type Table,
  updateRow,
} from './write-row.ts'

export type LoadBalancerDraft = Omit<LoadBalancer, 'createdAt' | 'updatedAt' | 'provisioningStatus'>
export type LoadBalancerChange = Partial<
  Pick<LoadBalancerDraft, 'name' | 'description' | 'adminStateUp' | 'tags' | 'echo'>
>

/** A load balancer with the ids of what stands below it. */
export interface LoadBalancerView extends LoadBalancer {
  readonly listenerIds: readonly string[]
  readonly poolIds: readonly string[]
}

const VIEW_COLUMNS = `${LOAD_BALANCER_COLUMNS},
  array(select l.id from listener l where l.load_balancer_id = lb.id order by l.id) as listener_ids,
  array(select p.id from pool p where p.load_balancer_id = lb.id order by p.id) as pool_ids`

const LOAD_BALANCER_LIST: ListSpec = {
  from: 'load_balancer lb',
  columns: VIEW_COLUMNS,
  alias: 'lb',
  attributes: {
    id: { sql: 'lb.id', type: 'uuid' },
    project_id: { sql: 'lb.project_id', type: 'text' },
    tenant_id: { sql: 'lb.project_id', type: 'text' },
    name: { sql: 'lb.name', type: 'text' },
    description: { sql: 'lb.description', type: 'text' },
    provider: { sql: 'lb.provider', type: 'text' },
    admin_state_up: { sql: 'lb.admin_state_up', type: 'boolean' },
    provisioning_status: { sql: 'lb.provisioning_status', type: 'text' },
    operating_status: {
      sql: `(case when lb.admin_state_up then 'ONLINE' else 'OFFLINE' end)`,
      type: 'text',
    },
    vip_address: { sql: 'lb.vip_address', type: 'text' },
    vip_port_id: { sql: 'lb.vip_port_id', type: 'text' },
    vip_subnet_id: { sql: 'lb.vip_subnet_id', type: 'text' },
    listener_id: {
      sql: 'lb.id',
      type: 'uuid',
      matches: 'exists (select from listener l where l.load_balancer_id = lb.id and l.id = any(?::uuid[]))',
    },
    pool_id: {
      sql: 'lb.id',
      type: 'uuid',
      matches: 'exists (select from pool p where p.load_balancer_id = lb.id and p.id = any(?::uuid[]))',
    },
    member_address: {
      sql: 'lb.id',
      type: 'text',
      matches: `exists (select from member m join pool p on p.id = m.pool_id
        where p.load_balancer_id = lb.id and m.address = any(?::text[]))`,
    },
    // We know neither servers nor networks, so nothing is of this server or in that network.
    member_device_id: NEVER,
    vpc_id: NEVER,
    created_at: { sql: `date_trunc('second', lb.created_at)`, type: 'timestamp' },
    updated_at: { sql: `date_trunc('second', coalesce(lb.updated_at, lb.created_at))`, type: 'timestamp' },
  },
}

/** Attributes that lists filter by. */
export const LOAD_BALANCER_ATTRIBUTES: ReadonlySet<string> = new Set(
  Object.keys(LOAD_BALANCER_LIST.attributes),
)
export const LOAD_BALANCER_SORTABLE = sortableOf(LOAD_BALANCER_LIST)

export async function insertLoadBalancer(tx: Tx, draft: LoadBalancerDraft): Promise<LoadBalancer> {
  return toLoadBalancer(await insertRow<LoadBalancerRow, LoadBalancerDraft>(tx, TABLE, draft))
}

/** Changes a load balancer; `renewed` starts a new generation of every check below it (switched on again). */
export async function updateLoadBalancer(
  tx: Tx,
  id: string,
  change: { readonly values: LoadBalancerChange; readonly renewed: boolean },
): Promise<void> {
  const also = change.renewed ? [NEW_GENERATION] : []
  await updateRow<LoadBalancerRow, LoadBalancerDraft>(tx, TABLE, id, { values: change.values, also })
}

/** Deletes a load balancer that has neither listeners nor pools. */
export async function deleteLoadBalancer(tx: Tx, id: string): Promise<void> {
  await query(tx, 'delete from load_balancer where id = ?', [id])
}

/** A load balancer of the project (of any, when undefined). */
export async function findLoadBalancer(
  db: Db,
  id: string,
  projectId: string | undefined,
): Promise<LoadBalancerView | undefined> {
  const rows = await query<LoadBalancerViewRow>(
    db,
    `select ${VIEW_COLUMNS} from load_balancer lb where lb.id = ? and (?::text is null or lb.project_id = ?)`,
    [id, projectId ?? null, projectId ?? null],
  )
  return rows[0] && toView(rows[0])
}

export async function listLoadBalancers(db: Db, list: ListQuery): Promise<LoadBalancerView[]> {
  const rows = await listRows<LoadBalancerViewRow>(db, LOAD_BALANCER_LIST, list)
  return rows.map(toView)
}

interface LoadBalancerViewRow extends LoadBalancerRow {
  listener_ids: string[]
  pool_ids: string[]
}

function toView(row: LoadBalancerViewRow): LoadBalancerView {
  return { ...toLoadBalancer(row), listenerIds: row.listener_ids, poolIds: row.pool_ids }
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
