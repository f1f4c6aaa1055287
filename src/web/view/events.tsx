/** Events as they happen, and those before; filtered by type and by the new status. */
import { useComputed, useSignal } from '@preact/signals'
import { events, isLive } from '../net/live.ts'
import { useResource } from '../net/resource.ts'
import type { ServiceEvent } from '../net/types.ts'
import { EventList } from '../part/event-list.tsx'
import { Heading, Trouble, Waiting } from '../part/page.tsx'
import { shownProject } from '../project.ts'

const TYPES = [
  ['', 'all types'],
  ['member.status', 'members'],
  ['pool.status', 'pools'],
  ['loadbalancer.status', 'load balancers'],
  ['member.stale', 'stale members'],
  ['certificate', 'certificates'],
  ['maintenance', 'maintenance'],
  ['config.changed', 'configuration'],
  ['prober', 'probers'],
  ['breaker', 'breakers'],
] as const
/** A choice of more than one type of event. */
const GROUPS: Readonly<Record<string, readonly string[]>> = {
  certificate: ['certificate.expiring', 'certificate.expired'],
  maintenance: ['maintenance.begun', 'maintenance.ended'],
  prober: ['prober.joined', 'prober.left', 'prober.lost'],
  breaker: ['breaker.held', 'breaker.released'],
}
const STATUSES = ['', 'ONLINE', 'OFFLINE', 'DEGRADED', 'ERROR', 'STALE', 'FRESH'] as const
const SHOWN = 200

export function EventsView() {
  const type = useSignal('')
  const to = useSignal('')
  const types = type.value === '' ? [] : (GROUPS[type.value] ?? [type.value])
  const query = [
    ...types.map((each) => `&type=${each}`),
    to.value === '' ? '' : `&to=${to.value}`,
    shownProject.value === undefined ? '' : `&project_id=${encodeURIComponent(shownProject.value)}`,
  ].join('')
  const { state } = useResource<{ events: readonly ServiceEvent[] }>(
    `v1/events?limit=100${query}`,
    () => false,
  )
  const read = state.value.body?.events ?? []
  const heard = useComputed(() =>
    events.value.filter(
      (event) =>
        (type.value === '' || (GROUPS[type.value] ?? [type.value]).includes(event.type)) &&
        (to.value === '' || event.to === to.value),
    ),
  )
  const known = new Set(read.map(({ id }) => id))
  const all = [...heard.value.filter(({ id }) => !known.has(id)), ...read]
    .toSorted((a, b) => Number(b.id) - Number(a.id))
    .slice(0, SHOWN)
  return (
    <>
      <Heading title="Events">Events</Heading>
      <form class="inline-form" aria-label="Which events" onSubmit={(event) => event.preventDefault()}>
        <label>
          About
          <select onChange={(event) => (type.value = event.currentTarget.value)}>
            {TYPES.map(([value, words]) => (
              <option key={value} value={value}>
                {words}
              </option>
            ))}
          </select>
        </label>
        <label>
          New status
          <select onChange={(event) => (to.value = event.currentTarget.value)}>
            {STATUSES.map((status) => (
              <option key={status} value={status}>
                {status === '' ? 'any' : status}
              </option>
            ))}
          </select>
        </label>
        <span class="quiet">
          {isLive.value ? 'New ones appear by themselves.' : 'Waiting for the stream of events…'}
        </span>
      </form>
      <Trouble state={state.value} />
      <Waiting state={state.value} />
      {state.value.body === undefined ? null : <EventList events={all} none="No event matches." />}
    </>
  )
}
