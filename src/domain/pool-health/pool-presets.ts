/**
 * The rules of other load balancers, by name: the values of options, and nothing else. Migration 0039 has the same values
 * in SQL; a test compares the two.
 */
import { AWS_HEALTHY_MIN, ENVOY_OVERPROVISIONING_PERCENT, ENVOY_PANIC_PERCENT } from '../limits.ts'
import type { PoolOptions, PoolPreset } from './pool-options.ts'

/** What a preset gives where an option is absent. */
export const OPTIONS_OF_PRESET: Readonly<Record<PoolPreset, Omit<PoolOptions, 'preset'>>> = {
  // docs/peers/pool-health.md 1 and 2
  aws: { healthy_when: { at_least: AWS_HEALTHY_MIN }, when_too_few: 'fail_open' },
  // docs/peers/pool-health.md 5 and 7
  envoy: {
    healthy_when: { percent: ENVOY_PANIC_PERCENT },
    when_too_few: 'fail_open',
    overprovisioning_percent: ENVOY_OVERPROVISIONING_PERCENT,
  },
}
