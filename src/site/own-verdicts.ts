/**
 * Verdicts of our shards that a snapshot may not have yet: those that were sent to the stream of results after the database
 * was read for it. A check that begins here goes on from them, so that nothing is decided twice. They are forgotten when a
 * snapshot has them.
 */
import type { PlannedCheck, StoredVerdict, VerdictWrite } from '../domain/prober/check.ts'

interface Sent {
  readonly row: VerdictWrite
  /** In the stream. */
  readonly position: number
}

export class OwnVerdicts {
  readonly #shards = new Map<number, Map<string, Sent>>()

  /** Members of these. */
  get size(): number {
    let size = 0
    for (const members of this.#shards.values()) size += members.size
    return size
  }

  add(rows: readonly VerdictWrite[], position: number): void {
    for (const row of rows) {
      const members = this.#shards.get(row.shard) ?? new Map<string, Sent>()
      this.#shards.set(row.shard, members)
      const known = members.get(row.memberId)?.row
      if (known !== undefined && isNewer(known, row)) continue
      members.set(row.memberId, { row, position })
    }
  }

  /** A snapshot has what was sent up to this position. */
  forget(shard: number, through: number): void {
    const members = this.#shards.get(shard)
    if (members === undefined) return
    for (const [memberId, { position }] of members) if (position <= through) members.delete(memberId)
    if (members.size === 0) this.#shards.delete(shard)
  }

  dropShard(shard: number): void {
    this.#shards.delete(shard)
  }

  /** The check with the verdict that was sent last, where that is published and not in the snapshot. */
  over(check: PlannedCheck, through: number): PlannedCheck {
    const { memberId, shard, publishedFrom } = check.config
    const sent = this.#shards.get(shard)?.get(memberId)
    if (sent === undefined || sent.position <= through || sent.row.generation < publishedFrom) return check
    return { ...check, verdict: verdictOf(sent.row) }
  }
}

/** Whether `one` was decided after `other`. */
function isNewer(one: VerdictWrite, other: VerdictWrite): boolean {
  return one.epoch === other.epoch ? one.sequence > other.sequence : one.epoch > other.epoch
}

function verdictOf(row: VerdictWrite): StoredVerdict {
  const { generation, status, since, reason, detail, evidence, okRun, badRun, isStale } = row
  const verdict = { generation, status, since, reason, detail, evidence, okRun, badRun }
  return isStale === true ? { ...verdict, isStale } : verdict
}
