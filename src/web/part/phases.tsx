/** The phases of one probe, one after the other. */
import type { Member, Phases } from '../net/types.ts'
import { capitalised } from '../words/status.ts'
import { dateOf, millisecondsOf } from '../words/time.ts'

const WIDTH = 1000

/** Each phase from the end of the one before; those that were not reached are absent. */
function partsOf({
  echo_ms: echo,
  connect_ms: connect,
  tls_ms: tls,
  first_byte_ms: first,
  total_ms: total,
}: Phases) {
  const parts = (
    [
      ['echo', echo],
      ['connect', connect],
      ['TLS', tls],
      ['first byte', first],
    ] as const
  ).flatMap(([name, ms]) => (ms === null ? [] : [{ name, ms }]))
  const sum = parts.reduce((all, { ms }) => all + ms, 0)
  const rest = total === null ? 0 : total - sum
  return rest > 0.005 ? [...parts, { name: parts.length === 0 ? 'in all' : 'the rest', ms: rest }] : parts
}

type Probe = Omit<NonNullable<Member['last_probe']>, 'address'>

export function PhasesBar({ probe }: { readonly probe: Probe }) {
  const parts = partsOf(probe.phases)
  const whole = Math.max(
    parts.reduce((all, { ms }) => all + ms, 0),
    0.001,
  )
  let x = 0
  return (
    <>
      <p>
        {capitalised(probe.result)} ({probe.reason}) at {dateOf(probe.at)}
        {probe.latency_ms === null ? '' : `, after ${millisecondsOf(probe.latency_ms)}`}.
      </p>
      {parts.length === 0 ? null : (
        <>
          <svg class="phases" viewBox={`0 0 ${WIDTH} 10`} preserveAspectRatio="none" aria-hidden="true">
            {parts.map(({ name, ms }, i) => {
              const width = (ms / whole) * WIDTH
              const at = x
              x += width
              return (
                <rect
                  key={name}
                  class={`phase-${i}`}
                  x={at}
                  y="0"
                  width={Math.max(width - 2, 1)}
                  height="10"
                />
              )
            })}
          </svg>
          <dl class="phase-list">
            {parts.map(({ name, ms }, i) => (
              <div key={name}>
                <dt class={`phase-${i}`}>{name}</dt>
                <dd>{millisecondsOf(ms)}</dd>
              </div>
            ))}
          </dl>
        </>
      )}
    </>
  )
}
