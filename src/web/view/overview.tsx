/** A project at a glance: how many are in which state, what is worst, what changed last. */
import { useSignal } from '@preact/signals'
import { events } from '../net/live.ts'
import { pathWith } from '../net/query.ts'
import { useResource } from '../net/resource.ts'
import { session } from '../net/session.ts'
import type { Counts, FoundMember, LoadBalancer, Overview, Pool } from '../net/types.ts'
import { CountsBar } from '../part/counts.tsx'
import { CHANGES_SHOWN, EventList } from '../part/event-list.tsx'
import { StatusMark, StatusMarks } from '../part/mark.tsx'
import { Heading, Section, Trouble, Waiting } from '../part/page.tsx'
import { Pager, usePaging } from '../part/pager.tsx'
import { LoadBalancerTable, PoolTable } from '../part/pool-table.tsx'
import { Search } from '../part/search.tsx'
import { Table } from '../part/table.tsx'
import { Ago } from '../part/time.tsx'
import { shownProject } from '../project.ts'
import { linkTo } from '../route.ts'
import { merged } from '../words/event.ts'
import { nameOf, targetOf } from '../words/name.ts'
import {
  furtherMarks,
  type Mark,
  MAINTENANCE,
  memberMark,
  PENDING,
  capitalised,
  STALE,
} from '../words/status.ts'
import { numberOf } from '../words/time.ts'

export function OverviewView() {
  const search = useSignal('')
  const { state } = useResource<Overview>(pathWith('v1/overview', { project_id: shownProject.value }))
  const { body } = state.value
  return (
    <>
      <Heading title="Overview">{body === undefined ? 'Overview' : headline(body.members)}</Heading>
      <Trouble state={state.value} />
      <Waiting state={state.value} />
      {body === undefined ? null : <Numbers counts={body.members} />}
      <div class="columns">
        <div>
          <Search value={search} label="Search by name, id or address" />
          {search.value === '' ? null : <FoundMembers search={search.value} />}
          <Pools search={search.value} />
          <LoadBalancers search={search.value} />
        </div>
        {body === undefined ? null : (
          <div>
            <Section title="Last changes" aside={<a href={linkTo.events}>all events</a>}>
              <EventList events={merged(events.value, body.changes, CHANGES_SHOWN)} />
            </Section>
            {body.projects === undefined ? null : <Projects projects={body.projects} />}
          </div>
        )}
      </div>
    </>
  )
}

function headline({ total, offline, online, pending, unknown }: Counts): string {
  if (total === 0) return 'There are no members yet'
  if (offline > 0) {
    return `${numberOf(offline)} of ${numberOf(total)} ${total === 1 ? 'member' : 'members'} ${offline === 1 ? 'is' : 'are'} OFFLINE`
  }
  if (online === total)
    return total === 1 ? 'The one member is ONLINE' : `All ${numberOf(total)} members are ONLINE`
  if (pending > 0 && unknown > 0) return `No member is OFFLINE; ${numberOf(pending)} wait for a verdict`
  return `No member is OFFLINE`
}

function Numbers({ counts }: { readonly counts: Counts }) {
  const rows: readonly (readonly [Mark, number | undefined, isAlwaysShown: boolean])[] = [
    [memberMark('ONLINE'), counts.online, true],
    [memberMark('OFFLINE'), counts.offline, true],
    [memberMark('UNKNOWN'), counts.unknown, false],
    [PENDING, counts.pending, true],
    [STALE, counts.stale, true],
    [MAINTENANCE, counts.maintenance, true],
    [memberMark('DISABLED'), counts.disabled, false],
    [memberMark('NO_MONITOR'), counts.no_monitor, false],
  ]
  return (
    <>
      <CountsBar counts={counts} />
      <dl class="numbers">
        {rows
          .filter(([, count = 0, isAlwaysShown]) => isAlwaysShown || count > 0)
          .map(([mark, count = 0]) => (
            <div key={mark.word} class={count === 0 ? 'zero' : ''}>
              <dt>
                <StatusMark mark={mark} />
              </dt>
              <dd>{numberOf(count)}</dd>
            </div>
          ))}
      </dl>
    </>
  )
}

