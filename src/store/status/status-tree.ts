/** A load balancer and everything below it, in one statement and so of one moment. */
import type { MemberState } from '../../domain/status/member-status.ts'
import type { MonitorType, ProvisioningStatus } from '../../domain/types.ts'
import { isLbaas } from '../door/lbaas-only.ts'
import { type Db, query } from '../connection/database.ts'

export interface TreeNode {
  readonly id: string
  readonly name: string
  readonly provisioningStatus: ProvisioningStatus
  readonly adminStateUp: boolean
}

export interface TreeMember extends TreeNode {
  readonly poolId: string
  readonly address: string
  readonly protocolPort: number
  readonly weight: number
  readonly state: MemberState
}

export interface TreePool extends TreeNode {
  readonly healthMonitor: (TreeNode & { readonly type: MonitorType }) | null
}

export interface StatusTree {
  readonly loadBalancer: TreeNode & { readonly provider: string; readonly projectId: string }
  readonly listeners: readonly (TreeNode & { readonly defaultPoolId: string | null })[]
  readonly pools: readonly TreePool[]
  /** At most `membersMax` + 1 of the pools that were asked for. */
  readonly members: readonly TreeMember[]
}

export interface StatusTreeKey {
  readonly id: string
  /** Absent = any project. */
  readonly projectId: string | undefined
  readonly membersMax: number
  /** Of which pools the members are read: of all, or of those that are a listener's default. */
  readonly membersOf: 'every pool' | 'listened pools'
}

const node = (alias: string): string =>
  `'id', ${alias}.id, 'name', ${alias}.name, 'provisioningStatus', ${alias}.provisioning_status,
   'adminStateUp', ${alias}.admin_state_up`

const MEMBERS_OF: Readonly<Record<StatusTreeKey['membersOf'], string>> = {
  'every pool': '',
  'listened pools': `and md.pool_id in (
    select l.default_pool_id from listener l where l.load_balancer_id = lb.id and l.default_pool_id is not null
  )`,
}

export async function readStatusTree(db: Db, key: StatusTreeKey): Promise<StatusTree | undefined> {
  const rows = await query<Partial<StatusTree>>(
    db,
    `select json_build_object(${node('lb')}, 'provider', lb.provider,
         'projectId', lb.project_id) as "loadBalancer",
       (select json_agg(json_build_object(${node('l')}, 'defaultPoolId', l.default_pool_id) order by l.id)
        from listener l where l.load_balancer_id = lb.id) as listeners,
       (select json_agg(json_build_object(${node('p')}, 'healthMonitor',
          case when hm.id is not null then json_build_object(${node('hm')}, 'type', hm.type) end) order by p.id)
        from pool p left join health_monitor hm on hm.pool_id = p.id
        where p.load_balancer_id = lb.id) as pools,
       (select json_agg(json_build_object(${node('m')}, 'poolId', m.pool_id, 'address', m.address,
          'protocolPort', m.protocol_port, 'weight', m.weight, 'state', m.state) order by m.id)
        from (
          select * from member_detail md
          where md.load_balancer_id = lb.id ${MEMBERS_OF[key.membersOf]} limit $1
        ) m) as members
     from load_balancer lb
     where lb.id = $2 and ($3::text is null or lb.project_id = $3) and ${isLbaas('lb')}`,
    [key.membersMax + 1, key.id, key.projectId ?? null],
  )
  const row = rows[0]
  if (row?.loadBalancer === undefined) return undefined
  return {
    loadBalancer: row.loadBalancer,
    listeners: row.listeners ?? [],
    pools: row.pools ?? [],
    members: row.members ?? [],
  }
}
