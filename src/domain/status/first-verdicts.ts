/** When the first verdict of each generation of a configuration came: until then it was awaited. */
export interface AwaitedVerdict {
  readonly atMs: number
  readonly generation: number
}

/**
 * For each generation the time of the first verdict that came from then on and is of this generation or a newer one;
 * infinite while there is none. Neither list has an order.
 *
 * One sweep from the newest to the oldest. A verdict matters until an earlier one of the same or a newer generation is met: of
 * those that are left, a later one is of a newer generation, so each look-up is a binary search. n log n, where a search for
 * each generation is n².
 */
export function firstVerdictsOf(
  generations: readonly AwaitedVerdict[],
  verdicts: readonly AwaitedVerdict[],
): readonly number[] {
  const ends = generations.map(() => Number.POSITIVE_INFINITY)
  const newestFirst = verdicts.toSorted((a, b) => b.atMs - a.atMs)
  const order = generations.map((generation, i) => ({ ...generation, i })).toSorted((a, b) => b.atMs - a.atMs)
  // The earliest is the last; its generation is the smallest.
  const met: AwaitedVerdict[] = []
  let next = 0
  for (const { atMs, generation, i } of order) {
    for (
      let verdict = newestFirst[next];
      verdict !== undefined && verdict.atMs >= atMs;
      verdict = newestFirst[next]
    ) {
      while ((met.at(-1)?.generation ?? Number.POSITIVE_INFINITY) <= verdict.generation) met.pop()
      met.push(verdict)
      next += 1
    }
    ends[i] = met[lastOfGeneration(met, generation)]?.atMs ?? Number.POSITIVE_INFINITY
  }
  return ends
}

/** Of verdicts whose generations fall: the last one that is of this generation or a newer one; -1 = none is. */
function lastOfGeneration(met: readonly AwaitedVerdict[], generation: number): number {
  let low = 0
  let high = met.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((met[middle]?.generation ?? 0) >= generation) low = middle + 1
    else high = middle
  }
  return low - 1
}
