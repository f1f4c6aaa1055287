/** What probers read: versions of pools, and the checks of pools with their last verdicts. */
import type { CheckConfig, PoolChecks, StoredVerdict } from '../../domain/prober/check.ts'
import { LOCAL_SITE } from '../../domain/limits.ts'
import { HOST_ADDRESS } from '../../domain/target/http-host.ts'
import { type Maintenance, windowsOf } from '../../domain/status/maintenance.ts'
import { NOOP_PROVIDER } from '../../domain/status/member-status.ts'
import type { MonitorOptions } from '../../domain/options/monitor-options.ts'
import { poolSettings } from '../../domain/target/pool-settings.ts'
import { expiryWarningDays, showsCertificate } from '../../domain/options/expiry-warning.ts'
import { targetsOf } from '../../domain/target/monitor-target.ts'
import { statePolicy } from '../../domain/options/profiles.ts'
import type { Reason } from '../../domain/result/reasons.ts'
import type { Echo, PoolProtocol } from '../../domain/types.ts'
import { probingFieldsOf, type ProbingFieldsRow } from '../configuration/rows.ts'
import { type Db, query } from '../connection/database.ts'
import { tablesOf } from './site-tables.ts'

export interface PoolVersion {
  readonly poolId: string
  readonly shard: number
  readonly configVersion: number
}

/** The versions of all pools of these shards. */
export async function readPoolVersions(db: Db, shards: readonly number[]): Promise<readonly PoolVersion[]> {
  return await query<PoolVersion>(
    db,
    'select id as "poolId", shard, config_version as "configVersion" from pool where shard = any($1::smallint[])',
    [shards],
  )
}

/** Of each of these shards that has pools, a text that is another one when a pool came, went or changed. */
export async function readPoolDigests(
  db: Db,
  shards: readonly number[],
): Promise<ReadonlyMap<number, string>> {
  const rows = await query<{ shard: number; digest: string }>(
    db,
    `select shard, count(*) || ' ' || sum(uuid_hash_extended(id, config_version)) as digest
     from pool where shard = any($1::smallint[]) group by shard`,
    [shards],
  )
  return new Map(rows.map(({ shard, digest }) => [shard, digest]))
}

/** The project of a pool, and its number of members, probed or not. */
export interface PoolSize {
  readonly poolId: string
  readonly projectId: string
  readonly members: number
}

/** Of those of these pools that there are. */
export async function readPoolSizes(db: Db, poolIds: readonly string[]): Promise<readonly PoolSize[]> {
  return await query<PoolSize>(
    db,
    'select id as "poolId", project_id as "projectId", member_count as members from pool where id = any($1::uuid[])',
    [poolIds],
  )
}

/** The generation of a check, and the first generation whose verdicts are published (migration 0014). */
const CHECK_GENERATION = 'greatest(lb.generation, p.generation, m.generation, hm.generation)'
const PUBLISHED_FROM = 'greatest(lb.published_from, p.published_from, m.published_from, hm.published_from)'

/**
 * $1 are the pools, $2 is the provider whose pools are not probed. The joins select what a site probes of a pool: a pool
 * without a probed member gives one row without member.
 */
const loadPoolsBy = (members: string, site: string): string => `
select
  p.id as pool_id, p.shard, p.project_id, p.config_version, p.traffic_seen_at is not null as traffic_seen,
  hm.options is not null or p.echo @> '{"tls_enabled": true}' as has_details,
  m.id as member_id, m.address, m.protocol_port, m.monitor_address, m.monitor_port as member_monitor_port,
  hm.type, hm.profile, hm.delay_seconds, hm.timeout_seconds, hm.rise, hm.fall, hm.monitor_port, hm.domain_name,
  hm.url_path, hm.http_method, hm.http_version, hm.expected_codes, hm.echo->>'${HOST_ADDRESS}' as host_address,
  p.protocol as pool_protocol,
  ${CHECK_GENERATION} as generation, ${PUBLISHED_FROM} as published_from, hm.starts_as, hm.sent_fields,
  m.echo->'depends_on' as member_depends_on, p.echo->'depends_on' as pool_depends_on,
  m.maintenance as member_maintenance, p.maintenance as pool_maintenance, hm.maintenance as monitor_maintenance,
  hm.sites is not null as is_vote, ${verdictColumns(site)}
from pool p
join load_balancer lb on lb.id = p.load_balancer_id
left join health_monitor hm on hm.pool_id = p.id
  and hm.admin_state_up and p.admin_state_up and lb.admin_state_up and lb.provider <> $2
  and ${isProbedFrom(site)}
left join ${members}
${verdictTables(site)}
where p.id = any($1::uuid[])`

const VERDICT_COLUMNS = ['status', 'since', 'reason', 'detail', 'evidence', 'ok_run', 'bad_run']

