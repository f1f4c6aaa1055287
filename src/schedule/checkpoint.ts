/**
 * The slow checkpoint: one row per owned shard and period, spread over the period, so that people can see the last probe
 * of every check while a steady state writes almost nothing. A shard is written sooner when a check of it has its first
 * result, its staleness changed or its target says something else of itself, and at most once a second.
 */
import type { CheckpointEntry, ShardCheckpoint } from '../domain/check.ts'
import { CHECKPOINT_SHARDS_PER_STATEMENT, CHECKPOINT_SOONEST_MS, SHARD_COUNT } from '../domain/limits.ts'
import { packFlags } from '../domain/flags.ts'
import type { ProbeResult } from '../domain/results.ts'
import type { Check } from './check.ts'
import type { Log } from './log.ts'
import type { ResultRings } from './result-rings.ts'

/** What is kept of the checks of a shard. */
export type CheckpointContent = Pick<ShardCheckpoint, 'entries' | 'recent'>

export interface CheckpointOptions {
  readonly everyMs: number
  readonly held: () => ReadonlyMap<number, number>
  readonly contentOf: (shard: number) => CheckpointContent
  readonly write: (checkpoints: readonly ShardCheckpoint[]) => Promise<void>
  readonly log: Log
}

/** Milliseconds between looks at which shards are due. */
const LOOK_MS = CHECKPOINT_SOONEST_MS / 4

interface Written {
  atMs: number
  /** Whether the row has anything; an empty one is not written again. */
  hasEntries: boolean
}

export class Checkpoint {
  readonly #options: CheckpointOptions
  readonly #soon = new Set<number>()
  readonly #written = new Map<number, Written>()
  #timer: NodeJS.Timeout | undefined
  #writing: Promise<void> | undefined
  #isAway = false
  #isStopped = false

  constructor(options: CheckpointOptions) {
    this.#options = options
  }

  start(): void {
    if (this.#isStopped) return
    this.#timer = setTimeout(() => {
      this.#writing = this.#writeDue(performance.now())
      void this.#writing.finally(() => this.start())
    }, LOOK_MS)
  }

  /** Something of this shard is worth to be seen within a second. */
  markSoon(shard: number): void {
    this.#soon.add(shard)
  }

  /** Writes these shards now; used before they are given back. Rejects when PostgreSQL is away. */
  async writeNow(shards: Iterable<number>): Promise<void> {
    await this.#writing
    await this.#write([...shards], performance.now())
  }

  async close(): Promise<void> {
    this.destroy()
    await this.#writing
  }

  destroy(): void {
    this.#isStopped = true
    clearTimeout(this.#timer)
  }

  async #writeDue(nowMs: number): Promise<void> {
    const held = this.#options.held()
    for (const shard of this.#written.keys()) if (!held.has(shard)) this.#written.delete(shard)
    const due = [...held.keys()].filter((shard) => this.#isDue(shard, nowMs))
    try {
      await this.#write(due, nowMs)
      this.#isAway = false
    } catch (error) {
      if (!this.#isAway) this.#options.log.warn({ err: error }, 'checkpoints cannot be written')
      this.#isAway = true
    }
  }

  #isDue(shard: number, nowMs: number): boolean {
    const written = this.#written.get(shard)
    if (written === undefined) {
      // A shard that was just gained: its first turn is somewhere in the period, by its number.
      const { everyMs } = this.#options
      this.#written.set(shard, { atMs: nowMs - (everyMs * shard) / SHARD_COUNT, hasEntries: true })
      return false
    }
    const ageMs = nowMs - written.atMs
    return ageMs >= this.#options.everyMs || (this.#soon.has(shard) && ageMs >= CHECKPOINT_SOONEST_MS)
  }

  async #write(shards: readonly number[], nowMs: number): Promise<void> {
    const checkpoints: ShardCheckpoint[] = []
    for (const id of shards) {
      const epoch = this.#options.held().get(id)
      if (epoch === undefined) continue
      const { entries, recent } = this.#options.contentOf(id)
      const isWorthIt = entries.length > 0 || this.#written.get(id)?.hasEntries !== false
      this.#written.set(id, { atMs: nowMs, hasEntries: entries.length > 0 })
      this.#soon.delete(id)
      if (isWorthIt) checkpoints.push({ id, epoch, asOf: Date.now(), entries, recent })
    }
    for (let from = 0; from < checkpoints.length; from += CHECKPOINT_SHARDS_PER_STATEMENT) {
      const batch = checkpoints.slice(from, from + CHECKPOINT_SHARDS_PER_STATEMENT)
      await this.#options.write(batch)
    }
  }
}

interface Clocks {
  readonly nowMs: number
  /** Makes a monotonic time a time of the wall clock. */
  readonly toWall: number
}

/** What is kept of those checks that have been probed. */
export function checkpointContent(
  checks: readonly Check[],
  rings: ResultRings,
  clocks: Clocks,
): CheckpointContent {
  const probed: Check[] = []
  const entries: CheckpointEntry[] = []
  for (const check of checks) {
    if (check.lastResult === undefined) continue
    probed.push(check)
    entries.push(entryOf(check, check.lastResult, clocks))
  }
  return { entries, recent: rings.pack(probed, clocks.toWall) }
}

function entryOf(check: Check, result: ProbeResult, { nowMs, toWall }: Clocks): CheckpointEntry {
  const { config, state } = check
  return {
    memberId: config.memberId,
    generation: config.generation,
    probedAt: toWall + check.probedMs,
    nextAt: toWall + (check.isHalted ? check.probedMs : Math.max(check.dueMs, nowMs)),
    outcome: result.outcome,
    reason: result.reason,
    phases: result.phases,
    okRun: state.okRun,
    badRun: state.badRun,
    stale: check.isStale,
    flags: packFlags(state),
  }
}
