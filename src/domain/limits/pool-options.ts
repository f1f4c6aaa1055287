/** Options of pools, both dialects: what a pool makes of the statuses of its members (ADR 36). */
import type { Range } from './range.ts'

/** `healthy_when.at_least`: members that must pass. The most that a batch of members makes in one pool is far below. */
export const POOL_AT_LEAST: Range = { min: 1, max: 1_000_000 }
/** `healthy_when.percent`: per cent of the members that must pass. 0 would never be too few. */
export const POOL_PERCENT: Range = { min: 1, max: 100 }
/**
 * `overprovisioning_percent`: how much traffic the passing members of a level can take, in per cent of their share.
 * 100: no more than their share. Envoy allows any number of 32 bits; more than 1000 makes no difference for 10 % and more.
 */
export const POOL_OVERPROVISIONING_PERCENT: Range = { min: 100, max: 1000 }
/** Envoy's panic threshold by default (docs/peers/pool-health.md 5). */
export const ENVOY_PANIC_PERCENT = 50
/** Envoy's overprovisioning factor by default (docs/peers/pool-health.md 7). */
export const ENVOY_OVERPROVISIONING_PERCENT = 140
/** AWS's minimum of healthy targets by default (docs/peers/pool-health.md 1). */
export const AWS_HEALTHY_MIN = 1
/** Members of one page of `effective-members`: some 300 bytes each. */
export const EFFECTIVE_MEMBERS_PAGE: Range = { min: 1, max: 1000 }
export const EFFECTIVE_MEMBERS_PAGE_DEFAULT = 1000
