/** Who should get what is sent to a pool, as the database keeps it (migration 0039). */
import type { TrafficRule } from '../../domain/pool-health/traffic-rule.ts'
import type { MemberTrafficFacts, Traffic } from '../../domain/pool-health/traffic.ts'
import { type Db, query } from '../connection/database.ts'
import { isLbaas, type Reach } from '../door/lbaas-only.ts'

export interface EffectiveMember extends MemberTrafficFacts {
  readonly id: string
  readonly name: string
  readonly address: string
  readonly protocolPort: number
}

export interface EffectiveMembers {
  readonly projectId: string
  readonly traffic: Pick<Traffic, 'kind' | 'first' | 'backups'>
  readonly rule: TrafficRule
  readonly counts: {
    readonly members: number
    readonly able: number
    readonly passing: number
    readonly ableBackup: number
    readonly passingBackup: number
  }
  /** In the order of their ids. */
  readonly members: readonly EffectiveMember[]
}

export interface EffectiveMembersQuery {
  readonly poolId: string
  /** Absent: of every project. */
  readonly projectId: string | undefined
  readonly reach: Reach
  /** Only those that get traffic, or only the others. */
  readonly receives: boolean | undefined
  /** Members after this id. */
  readonly after: string | undefined
  readonly limit: number
}

/** `memberTraffic` in SQL: member `m` of the pool of `r` gets traffic. */
const RECEIVES = `(r.traffic <> 'switched_off' and m.admin_state_up and m.weight > 0
  and case case when m.backup then r.traffic_backups else r.traffic_first end
    when 'all' then true when 'passing' then m.state in ('ONLINE', 'NO_MONITOR') else false end)`

interface Row {
  project_id: string
  traffic: Traffic['kind']
  traffic_first: Traffic['first']
  traffic_backups: Traffic['backups']
  at_least: number | null
  percent: number | null
  when_too_few: TrafficRule['whenTooFew']
  overprovisioning_percent: number | null
  members: number
  able: number
  passing: number
  able_backup: number
  passing_backup: number
  /** Null: there is no member on this page. */
  id: string | null
  name: string
  address: string
  protocol_port: number
  weight: number
  backup: boolean
  admin_state_up: boolean
  state: MemberTrafficFacts['state']
}

/** The decision and a page of members, of one moment; undefined = there is no such pool. */
export async function findEffectiveMembers(
  db: Db,
  { poolId, projectId, reach, receives, after, limit }: EffectiveMembersQuery,
): Promise<EffectiveMembers | undefined> {
  const rows = await query<Row>(
    db,
    `select p.project_id, r.traffic, r.traffic_first, r.traffic_backups, r.at_least, r.percent, r.when_too_few,
       r.overprovisioning_percent, r.members, r.able, r.passing, r.able_backup, r.passing_backup,
       page.id, page.name, page.address, page.protocol_port, page.weight, page.backup, page.admin_state_up, page.state
     from pool p
     join pool_roll_up r on r.pool_id = p.id
     left join lateral (
       select m.id, m.name, m.address, m.protocol_port, m.weight, m.backup, m.admin_state_up, m.state
       from member_detail m
       where m.pool_id = p.id and ($3::uuid is null or m.id > $3) and ($4::boolean is null or ${RECEIVES} = $4)
       order by m.id
       limit $5
     ) page on true
     where p.id = $1 and ($2::text is null or p.project_id = $2) ${reach === 'lbaas' ? `and ${isLbaas('p')}` : ''}
     order by page.id`,
    [poolId, projectId ?? null, after ?? null, receives ?? null, limit],
  )
  const [first] = rows
  return first && { ...poolOf(first), members: rows.flatMap(memberOf) }
}

function poolOf(row: Row): Omit<EffectiveMembers, 'members'> {
  return {
    projectId: row.project_id,
    traffic: { kind: row.traffic, first: row.traffic_first, backups: row.traffic_backups },
    rule: {
      atLeast: row.at_least,
      percent: row.percent,
      whenTooFew: row.when_too_few,
      overprovisioningPercent: row.overprovisioning_percent,
    },
    counts: {
      members: row.members,
      able: row.able,
      passing: row.passing,
      ableBackup: row.able_backup,
      passingBackup: row.passing_backup,
    },
  }
}

function memberOf(row: Row): EffectiveMember[] {
  const { id, name, address, weight, backup, state } = row
  if (id === null) return []
  return [
    {
      id,
      name,
      address,
      protocolPort: row.protocol_port,
      weight,
      backup,
      memberUp: row.admin_state_up,
      state,
    },
  ]
}
