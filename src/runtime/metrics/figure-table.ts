/**
 * The metrics of `/metrics/pools` and `/metrics/members`: one set of rows per pool, and per member. They are not in
 * `/metrics`, as their number grows with what tenants make; an operator asks for them.
 */
import type { MemberFigures, PoolFigures } from '../../domain/status/figures.ts'
import type { MetricGroup, MetricRow } from './metric-row.ts'

const OF_POOL = ['pool_id', 'pool', 'project_id'] as const
const OF_MEMBER = ['member_id', 'pool_id', 'project_id'] as const

/** One figure: its labels after those of the row, and its value. */
export interface Figure {
  readonly labels?: Readonly<Record<string, string>>
  readonly value: number
}

/** A metric with one or more figures of each row, or none where it does not apply. */
export interface FigureFamily<Row> extends Omit<MetricRow, 'type'> {
  readonly type: 'gauge'
  readonly figures: (row: Row) => readonly Figure[]
}

export interface FigureTable<Row> {
  /** `hm_<what>_…` */
  readonly what: 'pools' | 'members'
  readonly labels: (row: Row) => Readonly<Record<string, string>>
  readonly families: Readonly<Record<string, FigureFamily<Row>>>
}

const one = (value: number): readonly Figure[] => [{ value }]
const oneIf = (isThere: boolean, value: number): readonly Figure[] => (isThere ? [{ value }] : [])
const seconds = (at: Date): number => at.getTime() / 1000

/** Statuses of a pool; every one is a row, 1 for that which it has. */
const POOL_STATUSES = ['ONLINE', 'DEGRADED', 'ERROR', 'OFFLINE'] as const

export const POOL_TABLE: FigureTable<PoolFigures> = {
  what: 'pools',
  labels: ({ id, name, projectId }) => ({ pool_id: id, pool: name, project_id: projectId }),
  families: {
    hm_pool_status: {
      type: 'gauge',
      labels: [...OF_POOL, 'status'],
      help: '1 for the status that the pool has, 0 for the others',
      advice:
        '`hm_pool_status{status="ERROR"} == 1`: no member of the pool is ONLINE. DEGRADED: some are not. OFFLINE: it is switched off or without a listener.',
      figures: ({ status }) =>
        POOL_STATUSES.map((each) => ({ labels: { status: each }, value: each === status ? 1 : 0 })),
    },
    hm_pool_members: {
      type: 'gauge',
      labels: [...OF_POOL, 'state'],
      help: 'Members of the pool by state; those that are pending count by their state too',
      advice: 'The health of OFFLINE members says why: `GET …/members/{id}/health`.',
      figures: ({ members }) =>
        Object.entries(members).map(([state, value]) => ({ labels: { state }, value })),
    },
    hm_pool_members_pending: {
      type: 'gauge',
      labels: OF_POOL,
      help: 'Members that are probed and have no verdict since the configuration changed',
      advice: 'Above 0 for longer than a delay: look at the probers.',
      figures: ({ pending }) => one(pending),
    },
    hm_pool_latency_p50_seconds: {
      type: 'gauge',
      labels: OF_POOL,
      help: 'Median over the members of how long their last probe took, of those whose last probe passed',
      advice:
        'One probe of each member, as of the last checkpoint (HM_CHECKPOINT_MS): it shows which pool is slow, and no short peak.',
      figures: ({ latencyUs }) => oneIf(latencyUs !== undefined, (latencyUs?.p50 ?? 0) / 1_000_000),
    },
    hm_pool_latency_p99_seconds: {
      type: 'gauge',
      labels: OF_POOL,
      help: '99th percentile over the members of how long their last probe took, of those whose last probe passed',
      advice: 'As the median. With fewer than 100 members it is the slowest one.',
      figures: ({ latencyUs }) => oneIf(latencyUs !== undefined, (latencyUs?.p99 ?? 0) / 1_000_000),
    },
    hm_pool_last_transition_timestamp_seconds: {
      type: 'gauge',
      labels: OF_POOL,
      help: 'When a member of the pool last changed its status',
      advice: 'Often new: its members flap. Their transitions say why.',
      figures: ({ lastTransitionAt: at }) => oneIf(at !== undefined, at === undefined ? 0 : seconds(at)),
    },
    hm_pool_certificate_expiry_timestamp_seconds: {
      type: 'gauge',
      labels: OF_POOL,
      help: 'When the first certificate of the members of the pool ends; absent where none of them has shown one over TLS',
      advice:
        '`hm_pool_certificate_expiry_timestamp_seconds - time() < 7 * 86400`: renew it. The events certificate.expiring and certificate.expired name the members.',
      figures: ({ certificateExpiresAt: at }) => oneIf(at !== undefined, at === undefined ? 0 : seconds(at)),
    },
  },
}

