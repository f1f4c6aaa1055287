/**
 * What strangers see of a page: names, statuses and uptimes of its pools, and of their members if the page says so. Nothing
 * else: no id, no address, no reason, no project.
 */
import { createHash } from 'node:crypto'
import {
  PUBLIC_CHANGES_MAX,
  PUBLIC_DAY_KNOWN_MS,
  PUBLIC_DAYS,
  PUBLIC_FACTS_DAYS,
  PUBLIC_POOL_MEMBERS_MAX,
  UPTIME_WINDOWS_HOURS,
} from '../../domain/limits.ts'
import type { MemberState } from '../../domain/status/member-status.ts'
import type { RolledUpStatus } from '../../domain/status/roll-up.ts'
import { type Uptime, upShare } from '../../domain/status/uptime.ts'
import {
  coverage,
  DAY_MS,
  dayOf,
  type UptimeHistory,
  uptimesOver,
  type Window,
} from '../../domain/status/uptime-days.ts'
import type { Db } from '../../store/connection/database.ts'
import {
  type PublicPage,
  readShownMembers,
  readShownPools,
  type ShownMember,
  type ShownPool,
} from '../../store/configuration/public-pages.ts'
import { readHistories } from '../../store/status/uptime.ts'
import { mapInSlices } from '../http/slices.ts'

export interface PublicWindow {
  readonly hours: number
  readonly up_share: number | null
  readonly coverage: number
}

export interface PublicPool {
  readonly name: string
  readonly status: RolledUpStatus
  readonly since: string
  readonly uptime: readonly PublicWindow[]
  readonly days: { readonly first: string; readonly up_shares: readonly (number | null)[] }
  readonly members?: {
    readonly total: number
    readonly online: number
    readonly shown: readonly { readonly name: string; readonly status: MemberState }[]
  }
}

export interface PublicPageBody {
  readonly title: string
  readonly as_of: string
  readonly status: RolledUpStatus
  readonly pools: readonly PublicPool[]
}

export interface PageAnswer {
  readonly body: PublicPageBody
  readonly json: string
  /** The same as long as the page says the same, whenever it was made. */
  readonly etag: string
}

/** The worst first. */
const WORST: readonly RolledUpStatus[] = ['ERROR', 'DEGRADED', 'OFFLINE', 'ONLINE']

/** Reads and renders a page as it is now. */
export async function makePageAnswer(db: Db, page: PublicPage): Promise<PageAnswer> {
  const nowMs = Date.now()
  const pools = await readShownPools(db, page.id)
  const histories = await readHistories(
    db,
    'pool',
    pools.map(({ id }) => id),
    { nowMs, days: PUBLIC_DAYS, factsDays: PUBLIC_FACTS_DAYS, changesMax: PUBLIC_CHANGES_MAX },
  )
  const members = page.showMembers ? await readShownMembers(db, pools) : undefined
  const historyOf = new Map(histories.map((history) => [history.id, history]))
  const rest = {
    title: page.title,
    status: WORST.find((status) => pools.some((pool) => pool.status === status)) ?? 'OFFLINE',
    pools: await mapInSlices(
      page.projectId,
      pools,
      (pool, i) => renderPool(pool, { place: i + 1, history: historyOf.get(pool.id), members, nowMs }),
      // 90 days of a pool that was switched hundreds of times take about as long as a slice.
      { lookEvery: 1 },
    ),
  } as const
  const { title, ...shown } = rest
  const body: PublicPageBody = { title, as_of: new Date(nowMs).toISOString(), ...shown }
  const etag = createHash('sha256').update(JSON.stringify(rest)).digest('base64url').slice(0, 22)
  return { body, json: JSON.stringify(body), etag: `W/"${etag}"` }
}

interface PoolParts {
  /** From 1: the name of a pool that has none. */
  readonly place: number
  readonly history: UptimeHistory | undefined
  readonly members: readonly ShownMember[] | undefined
  readonly nowMs: number
}

function renderPool(pool: ShownPool, { place, history, members, nowMs }: PoolParts): PublicPool {
  // Days and windows are sums of the same facts, which are put in order once.
  const days = daysUpTo(nowMs)
  const windows = UPTIME_WINDOWS_HOURS.map((hours) => ({ fromMs: nowMs - hours * HOUR_MS, toMs: nowMs }))
  const uptimes = history === undefined ? [] : uptimesOver(history, [...days, ...windows])
  return {
    name: pool.name === '' ? `Pool ${place}` : pool.name,
    status: pool.status,
    since: pool.since.toISOString(),
    uptime: UPTIME_WINDOWS_HOURS.map((hours, i) => renderWindow(hours, uptimes[days.length + i])),
    days: {
      first: new Date(days[0]?.fromMs ?? nowMs).toISOString().slice(0, 10),
      up_shares: days.map((_, i) => renderDay(uptimes[i])),
    },
    ...(members === undefined ? {} : { members: renderMembers(pool, members) }),
  }
}

const HOUR_MS = 3_600_000
/** Digits of a share: a minute of 90 days is 8 millionths. What is not 1 never becomes 1. */
const SHARE_UNITS = 1_000_000
const rounded = (share: number | null): number | null =>
  share === null ? null : Math.floor(share * SHARE_UNITS) / SHARE_UNITS

function renderWindow(hours: number, uptime: Uptime | undefined): PublicWindow {
  if (uptime === undefined) return { hours, up_share: null, coverage: 0 }
  // To a thousandth: it moves with the clock, and an answer that says the same is not sent again.
  return {
    hours,
    up_share: rounded(upShare(uptime)),
    coverage: Math.floor(coverage(uptime) * 1000 + 1e-6) / 1000,
  }
}

/** The days of the strip. Today, as far as it has come, is the last one. */
function daysUpTo(nowMs: number): readonly Window[] {
  const firstMs = dayOf(nowMs) - (PUBLIC_DAYS - 1) * DAY_MS
  return Array.from({ length: PUBLIC_DAYS }, (_, i) => {
    const fromMs = firstMs + i * DAY_MS
    return { fromMs, toMs: Math.min(fromMs + DAY_MS, nowMs) }
  })
}

function renderDay(uptime: Uptime | undefined): number | null {
  if (uptime === undefined || uptime.online + uptime.offline < PUBLIC_DAY_KNOWN_MS) return null
  return rounded(upShare(uptime))
}

function renderMembers(
  { id, members: total, online }: ShownPool,
  all: readonly ShownMember[],
): NonNullable<PublicPool['members']> {
  return {
    total,
    online,
    shown: all
      .filter((member) => member.pool_id === id)
      .slice(0, PUBLIC_POOL_MEMBERS_MAX)
      .map(({ name, state }, i) => ({ name: name === '' ? `Member ${i + 1}` : name, status: state })),
  }
}
