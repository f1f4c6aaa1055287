/** `healthmonitor health`: what is known of a member, and why it is so, in words. */
import { isReason, statusSentence } from '../../domain/status/status-sentence.ts'
import { TRAFFIC_KINDS } from '../../domain/pool-health/traffic.ts'
import { shownAddress, shownName } from '../names.ts'
import { siteSentence } from '../../domain/site/site-sentence.ts'
import type { Maintenance, Member, Pool, SiteOfMember } from '../wire.ts'
import { printable, type Screen, statusStyle, styled } from './screen.ts'
import { memberColumns, memberStatus, onlineOf } from './status-view.ts'
import { tableOf } from './table.ts'
import { ago, counted, duration, endOf, localTime } from './words.ts'

/** Lines of label and text; times count from `nowMs`. */
export function healthLines(member: Member, screen: Screen, nowMs: number): readonly string[] {
  const { pool, since, detail, why } = member
  const status = styled(memberStatus(member), member.stale ? 'yellow' : statusStyle(member.status), screen)
  const name = member.name === '' ? '' : `${member.name}, `
  return labelled(
    [
      ['member', `${name}${shownAddress(member)} (${member.id})`],
      ...(pool === undefined ? [] : [['pool', `${shownName(pool)} (${pool.id})`] as const]),
    ],
    [['status', since === null ? status : `${status} since ${localTime(since)}, ${ago(since, nowMs)}`]],
    [
      ['why', detail === null || detail === '' ? why : `${why}: ${detail}`],
      ...pendingLine(member),
      ...staleLine(member),
      ...siteLines(member, nowMs),
      ...probeLines(member, nowMs),
      ...countLine(member),
      ...nextLines(member, nowMs),
      ...(member.maintenance ?? []).map(maintenanceLine),
      ...certificateLine(member),
      ...recentLine(member),
    ],
  )
}

export type Line = readonly [label: string, text: string]

/** `ours` is text of this program, with colours; names and details in the others are made printable. */
export function labelled(
  before: readonly Line[],
  ours: readonly Line[],
  after: readonly Line[],
): readonly string[] {
  const lines = [
    ...before.map(([label, text]): Line => [label, printable(text)]),
    ...ours,
    ...after.map(([label, text]): Line => [label, printable(text)]),
  ]
  const width = Math.max(...lines.map(([label]) => label.length))
  return lines.map(([label, text]) => `${label.padEnd(width)}  ${text}`)
}

function pendingLine({ pending }: Member): readonly Line[] {
  return pending
    ? [['pending', 'no verdict since the configuration changed; the status is the one before']]
    : []
}

function staleLine({ stale, sites = [] }: Member): readonly Line[] {
  if (!stale) return []
  const why = sites.length > 0 ? 'too few of its sites have a vote' : 'no conclusive result for a long time'
  return [['stale', `the status is too old to trust: ${why}`]]
}

/** Who sees what in one line, then a line for each site. */
function siteLines({ sites = [] }: Member, nowMs: number): readonly Line[] {
  if (sites.length === 0) return []
  const views = sites.map(({ site, votes, status }) => ({
    site,
    vote: votes ? (status ?? undefined) : undefined,
  }))
  const each = sites.map((site): Line => [`  ${site.site}`, siteText(site, nowMs)])
  return [['seen', siteSentence(views)], ...each]
}

/** `OFFLINE for 3 min, connection refused, 0.4 ms`, `ONLINE before, but no prober of this site lives`. */
function siteText(
  { status, served, votes, since, reason, latency_ms: ms }: SiteOfMember,
  nowMs: number,
): string {
  const what = status === null ? 'no verdict' : `${status}${votes ? '' : ' before'}`
  const when = since === null ? '' : ` since ${localTime(since)}, ${ago(since, nowMs)}`
  const why = served ? (isReason(reason) ? statusSentence(reason) : reason) : 'no prober of this site lives'
  return `${what}${when}: ${why}${ms === null ? '' : `, ${ms} ms`}`
}

/** Its reason too, where that is not the reason of the status. */
function probeLines({ last_probe: probe, ...member }: Member, nowMs: number): readonly Line[] {
  if (probe === null) return []
  const phases = phasesInWords(probe.phases)
  const took = phases === '' ? '' : `: ${phases}`
  const isOther = probe.reason !== member.reason && isReason(probe.reason)
  const reason = isOther ? `, ${statusSentence(probe.reason)}` : ''
  return [['last probe', `${ago(probe.at, nowMs)}, ${probe.address}, ${probe.result}${reason}${took}`]]
}

/** Of a probe: those that it reached; empty when it reached none. */
export function phasesInWords(phases: Readonly<Record<string, number | null>>): string {
  return Object.entries(phases)
    .filter(([, ms]) => ms !== null)
    .map(([phase, ms]) => `${PHASES[phase] ?? phase} ${ms} ms`)
    .join(', ')
}

