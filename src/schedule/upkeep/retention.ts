/**
 * Retention: once a minute, one of all processes deletes what is too old or too much. Every statement is short, and
 * after each there is a pause of the same length, so that purging uses half of one connection at most.
 *
 * No statement counts all transitions to find members with too many. Ids ascend, so a pass reads from where the last
 * one ended and trims the members that it finds; and once an hour a walk over all members, in the order of an index and
 * some at a time, finds what was missed. The progress of both is stored in PostgreSQL: any process goes on where
 * another ended. What else is to be done by one of all processes once an hour (`hourly`) is done with that walk; what is to
 * be kept of old rows is summed before they are purged (`first`).
 */
import { setTimeout as wait } from 'node:timers/promises'
import {
  PURGE_BATCH_ROWS,
  PURGE_EVERY_MS,
  PURGE_MEMBERS_PER_STATEMENT,
  PURGE_REST_MAX_MS,
  PURGE_STATEMENT_MS,
  PURGE_WALK_EVERY_MS,
} from '../../domain/limits.ts'
import { NIL_UUID } from '../../domain/uuid.ts'
import type { Log } from '../log.ts'

/** The progress of retention, over all processes. */
export interface RetentionProgress {
  /** Every transition up to this id was looked at. */
  readonly position: number
  /** The walk over all members goes on after this one; absent = none is under way. */
  readonly walkAfter?: string
}

export interface RetentionStore {
  /** Runs `work` unless another process does so now. */
  alone(work: () => Promise<void>): Promise<void>
  /** Also returns how long ago the last pass ended and the last walk began. */
  readProgress(): Promise<RetentionProgress & { readonly passedMsAgo: number; readonly walkedMsAgo: number }>
  saveProgress(progress: RetentionProgress & { readonly walkBegins: boolean }): Promise<void>
  /** Each deletes at most `batch` rows and returns how many it did. */
  readonly purges: readonly ((batch: number) => Promise<number>)[]
  /** The members of the next `rows` transitions after an id, and the id of the last; undefined = there is none. */
  writersAfter(
    position: number,
    rows: number,
  ): Promise<{ readonly members: readonly string[]; readonly position: number } | undefined>
  /** The next `count` members that have transitions, in the order of their ids. */
  membersAfter(member: string, count: number): Promise<readonly string[]>
  /** Deletes at most `batch` transitions of these members, the oldest beyond what a member may have; returns how many. */
  trim(members: readonly string[], batch: number): Promise<number>
}

export interface RetentionMetrics {
  purged(rows: number): void
  retentionSucceeded(): void
  retentionFailed(): void
}

/** Runs a statement of long work, and rests after it; undefined = the process ends, so does the work. */
export type RunStatement = <Result>(statement: () => Promise<Result>) => Promise<Result | undefined>

/** Returns how many rows it deleted, if it counts them. */
export type LongWork = (run: RunStatement) => Promise<void> | Promise<number>

export interface RetentionOptions {
  readonly store: RetentionStore
  /** Work of each pass that is done before anything is purged. */
  readonly first?: readonly LongWork[]
  /** Other work of one of all processes, once an hour. */
  readonly hourly?: readonly LongWork[]
  readonly metrics: RetentionMetrics
  readonly log: Log
  /** Monotonic milliseconds. */
  readonly now?: () => number
  readonly rest?: (ms: number) => Promise<unknown>
}

export class Retention {
  readonly #store: RetentionStore
  readonly #metrics: RetentionMetrics
  readonly #log: Log
  readonly #now: () => number
  readonly #rest: (ms: number) => Promise<unknown>
  readonly #first: NonNullable<RetentionOptions['first']>
  readonly #hourly: NonNullable<RetentionOptions['hourly']>
  #timer: NodeJS.Timeout | undefined
  #passing: Promise<void> | undefined
  #membersAtOnce = PURGE_MEMBERS_PER_STATEMENT.max
  #hasFailed = false
  #isStopped = false

  constructor({ store, metrics, log, now, rest, first, hourly }: RetentionOptions) {
    this.#store = store
    this.#metrics = metrics
    this.#log = log
    this.#now = now ?? (() => performance.now())
    this.#rest = rest ?? ((ms) => wait(ms))
    this.#first = first ?? []
    this.#hourly = hourly ?? []
  }

