/**
 * Verdicts that could not be sent, on disk, so that a prober which ends meanwhile loses nothing: of each member its last state
 * and its first and last transition. They are sent before anything newer, and before the process claims a shard: what a prober
 * has left is then from before the next claim, and counts, unless another prober has had the shard since.
 */
import { SITE_HELD_MEMBERS_MAX } from '../../domain/limits.ts'
import type { VerdictWrite } from '../../domain/prober/check.ts'
import { mergedVerdicts } from '../../domain/prober/merged-verdicts.ts'
import { SiteAway } from '../away.ts'
import type { Log } from '../log.ts'
import type { HeldFiles, LeftResults } from './held-files.ts'

export interface HeldResultsParts {
  readonly files: HeldFiles
  /** Of this prober. */
  readonly owner: string
  /** Sends rows of one prober. */
  readonly send: (owner: string, rows: readonly VerdictWrite[]) => Promise<void>
  readonly log: Log
}

export class HeldResults {
  readonly #parts: HeldResultsParts
  /** By shard and member. */
  readonly #shards = new Map<number, Map<string, VerdictWrite>>()
  #left: readonly LeftResults[] | undefined
  #turn: Promise<void> = Promise.resolve()
  #members = 0

  constructor(parts: HeldResultsParts) {
    this.#parts = parts
  }

  /** Whether there is nothing to be sent before what is new. */
  get isEmpty(): boolean {
    return this.#members === 0 && this.#left?.length === 0
  }

  /** Resolves when they are on disk. Rejects with SiteAway when there are too many: the prober keeps them. */
  hold(rows: readonly VerdictWrite[]): Promise<void> {
    return this.#inTurn(() => this.#hold(rows))
  }

  /** Sends everything; rejects with SiteAway while that is not possible. */
  flush(): Promise<void> {
    return this.#inTurn(() => this.#flush())
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const turn = this.#turn.then(work)
    this.#turn = turn.catch(() => undefined)
    return turn
  }

  async #hold(rows: readonly VerdictWrite[]): Promise<void> {
    if (this.#members + rows.length > SITE_HELD_MEMBERS_MAX) throw new SiteAway('too many results are held')
    const isFirst = this.#members === 0
    const changed = new Set<number>()
    for (const row of rows) {
      const members = this.#shards.get(row.shard) ?? new Map<string, VerdictWrite>()
      const older = members.get(row.memberId)
      members.set(row.memberId, older === undefined ? row : mergedVerdicts(older, row))
      if (older === undefined) this.#members++
      this.#shards.set(row.shard, members)
      changed.add(row.shard)
    }
    for (const shard of changed) await this.#parts.files.write(shard, this.#rowsOf(shard))
    if (isFirst) this.#parts.log.warn({}, 'results cannot be sent; they are held on disk')
  }

  async #flush(): Promise<void> {
    const { files, owner, send, log } = this.#parts
    const left = this.#left ?? (await files.left())
    this.#left = left
    for (const { owner: former, rows, remove } of left) {
      await send(former, rows)
      await remove()
      this.#left = this.#left.filter((other) => other.rows !== rows)
      log.info({ prober_id: former, members: rows.length }, 'results that a prober had left are sent')
    }
    for (const shard of [...this.#shards.keys()]) {
      const rows = this.#rowsOf(shard)
      await send(owner, rows)
      await files.remove(shard)
      this.#shards.delete(shard)
      this.#members -= rows.length
      if (this.#members === 0) log.info({}, 'results that were held are sent')
    }
  }

  #rowsOf(shard: number): readonly VerdictWrite[] {
    return [...(this.#shards.get(shard)?.values() ?? [])]
  }
}
