/**
 * A snapshot: what a site probes of one shard, in parts that are read by themselves. Settings that checks share are in a part
 * once, and are one object again when it is read, as after a statement of the database.
 */
import { SNAPSHOT_CHECKS_PER_PART } from '../../domain/limits.ts'
import type { CheckConfig, PlannedCheck, PoolChecks } from '../../domain/prober/check.ts'
import type { ProbeTarget } from '../../domain/target/probe-target.ts'

/** What is the same in all parts of a snapshot; the headers of its messages. */
export interface SnapshotHead {
  /** Another one when the configuration of the shard is another one. */
  readonly digest: string
  /** Of this sending: parts of two sendings do not belong together. */
  readonly sending: string
  readonly parts: number
  /** The position in the stream of results up to which its verdicts are those of the database. */
  readonly through: number
}

/** A pool with its size in the database, and the checks of it that are here, in the order of their members. */
export interface SnapshotPool extends PoolChecks {
  readonly projectId: string
  /** Probed or not. */
  readonly members: number
}

/** A part of a snapshot, as it travels: settings by their number in `shared`. */
interface WirePart {
  readonly shared: readonly unknown[]
  readonly pools: readonly (Omit<SnapshotPool, 'checks'> & { readonly checks: readonly WireCheck[] })[]
}

interface WireCheck extends Omit<PlannedCheck, 'config'> {
  readonly config: Omit<CheckConfig, 'target' | 'policy' | 'maintenance' | 'dependsOn'>
  readonly own: Readonly<Record<string, unknown>>
  readonly target: Readonly<Record<string, number>>
  readonly of: Readonly<Record<string, number>>
}

/** Fields of a target whose objects belong to the monitor. */
const TARGET_OBJECTS = ['http', 'http2', 'grpc', 'tls', 'tcp', 'udp', 'reuse'] as const
const CHECK_OBJECTS = ['policy', 'maintenance', 'dependsOn'] as const

/** The pools in parts, a large pool in several; at least one part. */
export function partsOf(
  pools: readonly SnapshotPool[],
  checksPerPart = SNAPSHOT_CHECKS_PER_PART,
): readonly (readonly SnapshotPool[])[] {
  const parts: SnapshotPool[][] = [[]]
  let room = checksPerPart
  for (const pool of pools) {
    let from = 0
    do {
      if (room === 0) {
        parts.push([])
        room = checksPerPart
      }
      const checks = pool.checks.slice(from, from + room)
      parts.at(-1)?.push({ ...pool, checks })
      from += checks.length
      // A pool without checks takes room too.
      room -= Math.max(1, checks.length)
    } while (from < pool.checks.length)
  }
  return parts
}

/** A part, to be packed. */
export function toWire(pools: readonly SnapshotPool[]): object {
  const numbers = new Map<unknown, number>()
  const numberOf = (value: unknown): number => {
    const known = numbers.get(value)
    if (known !== undefined) return known
    numbers.set(value, numbers.size)
    return numbers.size - 1
  }
  const numbered = (from: object, names: readonly string[]): Record<string, number> =>
    Object.fromEntries(
      names.flatMap((name) => {
        const value = (from as Record<string, unknown>)[name]
        return value === undefined ? [] : [[name, numberOf(value)]]
      }),
    )
  const without = (from: object, names: readonly string[]): Record<string, unknown> =>
    Object.fromEntries(Object.entries(from).filter(([name]) => !names.includes(name)))
  const part = pools.map((pool) => ({
    ...pool,
    checks: pool.checks.map(({ config, ...check }) => ({
      ...check,
      config: without(config, ['target', ...CHECK_OBJECTS]),
      own: without(config.target, TARGET_OBJECTS),
      target: numbered(config.target, TARGET_OBJECTS),
      of: numbered(config, CHECK_OBJECTS),
    })),
  }))
  return { shared: [...numbers.keys()], pools: part }
}

/** The pools of a part that was unpacked. */
export function fromWire(value: unknown): readonly SnapshotPool[] {
  const { shared, pools } = value as WirePart
  const objects = (numbers: Readonly<Record<string, number>>): Record<string, unknown> =>
    Object.fromEntries(Object.entries(numbers).map(([name, number]) => [name, shared[number]]))
  return pools.map((pool) => ({
    ...pool,
    checks: pool.checks.map(({ config, own, target, of, ...check }) => ({
      ...check,
      config: {
        ...config,
        ...objects(of),
        target: { ...own, ...objects(target) } as unknown as ProbeTarget,
      } as CheckConfig,
    })),
  }))
}
