/** uPlot, loaded when the first plot is shown. */
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import type { RecentResult } from '../net/types.ts'

export interface Plotted {
  show(results: readonly RecentResult[]): void
  end(): void
}

const HEIGHT = 150
const CLOCK = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' })

export function plot(box: HTMLElement): Plotted {
  let shown: readonly RecentResult[] = []
  let chart = make(box)
  const draw = () => chart.setData(dataOf(shown))
  const resize = new ResizeObserver(() => chart.setSize({ width: box.clientWidth, height: HEIGHT }))
  resize.observe(box)
  // The colours of a canvas do not follow the style sheet by themselves.
  const scheme = matchMedia('(prefers-color-scheme: dark)')
  const remake = () => {
    chart.destroy()
    chart = make(box)
    draw()
  }
  scheme.addEventListener('change', remake)
  return {
    show: (results) => {
      shown = results
      draw()
    },
    end: () => {
      resize.disconnect()
      scheme.removeEventListener('change', remake)
      chart.destroy()
    },
  }
}

/** Seconds; the latency of results that passed, and of those that did not. */
function dataOf(results: readonly RecentResult[]): uPlot.AlignedData {
  const of = (isPassed: boolean) =>
    results.map(({ result, latency_ms: ms }) => ((result === 'passed') === isPassed ? ms : null))
  return [results.map(({ at }) => Date.parse(at) / 1000), of(true), of(false)]
}

/** Seconds on both sides of a single result, around which uPlot would show days. */
const AROUND_ONE = 10

function timeRange(_: uPlot, min: number | null, max: number | null): uPlot.Range.MinMax {
  return min !== null && max !== null && min === max ? [min - AROUND_ONE, max + AROUND_ONE] : [min, max]
}

function make(box: HTMLElement): uPlot {
  const style = getComputedStyle(document.documentElement)
  const colour = (name: string): string => style.getPropertyValue(name).trim()
  const axis = {
    stroke: colour('--quiet'),
    grid: { stroke: colour('--line'), width: 1 },
    ticks: { stroke: colour('--line'), width: 1 },
    font: `11px ${style.getPropertyValue('--font')}`,
  }
  const points = (name: string, size: number) => ({
    show: true,
    size,
    fill: colour(name),
    stroke: colour(name),
  })
  return new uPlot(
    {
      width: box.clientWidth,
      height: HEIGHT,
      legend: { show: false },
      cursor: { show: false },
      scales: { x: { range: timeRange }, y: { range: (_, __, max) => [0, Math.max(max * 1.15, 1)] } },
      axes: [
        { ...axis, values: (_, ticks) => ticks.map((seconds) => CLOCK.format(seconds * 1000)), space: 90 },
        { ...axis, size: 56, values: (_, ticks) => ticks.map((ms) => `${ms} ms`) },
      ],
      series: [
        {},
        { stroke: colour('--good'), width: 1.5, spanGaps: true, points: points('--good', 5) },
        { stroke: 'transparent', points: points('--bad', 9), paths: () => null },
      ],
    },
    [[], [], []],
    box,
  )
}