  /** Makes a first pass after `firstMs`, then one a minute. */
  start(firstMs: number): void {
    if (this.#isStopped) return
    this.#timer = setTimeout(() => {
      this.#passing = this.pass()
      void this.#passing.finally(() => this.start(PURGE_EVERY_MS))
    }, firstMs)
  }

  /** Ends after the statement that is under way. */
  async close(): Promise<void> {
    this.destroy()
    await this.#passing
  }

  destroy(): void {
    this.#isStopped = true
    clearTimeout(this.#timer)
  }

  /** One pass, unless another process is doing one or has just done one. Never rejects. */
  async pass(): Promise<void> {
    const failures: unknown[] = []
    let rows = 0
    const attempt = async (part: () => Promise<number>): Promise<void> => {
      if (this.#isStopped) return
      try {
        rows += await part()
      } catch (error) {
        failures.push(error)
      }
    }
    let isOurs = false
    try {
      await this.#store.alone(async () => {
        const progress = await this.#store.readProgress()
        // Half of it: timers of several processes are not in step.
        isOurs = progress.passedMsAgo >= PURGE_EVERY_MS / 2
        if (!isOurs) return
        for (const work of this.#first) await attempt(() => this.#work(work))
        for (const purge of this.#store.purges) await attempt(() => this.#drain(purge))
        await attempt(() => this.#trim(progress))
        if (beginsWalk(progress)) for (const work of this.#hourly) await attempt(() => this.#work(work))
      })
    } catch (error) {
      failures.push(error)
    }
    this.#metrics.purged(rows)
    if (rows > 0) this.#log.info({ rows }, 'old rows purged')
    if (failures.length > 0) this.#fail(failures[0])
    else if (isOurs && !this.#isStopped) this.#succeed()
  }

  #fail(error: unknown): void {
    this.#metrics.retentionFailed()
    if (!this.#hasFailed)
      this.#log.warn({ err: error }, 'old rows cannot be purged; tables grow until they can')
    this.#hasFailed = true
  }

  #succeed(): void {
    this.#metrics.retentionSucceeded()
    if (this.#hasFailed) this.#log.info({}, 'old rows are purged again')
    this.#hasFailed = false
  }

  /**
   * Trims the members with transitions since the last pass and, when it is time, all members. Progress is stored after
   * each step.
   */
  async #trim(progress: RetentionProgress & { readonly walkedMsAgo: number }): Promise<number> {
    let { position, walkAfter } = progress
    const walkBegins = beginsWalk(progress)
    if (walkBegins) walkAfter = NIL_UUID
    let rows = 0
    try {
      while (!this.#isStopped) {
        const from = position
        const next = await this.#timed(() => this.#store.writersAfter(from, PURGE_BATCH_ROWS))
        if (next === undefined) break
        rows += await this.#trimMembers(next.members)
        if (!this.#isStopped) position = next.position
      }
      while (walkAfter !== undefined && !this.#isStopped) {
        const after: string = walkAfter
        const members = await this.#timed(() =>
          this.#store.membersAfter(after, PURGE_MEMBERS_PER_STATEMENT.max),
        )
        rows += await this.#trimMembers(members)
        if (!this.#isStopped) walkAfter = members.at(-1)
      }
    } finally {
      await this.#store.saveProgress({
        position,
        walkBegins,
        ...(walkAfter === undefined ? {} : { walkAfter }),
      })
    }
    return rows
  }

  async #work(work: LongWork): Promise<number> {
    const rows = await work(async (statement) => (this.#isStopped ? undefined : await this.#timed(statement)))
    return rows ?? 0
  }

  async #trimMembers(members: readonly string[]): Promise<number> {
    let rows = 0
    for (let from = 0; from < members.length && !this.#isStopped; ) {
      const some = members.slice(from, from + this.#membersAtOnce)
      from += some.length
      const startedMs = this.#now()
      rows += await this.#drain((batch) => this.#store.trim(some, batch))
      this.#adapt(this.#now() - startedMs)
    }
    return rows
  }

  /** Fewer members at once when they took long: what a member costs depends on where its rows lie. */
  #adapt(tookMs: number): void {
    const { min, max } = PURGE_MEMBERS_PER_STATEMENT
    if (tookMs > 2 * PURGE_STATEMENT_MS) this.#membersAtOnce = Math.max(min, this.#membersAtOnce >> 1)
    else if (tookMs < PURGE_STATEMENT_MS) this.#membersAtOnce = Math.min(max, this.#membersAtOnce * 2)
  }

  /** Purges batch after batch until one is not full; returns how many rows went. */
  async #drain(purge: (batch: number) => Promise<number>): Promise<number> {
    let total = 0
    for (let rows = PURGE_BATCH_ROWS; rows === PURGE_BATCH_ROWS && !this.#isStopped; total += rows) {
      rows = await this.#timed(() => purge(PURGE_BATCH_ROWS))
    }
    return total
  }

  /** A statement, and the rest after it. One that fails is tried with fewer members in the next pass. */
  async #timed<Result>(statement: () => Promise<Result>): Promise<Result> {
    const startedMs = this.#now()
    try {
      return await statement()
    } catch (error) {
      this.#adapt(Number.POSITIVE_INFINITY)
      throw error
    } finally {
      await this.#rest(Math.min(PURGE_REST_MAX_MS, this.#now() - startedMs))
    }
  }
}

function beginsWalk({
  walkAfter,
  walkedMsAgo,
}: RetentionProgress & { readonly walkedMsAgo: number }): boolean {
  return walkAfter === undefined && walkedMsAgo >= PURGE_WALK_EVERY_MS
}
