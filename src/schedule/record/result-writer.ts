/**
 * The result writer: brings verdicts to PostgreSQL within `FLUSH_WITHIN_MS`, batched, fenced by the shard's epoch, and
 * the scheduler never waits for it. While PostgreSQL is away it keeps the final state and the first and last transition
 * of every member. Rows that the fence refuses are dropped and counted: another prober owns that shard and decides. Rows of a
 * pool that a request is changing are put off, so that they do not keep those of other projects waiting.
 */
import type { CheckStatus } from '../../domain/status/state-machine.ts'
import type { VerdictsWritten, VerdictWrite } from '../../domain/prober/check.ts'
import { FLUSH_RETRY_MS, FLUSH_ROWS_MAX, FLUSH_WITHIN_MS } from '../../domain/limits.ts'
import type { Metrics } from '../../runtime/metrics/metrics.ts'
import type { Check } from '../loop/check.ts'
import { isDoneWithin } from '../done-within.ts'
import type { Log } from '../log.ts'
import { PendingVerdicts } from './pending-verdicts.ts'

export interface ResultWriterOptions {
  /** Writes rows in one statement. */
  readonly write: (rows: readonly VerdictWrite[]) => Promise<VerdictsWritten>
  /** The epoch at which this prober owns a shard; undefined = it does not. */
  readonly epochOf: (shard: number) => number | undefined
  /** The recent results of a check, packed: written with each transition. */
  readonly recentOf: (check: Check) => Uint8Array
  /** Whether an error means that PostgreSQL is away, as opposed to a refused row. */
  readonly isAway: (error: unknown) => boolean
  /** Shards whose writes were fenced out. */
  readonly onFenced: (shards: ReadonlySet<number>) => void
  readonly metrics: Pick<Metrics, 'flushed' | 'transitioned'>
  readonly log: Log
}

export class ResultWriter {
  readonly #options: ResultWriterOptions
  readonly #pending = new PendingVerdicts()
  #sequence = 0
  #timer: NodeJS.Timeout | undefined
  #flushing: Promise<void> | undefined
  #sending = 0
  /** Rows that the last statement put off. */
  #putOff = 0
  #retryMs = 0
  #batchRows = FLUSH_ROWS_MAX
  #isDestroyed = false

  constructor(options: ResultWriterOptions) {
    this.#options = options
  }

  /** Members with something that is not written yet. */
  get waiting(): number {
    return this.#pending.size + this.#sending
  }

  /** Takes the verdict of `check`; `from` is given when its status changed. */
  record(check: Check, from: CheckStatus | undefined): void {
    const { config, state, verdict } = check
    const epoch = this.#options.epochOf(config.shard)
    if (verdict === undefined || this.#isDestroyed) return
    if (epoch === undefined) {
      this.#options.metrics.flushed('fenced', 1)
      return
    }
    const { memberId, projectId, generation, shard } = config
    const { status, since, reason, detail, evidence } = verdict
    const sequence = ++this.#sequence
    const transition = { at: since, to: status, reason, detail, evidence, generation, dropped: 0, sequence }
    this.#pending.add({
      memberId,
      projectId,
      generation,
      shard,
      epoch,
      sequence,
      status,
      since,
      reason,
      detail,
      evidence,
      okRun: state.okRun,
      badRun: state.badRun,
      ...(config.isVote === true ? { isVote: true, ...(check.isStale ? { isStale: true } : {}) } : {}),
      ...(from === undefined
        ? { transitions: [] }
        : { transitions: [{ ...transition, from }], recent: this.#options.recentOf(check) }),
    })
    this.#arm(FLUSH_WITHIN_MS)
  }

  /** Forgets what waits for these shards: they are no longer ours. */
  dropShards(shards: ReadonlySet<number>): void {
    const rows = this.#pending.dropShards(shards)
    if (rows > 0) this.#options.metrics.flushed('fenced', rows)
  }

