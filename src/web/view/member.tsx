/** A member: its state, why, since when; its last probes; what happens next; its history; what its monitor does. */
import { useResource } from '../net/resource.ts'
import type { Member, Transition, Window } from '../net/types.ts'
import { CertificateFacts } from '../part/certificate.tsx'
import { SitesTable } from '../part/sites.tsx'
import { Crumbs } from '../part/crumbs.tsx'
import { LatencyPlot } from '../part/latency-plot.tsx'
import { MaintenanceControl } from '../part/maintenance.tsx'
import { StatusMarks } from '../part/mark.tsx'
import { Heading, Section, Trouble, Waiting } from '../part/page.tsx'
import { PhasesBar } from '../part/phases.tsx'
import { PlanTable } from '../part/plan.tsx'
import { ProbeNow } from '../part/probe-now.tsx'
import { Strip } from '../part/strip.tsx'
import { Ago, Until } from '../part/time.tsx'
import { Timeline } from '../part/timeline.tsx'
import { UptimeTable } from '../part/uptime.tsx'
import { concerns } from '../words/event.ts'
import { nameOf, targetOf } from '../words/name.ts'
import { furtherMarks, memberMark, capitalised } from '../words/status.ts'

export function MemberView({ id }: { readonly id: string }) {
  const { state, reload } = useResource<{ member: Member }>(`v1/overview/members/${id}`, concerns(id))
  const member = state.value.body?.member
  const name = member === undefined ? 'Member' : nameOf(member)
  return (
    <>
      <Crumbs of={member?.pool} pool={member?.pool} />
      <Heading title={name}>{name}</Heading>
      <Trouble state={state.value} />
      <Waiting state={state.value} />
      {member === undefined ? null : <Known member={member} reload={reload} />}
    </>
  )
}

function LongAgo({ at }: { readonly at: string }) {
  return (
    <span class="quiet">
      <Ago at={at} /> ago
    </span>
  )
}

function Known({ member, reload }: { readonly member: Member; readonly reload: () => void }) {
  const path = `v1/pools/${member.pool_id}/members/${member.id}`
  const own = member.maintenance?.find(({ of }) => of === 'member')
  const above = member.maintenance?.filter(({ of }) => of !== 'member') ?? []
  return (
    <>
      <Verdict member={member} />
      {above.map((each) => (
        <p key={each.of}>
          The {each.of === 'pool' ? 'pool' : 'health monitor'} is {each.active ? '' : 'going to be '}in
          maintenance
          {each.note === '' ? '' : `: ${each.note}`}.
        </p>
      ))}
      <div class="acts">
        {member.counters === null ? null : <ProbeNow path={path} />}
        <MaintenanceControl path={path} of="member" maintenance={own} onDone={reload} />
      </div>
      <div class="columns even">
        <div>
          <Section title="Last probes">
            <Strip results={member.recent_results} />
            <LatencyPlot memberId={member.id} results={member.recent_results} />
          </Section>
          {member.last_probe === null ? null : (
            <Section title="Last probe" aside={<LongAgo at={member.last_probe.at} />}>
              <PhasesBar probe={member.last_probe} />
            </Section>
          )}
        </div>
        <div>
          <Section title="What happens next">
            <Next member={member} />
          </Section>
          <SitesTable sites={member.sites} />
          <CertificateFacts certificate={member.certificate} />
          <Section title="Uptime">
            <UptimeTable memberId={member.id} />
          </Section>
        </div>
      </div>
      <Section title="History">
        <History id={member.id} />
      </Section>
      {member.healthmonitor === null || member.healthmonitor === undefined ? null : (
        <Section title="What the monitor does">
          <PlanTable monitorId={member.healthmonitor.id} memberId={member.id} />
        </Section>
      )}
    </>
  )
}

function Verdict({ member }: { readonly member: Member }) {
  const flags = [
    member.degraded ? 'it says that it is degraded' : '',
    member.warning ? 'it answers with a status that is a warning' : '',
    member.draining ? 'it asks for no new traffic' : '',
  ].filter((text) => text !== '')
  return (
    <div class="verdict">
      <p class="verdict-line">
        <StatusMarks marks={[memberMark(member.status), ...furtherMarks(member)]} />
        {member.since === null ? null : (
          <span class="quiet">
            for <Ago at={member.since} />
          </span>
        )}
        <span>{capitalised(member.why)}.</span>
      </p>
      {member.detail ? <p class="detail">{member.detail}</p> : null}
      {flags.length === 0 ? null : <p>{capitalised(flags.join('; '))}.</p>}
      {member.stale ? (
        <p>This is old: no prober has had a sure result lately. What is shown may not hold any more.</p>
      ) : null}
      {member.pending ? (
        <p>
          There is no verdict since the configuration changed. What was published before stays until there is
          one.
        </p>
      ) : null}
    </div>
  )
}

function Next({ member }: { readonly member: Member }) {
  const { counters, detection_window: window, next_probe_at: next, as_of: asOf } = member
  if (counters === null) return <p class="quiet">It is not probed.</p>
  return (
    <dl class="facts">
      <dt>Next probe</dt>
      <dd>
        {next === null ? (
          'not known'
        ) : (
          <Until at={next} everySeconds={member.healthmonitor?.delay_seconds ?? 1} />
        )}
      </dd>
      <dt>Failures in a row</dt>
      <dd>
        <Counter counter={counters.fall} to="OFFLINE" />
      </dd>
      <dt>Successes in a row</dt>
      <dd>
        <Counter counter={counters.rise} to="ONLINE" />
      </dd>
      {window === null ? null : (
        <>
          <dt>A failure is noticed within</dt>
          <dd>{windowInWords(window.down)}</dd>
          <dt>A recovery is noticed within</dt>
          <dd>{window.up === null ? 'never by itself' : windowInWords(window.up)}</dd>
        </>
      )}
      <dt>Target</dt>
      <dd>
        <code>{member.last_probe?.address ?? targetOf(member.address, member.protocol_port)}</code>
      </dd>
      <dt>Weight</dt>
      <dd>
        {member.weight}
        {member.backup ? ', backup' : ''}
      </dd>
      {asOf === null ? null : (
        <>
          <dt>Counters as of</dt>
          <dd>
            <Ago at={asOf} /> ago
          </dd>
        </>
      )}
    </dl>
  )
}

function Counter({ counter, to }: { readonly counter: string; readonly to: string }) {
  const [run = '0', threshold = '1'] = counter.split('/')
  return (
    <>
      <meter
        min={0}
        max={Number(threshold)}
        value={Number(run)}
        // Failures are better the fewer there are: browsers colour the bar by that.
        low={to === 'OFFLINE' ? 0.5 : 0}
        high={to === 'OFFLINE' ? Math.max(0.5, Number(threshold) - 0.5) : Number(threshold)}
        optimum={to === 'OFFLINE' ? 0 : Number(threshold)}
        aria-label={`${run} of ${threshold}`}
      />{' '}
      {run} of the {threshold} that lead to {to}
    </>
  )
}

const windowInWords = ({ min_seconds: min, max_seconds: max }: Window): string =>
  min === max ? `${max} s` : `${min} to ${max} s`

function History({ id }: { readonly id: string }) {
  const { state } = useResource<{ transitions: readonly Transition[] }>(
    `v1/overview/members/${id}/transitions?limit=50`,
    concerns(id),
  )
  return (
    <>
      <Trouble state={state.value} />
      {state.value.body === undefined ? null : <Timeline transitions={state.value.body.transitions} />}
    </>
  )
}