/** Of the last verdict of a check: where sites vote, that of this site (`v`); else the one that is published (`s`). */
function verdictColumns(site: string): string {
  const column = (name: string): string =>
    site === LOCAL_SITE ? `coalesce(v.${name}, s.${name})` : `v.${name}`
  const all = VERDICT_COLUMNS.map((name) => `${column(name)} as ${name}`)
  return [`${column('generation')} as verdict_generation`, ...all, 'v.stale as is_stale'].join(', ')
}

function verdictTables(site: string): string {
  const vote = `left join member_site_state v on v.member_id = m.id and v.site = ${tablesOf(site).name}
  and hm.sites is not null and v.generation >= ${PUBLISHED_FROM}`
  const verdict = `left join member_state s on s.member_id = m.id and hm.sites is null and s.generation >= ${PUBLISHED_FROM}`
  return site === LOCAL_SITE ? `${verdict}\n${vote}` : vote
}

/** Whether the members of monitor `hm` are probed from a site. */
function isProbedFrom(site: string): string {
  const { name } = tablesOf(site)
  return site === LOCAL_SITE ? `(hm.sites is null or hm.sites ? ${name})` : `hm.sites ? ${name}`
}

const PROBED_MEMBERS = 'member m on m.pool_id = p.id and m.admin_state_up and hm.id is not null'
const NEXT_PROBED_MEMBERS = `lateral (
  select * from member where pool_id = p.id and admin_state_up and hm.id is not null and ($3::uuid is null or id > $3::uuid)
  order by id limit $4
) m on true`

/**
 * Options and the TLS settings of pools. They have their own statement because they may be large, and the rows above
 * are one per member. They are read last: a change between the two statements has raised the pool's version, so the
 * pool is loaded again.
 */
const LOAD_DETAILS = `
select p.id as pool_id, hm.options, p.echo - 'depends_on' as echo
from pool p join health_monitor hm on hm.pool_id = p.id
where p.id = any($1::uuid[])`

interface LoadedPoolRow {
  readonly pool_id: string
  readonly shard: number
  readonly project_id: string
  readonly config_version: number
  readonly traffic_seen: boolean
  readonly has_details: boolean
}

interface CheckRow extends LoadedPoolRow, ProbingFieldsRow {
  readonly member_id: string
  readonly address: string
  readonly protocol_port: number
  readonly monitor_address: string | null
  readonly member_monitor_port: number | null
  readonly pool_protocol: PoolProtocol
  readonly host_address: string | null
  readonly generation: number
  readonly published_from: number
  readonly is_vote: boolean
  readonly is_stale: boolean | null
  readonly starts_as: 'ONLINE' | 'OFFLINE' | null
  readonly member_depends_on: readonly string[] | null
  readonly pool_depends_on: readonly string[] | null
  readonly member_maintenance: Maintenance | null
  readonly pool_maintenance: Maintenance | null
  readonly monitor_maintenance: Maintenance | null
  readonly verdict_generation: number
  readonly status: 'ONLINE' | 'OFFLINE' | null
  readonly since: Date
  readonly reason: Reason
  readonly detail: string
  readonly evidence: Readonly<Record<string, unknown>>
  readonly ok_run: number
  readonly bad_run: number
}

/**
 * The checks that a site makes of these pools, with the last verdict where it is published. Pools that are gone are absent.
 */
export async function loadPools(
  db: Db,
  poolIds: readonly string[],
  site: string = LOCAL_SITE,
): Promise<readonly PoolChecks[]> {
  const rows = await query<LoadedRow>(db, loadPoolsBy(PROBED_MEMBERS, site), [poolIds, NOOP_PROVIDER])
  return await poolsOf(db, rows)
}

/** Checks of a large pool, in the order of their members; of the last part `lastMember` is undefined. */
export interface PoolPart {
  readonly pool: PoolChecks
  readonly lastMember: string | undefined
}

/** The next `limit` checks of a pool, after a member or from the first on. undefined: there is no such pool. */
export async function loadPoolPart(
  db: Db,
  poolId: string,
  {
    after,
    limit,
    site = LOCAL_SITE,
  }: { readonly after: string | undefined; readonly limit: number; readonly site?: string },
): Promise<PoolPart | undefined> {
  const values = [[poolId], NOOP_PROVIDER, after ?? null, limit]
  const rows = await query<LoadedRow>(db, loadPoolsBy(NEXT_PROBED_MEMBERS, site), values)
  const [pool] = await poolsOf(db, rows)
  if (pool === undefined) return undefined
  const members = rows.flatMap(({ member_id }) => member_id ?? [])
  // The rows of a join have no order.
  const last = members.reduce((greatest, id) => (id > greatest ? id : greatest), '')
  return { pool, lastMember: members.length < limit ? undefined : last }
}

