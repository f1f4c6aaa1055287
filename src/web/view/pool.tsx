/** A pool: its monitor in words, and its members, the worst first. */
import { useSignal } from '@preact/signals'
import { useResource } from '../net/resource.ts'
import type { Member, Monitor, Pool, ServiceEvent } from '../net/types.ts'
import { CountsBar, CountsInShort } from '../part/bar.tsx'
import { EventList } from '../part/event-list.tsx'
import { MaintenanceControl } from '../part/maintenance.tsx'
import { StatusMark, StatusMarks } from '../part/mark.tsx'
import { Heading, Section, Trouble, Waiting } from '../part/page.tsx'
import { Pager, usePaging } from '../part/paged.tsx'
import { Search } from '../part/search.tsx'
import { Strip } from '../part/strip.tsx'
import { Table } from '../part/table.tsx'
import { Ago } from '../part/time.tsx'
import { linkTo } from '../route.ts'
import { concerns, targetOf } from '../words/event.ts'
import { furtherMarks, memberMark, rolledUpMark, sentence } from '../words/status.ts'
import { millisecondsOf } from '../words/time.ts'

export function PoolView({ id }: { readonly id: string }) {
  const search = useSignal('')
  const { state, reload } = useResource<{ pool: Pool }>(`v1/overview/pools/${id}`, concerns(id))
  const pool = state.value.body?.pool
  const name = pool === undefined ? 'Pool' : pool.name || id.slice(0, 8)
  return (
    <>
      <nav class="crumbs" aria-label="Where this is">
        <a href={linkTo.overview}>Overview</a>
        {pool === undefined ? null : (
          <a href={linkTo.loadBalancer(pool.loadbalancer.id)}>
            {pool.loadbalancer.name || pool.loadbalancer.id.slice(0, 8)}
          </a>
        )}
      </nav>
      <Heading title={name}>
        {pool === undefined ? null : <StatusMark mark={rolledUpMark(pool.operating_status)} large />} {name}
      </Heading>
      <Trouble state={state.value} />
      <Waiting state={state.value} />
      {pool === undefined ? null : <Head pool={pool} onDone={reload} />}
      <Section title="Members" aside={<Search value={search} label="Search members" />}>
        <Members poolId={id} search={search.value} />
      </Section>
      <PoolEvents id={id} />
    </>
  )
}

function Head({ pool, onDone }: { readonly pool: Pool; readonly onDone: () => void }) {
  const { healthmonitor: monitor, members } = pool
  return (
    <>
      <p class="lead">
        <CountsInShort counts={members} /> · for <Ago at={pool.since} />
        {(members.stale ?? 0) === 0 ? null : <> · {members.stale} stale</>}
      </p>
      <CountsBar counts={members} />
      <p>
        {monitor === null || monitor === undefined
          ? 'It has no health monitor: nobody probes its members.'
          : monitorInWords(monitor)}
        {pool.in_service
          ? ''
          : ' It is not in service: it, its load balancer or each listener that leads to it is switched off.'}
      </p>
      <MaintenanceControl
        path={`load-balancer/v2.0/lbaas/pools/${pool.id}`}
        of="pool"
        maintenance={lasting(pool)}
        onDone={onDone}
      />
    </>
  )
}

/** Of the pool itself, if it is not over. */
function lasting({ maintenance_window: window }: Pool) {
  if (window === null || (window.end !== null && Date.parse(window.end) <= Date.now())) return undefined
  return window
}

function monitorInWords({
  type,
  admin_state_up: isUp,
  delay_seconds: delay,
  timeout_seconds: timeout,
  rise,
  fall,
}: Monitor): string {
  if (!isUp) return `Its health monitor (${type}) is switched off.`
  const times = (count: number, word: string) => (count === 1 ? `one ${word}` : `${count} ${word}s in a row`)
  return `Probed by ${type} every ${delay} s, with a timeout of ${timeout} s. OFFLINE after ${times(fall, 'failure')}, ONLINE after ${times(rise, 'success').replace('successs', 'successes')}.`
}

function Members({ poolId, search }: { readonly poolId: string; readonly search: string }) {
  const query = search === '' ? '' : `&search=${encodeURIComponent(search)}`
  const paging = usePaging(`${poolId}${query}`)
  const { state } = useResource<{ members: readonly Member[]; next: string | null }>(
    `v1/overview/pools/${poolId}/members?limit=100${query}${paging.query}`,
    concerns(poolId),
  )
  const { body } = state.value
  if (body === undefined) return <Trouble state={state.value} />
  if (body.members.length === 0) {
    return <p class="quiet">{search === '' ? 'It has no members.' : 'No member matches.'}</p>
  }
  return (
    <>
      <Trouble state={state.value} />
      <Table
        caption="Members of the pool, the worst first"
        columns={['State', 'Member', 'Why', 'Last results', 'Latency', 'For']}
        kind="members"
      >
        {body.members.map((member) => (
          <Row key={member.id} member={member} />
        ))}
      </Table>
      <Pager paging={paging} next={body.next} of="members" />
    </>
  )
}

function Row({ member }: { readonly member: Member }) {
  const latency = member.last_probe?.latency_ms
  return (
    <tr>
      <td>
        <StatusMarks marks={[memberMark(member.status), ...furtherMarks(member)]} />
      </td>
      <th scope="row">
        <a href={linkTo.member(member.id)}>
          {member.name === '' ? targetOf(member.address, member.protocol_port) : member.name}
        </a>
        {member.name === '' ? null : (
          <div class="quiet small">{targetOf(member.address, member.protocol_port)}</div>
        )}
      </th>
      <td class="why">
        {sentence(member.why)}
        {member.detail ? <div class="quiet small">{member.detail}</div> : null}
      </td>
      <td class="results">
        <Strip results={member.recent_results} />
      </td>
      <td class="since" data-label="latency">
        {latency === null || latency === undefined ? '–' : millisecondsOf(latency)}
      </td>
      <td class="since" data-label="for">
        <Ago at={member.since} />
      </td>
    </tr>
  )
}

function PoolEvents({ id }: { readonly id: string }) {
  const { state } = useResource<{ events: readonly ServiceEvent[] }>(
    `v1/events?pool_id=${id}&limit=12`,
    concerns(id),
  )
  return (
    <Section title="Last changes">
      <Trouble state={state.value} />
      {state.value.body === undefined ? null : <EventList events={state.value.body.events} poolId={id} />}
    </Section>
  )
}
