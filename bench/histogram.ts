/** Quantiles of a Prometheus histogram between two scrapes. */

/** Upper bound in seconds → observations up to it. */
export type Histogram = ReadonlyMap<number, number>

/** Reads a histogram without labels of its own from an exposition; the buckets of several processes are summed. */
export function readHistogram(exposition: string, name: string): Histogram {
  const buckets = new Map<number, number>()
  for (const line of exposition.split('\n')) {
    const match = new RegExp(`^${name}_bucket\\{.*le="([^"]+)".*\\} (\\S+)`).exec(line)
    if (match === null) continue
    const bound = match[1] === '+Inf' ? Number.POSITIVE_INFINITY : Number(match[1])
    buckets.set(bound, (buckets.get(bound) ?? 0) + Number(match[2]))
  }
  return buckets
}

export interface Quantiles {
  readonly count: number
  readonly p50: string
  readonly p99: string
  readonly p999: string
}

/** Quantiles as "<= bound": a bucket says no more. */
export function lateness(before: Histogram, after: Histogram): Quantiles {
  const bounds = [...after.keys()].sort((a, b) => a - b)
  const grown = bounds.map((bound) => ({ bound, count: (after.get(bound) ?? 0) - (before.get(bound) ?? 0) }))
  const count = grown.at(-1)?.count ?? 0
  const quantile = (q: number): string => {
    const bucket = grown.find((candidate) => candidate.count >= q * count)
    return bucket === undefined ? 'none' : `<= ${(bucket.bound * 1000).toFixed(0)} ms`
  }
  return { count, p50: quantile(0.5), p99: quantile(0.99), p999: quantile(0.999) }
}
