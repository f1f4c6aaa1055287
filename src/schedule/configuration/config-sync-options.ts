/** What reading the configuration needs, and its callbacks. */
import type { PoolChecks } from '../../domain/prober/check.ts'
import type { Log } from '../log.ts'

export interface ConfigStore {
  /** Of each of these shards that has pools, a text that is another one when a pool came, went or changed. */
  readDigests(shards: readonly number[]): Promise<ReadonlyMap<number, string>>
  readVersions(
    shards: readonly number[],
  ): Promise<readonly { readonly poolId: string; readonly shard: number; readonly configVersion: number }[]>
  /** Of those of these pools that there are. */
  readSizes(
    poolIds: readonly string[],
  ): Promise<readonly { readonly poolId: string; readonly projectId: string; readonly members: number }[]>
  loadPools(poolIds: readonly string[]): Promise<readonly PoolChecks[]>
  /**
   * The next `limit` members of one pool in the order of their ids, after a member or from the first on. undefined: there
   * is no such pool.
   */
  loadMembers(poolId: string, after: string | undefined, limit: number): Promise<PoolPart | undefined>
}

/** Some of the checks of a pool, and the member after which it goes on; undefined = there are no more. */
export interface PoolPart {
  readonly pool: PoolChecks
  readonly lastMember: string | undefined
}

export interface ConfigSyncOptions {
  readonly store: ConfigStore
  readonly isHeld: (shard: number) => boolean
  /** Some checks of a pool: they are added, or changed where they run already. */
  readonly applyChecks: (pool: PoolChecks) => void
  /** The pool is complete: its other running checks end. */
  readonly completePool: (pool: Omit<PoolChecks, 'checks'>, members: ReadonlySet<string>) => void
  readonly removePool: (poolId: string) => void
  /** All shards that were added are loaded. */
  readonly onLoaded: () => void
  /** Whether an error says that PostgreSQL is away, as opposed to something about what was read. */
  readonly isAway: (error: unknown) => boolean
  readonly log: Log
  /** Monotonic milliseconds. */
  readonly now?: () => number
  /** Lets the event loop do other work for so many milliseconds. */
  readonly rest?: (ms: number) => Promise<unknown>
}