/** A page of a list of the overview: what matches the search, of the project that is shown. */
const listed = (
  collection: string,
  parameters: { limit: number; search: string; marker?: string | undefined },
) => pathWith(`v1/overview/${collection}`, { ...parameters, project_id: shownProject.value })

function Pools({ search }: { readonly search: string }) {
  const paging = usePaging(search)
  const { state } = useResource<{ pools: readonly Pool[]; next: string | null }>(
    listed('pools', { limit: 100, search, marker: paging.marker }),
  )
  const { body } = state.value
  return (
    <Section title="Pools">
      <Trouble state={state.value} />
      <Waiting state={state.value} />
      {body === undefined ? null : body.pools.length === 0 ? (
        search === '' ? (
          <NoPools />
        ) : (
          <p class="quiet">No pool matches.</p>
        )
      ) : (
        <PoolTable pools={body.pools} />
      )}
      {body === undefined ? null : <Pager paging={paging} next={body.next} of="pools" />}
    </Section>
  )
}

function NoPools() {
  return (
    <p class="quiet">
      There is no pool yet. Create one with your load-balancer client, for example{' '}
      <code>openstack loadbalancer</code>; the <a href="../docs">description of the API</a> has every path.
    </p>
  )
}

function LoadBalancers({ search }: { readonly search: string }) {
  const paging = usePaging(search)
  const { state } = useResource<{ loadbalancers: readonly LoadBalancer[]; next: string | null }>(
    listed('loadbalancers', { limit: 100, search, marker: paging.marker }),
  )
  const { body } = state.value
  if (body === undefined || (body.loadbalancers.length === 0 && paging.marker === undefined)) return null
  return (
    <Section title="Load balancers">
      <Trouble state={state.value} />
      <LoadBalancerTable loadBalancers={body.loadbalancers} />
      <Pager paging={paging} next={body.next} of="load balancers" />
    </Section>
  )
}

function FoundMembers({ search }: { readonly search: string }) {
  const { state } = useResource<{ members: readonly FoundMember[] }>(listed('members', { limit: 20, search }))
  const { body } = state.value
  if (body === undefined || body.members.length === 0) return null
  return (
    <Section title="Members">
      <Table caption="Members that match, the worst first" columns={['State', 'Member', 'Why', 'For']}>
        {body.members.map((member) => (
          <tr key={member.id}>
            <td>
              <StatusMarks marks={[memberMark(member.state), ...furtherMarks(member)]} />
            </td>
            <th scope="row">
              <a href={linkTo.member(member.id)}>{nameOf(member)}</a>
              <div class="quiet small">
                {targetOf(member.address, member.protocol_port)} in{' '}
                <a href={linkTo.pool(member.pool_id)}>
                  {nameOf({ id: member.pool_id, name: member.pool_name })}
                </a>
              </div>
            </th>
            <td>{capitalised(member.why)}</td>
            <td class="since" data-label="for">
              <Ago at={member.since} />
            </td>
          </tr>
        ))}
      </Table>
    </Section>
  )
}

function Projects({ projects }: { readonly projects: NonNullable<Overview['projects']> }) {
  if (session.value.kind !== 'known' || projects.length === 0) return null
  return (
    <Section title="Projects">
      <ul class="plain">
        {projects.map(({ project_id: id, members }) => (
          <li key={id}>
            <button type="button" class="link" onClick={() => (shownProject.value = id)}>
              {id}
            </button>
            <span class="quiet">
              {' '}
              {numberOf(members.total)} members
              {members.offline > 0 ? `, ${numberOf(members.offline)} OFFLINE` : ''}
            </span>
          </li>
        ))}
      </ul>
    </Section>
  )
}
