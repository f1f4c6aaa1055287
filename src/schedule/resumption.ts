/**
 * Checks that come from another prober, or from an earlier life of this one, go on where they were: their shard's checkpoint
 * says when each would have been probed next, and what its last probe gave. Read only for checks that begin here with a
 * verdict, so a change of a pool that runs reads nothing.
 */
import type { CheckConfig, CheckpointEntry, PlannedCheck, PoolChecks } from '../domain/check.ts'

export interface ResumptionOptions {
  /** Whether a check runs here. */
  readonly isRunning: (config: CheckConfig) => boolean
  /** What the checkpoints of these shards have of these members. */
  readonly readEntries: (
    shards: readonly number[],
    memberIds: readonly string[],
  ) => Promise<readonly CheckpointEntry[]>
}

/** The pools with what was left of the checks that begin here and were probed elsewhere before. */
export async function withWhatWasLeft(
  pools: readonly PoolChecks[],
  { isRunning, readEntries }: ResumptionOptions,
): Promise<readonly PoolChecks[]> {
  const beginning = pools.flatMap(({ checks }) =>
    checks.filter(({ config, verdict }) => verdict !== undefined && !isRunning(config)),
  )
  if (beginning.length === 0) return pools
  const shards = [...new Set(beginning.map(({ config }) => config.shard))]
  const memberIds = beginning.map(({ config }) => config.memberId)
  const entries = new Map((await readEntries(shards, memberIds)).map((entry) => [entry.memberId, entry]))
  const withEntry = (check: PlannedCheck): PlannedCheck => {
    const left = entries.get(check.config.memberId)
    return left === undefined ? check : { ...check, left }
  }
  return pools.map((pool) => ({ ...pool, checks: pool.checks.map(withEntry) }))
}
