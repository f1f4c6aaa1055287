/** Statements on the health of members: status, verdict, monitor, owner of the shard, and the checkpoint. */
import { unpackFlags } from '../../domain/result/flags.ts'
import type { CheckpointedProbe, HealthFacts } from '../../domain/status/member-health.ts'
import {
  RECENT_BYTES,
  RECENT_HEADER_BYTES,
  type RecentResult,
  unpackRecent,
} from '../../domain/result/recent-results.ts'
import { type Maintenance, maintenanceAt } from '../../domain/status/maintenance.ts'
import type { MemberState } from '../../domain/status/member-status.ts'
import type { HealthMonitor } from '../../domain/health-monitor.ts'
import type { Member } from '../../domain/types.ts'
import { type Db, query } from '../connection/database.ts'
import { readSiteFacts } from './site-views.ts'
import { isLbaas, type Reach } from '../door/lbaas-only.ts'
import { type ListQuery, type ListSpec, listRows, type Page } from '../configuration/lists.ts'
import { MEMBER_LIST_ATTRIBUTES, type MemberKey } from '../configuration/members.ts'
import { MEMBER_COLUMNS, type MemberRow, toMember } from '../configuration/rows.ts'

/** A member with all facts about its check. */
export interface MemberFacts extends HealthFacts {
  readonly id: string
  readonly member: Member
  readonly provider: string
}

/** The generation of a check is the greatest of its four. */
const CHECK_GENERATION = 'greatest(lb.generation, p.generation, m.generation, hm.generation)'

export const HEALTH_LIST: ListSpec = {
  from: `member_detail m
    join member stored on stored.id = m.id
    join pool p on p.id = m.pool_id
    left join health_monitor hm on hm.pool_id = p.id
    left join member_state s on s.member_id = m.id and s.generation >= m.published_from
    left join shard sh on sh.id = p.shard
    left join prober pr on pr.id = sh.owner
    left join member_certificate mc on mc.member_id = m.id and mc.generation = m.check_generation
      and (hm.type in ('HTTPS', 'TLS-HELLO') or p.echo @> '{"tls_enabled": true}')`,
  columns: `${MEMBER_COLUMNS}, p.shard, m.provider, m.state, m.since, m.reason, m.pending, m.check_generation as generation,
    hm.sites is not null as is_voted, hm.id as monitor_id, hm.type, hm.profile, hm.options - '{http,udp,tls,grpc}'::text[] as options,
    p.traffic_seen_at is not null as traffic_seen, hm.delay_seconds, hm.timeout_seconds, hm.rise, hm.fall,
    hm.monitor_port as hm_monitor_port, hm.sent_fields, s.generation as verdict_generation, s.detail, s.evidence, s.ok_run, s.bad_run, s.written_at,
    stored.maintenance as member_maintenance, p.maintenance as pool_maintenance, hm.maintenance as monitor_maintenance,
    mc.not_after, mc.warn_at, mc.subject, mc.issuer,
    now() as read_at,
    coalesce(pr.lease_until > now(), false) as is_owned`,
  longColumns: [
    'name',
    'tags',
    'echo',
    'options',
    'sent_fields',
    'detail',
    'evidence',
    'member_maintenance',
    'pool_maintenance',
    'monitor_maintenance',
  ],
  alias: 'm',
  attributes: MEMBER_LIST_ATTRIBUTES,
}

/** `reach`: whether a member of a door is found too. */
export async function findMemberFacts(
  db: Db,
  key: MemberKey,
  reach: Reach = key.reach ?? 'lbaas',
): Promise<MemberFacts | undefined> {
  const rows = await query<HealthRow>(
    db,
    `select ${HEALTH_LIST.columns}, s.recent from ${HEALTH_LIST.from}
     where m.id = $1 and m.pool_id = $2 and ($3::text is null or m.project_id = $3)
       ${reach === 'lbaas' ? `and ${isLbaas('p')}` : ''}`,
    [key.id, key.poolId, key.projectId ?? null],
  )
  return (await withProbes(db, rows, { isDetailed: true }))[0]
}

/** One page of the members of one pool; `list` must filter by `pool_id`. */
export async function listMemberFacts(db: Db, list: ListQuery): Promise<Page<MemberFacts>> {
  const rows = await listRows<HealthRow>(db, HEALTH_LIST, list)
  return Object.assign(await withProbes(db, rows, { isDetailed: false }), { isCut: rows.isCut === true })
}

