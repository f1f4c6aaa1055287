/**
 * Statements of the overview of a project: sums of what is kept per pool (`pool_roll_up`), so that no statement walks over
 * members, and pools and load balancers with the worst first.
 */
import type { TrafficKind } from '../../domain/pool-health/traffic.ts'
import type { Maintenance } from '../../domain/status/maintenance.ts'
import { OVERVIEW_CERTIFICATES_MAX } from '../../domain/limits.ts'
import { IS_EXPIRING } from './certificates.ts'
import { type Bindings, collectBindings } from '../connection/bindings.ts'
import { type Db, query } from '../connection/database.ts'
import { COUNTS, type MemberCounts } from './pool-counts.ts'

/** One member may count as pending, as stale and as in maintenance beside its state. */
export interface OverviewCounts extends MemberCounts {
  readonly stale: number
  readonly maintenance: number
  /** Their certificate ends soon, or has ended; OVERVIEW_CERTIFICATES_MAX = so many, or more. */
  readonly certificate_expiring: number
}

/** `undefined` = of all projects. */
export interface OverviewScope {
  readonly projectId: string | undefined
}

const SUMS = COUNTS.map((column) => `coalesce(sum(r.${column}), 0)::int as ${column}`).join(', ')

/** Members of a pool that should be probed, as `pending or state in ('ONLINE', 'OFFLINE')` counts them. */
const PROBED = `case when r.monitored and lb.provider <> 'noop_driver' then r.members - r.disabled else 0 end`
/** Pools on whose members sites vote: the leases of `local` say nothing of them. */
const VOTED_POOLS = 'select voted.pool_id from health_monitor voted where voted.sites is not null'
/** Of a pool that `local` alone probes. */
const UNOWNED = `(not exists (
  select from shard sh join prober pr on pr.id = sh.owner where sh.id = p.shard and pr.lease_until > now())
  and p.id not in (${VOTED_POOLS}))`

/** A maintenance that lasts now, as `isMaintained` of the domain says it. */
const lasts = (maintenance: string): string => `(
  ${maintenance} is not null and maintenance_time(${maintenance}->>'start') <= now()
  and coalesce(maintenance_time(${maintenance}->>'end') > now(), true))`

/** Of the project $1; null = of all. */
const MAINTAINED_POOLS = `(
  select p.id from pool p where ($1::text is null or p.project_id = $1) and ${lasts('p.maintenance')}
  union
  select hm.pool_id from health_monitor hm
  where ($1::text is null or hm.project_id = $1) and ${lasts('hm.maintenance')})`

/** Every column is an aggregate: there is always one row. */
export async function readOverviewCounts(db: Db, { projectId }: OverviewScope): Promise<OverviewCounts> {
  const [row] = await query<OverviewCounts>(
    db,
    `with counted as (
       select ${SUMS}, coalesce(sum(${PROBED}) filter (where ${UNOWNED}), 0)::int as unowned
       from pool_roll_up r
       join pool p on p.id = r.pool_id
       join load_balancer lb on lb.id = r.load_balancer_id
       where $1::text is null or r.project_id = $1
     ), maintained as materialized ${MAINTAINED_POOLS}
     select counted.*,
       counted.unowned + (
         select count(*)::int from stale_check sc
         join member m on m.id = sc.member_id
         join pool p on p.id = m.pool_id
         where ($1::text is null or m.project_id = $1) and m.admin_state_up and not ${UNOWNED}
       ) + (
         select count(*)::int from member_state s
         join member m on m.id = s.member_id
         where s.undecided and ($1::text is null or m.project_id = $1) and m.admin_state_up
           and m.pool_id in (${VOTED_POOLS})
       ) as stale,
       (select coalesce(sum(r.members), 0)::int from pool_roll_up r
         where r.pool_id in (select id from maintained) and ($1::text is null or r.project_id = $1))
       + (select count(*)::int from member m
         where ${lasts('m.maintenance')} and ($1::text is null or m.project_id = $1)
           and m.pool_id not in (select id from maintained)) as maintenance,
       (select count(*)::int from (
         select from shown_certificate sc where ${IS_EXPIRING} and ($1::text is null or sc.project_id = $1)
         limit ${OVERVIEW_CERTIFICATES_MAX}) sc) as certificate_expiring
     from counted`,
    [projectId ?? null],
  )
  if (row === undefined) throw new Error('an aggregate has no row')
  return row
}

