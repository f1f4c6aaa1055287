/** A pool: its monitor in words, and its members, the worst first. */
import { useSignal } from '@preact/signals'
import { pathWith } from '../net/query.ts'
import { useResource } from '../net/resource.ts'
import type { Member, Monitor, Pool, ServiceEvent } from '../net/types.ts'
import { CountsBar, CountsInShort } from '../part/counts.tsx'
import { Crumbs } from '../part/crumbs.tsx'
import { CHANGES_SHOWN, EventList } from '../part/event-list.tsx'
import { MaintenanceControl } from '../part/maintenance.tsx'
import { StatusMark, StatusMarks } from '../part/mark.tsx'
import { Heading, Section, Trouble, Waiting } from '../part/page.tsx'
import { Pager, usePaging } from '../part/pager.tsx'
import { Search } from '../part/search.tsx'
import { Strip } from '../part/strip.tsx'
import { Table } from '../part/table.tsx'
import { Ago } from '../part/time.tsx'
import { linkTo } from '../route.ts'
import { concerns } from '../words/event.ts'
import { nameOf, targetOf } from '../words/name.ts'
import { furtherMarks, memberMark, rolledUpMark, capitalised } from '../words/status.ts'
import { millisecondsOf } from '../words/time.ts'
import { trafficInWords } from '../words/traffic.ts'

export function PoolView({ id }: { readonly id: string }) {
  const search = useSignal('')
  const { state, reload } = useResource<{ pool: Pool }>(`v1/overview/pools/${id}`, concerns(id))
  const pool = state.value.body?.pool
  const name = pool === undefined ? 'Pool' : nameOf(pool)
  return (
    <>
      <Crumbs of={pool} />
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
      {pool.traffic === null || !pool.in_service ? null : <p>{capitalised(trafficInWords(pool.traffic))}.</p>}
      <MaintenanceControl
        path={`v1/pools/${pool.id}`}
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
  const inARow = (count: number, one: string, many: string) =>
    count === 1 ? `one ${one}` : `${count} ${many} in a row`
  const failures = inARow(fall, 'failure', 'failures')
  const successes = inARow(rise, 'success', 'successes')
  return `Probed by ${type} every ${delay} s, with a timeout of ${timeout} s. OFFLINE after ${failures}, ONLINE after ${successes}.`
}

function Members({ poolId, search }: { readonly poolId: string; readonly search: string }) {
  const paging = usePaging(`${poolId} ${search}`)
  const { state } = useResource<{ members: readonly Member[]; next: string | null }>(
    pathWith(`v1/overview/pools/${poolId}/members`, { limit: 100, search, marker: paging.marker }),
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
        <a href={linkTo.member(member.id)}>{nameOf(member)}</a>
        {member.name === '' ? null : (
          <div class="quiet small">{targetOf(member.address, member.protocol_port)}</div>
        )}
      </th>
      <td class="why">
        {capitalised(member.why)}
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
    pathWith('v1/events', { pool_id: id, limit: CHANGES_SHOWN }),
    concerns(id),
  )
  return (
    <Section title="Last changes">
      <Trouble state={state.value} />
      {state.value.body === undefined ? null : <EventList events={state.value.body.events} ofOnePool />}
    </Section>
  )
}
