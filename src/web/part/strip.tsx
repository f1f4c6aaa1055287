/** The last results of a check, oldest first: a bar of each, whose height is its latency and whose shape its result. */
import type { RecentResult } from '../net/types.ts'
import { dateOf, millisecondsOf } from '../words/time.ts'

const WIDTH = 6
const HEIGHT = 22
const LEAST = 5

export function Strip({ results = [] }: { readonly results: readonly RecentResult[] | undefined }) {
  if (results.length === 0) return <span class="quiet">no results yet</span>
  const shown = results.toReversed()
  const passed = shown.filter(({ result }) => result === 'passed')
  const most = Math.max(...passed.map(({ latency_ms: ms }) => ms), 0.001)
  const failed = shown.filter(({ result }) => result === 'failed').length
  const said = `Of the last ${shown.length} kept results, ${failed} failed; the newest ${shown.at(-1)?.result}.`
  return (
    <svg
      class="strip"
      role="img"
      aria-label={said}
      width={shown.length * WIDTH}
      height={HEIGHT}
      viewBox={`0 0 ${shown.length * WIDTH} ${HEIGHT}`}
    >
      {shown.map((result, i) => (
        <Bar
          key={result.at}
          result={result}
          x={i * WIDTH}
          height={LEAST + (result.latency_ms / most) * (HEIGHT - LEAST)}
        />
      ))}
    </svg>
  )
}

function Bar({
  result,
  x,
  height,
}: {
  readonly result: RecentResult
  readonly x: number
  readonly height: number
}) {
  const title = `${dateOf(result.at)}: ${result.result}, ${result.reason}, ${millisecondsOf(result.latency_ms)}`
  if (result.result === 'passed') {
    return (
      <rect class="passed" x={x} y={HEIGHT - height} width={WIDTH - 2} height={height}>
        <title>{title}</title>
      </rect>
    )
  }
  // Failed: the whole height, with a notch; inconclusive: an outline.
  return (
    <g class={result.result}>
      <title>{title}</title>
      <rect x={x + 0.5} y={0.5} width={WIDTH - 3} height={HEIGHT - 1} />
      {result.result === 'failed' ? (
        <rect class="notch" x={x} y={HEIGHT / 2 - 1.5} width={WIDTH} height="3" />
      ) : null}
    </g>
  )
}
