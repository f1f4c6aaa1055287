/**
 * The slow checkpoint: one row per owned shard and period, spread over the period, so that people can see the last
 * probe of every check while a steady state writes almost nothing. A shard is written sooner, at most once a second,
 * when one of its checks has its first result, fails for another reason, becomes stale or recovers, or when a target
 * reports another state of itself.
 *
 * A target controls how often it fails for another reason, and a few hundred such targets are in all shards. So a shard
 * may be written sooner CHECKPOINTS_SOON times in a row, and gets one more such time every CHECKPOINT_SOON_AGAIN_MS.
 */
import type { CheckpointEntry, ShardCheckpoint } from '../../domain/prober/check.ts'
import {
  CHECKPOINT_CHECKS_PER_STATEMENT,
  CHECKPOINT_SHARDS_PER_STATEMENT,
  CHECKPOINT_SOON_AGAIN_MS,
  CHECKPOINT_SOONEST_MS,
  CHECKPOINTS_SOON,
  SHARD_COUNT,
} from '../../domain/limits.ts'
import { packFlags } from '../../domain/result/flags.ts'
import type { ProbeResult } from '../../domain/result/probe-result.ts'
import type { Check } from '../loop/check.ts'
import type { Log } from '../log.ts'
import type { ResultRings } from '../loop/result-rings.ts'

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

interface Turn {
  /** When it was written last. */
  atMs: number
  /** When it is written next, whatever happens. */
  dueMs: number
  /** How often it could be written sooner at that time; see `soonLeft`. */
  soonLeft: number
  /** Whether the row has anything; an empty one is not written again. */
  hasEntries: boolean
}

export class Checkpoint {
  readonly #options: CheckpointOptions
  readonly #soon = new Set<number>()
  readonly #turns = new Map<number, Turn>()
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
      this.#writing = this.writeDue(performance.now())
      void this.#writing.finally(() => this.start())
    }, LOOK_MS)
  }

  /** Something in this shard should be visible within a second, or somewhat later after many such writes. */
  markSoon(shard: number): void {
    this.#soon.add(shard)
  }

  /** Writes these shards now; used before they are released. Rejects when PostgreSQL is away. */
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

  /** Writes what is due at a monotonic time; done at every look. */
  async writeDue(nowMs: number): Promise<void> {
    const held = this.#options.held()
    for (const shard of this.#turns.keys()) if (!held.has(shard)) this.#turns.delete(shard)
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
    const turn = this.#turns.get(shard)
    if (turn === undefined) {
      // A shard that was just gained: its first turn is somewhere in the period, by its number.
      const { everyMs } = this.#options
      const dueMs = nowMs + everyMs - (everyMs * shard) / SHARD_COUNT
      this.#turns.set(shard, {
        atMs: dueMs - everyMs,
        dueMs,
        soonLeft: CHECKPOINTS_SOON,
        hasEntries: true,
      })
      return false
    }
    if (nowMs >= turn.dueMs) return true
    return this.#soon.has(shard) && nowMs - turn.atMs >= CHECKPOINT_SOONEST_MS && soonLeft(turn, nowMs) >= 1
  }

  /** Batch by batch: the checkpoint of 50 000 checks would block the event loop for too long at once. */
  async #write(shards: readonly number[], nowMs: number): Promise<void> {
    for (let from = 0; from < shards.length; ) {
      const checkpoints: ShardCheckpoint[] = []
      const before = Math.min(shards.length, from + CHECKPOINT_SHARDS_PER_STATEMENT)
      for (let checks = 0; from < before && checks < CHECKPOINT_CHECKS_PER_STATEMENT; from++) {
        const checkpoint = this.#checkpointOf(shards[from] ?? 0, nowMs)
        if (checkpoint === undefined) continue
        checkpoints.push(checkpoint)
        checks += checkpoint.entries.length
      }
      if (checkpoints.length > 0) await this.#options.write(checkpoints)
    }
  }

  /** undefined: the shard is not ours any more, or its row was empty and still is. */
  #checkpointOf(id: number, nowMs: number): ShardCheckpoint | undefined {
    const epoch = this.#options.held().get(id)
    if (epoch === undefined) return undefined
    const { entries, recent } = this.#options.contentOf(id)
    const turn = this.#turns.get(id)
    const { everyMs } = this.#options
    const dueMs = nextTurn(turn?.dueMs ?? nowMs, nowMs, everyMs)
    const isSooner = this.#soon.delete(id) && turn !== undefined && nowMs < turn.dueMs
    const left = turn === undefined ? CHECKPOINTS_SOON : soonLeft(turn, nowMs)
    this.#turns.set(id, {
      atMs: nowMs,
      dueMs,
      soonLeft: isSooner ? Math.max(0, left - 1) : left,
      hasEntries: entries.length > 0,
    })
    if (entries.length === 0 && turn?.hasEntries === false) return undefined
    return { id, epoch, asOf: Date.now(), entries, recent }
  }
}

/** How often a shard may be written sooner; a fraction grows to one. */
function soonLeft(turn: Turn, nowMs: number): number {
  return Math.min(CHECKPOINTS_SOON, turn.soonLeft + Math.max(0, nowMs - turn.atMs) / CHECKPOINT_SOON_AGAIN_MS)
}

/** The first turn after now on the grid that `dueMs` is on. */
function nextTurn(dueMs: number, nowMs: number, everyMs: number): number {
  return nowMs < dueMs ? dueMs : dueMs + everyMs * (1 + Math.floor((nowMs - dueMs) / everyMs))
}

interface Clocks {
  readonly nowMs: number
  /** Makes a monotonic time a time of the wall clock. */
  readonly toWall: number
}

/** The checkpoint of the checks that have been probed, here or by a prober before. */
export function checkpointContent(
  checks: readonly Check[],
  rings: ResultRings,
  clocks: Clocks,
): CheckpointContent {
  const probed: Check[] = []
  const entries: CheckpointEntry[] = []
  for (const check of checks) {
    const entry =
      check.lastResult === undefined ? leftOf(check, clocks) : entryOf(check, check.lastResult, clocks)
    if (entry === undefined) continue
    probed.push(check)
    entries.push(entry)
  }
  return { entries, recent: rings.pack(probed, clocks.toWall) }
}

/** The former checkpoint, for a check that has no result here yet. */
function leftOf(check: Check, clocks: Clocks): CheckpointEntry | undefined {
  return (
    check.checkpoint && {
      ...check.checkpoint,
      nextAt: nextAt(check, check.checkpoint.probedAt, clocks),
      stale: check.isStale,
    }
  )
}

function nextAt(check: Check, probedAt: number, { nowMs, toWall }: Clocks): number {
  return check.isHalted ? probedAt : toWall + Math.max(check.dueMs, nowMs)
}

function entryOf(check: Check, result: ProbeResult, clocks: Clocks): CheckpointEntry {
  const { config, state } = check
  const probedAt = clocks.toWall + check.probedMs
  return {
    memberId: config.memberId,
    generation: config.generation,
    probedAt,
    nextAt: nextAt(check, probedAt, clocks),
    outcome: result.outcome,
    reason: result.reason,
    phases: check.lastPhases ?? result.phases,
    okRun: state.okRun,
    badRun: state.badRun,
    stale: check.isStale,
    flags: packFlags(state),
  }
}