export const MEMBER_TABLE: FigureTable<MemberFigures> = {
  what: 'members',
  labels: ({ id, poolId, projectId }) => ({ member_id: id, pool_id: poolId, project_id: projectId }),
  families: {
    hm_member_info: {
      type: 'gauge',
      labels: [...OF_MEMBER, 'member', 'address', 'port', 'pool'],
      help: 'Always 1; the labels are names and the address',
      advice:
        'To have names in a query: `hm_member_up * on (member_id) group_left (member, pool) hm_member_info`.',
      figures: ({ name, address, port, poolName }) => [
        { labels: { member: name, address, port: String(port), pool: poolName }, value: 1 },
      ],
    },
    hm_member_up: {
      type: 'gauge',
      labels: OF_MEMBER,
      help: '1 = ONLINE, 0 = OFFLINE; absent for a member that has no verdict or is switched off',
      advice: '0: its health says why, `GET …/members/{id}/health`.',
      figures: ({ state }) => oneIf(state === 'ONLINE' || state === 'OFFLINE', state === 'ONLINE' ? 1 : 0),
    },
    hm_member_pending: {
      type: 'gauge',
      labels: OF_MEMBER,
      help: '1 = it is probed and has no verdict since the configuration changed',
      advice: '1 for longer than a delay: look at the probers.',
      figures: ({ pending }) => one(pending ? 1 : 0),
    },
    hm_member_stale: {
      type: 'gauge',
      labels: OF_MEMBER,
      help: '1 = its status is too old to be trusted: nobody probes it, or no probe was conclusive',
      advice: '1: see HealthmonitorStaleMembers in operations.md.',
      figures: ({ stale }) => one(stale ? 1 : 0),
    },
    hm_member_latency_seconds: {
      type: 'gauge',
      labels: OF_MEMBER,
      help: 'How long its last probe took; absent when that did not pass',
      advice: 'As of the last checkpoint (HM_CHECKPOINT_MS).',
      figures: ({ latencyUs }) => oneIf(latencyUs !== undefined, (latencyUs ?? 0) / 1_000_000),
    },
    hm_member_since_timestamp_seconds: {
      type: 'gauge',
      labels: OF_MEMBER,
      help: 'Since when it has its status; absent before the first verdict',
      advice: 'Often new: it flaps.',
      figures: ({ since }) => oneIf(since !== undefined, since === undefined ? 0 : seconds(since)),
    },
  },
}

/** How the reference describes each of the two pages. */
export function ownFamilies(what: 'pools' | 'members'): Readonly<Record<string, MetricRow>> {
  return {
    [`hm_${what}_truncated`]: {
      type: 'gauge',
      labels: [],
      help: `1 = not all ${what} are here`,
      advice: 'There are more than the limits of rows, bytes or time allow (Limits in operations.md).',
    },
    [`hm_${what}_left_out`]: {
      type: 'gauge',
      labels: [],
      help: `How many ${what} are not here`,
      advice: `As hm_${what}_truncated.`,
    },
    [`hm_${what}_reading_seconds`]: {
      type: 'gauge',
      labels: [],
      help: 'How long it took to read what is here from PostgreSQL',
      advice: 'Near 7: rows will be left out. Look at the load of PostgreSQL.',
    },
    [`hm_${what}_read_timestamp_seconds`]: {
      type: 'gauge',
      labels: [],
      help: 'When what is here was read',
      advice: 'It may be some seconds old: a reading is served several times.',
    },
  }
}

/** In the order of docs/metrics.md. */
export const FIGURE_GROUPS: readonly MetricGroup[] = [
  {
    title: 'Pools: `/metrics/pools`',
    about:
      'API processes serve these with HM_METRICS_POOLS=true. All of them serve the same: scrape one, or aggregate with `max by (pool_id)`. What is here was read some seconds ago. A pool has up to 14 rows.',
    metrics: { ...POOL_TABLE.families, ...ownFamilies('pools') },
  },
  {
    title: 'Members: `/metrics/members`',
    about:
      'The same with HM_METRICS_MEMBERS=true: up to 6 rows for each member, about 1 KB of text. Prometheus asks for it compressed.',
    metrics: { ...MEMBER_TABLE.families, ...ownFamilies('members') },
  },
]
