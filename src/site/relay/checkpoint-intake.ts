/** Brings the last checkpoints of a site into the database. One that is missed is followed by another. */
import type { CheckpointPart } from '../checkpoint-store.ts'
import type { SnapshotHead } from '../wire/snapshot.ts'
import type { RelayDatabase } from './relay-database.ts'

export class CheckpointIntake {
  readonly #database: RelayDatabase
  /** Parts of checkpoints that are not complete, by shard. */
  readonly #parts = new Map<number, { readonly sending: string; readonly parts: CheckpointPart[] }>()

  constructor(database: RelayDatabase) {
    this.#database = database
  }

  /** Takes a part; the first one comes last. Rejects when the checkpoint is complete and cannot be written. */
  async take(head: SnapshotHead, part: CheckpointPart): Promise<void> {
    const { id } = part
    const known = this.#parts.get(id)
    const parts = known?.sending === head.sending ? [part, ...known.parts] : [part]
    if (parts.length < head.parts) {
      this.#parts.set(id, { sending: head.sending, parts })
      return
    }
    this.#parts.delete(id)
    const { owner, ...checkpoint } = part
    await this.#database.writeCheckpoints(owner, [
      { ...checkpoint, entries: parts.flatMap(({ entries }) => entries) },
    ])
  }
}