/** These members of a pool, in no order, with their recent results. */
export async function readMemberFacts(
  db: Db,
  poolId: string,
  ids: readonly string[],
): Promise<readonly MemberFacts[]> {
  const rows = await query<HealthRow>(
    db,
    `select ${HEALTH_LIST.columns}, s.recent from ${HEALTH_LIST.from}
     where m.pool_id = $1 and m.id = any($2::uuid[])`,
    [poolId, ids],
  )
  return await withProbes(db, rows, { isDetailed: true })
}

export interface StateCount {
  readonly state: MemberState
  readonly memberUp: boolean
  /** 0 or 1: members of weight 0 count apart. */
  readonly weight: number
  readonly provider: string
  readonly members: number
  /** Of these, those that no prober probes, or that had only inconclusive results for a long time. */
  readonly stale: number
}

/** How many members of a pool are in which state, switched on or off, with weight or without; no rows for a pool without members. */
export async function countMemberStates(db: Db, poolId: string): Promise<StateCount[]> {
  return await query<StateCount>(
    db,
    `with stale as materialized (
       select u.member_id, u.generation
       from pool p join shard_checkpoint c on c.shard = p.shard
       cross join lateral unnest(c.member_ids, c.generations, c.stale) u (member_id, generation, stale)
       where p.id = $1 and u.stale
     )
     select ms.state, m.admin_state_up as "memberUp", least(m.weight, 1) as weight, lb.provider, count(*) as members,
       count(*) filter (
         where (ms.pending or ms.state in ('ONLINE', 'OFFLINE'))
           and case when hm.sites is null
             then pr.lease_until is null or pr.lease_until <= now() or stale.member_id is not null
             else undecided.member_id is not null end
       ) as stale
     from member m
     join pool p on p.id = m.pool_id
     join load_balancer lb on lb.id = p.load_balancer_id
     join member_status ms on ms.member_id = m.id
     left join health_monitor hm on hm.pool_id = p.id
     left join shard sh on sh.id = p.shard
     left join prober pr on pr.id = sh.owner
     left join member_state undecided on undecided.member_id = m.id and undecided.undecided
     left join stale on stale.member_id = m.id and stale.generation = ${CHECK_GENERATION}
     where m.pool_id = $1
     group by ms.state, m.admin_state_up, least(m.weight, 1), lb.provider`,
    [poolId],
  )
}

/** Adds the facts of the checkpoint; all rows are of one pool and so of one shard. */
async function withProbes(
  db: Db,
  rows: readonly HealthRow[],
  { isDetailed }: { readonly isDetailed: boolean },
): Promise<MemberFacts[]> {
  const shard = rows[0]?.shard
  const probes =
    shard === undefined
      ? new Map()
      : await readCheckpoint(db, {
          shard,
          memberIds: rows.map((row) => row.id),
          isDetailed,
        })
  const sites = await sitesOf(db, rows)
  return rows.map((row) => {
    const facts = toFacts(row, probes.get(row.id))
    const ofMember = sites.get(row.id)
    return ofMember === undefined ? facts : { ...facts, sites: ofMember }
  })
}

/** Of those whose monitor has sites that vote. */
async function sitesOf(db: Db, rows: readonly HealthRow[]): ReturnType<typeof readSiteFacts> {
  const voted = rows.filter((row) => row.is_voted === true)
  const [first] = voted
  if (first === undefined) return new Map()
  return await readSiteFacts(db, { shard: first.shard, memberIds: voted.map(({ id }) => id) })
}

/** The recent results of the element at `position` (1…), with the header that they share. */
const RECENT = `substring(c.recent for ${RECENT_HEADER_BYTES}) || substring(
  c.recent from (${RECENT_HEADER_BYTES} + 1 + (u.position - 1) * ${RECENT_BYTES})::int for ${RECENT_BYTES})`

/** The entries of these members in the checkpoint of a shard; `isDetailed`: with their recent results. */
async function readCheckpoint(
  db: Db,
  wanted: { readonly shard: number; readonly memberIds: readonly string[]; readonly isDetailed: boolean },
): Promise<ReadonlyMap<string, CheckpointedProbe>> {
  const { shard, memberIds, isDetailed } = wanted
  const rows = await query<ProbeRow>(
    db,
    `select c.as_of, u.*, ${isDetailed ? RECENT : 'null::bytea'} as recent
     from shard_checkpoint c
     cross join lateral unnest(c.member_ids, c.generations, c.probed_at, c.next_at, c.outcomes, c.reasons, c.total_us,
       c.echo_us, c.connect_us, c.tls_us, c.first_byte_us, c.ok_runs, c.bad_runs, c.stale, c.flags) with ordinality
       u (member_id, generation, probed_at, next_at, outcome, reason, total_us,
          echo_us, connect_us, tls_us, first_byte_us, ok_run, bad_run, stale, flags, position)
     where c.shard = $1 and u.member_id = any($2::uuid[])`,
    [shard, memberIds],
  )
  return new Map(rows.map((row) => [row.member_id, toProbe(row)]))
}

