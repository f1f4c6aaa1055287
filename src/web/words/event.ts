/** Events in words. */
import type { ServiceEvent } from '../net/types.ts'
import { linkTo } from '../route.ts'
import { nameOf } from './name.ts'
import { EXPIRED, EXPIRING, type Mark, MAINTENANCE, memberMark, rolledUpMark, STALE } from './status.ts'
import { trafficInWords, trafficMark } from './traffic.ts'

export interface EventLine {
  readonly mark: Mark
  /** The object, and where it is shown; absent = it has no view. */
  readonly object: string
  readonly link?: string
  readonly text: string
}

const NOTE = { shape: 'none', word: 'config' } as const

const WORDS: Readonly<Record<string, { readonly mark: Mark; readonly text: string }>> = {
  'maintenance.begun': { mark: MAINTENANCE, text: 'maintenance begun' },
  'maintenance.ended': { mark: MAINTENANCE, text: 'maintenance ended' },
  'certificate.expiring': { mark: EXPIRING, text: 'the certificate ends soon' },
  'certificate.expired': { mark: EXPIRED, text: 'the certificate has expired' },
  'prober.joined': { mark: { shape: 'good', word: 'prober' }, text: 'joined' },
  'prober.left': { mark: { shape: 'off', word: 'prober' }, text: 'left' },
  'prober.lost': { mark: { shape: 'bad', word: 'prober' }, text: 'lost: others take its work over' },
  'breaker.held': { mark: { shape: 'partly', word: 'breaker' }, text: 'holds failures back' },
  'breaker.released': { mark: { shape: 'good', word: 'breaker' }, text: 'holds nothing back any more' },
}

/** What a line of a list says of an event. */
export function eventLine(event: ServiceEvent): EventLine {
  const { member, pool, loadbalancer } = event
  const at: Pick<EventLine, 'object' | 'link'> =
    member !== undefined
      ? { object: nameOf(member), link: linkTo.member(member.id) }
      : pool !== undefined
        ? { object: nameOf(pool), link: linkTo.pool(pool.id) }
        : loadbalancer !== undefined
          ? { object: nameOf(loadbalancer), link: linkTo.loadBalancer(loadbalancer.id) }
          : { object: fieldOf(event, 'prober') ?? fieldOf(event, 'host') ?? 'the service' }
  const known = WORDS[event.type]
  if (event.type === 'member.stale') return { ...at, ...staleness(event) }
  if (event.type === 'pool.effective_members') return { ...at, ...traffic(event) }
  if (event.type === 'config.changed') return { ...at, mark: NOTE, text: `: ${changeOf(event)}` }
  if (known !== undefined) return { ...at, ...known, text: `: ${known.text}` }
  if (!event.type.endsWith('.status'))
    return { ...at, mark: { shape: 'unknown', word: 'event' }, text: `: ${event.type}` }
  const { to = '', from } = event
  const mark = event.type === 'member.status' ? memberMark(to) : rolledUpMark(to)
  return { ...at, mark, text: from === undefined || from === 'UNKNOWN' ? '' : `, was ${from}` }
}

/** Who should get the traffic of a pool. */
function traffic({ to = '' }: ServiceEvent): Pick<EventLine, 'mark' | 'text'> {
  return { mark: trafficMark(to), text: `: ${trafficInWords(to)}` }
}

/** Of a member, or of so many members of a pool. */
function staleness(event: ServiceEvent): Pick<EventLine, 'mark' | 'text'> {
  const { members, to } = event
  const of = event.member === undefined && typeof members === 'number' ? `, ${members} members` : ''
  return to === 'STALE'
    ? { mark: STALE, text: `${of}: no sure result for long` }
    : { mark: { shape: 'good', word: 'fresh' }, text: `${of}: probed with sure results again` }
}

/** `member changed: weight, name`, `3 members created`. */
function changeOf({ object, action, fields, count }: ServiceEvent): string {
  const what = `${typeof object === 'string' ? object : 'configuration'} ${typeof action === 'string' ? action : 'changed'}`
  if (typeof count === 'number') return `${what} (${count})`
  return Array.isArray(fields) && fields.length > 0 ? `${what}: ${fields.join(', ')}` : what
}

function fieldOf(event: ServiceEvent, key: string): string | undefined {
  const value = event[key]
  if (typeof value === 'string') return value
  if (typeof value !== 'object' || value === null) return undefined
  const { host, id } = value as { host?: unknown; id?: unknown }
  if (typeof host === 'string') return host
  return typeof id === 'string' ? id : undefined
}

/** Whether an event is about this load balancer, pool or member, or something of it. */
export function concerns(id: string): (event: ServiceEvent) => boolean {
  return (event) => event.member?.id === id || event.pool?.id === id || event.loadbalancer?.id === id
}

/** Events of the stream and of a reading, each once, the newest first. Those of the stream may be newer, or the same. */
export function merged(
  heard: readonly ServiceEvent[],
  read: readonly ServiceEvent[],
  most: number,
): readonly ServiceEvent[] {
  const known = new Set(read.map(({ id }) => id))
  return [...heard.filter(({ id }) => !known.has(id)), ...read]
    .toSorted((a, b) => Number(b.id) - Number(a.id))
    .slice(0, most)
}
