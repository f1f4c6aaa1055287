/** The latency of recent probes over time: what the service keeps, and what this page has seen since it shows the member. */
import { useEffect, useRef } from 'preact/hooks'
import type { RecentResult } from '../net/types.ts'
import type { Plotted } from './plot.ts'

/** Results that the page keeps while it shows a member. */
const KEPT = 400

export function LatencyPlot({
  memberId,
  results = [],
}: {
  readonly memberId: string
  readonly results: readonly RecentResult[] | undefined
}) {
  const box = useRef<HTMLDivElement>(null)
  const seen = useRef(new Map<string, RecentResult>())
  const plotted = useRef<Plotted | undefined>(undefined)
  useEffect(() => {
    seen.current.clear()
    let isGone = false
    // Apart from the first view: who looks at the overview loads no plot.
    void import('./plot.ts').then(({ plot }) => {
      if (isGone || box.current === null) return
      plotted.current = plot(box.current)
      plotted.current.show([...seen.current.values()])
    })
    return () => {
      isGone = true
      plotted.current?.end()
      plotted.current = undefined
    }
  }, [memberId])
  useEffect(() => {
    for (const result of results) seen.current.set(result.at, result)
    const inOrder = [...seen.current.values()]
      .toSorted((a, b) => Date.parse(a.at) - Date.parse(b.at))
      .slice(-KEPT)
    seen.current = new Map(inOrder.map((result) => [result.at, result]))
    plotted.current?.show(inOrder)
  }, [results])
  const passed = results.filter(({ result }) => result === 'passed').map(({ latency_ms: ms }) => ms)
  const said =
    passed.length === 0
      ? 'No probe passed lately.'
      : `Latency of the last ${passed.length} kept probes that passed: ${Math.min(...passed).toFixed(1)} to ${Math.max(...passed).toFixed(1)} ms.`
  return <div ref={box} class="plot" role="img" aria-label={said} />
}
