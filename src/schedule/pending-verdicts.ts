/**
 * What waits to be written: one entry per member, its latest state with its first and last transition. So memory is
 * bounded by the number of members, however long PostgreSQL is away and however much they flap.
 */
import type { Transition, VerdictWrite } from '../domain/check.ts'

export class PendingVerdicts {
  readonly #entries = new Map<string, VerdictWrite>()

  get size(): number {
    return this.#entries.size
  }

  /** Adds a newer write of its member. */
  add(newer: VerdictWrite): void {
    const older = this.#entries.get(newer.memberId)
    this.#entries.set(newer.memberId, older === undefined ? newer : merge(older, newer))
  }

  /** Takes out at most `count` entries, longest waiting first. */
  take(count: number): VerdictWrite[] {
    const taken: VerdictWrite[] = []
    for (const entry of this.#entries.values()) {
      if (taken.length === count) break
      taken.push(entry)
    }
    for (const entry of taken) this.#entries.delete(entry.memberId)
    return taken
  }

  /** Puts back what could not be written; newer writes may have come meanwhile. */
  putBack(rows: readonly VerdictWrite[]): void {
    for (const older of rows) {
      const newer = this.#entries.get(older.memberId)
      this.#entries.set(older.memberId, newer === undefined ? older : merge(older, newer))
    }
  }

  /** Forgets what belongs to these shards; returns how many entries that were. */
  dropShards(shards: ReadonlySet<number>): number {
    let dropped = 0
    for (const [memberId, entry] of this.#entries) {
      if (shards.has(entry.shard) && this.#entries.delete(memberId)) dropped++
    }
    return dropped
  }
}

function merge(older: VerdictWrite, newer: VerdictWrite): VerdictWrite {
  // A shard that was lost and won again: what was decided before would be fenced out.
  if (older.epoch !== newer.epoch) return newer
  const recent = newer.recent ?? older.recent
  const transitions = firstAndLast([...older.transitions, ...newer.transitions])
  return { ...newer, transitions, ...(recent === undefined ? {} : { recent }) }
}

/** The first and the last transition, which counts the ones between. */
function firstAndLast(transitions: readonly Transition[]): readonly Transition[] {
  const [first, ...rest] = transitions
  const last = rest.pop()
  if (first === undefined || last === undefined) return transitions
  const dropped = rest.reduce((sum, middle) => sum + middle.dropped + 1, last.dropped)
  return [first, { ...last, dropped }]
}
