/**
 * When new and changed checks make their first probe: at a random moment of the first of some windows that has room, at
 * most `NEW_STARTS_PER_SECOND` of them; what fits into none comes as soon as there is room.
 */
import { EARLY_PROBE_WITHIN_MS, NEW_STARTS_PER_SECOND } from '../domain/limits.ts'
import type { StatePolicy } from '../domain/state-machine.ts'

const BUCKET_MS = 100
/** Any second touches eleven buckets, so that no second has more than the limit. */
const STARTS_PER_BUCKET = Math.floor(NEW_STARTS_PER_SECOND / 11)

/** The windows, shortest first, of a check that is to be probed within `withinMs`: never beyond its own delay. */
export function firstProbeWindowsMs({ intervals, jitter }: StatePolicy, withinMs: number): readonly number[] {
  if (jitter?.initialMs !== undefined) return [jitter.initialMs]
  const soonMs = Math.min(intervals.online, withinMs)
  return [Math.min(soonMs, EARLY_PROBE_WITHIN_MS), soonMs, intervals.online]
}

export class NewStarts {
  readonly #random: () => number
  readonly #starts = new Map<number, number>()
  /** Every bucket before this one is full or past. */
  #firstFree = 0
  #forgottenBefore = 0

  constructor(random: () => number) {
    this.#random = random
  }

  /** A moment in the first of the windows (milliseconds from now, shortest first) with room, else the first free one. */
  reserve(nowMs: number, windowsMs: readonly number[]): number {
    this.#forgetPast(nowMs)
    for (const withinMs of windowsMs) {
      const dueMs = nowMs + this.#random() * withinMs
      if (this.#take(Math.floor(dueMs / BUCKET_MS))) return dueMs
    }
    while (!this.#take(this.#firstFree)) this.#firstFree++
    return Math.max(nowMs, (this.#firstFree + this.#random()) * BUCKET_MS)
  }

  #take(bucket: number): boolean {
    const taken = this.#starts.get(bucket) ?? 0
    if (taken >= STARTS_PER_BUCKET) return false
    this.#starts.set(bucket, taken + 1)
    return true
  }

  #forgetPast(nowMs: number): void {
    const current = Math.floor(nowMs / BUCKET_MS)
    this.#firstFree = Math.max(this.#firstFree, current)
    if (current === this.#forgottenBefore) return
    this.#forgottenBefore = current
    for (const bucket of this.#starts.keys()) if (bucket < current) this.#starts.delete(bucket)
  }
}
