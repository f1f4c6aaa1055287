/**
 * Counters and histograms for the probe loop. prom-client finds a label set by a string that it builds at every
 * observation; here the loop keeps the cell and adds a number to it. A scrape gets prom-client's own format, so that
 * its registry prints and merges them.
 *
 * Measured 2026-11-21, Node 20.20, one probe (lateness, counter, duration): 25 ns; prom-client 1081 ns, and 1098 ns
 * with its label sets bound beforehand.
 */
export type Labels = Readonly<Record<string, string>>

/** One figure of a metric. */
export interface Sample {
  readonly labels: Labels
  readonly value: number
  readonly metricName?: string
}

/** What prom-client's registry reads from a metric. */
export interface MetricValues {
  readonly name: string
  readonly help: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly values: readonly Sample[]
  readonly aggregator: 'sum'
}

interface Cell {
  value: number
}

/** A counter per label set; a label set appears with its first `cell`. */
export class CounterSeries {
  readonly name: string
  readonly #help: string
  readonly #cells: { readonly labels: Labels; readonly cell: Cell }[] = []

  constructor(name: string, help: string) {
    this.name = name
    this.#help = help
  }

  /** The cell of a label set that has none yet: the caller keeps it and adds to its `value`. */
  cell(labels: Labels): Cell {
    const cell = { value: 0 }
    this.#cells.push({ labels, cell })
    return cell
  }

  get(): Promise<MetricValues> {
    const values = this.#cells.map(({ labels, cell }) => ({ labels, value: cell.value }))
    return Promise.resolve({ name: this.name, help: this.#help, type: 'counter', values, aggregator: 'sum' })
  }
}

/** One histogram's numbers: not cumulative until they are read. */
export class Buckets {
  readonly bounds: readonly number[]
  readonly counts: number[]
  sum = 0

  constructor(bounds: readonly number[]) {
    this.bounds = bounds
    this.counts = Array.from({ length: bounds.length + 1 }, () => 0)
  }

  observe(value: number): void {
    let i = 0
    while (i < this.bounds.length && value > (this.bounds[i] ?? 0)) i += 1
    this.counts[i] = (this.counts[i] ?? 0) + 1
    this.sum += value
  }
}

/** A histogram per label set, all with the same bounds. */
export class HistogramSeries {
  readonly name: string
  readonly #help: string
  readonly #bounds: readonly number[]
  readonly #series: { readonly labels: Labels; readonly buckets: Buckets }[] = []

  constructor(name: string, help: string, bounds: readonly number[]) {
    this.name = name
    this.#help = help
    this.#bounds = bounds
  }

  /** The buckets of a label set that has none yet; the caller keeps them. */
  buckets(labels: Labels): Buckets {
    const buckets = new Buckets(this.#bounds)
    this.#series.push({ labels, buckets })
    return buckets
  }

  get(): Promise<MetricValues> {
    const values = this.#series.flatMap(({ labels, buckets }) => samples(this.name, labels, buckets))
    return Promise.resolve({
      name: this.name,
      help: this.#help,
      type: 'histogram',
      values,
      aggregator: 'sum',
    })
  }
}

function samples(name: string, labels: Labels, { bounds, counts, sum }: Buckets): readonly Sample[] {
  let total = 0
  const buckets = counts.map((count, i) => {
    total += count
    const le = bounds[i] === undefined ? '+Inf' : String(bounds[i])
    return { metricName: `${name}_bucket`, labels: { ...labels, le }, value: total }
  })
  return [
    ...buckets,
    { metricName: `${name}_sum`, labels, value: sum },
    { metricName: `${name}_count`, labels, value: total },
  ]
}
