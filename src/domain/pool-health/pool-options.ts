/**
 * `options` of a pool: what it makes of the statuses of its members. They are stored among the attributes that are only
 * stored and returned, as `depends_on` is; the database reads them when it counts the pool (migration 0039). Without
 * options a pool is as Octavia has it (status/roll-up.ts). Pure.
 */
import type { Echo } from '../types.ts'

/** Names of the rules of other load balancers (pool-presets.ts). */
export const POOL_PRESETS = ['aws', 'envoy'] as const
export type PoolPreset = (typeof POOL_PRESETS)[number]

/** What holds while too few members pass. */
export const WHEN_TOO_FEW = ['report', 'fail_open', 'fail_closed'] as const
export type WhenTooFew = (typeof WHEN_TOO_FEW)[number]

/** `any`: one that passes is enough. With both numbers, both must be reached. */
export type HealthyWhen = 'any' | { readonly at_least?: number; readonly percent?: number }

/** As the API writes and shows them. Every key is optional; the preset gives what is absent. */
export interface PoolOptions {
  readonly preset?: PoolPreset
  readonly healthy_when?: HealthyWhen
  readonly when_too_few?: WhenTooFew
  /** Per cent; backups take over by levels, as Envoy's priorities do. */
  readonly overprovisioning_percent?: number
}

/** A merge patch over options: null removes. `healthy_when` is replaced as a whole. */
export type PoolOptionsPatch = { readonly [Key in keyof PoolOptions]?: PoolOptions[Key] | null }

/** Their name among the attributes that are only stored and returned. */
const OPTIONS = 'options'

/** The options of a pool; null = none. */
export function poolOptions(echo: Echo): PoolOptions | null {
  const options = echo[OPTIONS]
  return typeof options === 'object' ? (options as PoolOptions | null) : null
}

/** The attribute as it is shown: only where something is set. */
export function shownPoolOptions(echo: Echo): { readonly options?: PoolOptions } {
  const options = poolOptions(echo)
  return options === null ? {} : { [OPTIONS]: options }
}

/** The attributes after a change: absent keeps what is stored, null removes all options. */
export function withPoolOptions(echo: Echo, patch: PoolOptionsPatch | null | undefined): Echo {
  if (patch === undefined) return echo
  const { [OPTIONS]: _, ...others } = echo
  const merged = patch === null ? {} : { ...poolOptions(echo), ...patch }
  const kept = Object.entries(merged).filter(([, value]) => value !== null && value !== undefined)
  return kept.length === 0 ? others : { ...others, [OPTIONS]: Object.fromEntries(kept) }
}