/** How many pools, or load balancers, have which operating status. What holds the pools of a door together is none. */
export async function countStatuses(
  db: Db,
  of: 'pool' | 'load_balancer',
  { projectId }: OverviewScope,
): Promise<Readonly<Record<string, number>>> {
  const ofLbaas = `not exists (
    select from load_balancer lb where lb.id = r.load_balancer_id and lb.door is not null)`
  const rows = await query<{ status: string; n: number }>(
    db,
    `select r.operating_status as status, count(*)::int as n from ${of}_roll_up r
     where ($1::text is null or r.project_id = $1) ${of === 'pool' ? '' : `and ${ofLbaas}`} group by 1 order by 1`,
    [projectId ?? null],
  )
  return Object.fromEntries(rows.map(({ status, n }) => [status, n]))
}

export interface ProjectCounts extends MemberCounts {
  readonly project_id: string
}

/** Projects with pools, those with most members OFFLINE first. */
export async function listProjectCounts(db: Db, limit: number): Promise<readonly ProjectCounts[]> {
  return await query<ProjectCounts>(
    db,
    `select r.project_id, ${SUMS} from pool_roll_up r
     group by r.project_id order by sum(r.offline) desc, r.project_id limit $1`,
    [limit],
  )
}

export interface OverviewPage extends OverviewScope {
  readonly limit: number
  /** The id of the last row of the page before; rows move when their status changes. */
  readonly marker?: string
  /** Part of a name, the beginning of an id or of an address. */
  readonly search?: string
  readonly loadBalancerId?: string
  readonly poolId?: string
}

export interface OverviewLoadBalancerRow extends MemberCounts {
  readonly id: string
  readonly name: string
  readonly project_id: string
  readonly vip_address: string | null
  readonly operating_status: string
  readonly since: Date
  readonly pools: number
}

export interface OverviewPoolRow extends MemberCounts {
  readonly id: string
  readonly name: string
  readonly project_id: string
  /** Null below a door. */
  readonly load_balancer_id: string | null
  readonly load_balancer_name: string | null
  /** The door that keeps it; null = LBaaS. */
  readonly door: string | null
  /** The door's own names of its scope and of the pool. */
  readonly door_scope: string | null
  readonly door_key: string | null
  readonly operating_status: string
  readonly since: Date
  readonly monitor_type: string | null
  readonly in_service: boolean
  /** Null: the pool has no options. */
  readonly traffic: TrafficKind | null
  /** That lasts, or is to come, or was the last one. */
  readonly maintenance_window: Maintenance | null
  /** One of the pool, or of its monitor, lasts now. */
  readonly maintenance: boolean
}

/** The worst first: by status, by how many members are OFFLINE, by name. */
const ORDER = `case w.operating_status when 'ERROR' then 0 when 'DEGRADED' then 1 when 'OFFLINE' then 2 else 3 end,
  -w.offline, w.name, w.id`

const LOAD_BALANCERS = `
  select lb.id, lb.name, lb.project_id, coalesce(lb.vip_address, host(given.address)) as vip_address,
    coalesce(k.operating_status, 'OFFLINE') as operating_status,
    coalesce(k.since, lb.created_at) as since, r.*
  from load_balancer lb
  left join load_balancer_address given on given.load_balancer_id = lb.id
  left join load_balancer_roll_up k on k.load_balancer_id = lb.id
  cross join lateral (
    select count(*)::int as pools, ${SUMS} from pool_roll_up r where r.load_balancer_id = lb.id
  ) r
  where lb.door is null`

const POOLS = `
  select p.id, p.name, p.project_id, p.load_balancer_id as parent_id, case when p.door is null then lb.id end as load_balancer_id,
    case when p.door is null then lb.name end as load_balancer_name, p.door, lb.door_key as door_scope, p.door_key,
    coalesce(r.operating_status, 'OFFLINE') as operating_status, coalesce(r.since, p.created_at) as since,
    hm.type as monitor_type, coalesce(r.in_service, false) as in_service,
    case when r.when_too_few is not null then r.traffic end as traffic,
    ${lasts('p.maintenance')} or ${lasts('hm.maintenance')} as maintenance, p.maintenance as maintenance_window,
    ${COUNTS.map((column) => `coalesce(r.${column}, 0) as ${column}`).join(', ')}
  from pool p
  join load_balancer lb on lb.id = p.load_balancer_id
  left join pool_roll_up r on r.pool_id = p.id
  left join health_monitor hm on hm.pool_id = p.id`

/** One page; undefined when the row of the marker is gone. */
export async function listLoadBalancersWorstFirst(
  db: Db,
  page: OverviewPage,
): Promise<readonly OverviewLoadBalancerRow[] | undefined> {
  return await worstFirst(db, LOAD_BALANCERS, page, (search) => foundIn('w', search, ['vip_address']))
}

