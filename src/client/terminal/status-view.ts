/** `healthmonitor status` on a terminal: what is wrong, the worst first. */
import type { PoolInTrouble, Status } from '../status.ts'
import { isWrong } from '../trouble.ts'
import type { Counts, Member, Overview, Pool } from '../wire.ts'
import { shownAddress, shownName } from '../names.ts'
import { type Screen, statusStyle, styled } from './screen.ts'
import { type Column, tableOf } from './table.ts'
import { ago, counted, localTime } from './words.ts'

/** Lines; times count from `nowMs`. */
export function statusLines(status: Status, screen: Screen, nowMs: number): readonly string[] {
  const { overview, pools, url, hasMore } = status
  const project = overview.project_id === null ? 'all projects' : `project ${overview.project_id}`
  return [
    styled(`${project} at ${url}, ${localTime(overview.as_of)}`, 'dim', screen),
    sumLine('pools', poolWords(overview), screen),
    sumLine('members', memberWords(overview.members), screen),
    '',
    ...verdictLines(overview, pools, screen),
    ...tableOf(pools, poolColumns(nowMs), screen),
    ...(hasMore ? ['… and more pools: --limit shows them'] : []),
    ...memberLines(pools, screen, nowMs),
  ]
}

function verdictLines(
  overview: Overview,
  pools: readonly PoolInTrouble[],
  screen: Screen,
): readonly string[] {
  if (pools.length > 0) return []
  if (!isWrong(overview)) return [styled('Nothing is wrong.', 'green', screen)]
  // Stale members of pools that are otherwise well are in no list of trouble.
  return [
    styled(
      `${counted(overview.members.stale, 'member')} with a status that is too old to trust.`,
      'yellow',
      screen,
    ),
  ]
}

const POOL_STATUSES = ['ERROR', 'DEGRADED', 'OFFLINE', 'ONLINE']

function poolWords({ pools }: Overview): Readonly<Record<string, number>> {
  return Object.fromEntries(POOL_STATUSES.map((status) => [status, pools[status] ?? 0]))
}

function memberWords(counts: Overview['members']): Readonly<Record<string, number>> {
  return {
    OFFLINE: counts.offline,
    UNKNOWN: counts.unknown,
    ONLINE: counts.online,
    DISABLED: counts.disabled,
    NO_MONITOR: counts.no_monitor,
    pending: counts.pending,
    stale: counts.stale,
    'in maintenance': counts.maintenance,
  }
}

/** `members  2 OFFLINE, 10 ONLINE`; counts of 0 are left out. */
function sumLine(of: string, counts: Readonly<Record<string, number>>, screen: Screen): string {
  const parts = Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([word, count]) =>
      styled(`${count} ${word}`, word === 'stale' ? 'yellow' : statusStyle(word), screen),
    )
  return `${of.padEnd(8)} ${parts.length === 0 ? 'none' : parts.join(', ')}`
}

/** `2 of 3`: how many of those that are switched on are ONLINE. */
export function onlineOf({ online, total, disabled }: Counts): string {
  return `${online} of ${total - disabled}`
}

function poolColumns(nowMs: number): readonly Column<PoolInTrouble>[] {
  return [
    {
      title: 'POOL',
      text: ({ pool }) => shownName(pool),
      least: 8,
    },
    {
      title: 'STATUS',
      text: ({ pool }) => pool.operating_status,
      style: ({ pool }) => statusStyle(pool.operating_status),
    },
    { title: 'ONLINE', text: ({ pool }) => onlineOf(pool.members), isNumber: true },
    { title: 'SINCE', text: ({ pool }) => ago(pool.since, nowMs) },
    { title: 'LOAD BALANCER', text: ({ pool }) => parentOf(pool), least: 8, isOptional: true },
    {
      title: 'NOTE',
      text: ({ pool }) => (pool.maintenance ? 'in maintenance' : pool.in_service ? '' : 'not in service'),
      isOptional: true,
    },
  ]
}

/** Its load balancer, or the door that keeps it with the scope that it has there. */
function parentOf({ loadbalancer, door }: Pool): string {
  if (loadbalancer !== null) return shownName(loadbalancer)
  return door === null ? '' : `${door.name}: ${door.scope}`
}

function memberLines(pools: readonly PoolInTrouble[], screen: Screen, nowMs: number): readonly string[] {
  const rows = pools.flatMap(({ pool, members }) => members.map((member) => ({ pool, member })))
  const hidden = pools.filter(({ hasMoreMembers }) => hasMoreMembers)
  const columns: readonly Column<(typeof rows)[number]>[] = [
    ...memberColumns<(typeof rows)[number]>(({ member }) => member, nowMs),
    { title: 'POOL', text: ({ pool }) => shownName(pool), least: 8, isOptional: true },
  ]
  const lines = tableOf(rows, columns, screen)
  return [
    ...(lines.length === 0 ? [] : ['', ...lines]),
    ...hidden.map(({ pool }) => `… and more of ${shownName(pool)}: healthmonitor health --pool ${pool.id}`),
  ]
}

/** Columns of members; `memberOf` gives the member of a row. */
export function memberColumns<Row>(memberOf: (row: Row) => Member, nowMs: number): readonly Column<Row>[] {
  const text = (words: (member: Member) => string) => (row: Row) => words(memberOf(row))
  return [
    { title: 'MEMBER', text: text(({ name, id }) => shownName({ name, id })), least: 8 },
    { title: 'ADDRESS', text: text(shownAddress) },
    {
      title: 'STATUS',
      text: text(memberStatus),
      style: (row) => (memberOf(row).stale ? 'yellow' : statusStyle(memberOf(row).status)),
    },
    { title: 'SINCE', text: text(({ since }) => ago(since, nowMs)) },
    { title: 'WHY', text: text(reasonWords), least: 30 },
  ]
}

/** `ONLINE stale`, `UNKNOWN pending`. */
export function memberStatus({
  status,
  stale,
  pending,
}: Pick<Member, 'status' | 'stale' | 'pending'>): string {
  return [status, ...(pending ? ['pending'] : []), ...(stale ? ['stale'] : [])].join(' ')
}

/** The reason as a sentence, and what the prober saw. */
export function reasonWords({ why, detail }: Pick<Member, 'why' | 'detail'>): string {
  return detail === null || detail === '' ? why : `${why} (${detail})`
}
