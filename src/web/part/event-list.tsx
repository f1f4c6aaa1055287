/** Events, newest first. */
import type { ServiceEvent } from '../net/types.ts'
import { told } from '../words/event.ts'
import { sentence } from '../words/status.ts'
import { Ago } from './time.tsx'
import { StatusMark } from './mark.tsx'

export function EventList({
  events,
  poolId,
  none = 'Nothing has changed yet.',
}: {
  readonly events: readonly ServiceEvent[]
  /** All are of this pool, which need not be said in each line. */
  readonly poolId?: string
  readonly none?: string
}) {
  if (events.length === 0) return <p class="quiet">{none}</p>
  return (
    <ol class="events">
      {events.map((event) => (
        <Line key={event.id} event={event} isOfOne={poolId !== undefined} />
      ))}
    </ol>
  )
}

function Line({ event, isOfOne }: { readonly event: ServiceEvent; readonly isOfOne: boolean }) {
  const { mark, object, link, text } = told(event)
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
        {because === '' ? null : <span class="because">{sentence(because)}</span>}
      </span>
    </li>
  )
}
