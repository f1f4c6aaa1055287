/** The probers, for administrators: what they do, how late they are, what they could not tell. */
import { useResource } from '../net/resource.ts'
import type { Prober } from '../net/types.ts'
import { StatusMark } from '../part/mark.tsx'
import { Heading, Trouble, Waiting } from '../part/page.tsx'
import { Table } from '../part/table.tsx'
import { Ago } from '../part/time.tsx'
import { millisecondsOf, numberOf } from '../words/time.ts'

export function ProbersView() {
  const { state } = useResource<{ probers: readonly Prober[] }>('v1/probers', ({ type }) =>
    /^(prober|breaker)\./.test(type),
  )
  const probers = state.value.body?.probers
  return (
    <>
      <Heading title="Probers">Probers</Heading>
      <Trouble state={state.value} />
      <Waiting state={state.value} />
      {probers?.length === 0 ? <p>No prober has ever worked on this database: nobody probes.</p> : null}
      {probers === undefined || probers.length === 0 ? null : (
        <Table
          caption="Probers"
          columns={[
            'State',
            'Prober',
            'Checks',
            'In flight',
            'Waiting',
            'Lateness',
            'Inconclusive',
            'Breaker',
          ]}
        >
          {probers.map((prober) => (
            <Row key={prober.id} prober={prober} />
          ))}
        </Table>
      )}
    </>
  )
}

/** Of a service, whatever the number of its probers. */
const SHARDS = 256

const shown = (value: number | null): string => (value === null ? '–' : numberOf(value))

function Row({ prober }: { readonly prober: Prober }) {
  const { lag, breaker } = prober
  const reasons = Object.entries(prober.inconclusive).filter(([, count]) => count > 0)
  return (
    <tr>
      <td>
        <StatusMark mark={prober.alive ? { shape: 'good', word: 'alive' } : { shape: 'off', word: 'gone' }} />
      </td>
      <th scope="row">
        {prober.host} <span class="quiet">pid {prober.pid}</span>
        <div class="quiet small">
          {prober.shards.length} of {SHARDS} shards, since <Ago at={prober.started_at} />
          {prober.alive ? '' : ', last heartbeat '}
          {prober.alive ? null : <Ago at={prober.last_heartbeat_at} />}
        </div>
      </th>
      <td data-label="checks">
        {shown(prober.checks)}
        {(prober.stale ?? 0) > 0 ? <div class="troubles">{shown(prober.stale)} stale</div> : null}
      </td>
      <td data-label="in flight">
        {shown(prober.in_flight)} <span class="quiet">of {shown(prober.in_flight_max)}</span>
      </td>
      <td data-label="waiting">
        {shown(prober.queue)}
        {(prober.unwritten ?? 0) > 0 ? (
          <div class="troubles">{shown(prober.unwritten)} verdicts unwritten</div>
        ) : null}
      </td>
      <td data-label="lateness">
        {lag === null ? (
          '–'
        ) : (
          <>
            {millisecondsOf(lag.p99_ms)} <span class="quiet">p99, at most {millisecondsOf(lag.max_ms)}</span>
          </>
        )}
      </td>
      <td data-label="inconclusive">
        {reasons.length === 0
          ? '–'
          : reasons.map(([reason, count]) => <div key={reason}>{`${reason} ${numberOf(count)}`}</div>)}
      </td>
      <td data-label="breaker">
        {breaker === null ? '–' : breaker.state}
        {breaker !== null && breaker.held > 0 ? (
          <div class="troubles">holds {numberOf(breaker.held)}</div>
        ) : null}
        {breaker?.suspect === true ? (
          <div class="troubles">other sites see ONLINE what fails here</div>
        ) : null}
      </td>
    </tr>
  )
}