type LoadedRow = LoadedPoolRow & { readonly member_id: string | null }

async function poolsOf(db: Db, rows: readonly LoadedRow[]): Promise<readonly PoolChecks[]> {
  const details = await loadDetails(db, rows)
  const pools = new Map<string, LoadedPool>()
  for (const row of rows) {
    let pool = pools.get(row.pool_id)
    if (pool === undefined) {
      pool = {
        checks: { poolId: row.pool_id, shard: row.shard, configVersion: row.config_version, checks: [] },
        monitor: row.member_id === null ? undefined : toMonitor(row as CheckRow, details.get(row.pool_id)),
      }
      pools.set(row.pool_id, pool)
    }
    if (pool.monitor !== undefined) pool.checks.checks.push(toCheck(row as CheckRow, pool.monitor))
  }
  return [...pools.values()].map(({ checks }) => checks)
}

interface LoadedPool {
  readonly checks: PoolChecks & { readonly checks: PoolChecks['checks'][number][] }
  /** Absent when nothing of the pool is probed. */
  readonly monitor: LoadedMonitor | undefined
}

/** What all checks of a pool share. */
interface LoadedMonitor {
  readonly targetOf: ReturnType<typeof targetsOf>
  readonly policy: CheckConfig['policy']
  readonly warningDays: number
  /** Taken from the first row: every row has its own copies. */
  readonly poolId: string
  readonly projectId: string
}

interface PoolDetails {
  readonly pool_id: string
  readonly options: MonitorOptions | null
  readonly echo: Echo
}

async function loadDetails(
  db: Db,
  rows: readonly LoadedPoolRow[],
): Promise<ReadonlyMap<string, PoolDetails>> {
  const poolIds = [...new Set(rows.filter((row) => row.has_details).map((row) => row.pool_id))]
  if (poolIds.length === 0) return new Map()
  const found = await query<PoolDetails>(db, LOAD_DETAILS, [poolIds])
  return new Map(found.map((details) => [details.pool_id, details]))
}

function toMonitor(row: CheckRow, details: PoolDetails | undefined): LoadedMonitor {
  const monitor = Object.assign(probingFieldsOf(row), {
    options: details?.options ?? null,
    echo: row.host_address === null ? {} : { [HOST_ADDRESS]: row.host_address },
  })
  const pool = poolSettings({ protocol: row.pool_protocol, echo: details?.echo ?? {} })
  return {
    targetOf: targetsOf(monitor, pool),
    policy: statePolicy(monitor, row.traffic_seen),
    warningDays: expiryWarningDays(monitor.options),
    poolId: row.pool_id,
    projectId: row.project_id,
  }
}

function toCheck(
  row: CheckRow,
  { targetOf, policy, poolId, projectId, warningDays }: LoadedMonitor,
): PoolChecks['checks'][number] {
  const member = {
    address: row.address,
    protocolPort: row.protocol_port,
    monitorAddress: row.monitor_address,
    monitorPort: row.member_monitor_port,
  }
  const target = targetOf(member)
  const config: CheckConfig = {
    memberId: row.member_id,
    poolId,
    projectId,
    shard: row.shard,
    generation: row.generation,
    publishedFrom: row.published_from,
    ...(row.is_vote ? { isVote: true as const } : {}),
    ...(row.starts_as === 'ONLINE' ? { startsOnline: true as const } : {}),
    target,
    policy,
    ...(showsCertificate(target) ? { expiryWarningDays: warningDays } : {}),
    ...maintenanceOf(row),
    ...dependenciesOf(row),
  }
  const verdict = toVerdict(row)
  return verdict === undefined ? { config } : { config, verdict }
}

function maintenanceOf(row: CheckRow): Pick<CheckConfig, 'maintenance'> {
  const all = [row.member_maintenance, row.pool_maintenance, row.monitor_maintenance]
  const maintenance = all.flatMap((each) => (each === null ? [] : windowsOf(each)))
  return maintenance.length === 0 ? {} : { maintenance }
}

function dependenciesOf(row: CheckRow): Pick<CheckConfig, 'dependsOn'> {
  const ids = [...(row.member_depends_on ?? []), ...(row.pool_depends_on ?? [])]
  return ids.length === 0 ? {} : { dependsOn: ids }
}

function toVerdict(row: CheckRow): StoredVerdict | undefined {
  if (row.status === null) return undefined
  return {
    generation: row.verdict_generation,
    status: row.status,
    since: row.since.getTime(),
    reason: row.reason,
    detail: row.detail,
    evidence: row.evidence,
    okRun: row.ok_run,
    badRun: row.bad_run,
    ...(row.is_stale === true ? { isStale: true as const } : {}),
  }
}
