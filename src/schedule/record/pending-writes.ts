/**
 * Writes that wait: one per member, so that memory is limited by the number of members, however long PostgreSQL is away. They
 * are taken in turn by project, one of each, so that one project's thousands of changes do not keep another's from being written.
 */

/** What is known of the write of a member, whatever it writes. */
export interface MemberWrite {
  readonly memberId: string
  readonly projectId: string
  readonly shard: number
}

export class PendingWrites<Write extends MemberWrite> {
  readonly #merge: (older: Write, newer: Write) => Write
  /** By project, the next in turn first; then by member, the longest waiting first. */
  readonly #projects = new Map<string, Map<string, Write>>()
  #size = 0

  /** `merge`: the one write that stands for an older and a newer one of a member. */
  constructor(merge: (older: Write, newer: Write) => Write) {
    this.#merge = merge
  }

  get size(): number {
    return this.#size
  }

  /** Adds a newer write of its member. */
  add(newer: Write): void {
    this.#put(newer, (older) => this.#merge(older, newer))
  }

  /** Takes out at most `count` entries, one of each project in turn; of a project, longest waiting first. */
  take(count: number): Write[] {
    const taken: Write[] = []
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
  putBack(rows: readonly Write[]): void {
    for (const older of rows) this.#put(older, (newer) => this.#merge(older, newer))
  }

  /** Forgets what belongs to these shards; returns how many entries that were. */
  dropShards(shards: ReadonlySet<number>): number {
    const before = this.#size
    for (const entries of this.#projects.values())
      for (const entry of entries.values()) if (shards.has(entry.shard)) this.#delete(entry)
    return before - this.#size
  }

  #put(entry: Write, merged: (present: Write) => Write): void {
    const { projectId, memberId } = entry
    let entries = this.#projects.get(projectId)
    if (entries === undefined) this.#projects.set(projectId, (entries = new Map()))
    const present = entries.get(memberId)
    if (present === undefined) this.#size++
    entries.set(memberId, present === undefined ? entry : merged(present))
  }

  #delete({ projectId, memberId }: Write): void {
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
