/**
 * When the new and changed checks of one project make their first probe: at a random moment of the first window that
 * has room; a probe that fits into no window comes as soon as there is room. There is room for
 * `NEW_STARTS_PER_SECOND` a second, or for as many as the checks of the project make anyway: then a million new members
 * are probed for the first time within about one interval, at the rate of every interval after it. Where that is longer
 * than FIRST_PROBES_WITHIN_MS, there is room for all of them within that. A host that cannot make so many makes them
 * late, and in turn with the probes of other projects, which are not late (turns.ts). A moment is reserved
 * for a check and given back when the check is removed before it, so that no check waits behind a probe that never
 * comes.
 */
import {
  EARLY_PROBE_WITHIN_MS,
  FIRST_PROBE_WITHIN_MS,
  FIRST_PROBES_WITHIN_MS,
  NEW_STARTS_BUCKET_MS,
  NEW_STARTS_PER_SECOND,
} from '../../domain/limits.ts'
import type { StatePolicy } from '../../domain/status/state-machine.ts'

/** Buckets that any second touches: with the limit divided by it, no second has more than the limit. */
const BUCKETS_OF_A_SECOND = 1000 / NEW_STARTS_BUCKET_MS + 1

/**
 * The windows, shortest first, of a check that has not been probed with this configuration: never longer than its
 * delay.
 */
export function firstProbeWindowsMs({ intervals, jitter }: StatePolicy): readonly number[] {
  if (jitter?.initialMs !== undefined) return [jitter.initialMs]
  const soonMs = Math.min(intervals.online, FIRST_PROBE_WITHIN_MS)
  return [Math.min(soonMs, EARLY_PROBE_WITHIN_MS), soonMs]
}

export class NewStarts {
  /** Bucket → moments reserved in it. Made at first use and dropped with its last bucket: most projects have no new checks. */
  #starts: Map<number, number> | undefined
  /** Every bucket before this one is full or past. */
  #firstFree = 0
  #forgottenBefore = 0
  /** Starts a second that all checks of the project need. */
  #perSecond = 0
  #perBucket = startsPerBucket(NEW_STARTS_PER_SECOND)

  /** The project has one more check here. */
  addCheck(policy: StatePolicy): void {
    this.#changeRate(startsPerSecond(policy))
  }

  removeCheck(policy: StatePolicy): void {
    this.#changeRate(-startsPerSecond(policy))
  }

  /** Moments that are reserved and not over. */
  reserved(nowMs: number): number {
    this.#forgetPast(nowMs)
    let sum = 0
    for (const count of this.#starts?.values() ?? []) sum += count
    return sum
  }

  /** A moment in the first of the windows (milliseconds from now, shortest first) with room, else the first free one. */
  reserve(nowMs: number, windowsMs: readonly number[], random: () => number): number {
    this.#forgetPast(nowMs)
    for (const withinMs of windowsMs) {
      const dueMs = nowMs + random() * withinMs
      if (this.#take(bucketOf(dueMs))) return dueMs
    }
    while (!this.#take(this.#firstFree)) this.#firstFree++
    return Math.max(nowMs, (this.#firstFree + random()) * NEW_STARTS_BUCKET_MS)
  }

  /** Gives back a moment that `reserve` returned: nothing starts then. */
  cancel(dueMs: number): void {
    const bucket = bucketOf(dueMs)
    const taken = this.#starts?.get(bucket)
    if (taken === undefined) return
    if (taken > 1) this.#starts?.set(bucket, taken - 1)
    else this.#starts?.delete(bucket)
    this.#firstFree = Math.min(this.#firstFree, bucket)
    if (this.#starts?.size === 0) this.#starts = undefined
  }

  #changeRate(perSecond: number): void {
    this.#perSecond += perSecond
    const perBucket = startsPerBucket(Math.max(NEW_STARTS_PER_SECOND, this.#perSecond))
    // Buckets that were full have room now; `reserve` skips those that are past.
    if (perBucket > this.#perBucket) this.#firstFree = 0
    this.#perBucket = perBucket
  }

  #take(bucket: number): boolean {
    this.#starts ??= new Map()
    const taken = this.#starts.get(bucket) ?? 0
    if (taken >= this.#perBucket) return false
    this.#starts.set(bucket, taken + 1)
    return true
  }

  #forgetPast(nowMs: number): void {
    const current = bucketOf(nowMs)
    this.#firstFree = Math.max(this.#firstFree, current)
    if (current === this.#forgottenBefore || this.#starts === undefined) return
    this.#forgottenBefore = current
    for (const bucket of this.#starts.keys()) if (bucket < current) this.#starts.delete(bucket)
    if (this.#starts.size === 0) this.#starts = undefined
  }
}

/** Of one check, when it is ONLINE. */
function startsPerSecond({ intervals }: StatePolicy): number {
  return 1000 / Math.min(intervals.online, FIRST_PROBES_WITHIN_MS)
}

function startsPerBucket(perSecond: number): number {
  return Math.floor(perSecond / BUCKETS_OF_A_SECOND)
}

function bucketOf(ms: number): number {
  return Math.floor(ms / NEW_STARTS_BUCKET_MS)
}
