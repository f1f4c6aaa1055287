/** Events, newest first. */
import type { ServiceEvent } from '../net/types.ts'
import { eventLine } from '../words/event.ts'
import { capitalised } from '../words/status.ts'
import { Ago } from './time.tsx'
import { StatusMark } from './mark.tsx'

/** Changes that a view shows beside other things. */
export const CHANGES_SHOWN = 12

export function EventList({
  events,
  ofOnePool,
  none = 'Nothing has changed yet.',
}: {
  readonly events: readonly ServiceEvent[]
  /** All are of one pool, which need not be said in each line. */
  readonly ofOnePool?: boolean
  readonly none?: string
}) {
  if (events.length === 0) return <p class="quiet">{none}</p>
  return (
    <ol class="events">
      {events.map((event) => (
        <Line key={event.id} event={event} isOfOne={ofOnePool === true} />
      ))}
    </ol>
  )
}

function Line({ event, isOfOne }: { readonly event: ServiceEvent; readonly isOfOne: boolean }) {
  const { mark, object, link, text } = eventLine(event)
  const pool = !isOfOne && event.member !== undefined && event.pool?.name ? event.pool.name : undefined
  const because = [event.reason, event.detail].filter((part) => part !== undefined && part !== '').join(': ')
  return (
    <li>
      <Ago at={event.time} />
      <StatusMark mark={mark} />
      <span class="what">
        {link === undefined ? <b>{object}</b> : <a href={link}>{object}</a>}
        {pool === undefined ? null : <span class="quiet"> in {pool}</span>}
        {text === '' ? null : <span class="quiet">{text}</span>}
        {because === '' ? null : <span class="because">{capitalised(because)}</span>}
      </span>
    </li>
  )
}