  /** Writes everything that waits. Resolves to whether nothing waits any more, after `withinMs` at the latest. */
  async drain(withinMs: number): Promise<boolean> {
    const endMs = performance.now() + withinMs
    while (this.waiting > 0 && !this.#isDestroyed) {
      const leftMs = endMs - performance.now()
      if (leftMs <= 0) return false
      await isDoneWithin(leftMs, this.#flush())
      if (this.#restMs() > 0) await isDoneWithin(leftMs, pause(FLUSH_RETRY_MS.min))
    }
    return this.waiting === 0
  }

  /** Drains and ends. */
  async close(withinMs: number): Promise<boolean> {
    const isDrained = await this.drain(withinMs)
    this.destroy()
    return isDrained
  }

  /** Ends now; waiting verdicts are lost, and the next owner decides them again. */
  destroy(): void {
    this.#isDestroyed = true
    clearTimeout(this.#timer)
  }

  #arm(inMs: number): void {
    if (this.#timer !== undefined || this.#flushing !== undefined || this.#isDestroyed) return
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      void this.#flush()
    }, inMs)
  }

  #flush(): Promise<void> {
    this.#flushing ??= this.#writeBatch().finally(() => {
      this.#flushing = undefined
      if (this.#pending.size > 0) this.#arm(this.#restMs())
    })
    return this.#flushing
  }

  /** Milliseconds until the next statement, while something waits: 0 when there is more than what was put off. */
  #restMs(): number {
    if (this.#retryMs > 0) return this.#retryMs
    return this.#putOff > 0 && this.#pending.size <= this.#putOff ? FLUSH_WITHIN_MS : 0
  }

  async #writeBatch(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const rows = this.#pending.take(this.#batchRows)
    if (rows.length === 0) return
    this.#sending = rows.length
    this.#putOff = 0
    try {
      this.#noteWritten(rows, await this.#options.write(rows))
    } catch (error) {
      this.#noteFailure(rows, error)
    } finally {
      this.#sending = 0
    }
  }

  #noteWritten(rows: readonly VerdictWrite[], { held, putOff }: VerdictsWritten): void {
    if (this.#retryMs > 0)
      this.#options.log.info({ waiting: this.#pending.size }, 'results are written again')
    this.#retryMs = 0
    this.#batchRows = Math.min(FLUSH_ROWS_MAX, this.#batchRows * 2)
    const lost = new Set<number>()
    const changes = { ONLINE: 0, OFFLINE: 0 }
    const again: VerdictWrite[] = []
    let written = 0
    for (const row of rows) {
      if (!held.has(row.shard)) {
        // Of an older epoch of a shard that is ours again, the present epoch is not affected.
        if (this.#options.epochOf(row.shard) === row.epoch) lost.add(row.shard)
      } else if (putOff.has(row.memberId)) again.push(row)
      else {
        written++
        for (const { to } of row.transitions) changes[to]++
      }
    }
    const { metrics } = this.#options
    const fenced = rows.length - written - again.length
    if (written > 0) metrics.flushed('written', written)
    if (again.length > 0) metrics.flushed('put_off', again.length)
    if (fenced > 0) metrics.flushed('fenced', fenced)
    this.#putOff = again.length
    this.#pending.putBack(again)
    for (const to of ['ONLINE', 'OFFLINE'] as const)
      if (changes[to] > 0) metrics.transitioned(to, changes[to])
    if (lost.size > 0) this.#options.onFenced(lost)
  }

  #noteFailure(rows: readonly VerdictWrite[], error: unknown): void {
    this.#options.metrics.flushed('failed', rows.length)
    const isAway = this.#options.isAway(error)
    if (this.#retryMs === 0)
      this.#options.log.warn({ err: error }, 'results cannot be written; they are kept')
    // Looks for a refused row without delay: all results wait meanwhile.
    this.#retryMs = isAway
      ? Math.min(FLUSH_RETRY_MS.max, Math.max(FLUSH_RETRY_MS.min, this.#retryMs * 2))
      : FLUSH_RETRY_MS.min
    if (!isAway && rows.length === 1) {
      this.#options.log.error(
        { err: error, member_id: rows[0]?.memberId },
        'a result was refused and is dropped',
      )
      return
    }
    // One row that PostgreSQL refuses must not block the others: smaller batches find it.
    if (!isAway) this.#batchRows = Math.max(1, Math.floor(rows.length / 2))
    this.#pending.putBack(rows)
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
