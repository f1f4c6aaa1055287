/**
 * Checks from another prober, or from before a restart, go on where they were: the checkpoint of their shard has the
 * planned time of the next probe of each, and its last result. It is read only for checks that start here with a
 * verdict, so a change of a running pool reads nothing.
 */
import type { CheckConfig, CheckpointEntry, PlannedCheck, PoolChecks } from '../../domain/prober/check.ts'

export interface ResumptionOptions {
  /** Whether a check runs here. */
  readonly isRunning: (config: CheckConfig) => boolean
  /** What the checkpoints of these shards say about these members. */
  readonly readEntries: (
    shards: readonly number[],
    memberIds: readonly string[],
  ) => Promise<readonly CheckpointEntry[]>
}

/** The pools, with the checkpoint of each check that starts here and was probed elsewhere before. */
export async function withCheckpoints(
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
    const checkpoint = entries.get(check.config.memberId)
    return checkpoint === undefined ? check : { ...check, checkpoint }
  }
  return pools.map((pool) => ({ ...pool, checks: pool.checks.map(withEntry) }))
}
