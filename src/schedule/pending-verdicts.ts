/**
 * Verdicts that wait to be written: one entry per member, its latest state with its first and last transition. So
 * memory is limited by the number of members, however long PostgreSQL is away and however often they flap. Entries are
 * taken in turn by project, one of each, so that one project's thousands of changes do not keep another's verdict from
 * being written.
 */
import type { Transition, VerdictWrite } from '../domain/prober/check.ts'

export class PendingVerdicts {
  /** By project, the next in turn first; then by member, the longest waiting first. */
  readonly #projects = new Map<string, Map<string, VerdictWrite>>()
  #size = 0

  get size(): number {
    return this.#size
  }

  /** Adds a newer write of its member. */
  add(newer: VerdictWrite): void {
    this.#put(newer, (older) => merge(older, newer))
  }

  /** Takes out at most `count` entries, one of each project in turn; of a project, longest waiting first. */
  take(count: number): VerdictWrite[] {
    const taken: VerdictWrite[] = []
    let turns = [...this.#projects].map(([projectId, entries]) => ({ projectId, rest: entries.values() }))
    while (turns.length > 0 && taken.length < count) {
      const served = turns.slice(0, count - taken.length)
      const left = served.filter(({ rest }) => {
        const { value } = rest.next()
        if (value !== undefined) taken.push(value)
        return value !== undefined
      })
      if (served.length < turns.length) this.#moveToEnd(served)
      turns = [...turns.slice(served.length), ...left]
    }
    for (const entry of taken) this.#delete(entry)
    return taken
  }

  /** Puts back entries that could not be written; newer ones may have come meanwhile. */
  putBack(rows: readonly VerdictWrite[]): void {
    for (const older of rows) this.#put(older, (newer) => merge(older, newer))
  }

  /** Forgets what belongs to these shards; returns how many entries that were. */
  dropShards(shards: ReadonlySet<number>): number {
    const before = this.#size
    for (const entries of this.#projects.values())
      for (const entry of entries.values()) if (shards.has(entry.shard)) this.#delete(entry)
    return before - this.#size
  }

  #put(entry: VerdictWrite, merged: (present: VerdictWrite) => VerdictWrite): void {
    const { projectId, memberId } = entry
    let entries = this.#projects.get(projectId)
    if (entries === undefined) this.#projects.set(projectId, (entries = new Map()))
    const present = entries.get(memberId)
    if (present === undefined) this.#size++
    entries.set(memberId, present === undefined ? entry : merged(present))
  }

  #delete({ projectId, memberId }: VerdictWrite): void {
    const entries = this.#projects.get(projectId)
    if (entries?.delete(memberId) === true) this.#size--
    if (entries?.size === 0) this.#projects.delete(projectId)
  }

  #moveToEnd(turns: readonly { readonly projectId: string }[]): void {
    for (const { projectId } of turns) {
      const entries = this.#projects.get(projectId)
      if (entries === undefined) continue
      this.#projects.delete(projectId)
      this.#projects.set(projectId, entries)
    }
  }
}

function merge(older: VerdictWrite, newer: VerdictWrite): VerdictWrite {
  // A shard that was lost and claimed again: the fence would refuse older verdicts.
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
