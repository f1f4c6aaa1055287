/** Statements on listeners. */
import { listenerStatus, type RolledUpStatus } from '../../domain/status/roll-up.ts'
import type { Listener } from '../../domain/types.ts'
import { type Db, type Tx, query, violatedConstraint } from '../connection/database.ts'
import { versionedList, type VersionedList } from './versioned-rows.ts'
import { commonAttributes, type ListQuery, type ListSpec, listRows, mapPage, type Page } from './lists.ts'
import { LISTENER_COLUMNS, type ListenerRow, toListener } from './rows.ts'
import { listenerStatusOf } from '../status/roll-up.ts'
import { COMMON_CHANGEABLE, COMMON_FIXED, insertRow, type Table, updateRow } from './write-row.ts'

export type ListenerDraft = Omit<Listener, 'createdAt' | 'updatedAt' | 'provisioningStatus'>
export type ListenerChange = Partial<
  Pick<ListenerDraft, 'name' | 'description' | 'adminStateUp' | 'defaultPoolId' | 'tags' | 'echo'>
>

/** A listener with what it is at the moment. */
export interface ListenerView extends Listener {
  readonly operatingStatus: RolledUpStatus
}

/** The load balancer listens on this port already. */
export class PortTakenError extends Error {}

/** Attributes that are only stored and returned (`echo`), as SQL text. */
const echoed = (attribute: string) => `l.echo->>'${attribute}'`

const VIEW_FROM = 'listener l join load_balancer lb on lb.id = l.load_balancer_id'
const VIEW_COLUMNS = `${LISTENER_COLUMNS}, lb.provider, lb.admin_state_up as load_balancer_up`

export const LISTENER_LIST = {
  from: VIEW_FROM,
  columns: VIEW_COLUMNS,
  longColumns: ['name', 'description', 'tags', 'echo'],
  alias: 'l',
  version: `concat_ws(' ', l.xmin, lb.xmin)`,
  attributes: {
    ...commonAttributes('l'),
    description: { sql: 'l.description', type: 'text' },
    protocol: { sql: 'l.protocol', type: 'text' },
    protocol_port: { sql: 'l.protocol_port', type: 'integer' },
    loadbalancer_id: { sql: 'l.load_balancer_id', type: 'uuid' },
    default_pool_id: { sql: 'l.default_pool_id', type: 'uuid' },
    operating_status: { sql: listenerStatusOf('l', 'lb'), type: 'text' },
    connection_limit: { sql: `coalesce((${echoed('connection_limit')})::integer, -1)`, type: 'integer' },
    http2_enable: { sql: `coalesce((${echoed('http2_enable')})::boolean, false)`, type: 'boolean' },
    default_tls_container_ref: { sql: `(${echoed('default_tls_container_ref')})`, type: 'text' },
    client_ca_tls_container_ref: { sql: `(${echoed('client_ca_tls_container_ref')})`, type: 'text' },
    tls_ciphers_policy: { sql: `(${echoed('tls_ciphers_policy')})`, type: 'text' },
    created_at: { sql: `date_trunc('second', l.created_at)`, type: 'timestamp' },
    updated_at: { sql: `date_trunc('second', l.updated_at)`, type: 'timestamp' },
  },
} as const satisfies ListSpec

/** Throws PortTakenError. The index decides, so concurrent creates are safe. */
export async function insertListener(tx: Tx, draft: ListenerDraft): Promise<Listener> {
  try {
    return toListener(await insertRow<ListenerRow, ListenerDraft>(tx, TABLE, draft))
  } catch (error) {
    if (violatedConstraint(error) === 'listener_port_key') throw new PortTakenError()
    throw error
  }
}

export async function updateListener(tx: Tx, id: string, values: ListenerChange): Promise<Listener> {
  return toListener(await updateRow<ListenerRow, ListenerDraft>(tx, TABLE, id, { values }))
}

/** Sends the traffic of a listener to a pool. */
export async function setDefaultPool(tx: Tx, id: string, poolId: string): Promise<void> {
  await updateListener(tx, id, { defaultPoolId: poolId })
}

export async function deleteListener(tx: Tx, id: string): Promise<void> {
  await query(tx, 'delete from listener where id = $1', [id])
}

/** A listener of the project (of any, when undefined). */
export async function findListener(
  db: Db,
  id: string,
  projectId: string | undefined,
): Promise<ListenerView | undefined> {
  const rows = await query<ListenerViewRow>(
    db,
    `select ${VIEW_COLUMNS} from ${VIEW_FROM} where l.id = $1 and ($2::text is null or l.project_id = $2)`,
    [id, projectId ?? null],
  )
  return rows[0] && toView(rows[0])
}

export async function listListeners(db: Db, list: ListQuery): Promise<Page<ListenerView>> {
  const rows = await listRows<ListenerViewRow>(db, LISTENER_LIST, list)
  return mapPage(rows, toView)
}

/** The same list by versions. */
export function versionedListeners(db: Db): VersionedList<ListenerView> {
  return versionedList(db, { spec: LISTENER_LIST, toItem: toView })
}

interface ListenerViewRow extends ListenerRow {
  provider: string
  load_balancer_up: boolean
}

function toView(row: ListenerViewRow): ListenerView {
  const listener = toListener(row)
  const { provider, load_balancer_up: loadBalancerUp } = row
  const facts = { provider, loadBalancerUp, listenerUp: listener.adminStateUp }
  return Object.assign(listener, { operatingStatus: listenerStatus(facts) })
}

const TABLE: Table<ListenerDraft> = {
  name: 'listener',
  alias: 'l',
  returning: LISTENER_COLUMNS,
  fixed: [
    ...COMMON_FIXED,
    ['loadBalancerId', 'load_balancer_id'],
    ['protocol', 'protocol'],
    ['protocolPort', 'protocol_port'],
  ],
  changeable: [...COMMON_CHANGEABLE, ['description', 'description'], ['defaultPoolId', 'default_pool_id']],
}
