/** Times that count on while one looks at them. */
import { now } from '../net/clock.ts'
import { agoOf, dateOf, durationOf } from '../words/time.ts'

/** `3 min`, with the whole date on pointing at it. */
export function Ago({ at }: { readonly at: string | null }) {
  if (at === null) return <span class="quiet">–</span>
  return (
    <time dateTime={at} title={dateOf(at)}>
      {agoOf(at, now.value)}
    </time>
  )
}

/** `in 4 s`; what is over comes again after `everySeconds`. */
export function Until({ at, everySeconds }: { readonly at: string; readonly everySeconds: number }) {
  const first = (Date.parse(at) - now.value) / 1000
  const left = first >= 0 ? first : first - Math.floor(first / everySeconds) * everySeconds
  return (
    <time dateTime={at} title={dateOf(at)}>
      in {durationOf(Math.ceil(left))}
    </time>
  )
}