interface HealthRow extends MemberRow {
  shard: number
  provider: string
  state: HealthFacts['state']
  since: Date | null
  reason: HealthFacts['reason']
  pending: boolean
  generation: number
  is_voted: boolean | null
  monitor_id: string | null
  type: HealthMonitor['type']
  profile: HealthMonitor['profile']
  /** Without the fields that only requests need, which may be large. */
  options: HealthMonitor['options']
  traffic_seen: boolean
  delay_seconds: number
  timeout_seconds: number
  rise: number
  fall: number
  hm_monitor_port: number | null
  sent_fields: HealthMonitor['sentFields']
  verdict_generation: number
  detail: string
  evidence: Record<string, unknown>
  ok_run: number
  bad_run: number
  /** Null without a verdict that is published. */
  written_at: Date | null
  member_maintenance: Maintenance | null
  pool_maintenance: Maintenance | null
  monitor_maintenance: Maintenance | null
  /** Null without a certificate. */
  not_after: Date | null
  warn_at: Date | null
  subject: string
  issuer: string
  read_at: Date
  /** Only where it is asked for. */
  recent?: Buffer | null
  is_owned: boolean
}

interface ProbeRow {
  member_id: string
  as_of: Date
  generation: number
  probed_at: Date
  next_at: Date
  outcome: CheckpointedProbe['outcome']
  reason: string
  total_us: number | null
  echo_us: number | null
  connect_us: number | null
  tls_us: number | null
  first_byte_us: number | null
  ok_run: number
  bad_run: number
  stale: boolean
  /** Null in a checkpoint of an older release without them. */
  flags: number | null
  recent: Buffer | null
}

function toFacts(row: HealthRow, checkpointed: CheckpointedProbe | undefined): MemberFacts {
  return {
    id: row.id,
    member: toMember(row),
    provider: row.provider,
    state: row.state,
    reason: row.reason,
    pending: row.pending,
    since: row.since,
    generation: row.generation,
    readAt: row.read_at,
    isOwned: row.is_owned,
    maintenance: maintenanceAt(
      { member: row.member_maintenance, pool: row.pool_maintenance, healthmonitor: row.monitor_maintenance },
      row.read_at.getTime(),
    ),
    trafficSeen: row.traffic_seen,
    ...(checkpointed === undefined ? {} : { checkpointed }),
    ...certificateOf(row),
    ...(row.written_at === null ? {} : { verdict: toVerdict(row, row.written_at) }),
    ...(row.monitor_id === null
      ? {}
      : {
          monitor: {
            type: row.type,
            profile: row.profile,
            options: row.options,
            sentFields: row.sent_fields,
            delaySeconds: row.delay_seconds,
            timeoutSeconds: row.timeout_seconds,
            rise: row.rise,
            fall: row.fall,
            monitorPort: row.hm_monitor_port,
          },
        }),
  }
}

function certificateOf({ not_after: notAfter, warn_at: warnAt, subject, issuer }: HealthRow) {
  return notAfter === null ? {} : { certificate: { notAfter, warnAt, subject, issuer } }
}

function toVerdict(row: HealthRow, writtenAt: Date) {
  return {
    generation: row.verdict_generation,
    detail: row.detail,
    evidence: row.evidence,
    okRun: row.ok_run,
    badRun: row.bad_run,
    writtenAt,
    ...recentOf(row),
  }
}

const milliseconds = (us: number | null): number | null => (us === null ? null : us / 1000)

function toProbe(row: ProbeRow): CheckpointedProbe {
  return {
    generation: row.generation,
    asOf: row.as_of,
    at: row.probed_at,
    nextAt: row.next_at,
    outcome: row.outcome,
    reason: row.reason,
    phases: {
      echoMs: milliseconds(row.echo_us),
      connectMs: milliseconds(row.connect_us),
      tlsMs: milliseconds(row.tls_us),
      firstByteMs: milliseconds(row.first_byte_us),
      totalMs: milliseconds(row.total_us),
    },
    okRun: row.ok_run,
    badRun: row.bad_run,
    stale: row.stale,
    flags: unpackFlags(row.flags ?? 0),
    ...recentOf(row),
  }
}

/** Of rows that were read with their recent results. */
function recentOf({ recent }: { readonly recent?: Buffer | null }): { recent?: readonly RecentResult[] } {
  return recent === undefined || recent === null ? {} : { recent: unpackRecent(recent) }
}
