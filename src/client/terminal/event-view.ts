/** Events as lines for people. */
import { isTrafficKind, TRAFFIC_KINDS } from '../../domain/pool-health/traffic.ts'
import { isReason, statusSentence } from '../../domain/status/status-sentence.ts'
import { shownMember, shownName } from '../names.ts'
import type { ApiEvent } from '../wire.ts'
import { columnsIn, fitted, printable, type Screen, statusStyle, styled } from './screen.ts'
import { counted, endOf, localTime } from './words.ts'

/** Columns of the status: as many as DEGRADED has. */
const STATUS_WIDTH = 8

/** `2026-11-30 15:04:05  OFFLINE   member web-1 (10.0.0.1:80) of app: the target refused the connection`. */
export function eventLine(event: ApiEvent, screen: Screen): string {
  const head = `${localTime(event.time)}  `
  const status = event.type === 'pool.effective_members' ? '' : (event.to ?? '')
  const words = printable(wordsOf(event))
  const room = screen.width - columnsIn(head) - STATUS_WIDTH - 2
  return `${styled(head, 'dim', screen)}${styled(status.padEnd(STATUS_WIDTH), statusStyle(status), screen)}  ${fitted(words, room)}`
}

/** What has happened to what; a type that is not known here is shown by its name. */
function wordsOf(event: ApiEvent): string {
  const { type, prober, action = 'changed', fields = [], by, end = null, note = '' } = event
  const object = objectOf(event)
  switch (type) {
    case 'member.status':
    case 'pool.status':
    case 'loadbalancer.status':
      return `${object}${whyOf(event)}`
    case 'pool.effective_members':
      return `${object}: ${isTrafficKind(event.to) ? TRAFFIC_KINDS[event.to] : (event.to ?? '')}`
    case 'config.changed': {
      const what = action === 'changed' && fields.length > 0 ? `: ${fields.join(', ')}` : ''
      return `${object} ${action}${what}${by?.user_id === undefined ? '' : `, by user ${by.user_id}`}`
    }
    case 'member.stale':
      return `${staleObjectOf(event)}: ${event.to === 'STALE' ? 'the status may be wrong' : 'the status can be trusted again'}, ${reasonOf(event)}`
    case 'certificate.expiring':
      return `${object}: the certificate expires soon: ${event.detail ?? ''}`
    case 'certificate.expired':
      return `${object}: the certificate has expired: ${event.detail ?? ''}`
    case 'maintenance.begun':
      return `${object}: maintenance begun, ${endOf(end)}${note === '' ? '' : `: ${note}`}`
    case 'maintenance.ended':
      return `${object}: maintenance ended`
    default:
      return prober === undefined ? `${type} ${object}` : `${type} ${prober.host}, pid ${prober.pid}`
  }
}

/** Empty when the event is about none. */
function objectOf({ member, pool, loadbalancer, ...event }: ApiEvent): string {
  const { object, object_id: id = '', object_name: name = null } = event
  if (object !== undefined && !SHOWN_WITH_PARENTS.has(object)) return `${object} ${shownName({ id, name })}`
  if (member !== undefined) {
    const of = pool === undefined ? '' : ` of ${shownName(pool)}`
    return `member ${member.address === null ? member.id : shownMember(member)}${of}`
  }
  if (pool !== undefined) return `pool ${shownName(pool)}`
  return loadbalancer === undefined ? '' : `load balancer ${shownName(loadbalancer)}`
}

/** Objects that an event has as members, pools and load balancers; of others only the parents are there. */
const SHOWN_WITH_PARENTS: ReadonlySet<string> = new Set(['member', 'pool', 'loadbalancer'])

/** A member, or how many members of a pool. */
function staleObjectOf(event: ApiEvent): string {
  const { member, members } = event
  return member === undefined && members !== undefined
    ? `${counted(members, 'member')} of ${objectOf(event)}`
    : objectOf(event)
}

/** In words, where there are some. */
function reasonOf({ reason = '' }: ApiEvent): string {
  if (isReason(reason)) return statusSentence(reason)
  return OWNER_REASONS[reason] ?? reason
}

const OWNER_REASONS: Readonly<Record<string, string>> = {
  NO_PROBER: 'no prober probes it',
  PROBED_AGAIN: 'a prober probes it again',
}

function whyOf({ from, reason, detail, to }: ApiEvent): string {
  if (reason === undefined) return from === undefined ? '' : `: was ${from}`
  const sentence = isReason(reason) ? statusSentence(reason) : reason
  const seen = detail === undefined || detail === '' ? '' : ` (${detail})`
  return to === 'ONLINE' ? seen : `: ${sentence}${seen}`
}
