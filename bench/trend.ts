/**
 * Whether a series of samples grows: the median of the slopes between all pairs of samples (Theil and Sen) and its
 * confidence interval from Kendall's statistic. Neither a saw of garbage collections nor one step moves it, as both
 * would move a line of least squares.
 */

export interface Sample {
  readonly atSeconds: number
  readonly value: number
}

export interface Trend {
  /** Per second: the median, and the ends of the interval that holds the slope with a probability of 99 %. */
  readonly slope: number
  readonly least: number
  readonly most: number
}

/** Two-sided, of the normal distribution, for 99 %. */
const QUANTILE = 2.576

/** The trend of at least three samples in the order of their times. Throws for fewer. */
export function trendOf(samples: readonly Sample[]): Trend {
  const n = samples.length
  if (n < 3) throw new RangeError(`a trend takes three samples, not ${n}`)
  const slopes: number[] = []
  for (const [i, one] of samples.entries())
    for (const other of samples.slice(i + 1))
      slopes.push((other.value - one.value) / (other.atSeconds - one.atSeconds))
  slopes.sort((a, b) => a - b)
  const reach = QUANTILE * Math.sqrt((n * (n - 1) * (2 * n + 5)) / 18)
  const at = (rank: number): number => slopes[Math.min(slopes.length - 1, Math.max(0, rank))]!
  const middle = (slopes.length - 1) / 2
  return {
    slope: (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2,
    least: at(Math.floor((slopes.length - reach) / 2)),
    most: at(Math.ceil((slopes.length + reach) / 2)),
  }
}

/** Of the value itself, in the whole series: less growth than this is called flat. */
const FLAT_SHARE = 0.02

/** Whether the samples grow for certain, and by more than a fiftieth of their median while they were taken. */
export function isGrowing(samples: readonly Sample[]): boolean {
  const { least } = trendOf(samples)
  const first = samples[0]!
  const last = samples.at(-1)!
  const sorted = samples.map(({ value }) => value).toSorted((a, b) => a - b)
  const median = sorted[Math.floor(sorted.length / 2)]!
  return least * (last.atSeconds - first.atSeconds) > FLAT_SHARE * median
}
