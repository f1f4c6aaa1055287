/** A bar for each day: how much of it a pool was up. Heights and colours say the same; the sentence says it too. */
import { percentOf } from '../words/uptime.ts'

const DAY_MS = 86_400_000
const [STEP, WIDTH, HEIGHT] = [10, 8, 32]
/** Shares of a day from which it counts as good, and as partly good. */
const GOOD_FROM = 0.999
const PARTLY_FROM = 0.95

interface Days {
  readonly first: string
  readonly up_shares: readonly (number | null)[]
}

const DAYS = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeZone: 'UTC' })

export function DayStrip({ name, days }: { readonly name: string; readonly days: Days }) {
  const { up_shares: shares } = days
  const known = shares.filter((share) => share !== null)
  const bad = known.filter((share) => share < GOOD_FROM).length
  const said = `${name}, the last ${shares.length} days: ${known.length} known, ${bad} with trouble`
  return (
    <figure class="day-strip">
      <svg
        viewBox={`0 0 ${shares.length * STEP} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={said}
      >
        {shares.map((share, i) => (
          // A day that is not known is a low line; trouble is a gap from above, seen however short it was.
          <rect
            key={i}
            class={kindOf(share)}
            x={i * STEP}
            y={HEIGHT - heightOf(share)}
            width={WIDTH}
            height={heightOf(share)}
          >
            <title>{`${dayOf(days.first, i)}: ${share === null ? 'not known' : percentOf(share, 2)}`}</title>
          </rect>
        ))}
      </svg>
      <figcaption class="quiet small" aria-hidden="true">
        <span>{shares.length} days ago</span>
        <span>today</span>
      </figcaption>
    </figure>
  )
}

const dayOf = (first: string, i: number): string => DAYS.format(Date.parse(first) + i * DAY_MS)

function kindOf(share: number | null): string {
  if (share === null) return 'unknown'
  return share >= GOOD_FROM ? 'good' : share >= PARTLY_FROM ? 'partly' : 'bad'
}

function heightOf(share: number | null): number {
  if (share === null) return 4
  return share >= GOOD_FROM ? HEIGHT : share >= PARTLY_FROM ? HEIGHT * 0.7 : Math.max(8, HEIGHT * 0.5 * share)
}
