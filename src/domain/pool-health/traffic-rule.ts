/** The rule of a pool, from its options and their preset: numbers only, as the database keeps them beside its counts. */
import type { HealthyWhen, PoolOptions, WhenTooFew } from './pool-options.ts'
import { OPTIONS_OF_PRESET } from './pool-presets.ts'

export interface TrafficRule {
  /** Members that must pass; null = the status of the pool does not ask for a number of them. */
  readonly atLeast: number | null
  /** Per cent of the members that must pass; null = none. */
  readonly percent: number | null
  /** Null = the pool has no options. */
  readonly whenTooFew: WhenTooFew | null
  /** Per cent; null = backups stand in for what fails (traffic.ts). */
  readonly overprovisioningPercent: number | null
}

/** Of a pool without options. */
export const NO_RULE: TrafficRule = {
  atLeast: null,
  percent: null,
  whenTooFew: null,
  overprovisioningPercent: null,
}

export function trafficRule(options: PoolOptions | null): TrafficRule {
  if (options === null) return NO_RULE
  const complete = effectivePoolOptions(options)
  return {
    ...numbersOf(complete.healthy_when),
    whenTooFew: complete.when_too_few ?? 'report',
    overprovisioningPercent: complete.overprovisioning_percent ?? null,
  }
}

/** The options with those of their preset. */
export function effectivePoolOptions(options: PoolOptions): PoolOptions {
  return options.preset === undefined ? options : { ...OPTIONS_OF_PRESET[options.preset], ...options }
}

function numbersOf(healthyWhen: HealthyWhen | undefined): Pick<TrafficRule, 'atLeast' | 'percent'> {
  if (healthyWhen === undefined) return { atLeast: null, percent: null }
  if (healthyWhen === 'any') return { atLeast: 1, percent: null }
  return { atLeast: healthyWhen.at_least ?? null, percent: healthyWhen.percent ?? null }
}

/** Why the options do not fit each other; undefined = they do. */
export function poolOptionsMisfit(options: PoolOptions): string | undefined {
  const { atLeast, percent, overprovisioningPercent } = trafficRule(options)
  if (overprovisioningPercent === null || (atLeast === null && percent !== null)) return undefined
  return 'overprovisioning_percent needs healthy_when with percent alone'
}
