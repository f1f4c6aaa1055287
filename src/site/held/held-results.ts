/**
 * Verdicts that could not be sent, on disk, so that a prober which ends meanwhile loses nothing: of each member its last state
 * and its first and last transition. They are sent before anything newer, and before the process claims a shard: what a prober
 * has left is then from before the next claim, and counts, unless another prober has had the shard since.
 */
import { SITE_HELD_MEMBERS_MAX, SITE_HELD_RETRY_MS } from '../../domain/limits.ts'
import type { VerdictWrite } from '../../domain/prober/check.ts'
import { mergedVerdicts } from '../../domain/prober/merged-verdicts.ts'
import { SiteAway } from '../away.ts'
import type { Log } from '../log.ts'
import type { HeldFiles, HeldMetrics, LeftResults } from './held-files.ts'
import type { HeldEntry } from './held-record.ts'

export interface HeldResultsParts {
  readonly files: HeldFiles
  /** Of this prober. */
  readonly owner: string
  /** Sends rows of one prober. */
  readonly send: (owner: string, rows: readonly VerdictWrite[]) => Promise<void>
  readonly metrics: HeldMetrics
  readonly log: Log
}

export class HeldResults {
  readonly #parts: HeldResultsParts
  /** By shard and member. */
  readonly #shards = new Map<number, Map<string, VerdictWrite>>()
  /** How often what was held of a shard was sent. */
  readonly #rounds = new Map<number, number>()
  #left: readonly LeftResults[] | undefined
  #turn: Promise<void> = Promise.resolve()
  #members = 0
  /** When the disk has refused last; undefined: everything that is held is in the file. */
  #refusedMs: number | undefined

  constructor(parts: HeldResultsParts) {
    this.#parts = parts
  }

  /** Whether there is nothing to be sent before what is new. */
  get isEmpty(): boolean {
    return this.#members === 0 && this.#left?.length === 0
  }

  /**
   * Resolves when they are in the file, or, where the disk refuses, in the memory alone. Rejects with SiteAway when there are
   * too many: the prober keeps them. `cause`: why they cannot be sent, for the log.
   */
  hold(rows: readonly VerdictWrite[], cause: SiteAway): Promise<void> {
    return this.#inTurn(() => this.#hold(rows, cause))
  }

  /** Sends everything; rejects with SiteAway while that is not possible. */
  flush(): Promise<void> {
    return this.#inTurn(() => this.#flush())
  }

  /** What is held stays for the next process. */
  close(): Promise<void> {
    return this.#inTurn(() => this.#parts.files.log.close())
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const turn = this.#turn.then(work)
    this.#turn = turn.catch(() => undefined)
    return turn
  }

  async #hold(rows: readonly VerdictWrite[], cause: SiteAway): Promise<void> {
    if (this.#members + rows.length > SITE_HELD_MEMBERS_MAX) throw new SiteAway('too many results are held')
    const isFirst = this.#members === 0
    const added = new Map<number, VerdictWrite[]>()
    for (const row of rows) {
      const members = this.#shards.get(row.shard) ?? new Map<string, VerdictWrite>()
      const older = members.get(row.memberId)
      members.set(row.memberId, older === undefined ? row : mergedVerdicts(older, row))
      if (older === undefined) this.#members++
      this.#shards.set(row.shard, members)
      const some = added.get(row.shard) ?? []
      some.push(row)
      added.set(row.shard, some)
    }
    this.#parts.metrics.held(this.#members)
    if (isFirst && rows.length > 0)
      this.#parts.log.warn({ err: cause }, 'results cannot be sent; they are held on disk')
    await this.#keep([...added].map(([shard, some]) => this.#entry(shard, some)))
  }

  /** Puts these into the file; where the disk refuses, all that is held, some time later. */
  async #keep(entries: readonly HeldEntry[]): Promise<void> {
    const { files, log, metrics } = this.#parts
    const isTroubled = this.#refusedMs !== undefined
    if (performance.now() - (this.#refusedMs ?? Number.NEGATIVE_INFINITY) < SITE_HELD_RETRY_MS) return
    try {
      if (isTroubled || files.log.isLong) await files.log.rewrite(this.#everything())
      else await files.log.append(entries)
      this.#refusedMs = undefined
      if (isTroubled) log.info({}, 'results are held on disk again')
    } catch (error) {
      this.#refusedMs = performance.now()
      metrics.diskFailed()
      if (!isTroubled)
        log.error({ err: error }, 'results cannot be held on disk: they are lost if this process ends')
    }
  }

  async #flush(): Promise<void> {
    const { files, owner, send, log } = this.#parts
    const left = this.#left ?? (await files.left())
    this.#left = left
    for (const { owner: former, rows, remove } of left) {
      await send(former, rows)
      await remove()
      this.#left = this.#left.filter((other) => other.rows !== rows)
      if (rows.length > 0)
        log.info({ prober_id: former, members: rows.length }, 'results that a prober had left are sent')
    }
    for (const shard of this.#shards.keys()) {
      const { rows } = this.#entry(shard)
      await send(owner, rows)
      this.#shards.delete(shard)
      this.#rounds.set(shard, (this.#rounds.get(shard) ?? 0) + 1)
      this.#members -= rows.length
      this.#parts.metrics.held(this.#members)
      if (this.#members === 0) await this.#emptied()
    }
  }

  /** What stays in the file, because the disk refuses, has no effect when it is sent again. */
  async #emptied(): Promise<void> {
    const { files, log, metrics } = this.#parts
    log.info({}, 'results that were held are sent')
    try {
      await files.log.clear()
      this.#refusedMs = undefined
    } catch (error) {
      this.#refusedMs = performance.now()
      metrics.diskFailed()
      log.error({ err: error }, 'the file of held results cannot be emptied')
    }
  }

  #everything(): readonly HeldEntry[] {
    return [...this.#shards.keys()].map((shard) => this.#entry(shard))
  }

  #entry(shard: number, rows = [...(this.#shards.get(shard)?.values() ?? [])]): HeldEntry {
    return { shard, round: this.#rounds.get(shard) ?? 0, rows }
  }
}