const PHASES: Readonly<Record<string, string>> = {
  echo_ms: 'echo',
  connect_ms: 'connect',
  tls_ms: 'TLS',
  first_byte_ms: 'first byte',
  total_ms: 'total',
}

/** Results in a row on the way to another status. */
function countLine({ counters }: Member): readonly Line[] {
  if (counters === null) return []
  return [['in a row', `${counters.rise} successes to ONLINE, ${counters.fall} failures to OFFLINE`]]
}

function nextLines(
  { next_probe_at: next, detection_window: window }: Member,
  nowMs: number,
): readonly Line[] {
  const inMs = next === null ? undefined : Date.parse(next) - nowMs
  const down = window?.down
  return [
    ...(inMs === undefined ? [] : [['next probe', inMs < 1000 ? 'now' : `in ${duration(inMs)}`] as const]),
    ...(down === undefined
      ? []
      : [['seen within', `${down.min_seconds} to ${down.max_seconds} s when it goes down`] as const]),
  ]
}

export function maintenanceLine(maintenance: Maintenance): Line {
  const { of, start, end, note, active } = maintenance
  const what = of === undefined || of === 'member' ? '' : ` of the ${of}`
  const when = active ? `since ${localTime(start)}` : `from ${localTime(start)}`
  const recurs = recurrenceText(maintenance)
  return ['maintenance', `${when} ${endOf(end)}${what}${recurs}${note === '' ? '' : `: ${note}`}`]
}

/**
 * By which rule it recurs, and when it begins next, as all times here in the zone of the terminal; empty where it
 * happens once.
 */
function recurrenceText({ recurrence, occurrences = [] }: Maintenance): string {
  if (recurrence === undefined) return ''
  const [present, next] = occurrences
  const rule = `, recurs by ${recurrence.rrule} (${recurrence.time_zone})`
  if (present === undefined) return `${rule}, is over`
  return `${rule}, ${next === undefined ? 'for the last time' : `then from ${localTime(next.start)}`}`
}

/** `CN www.example.org, by Example CA: expires in 9 d (2026-12-10 12:00:00)`. */
function certificateLine({ certificate }: Member): readonly Line[] {
  if (certificate === undefined) return []
  const { not_after: notAfter, days_left: days, subject, issuer, expiring } = certificate
  const by = issuer === null || issuer === subject ? '' : `, issued by ${issuer}`
  const when = days < 0 ? 'has expired' : `expires in ${counted(days, 'day')}`
  const soon = expiring && days >= 0 ? ', soon' : ''
  return [['certificate', `${subject ?? 'without a name'}${by}: ${when}${soon} (${localTime(notAfter)})`]]
}

const MARKS: Readonly<Record<string, string>> = { passed: '+', failed: '-', inconclusive: '?' }

/** The oldest first. */
function recentLine({ recent_results: recent = [] }: Member): readonly Line[] {
  if (recent.length === 0) return []
  const marks = recent
    .toReversed()
    .map(({ result }) => MARKS[result] ?? '?')
    .join('')
  return [['recent', `${marks} (+ passed, - failed, ? inconclusive; the newest is last)`]]
}

/** A pool and its members, the worst first. */
export function poolHealthLines(
  {
    pool,
    members,
    hasMore,
  }: { readonly pool: Pool; readonly members: readonly Member[]; readonly hasMore: boolean },
  screen: Screen,
  nowMs: number,
): readonly string[] {
  const status = styled(pool.operating_status, statusStyle(pool.operating_status), screen)
  const lines: Line[] = [
    ['status', `${status} since ${localTime(pool.since)}, ${ago(pool.since, nowMs)}`],
    ['members', `${onlineOf(pool.members)} ONLINE`],
  ]
  return [
    ...labelled([['pool', `${shownName(pool)} (${pool.id})`]], lines, [
      ...(pool.monitor_type === null ? [['monitor', 'none: its members are not probed'] as const] : []),
      ...(pool.in_service ? trafficLine(pool) : [['traffic', NOT_IN_SERVICE] as const]),
      ...(pool.maintenance ? [['maintenance', 'lasts: no transition is published'] as const] : []),
    ]),
    '',
    ...tableOf(
      members,
      memberColumns<Member>((member) => member, nowMs),
      screen,
    ),
    ...(hasMore ? [`… and ${counted(pool.members.total - members.length, 'more member')}`] : []),
  ]
}

/** Of a pool with options. */
function trafficLine({ traffic = null }: Pool): readonly Line[] {
  return traffic === null ? [] : [['traffic', TRAFFIC_KINDS[traffic]]]
}

const NOT_IN_SERVICE = 'none: the pool, its load balancer or every listener of it is switched off or missing'
