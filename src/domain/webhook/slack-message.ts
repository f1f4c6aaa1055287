/** Events as a message of Slack's incoming webhooks, which Mattermost, Rocket.Chat and Discord (`…/slack`) take too. */
import { bracketed } from '../address/address-and-port.ts'
import type { ServiceEvent } from '../event/event.ts'
import { healthPath } from '../event/event-document.ts'
import { SLACK_LINES_MAX, SLACK_TEXT_MAX } from '../limits.ts'

/** One message for all of them: the first ones in full, the rest as counts. `base`: of links; absent = none. */
export function slackMessage(
  events: readonly ServiceEvent[],
  base: string | undefined,
): { readonly text: string } {
  const lines = events.slice(0, SLACK_LINES_MAX).map((event) => line(event, base))
  const rest = events.slice(SLACK_LINES_MAX)
  if (rest.length > 0) lines.push(`… and ${rest.length} more: ${summary(rest)}`)
  return { text: lines.join('\n') }
}

/** What, from, to, why, since when, and where to look. */
function line(event: ServiceEvent, base: string | undefined): string {
  const { from, to, data, at } = event
  const change = to === null ? event.type : from === null ? to : `${from} → ${to}`
  const why = [data['reason'], data['detail']].filter((part): part is string => typeof part === 'string')
  const path = healthPath(event)
  const link = base === undefined || path === undefined ? '' : ` <${base}${path}|health>`
  const reason = why.length === 0 ? '' : `: ${why.join(', ')}`
  const text = escaped(`${change}${reason} (${at.toISOString()})`.slice(0, SLACK_TEXT_MAX))
  return `*${escaped(whatOf(event))}* ${text}${link}`
}

function whatOf({ member, pool, loadBalancer, projectId }: ServiceEvent): string {
  const parts = [
    member === undefined ? '' : `member ${nameOf(member)} ${addressOf(member)}`.trim(),
    pool === undefined ? '' : `pool ${nameOf(pool)}`,
    loadBalancer === undefined ? '' : `load balancer ${nameOf(loadBalancer)}`,
  ].filter((part) => part !== '')
  return parts.length > 0 ? parts.join(' of ') : `project ${projectId ?? 'none'}`
}

function nameOf({ id, name = '' }: { readonly id: string; readonly name?: string }): string {
  return (name === '' ? id : name).replaceAll(/[*\n\r]/g, ' ').slice(0, SLACK_TEXT_MAX)
}

function addressOf({
  address,
  protocolPort,
}: {
  readonly address?: string
  readonly protocolPort?: number
}): string {
  if (address === undefined) return ''
  return `${bracketed(address)}:${protocolPort ?? ''}`
}

/** Slack's three control characters: without them nobody can make a link or mention a channel by a name. */
function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

/** "300 member.status OFFLINE, 2 pool.status DEGRADED". */
function summary(events: readonly ServiceEvent[]): string {
  const counts = new Map<string, number>()
  for (const { type, to } of events) {
    const kind = to === null ? type : `${type} ${to}`
    counts.set(kind, (counts.get(kind) ?? 0) + 1)
  }
  return [...counts].map(([kind, count]) => `${count} ${escaped(kind)}`).join(', ')
}
