/** The transitions of a member, newest first, each with how long it lasted and the probe that decided. */
import type { Transition } from '../net/types.ts'
import { memberMark } from '../words/status.ts'
import { dateOf, durationOf } from '../words/time.ts'
import { StatusMark } from './mark.tsx'

export function Timeline({ transitions }: { readonly transitions: readonly Transition[] }) {
  if (transitions.length === 0) return <p class="quiet">No transition yet.</p>
  return (
    <ol class="timeline">
      {transitions.map((transition, i) => (
        <Entry key={transition.id} transition={transition} next={transitions[i - 1]} />
      ))}
    </ol>
  )
}

function Entry({
  transition,
  next,
}: {
  readonly transition: Transition
  readonly next: Transition | undefined
}) {
  const lasted = next === undefined ? undefined : (Date.parse(next.at) - Date.parse(transition.at)) / 1000
  return (
    <li class={memberMark(transition.to).shape}>
      <time dateTime={transition.at}>{dateOf(transition.at)}</time>
      <div>
        <StatusMark mark={memberMark(transition.to)} /> <code>{transition.reason}</code>
        {transition.detail === '' ? null : <> {transition.detail}</>}
        <span class="quiet">{lasted === undefined ? ' · until now' : ` · for ${durationOf(lasted)}`}</span>
        {transition.dropped > 0 ? (
          <span class="quiet"> · {transition.dropped} before it were not kept</span>
        ) : null}
        <Evidence evidence={transition.evidence} />
      </div>
    </li>
  )
}

function Evidence({ evidence }: { readonly evidence: Transition['evidence'] }) {
  const rows = flat(evidence)
  if (rows.length === 0) return null
  return (
    <details>
      <summary>Evidence</summary>
      <dl class="facts">
        {rows.map(([name, value]) => (
          <div key={name} class="fact">
            <dt>{name.replaceAll('_', ' ')}</dt>
            <dd>
              <code>{value}</code>
            </dd>
          </div>
        ))}
      </dl>
    </details>
  )
}

/** `phases connect ms: 1.2`; what is null is not known and not shown. */
function flat(value: Readonly<Record<string, unknown>>, before = ''): readonly (readonly [string, string])[] {
  return Object.entries(value).flatMap(([name, inner]) => {
    const path = before === '' ? name : `${before} ${name}`
    if (inner === null || inner === undefined) return []
    if (typeof inner === 'object' && !Array.isArray(inner))
      return flat(inner as Record<string, unknown>, path)
    return [[path, typeof inner === 'string' ? inner : JSON.stringify(inner)] as const]
  })
}
