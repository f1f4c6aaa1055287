/** Events as they happen, and those before; filtered by type and by the new status. */
import { useSignal } from '@preact/signals'
import { events, isLive } from '../net/live.ts'
import { pathWith } from '../net/query.ts'
import { useResource } from '../net/resource.ts'
import type { ServiceEvent } from '../net/types.ts'
import { Choice } from '../part/choice.tsx'
import { EventList } from '../part/event-list.tsx'
import { Heading, Trouble, Waiting } from '../part/page.tsx'
import { shownProject } from '../project.ts'
import { merged } from '../words/event.ts'

const TYPES = [
  ['', 'all types'],
  ['member.status', 'members'],
  ['pool.status', 'pools'],
  ['loadbalancer.status', 'load balancers'],
  ['pool.effective_members', 'traffic of pools'],
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
const STATUSES = [
  ['', 'any'],
  ...['ONLINE', 'OFFLINE', 'DEGRADED', 'ERROR', 'STALE', 'FRESH'].map((status) => [status, status] as const),
] as const
/** Events that the view shows. */
const SHOWN = 200

export function EventsView() {
  const type = useSignal('')
  const to = useSignal('')
  const types = type.value === '' ? [] : (GROUPS[type.value] ?? [type.value])
  const { state } = useResource<{ events: readonly ServiceEvent[] }>(
    pathWith('v1/events', { limit: 100, type: types, to: to.value, project_id: shownProject.value }),
    // The stream brings each one.
    () => false,
  )
  const heard = events.value.filter(
    (event) =>
      (types.length === 0 || types.includes(event.type)) && (to.value === '' || event.to === to.value),
  )
  return (
    <>
      <Heading title="Events">Events</Heading>
      <form class="inline-form" aria-label="Which events" onSubmit={(event) => event.preventDefault()}>
        <Choice words="About" options={TYPES} onChoose={(value) => (type.value = value)} />
        <Choice words="New status" options={STATUSES} onChoose={(value) => (to.value = value)} />
        <span class="quiet">
          {isLive.value ? 'New ones appear by themselves.' : 'Waiting for the stream of events…'}
        </span>
      </form>
      <Trouble state={state.value} />
      <Waiting state={state.value} />
      {state.value.body === undefined ? null : (
        <EventList events={merged(heard, state.value.body.events, SHOWN)} none="No event matches." />
      )}
    </>
  )
}