/** As `listLoadBalancersWorstFirst`; a pool is found by its load balancer's name and by the address of a member too. */
export async function listPoolsWorstFirst(
  db: Db,
  page: OverviewPage,
): Promise<readonly OverviewPoolRow[] | undefined> {
  return await worstFirst(db, POOLS, page, (search) => [
    ...foundIn('w', search, ['load_balancer_name']),
    ...(search.address === undefined
      ? []
      : [`w.id in (select m.pool_id from member m where m.address like ${search.address})`]),
  ])
}

/** A pool as it is in lists; undefined = unknown. */
export async function findOverviewPool(db: Db, id: string): Promise<OverviewPoolRow | undefined> {
  const [row] = await query<OverviewPoolRow>(db, `select w.* from (${POOLS}) w where w.id = $1`, [id])
  return row
}

/** A load balancer as it is in lists; undefined = unknown. */
export async function findOverviewLoadBalancer(
  db: Db,
  id: string,
): Promise<OverviewLoadBalancerRow | undefined> {
  const [row] = await query<OverviewLoadBalancerRow>(
    db,
    `select w.* from (${LOAD_BALANCERS}) w where w.id = $1`,
    [id],
  )
  return row
}

async function worstFirst<Row>(
  db: Db,
  source: string,
  { projectId, limit, marker, search, loadBalancerId }: OverviewPage,
  alsoFoundBy: (search: Search) => readonly string[],
): Promise<readonly Row[] | undefined> {
  const { values, bind } = collectBindings()
  const where: string[] = []
  if (projectId !== undefined) where.push(`w.project_id = ${bind(projectId)}`)
  if (marker !== undefined) {
    const scope = where.length === 0 ? 'true' : '($2::text = w.project_id)'
    const found = await query<{ a: number; b: number; c: string; d: string }>(
      db,
      `select k.* from (${source}) w cross join lateral (select ${ORDER}) k (a, b, c, d) where w.id = $1::uuid and ${scope}`,
      projectId === undefined ? [marker] : [marker, projectId],
    )
    const key = found[0]
    if (key === undefined) return undefined
    where.push(
      `(${ORDER}) > (${bind(key.a)}::int, ${bind(key.b)}::int, ${bind(key.c)}::text, ${bind(key.d)}::uuid)`,
    )
  }
  // By the column of the table, which has an index.
  if (loadBalancerId !== undefined)
    where.push(`w.parent_id = ${bind(loadBalancerId)}::uuid and w.door is null`)
  if (search !== undefined) {
    const pattern = searchOf(search, bind)
    where.push(`(${[...foundIn('w', pattern, ['name']), ...alsoFoundBy(pattern)].join(' or ')})`)
  }
  return await query<Row>(
    db,
    `select w.* from (${source}) w ${where.length === 0 ? '' : `where ${where.join(' and ')}`}
     order by ${ORDER} limit ${bind(limit)}`,
    values,
  )
}

/** What a search can find, as bindings; absent = nothing of that kind looks like it. */
export interface Search {
  /** `like` patterns: a part of a name, the beginning of an address. */
  readonly part: string
  readonly address?: string
  /** The least and the greatest id that begin so: an index finds what is between. */
  readonly ids?: readonly [least: string, greatest: string]
}

export function searchOf(search: string, bind: Bindings['bind']): Search {
  // %, _ and the backslash are letters of a search.
  const part = bind(`%${search.replaceAll(/[\\%_]/g, String.raw`\$&`)}%`)
  const text = search.toLowerCase()
  const hex = text.replaceAll('-', '')
  return {
    part,
    ...(/^[0-9a-f:]*[.:][0-9a-f.:]*$|^\d{1,3}$/.test(text) ? { address: bind(`${text}%`) } : {}),
    ...(/^[0-9a-f]{1,32}$/.test(hex)
      ? { ids: [bind(hex.padEnd(32, '0')), bind(hex.padEnd(32, 'f'))] as const }
      : {}),
  }
}

/** The conditions under which a row is found by its names, its id, its address; `alias` has them. */
export function foundIn(alias: string, { part, address, ids }: Search, columns: readonly string[]): string[] {
  return [
    ...(ids === undefined ? [] : [`${alias}.id between ${ids[0]}::uuid and ${ids[1]}::uuid`]),
    ...columns.flatMap((column) => {
      if (!column.endsWith('address')) return [`${alias}.${column} ilike ${part}`]
      return address === undefined ? [] : [`${alias}.${column} like ${address}`]
    }),
  ]
}
